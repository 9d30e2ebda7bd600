"""Questions of the study, findings that answer them, and sentences made of verdicts alone.

Several claims are one finding if they are near-duplicates: SVCCA and CKA of one factor, strict
and weak forms of one property. A sentence names each verdict by its word, and nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

TASKS = {
    "flip_flop": "3-bit memory",
    "sine": "sine",
    "integration": "integration",
}
"""Title of a task -> its name on the page."""


class Topic(NamedTuple):
    """Part of a question with a finding of its own."""

    subject: str
    """Name of the part; empty for a question that each task answers."""
    claims: Mapping[str, str]
    """Claim without its protocol -> its form, such as the metric; empty if it is the only one."""


class Question(NamedTuple):
    """Question of the study."""

    text: str
    statement: str
    """Statement that the claims test."""
    effect: str
    """Meaning of the effect."""
    topics: tuple[Topic, ...]


class Finding(NamedTuple):
    """Verdict of all claims on one topic, of one task under one protocol."""

    question: Question
    topic: Topic
    task: str
    protocol: str
    rows: pd.DataFrame

    @property
    def subject(self) -> str:
        """Name of the finding within its question."""
        return self.topic.subject or TASKS.get(self.task, self.task)

    @property
    def words(self) -> list[str]:
        """Verdict of each claim."""
        return [_verdict_words(row) for row in self.rows.to_dict("records")]

    @property
    def is_mixed(self) -> bool:
        """True if the claims differ in their verdicts."""
        return len(set(self.words)) > 1

    @property
    def word(self) -> str:
        """Verdict in words; of claims that differ, that of each form."""
        if not self.is_mixed:
            return self.words[0]
        pairs = zip(self.forms, self.words, strict=True)
        return "mixed (" + ", ".join(f"{form} {word}" for form, word in pairs) + ")"

    @property
    def forms(self) -> list[str]:
        """Form of each claim, in the order of the rows."""
        return [self.topic.claims[base] for base in self.rows["base"]]


def _verdict_words(row: Mapping[Any, Any]) -> str:
    """Return a verdict, with the levels of the factor for which it is so, if it names any."""
    verdict, note = str(row["verdict"]), row["note"]
    is_named = isinstance(note, str) and note.startswith(f"{verdict} for ")
    return note if is_named else verdict


def _one(*claims: str, **forms: str) -> tuple[Topic, ...]:
    return (Topic("", dict.fromkeys(claims, "") | forms),)


def _metrics(name: str) -> tuple[Topic, ...]:
    return (Topic("", {f"svcca_{name}": "SVCCA", f"cka_{name}": "CKA"}),)


NEARER = "nearer_untrained_than_another_activation"

QUESTIONS = (
    Question(
        "Are solutions alike across cells?",
        "Solutions are alike across cells",
        "largest difference of two levels (margin 0.10)",
        _one("solution_classes_alike_across_cell"),
    ),
    Question(
        "Are solutions alike across activations?",
        "Solutions are alike across activations",
        "largest difference of two levels (margin 0.10)",
        _one("solution_classes_alike_across_activation"),
    ),
    Question(
        "Does geometry depend on the cell?",
        "Geometry depends on the cell (SVCCA, CKA)",
        "separation: 0 is chance, 1 is perfect",
        _metrics("depends_on_cell"),
    ),
    Question(
        "Does geometry depend on the activation?",
        "Geometry depends on the activation (SVCCA, CKA)",
        "separation: 0 is chance, 1 is perfect",
        _metrics("depends_on_activation"),
    ),
    Question(
        "Are the fixed points of the memory those of a cube?",
        "Fixed points of the memory are 8 + 12 + 6 + 1, as of a cube",
        "share of networks",
        _one(cube="strictly", cube_with_any_centre="with any centre"),
    ),
    Question(
        "Are their connections those of a cube?",
        "Connections of the memory are those of a cube",
        "share of networks",
        _one(cube_graph="strictly", cube_graph_with_any_centre="with any centre"),
    ),
    Question(
        "Do linearised frequencies correlate with the cues?",
        "Linearised frequencies correlate with the cues by 0.9",
        "share of networks",
        _one("frequency_follows"),
    ),
    Question(
        "Does each context have an approximate line attractor?",
        "Each context has an approximate line attractor",
        "share of networks",
        _one("line_attractor"),
    ),
    Question(
        "Do vanilla networks integrate with one mode, and gated ones with several?",
        "Cells integrate with the reported number of modes",
        "probability of more modes: 0.5 is no difference",
        (
            Topic("vanilla with one", {"vanilla_one_mode": ""}),
            Topic("UGRNN with several", {"ugrnn_several_modes": ""}),
            Topic("GRU with several", {"gru_several_modes": ""}),
            Topic("LSTM with several", {"lstm_several_modes": ""}),
        ),
    ),
    Question(
        "Can trained networks be nearer to untrained ones than to trained ones of the other "
        "activation?",
        "Networks can be nearer to untrained ones than to those of the other activation",
        "contrast: above 0 if the untrained are nearer",
        (
            Topic(
                "",
                {
                    f"svcca_{NEARER}": "SVCCA",
                    f"cka_{NEARER}": "CKA",
                    "svcca_nearer_standard_untrained": "SVCCA (standard weights)",
                    "cka_nearer_standard_untrained": "CKA (standard weights)",
                },
            ),
        ),
    ),
)


def with_base(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the table of claims with the column `base`: names without protocols."""
    table = claims.assign(protocol=claims["protocol"].fillna("").astype(str))
    pairs = zip(table["claim"], table["protocol"], strict=True)
    return table.assign(base=[c.removesuffix(f"_{p}") if p else c for c, p in pairs])


def findings(claims: pd.DataFrame) -> list[Finding]:
    """Return the findings in the table of claims, question by question."""
    table = with_base(claims)
    return [
        Finding(question, topic, str(task), str(protocol), rows)
        for question in QUESTIONS
        for topic in question.topics
        for (task, protocol), rows in table[table["base"].isin(list(topic.claims))].groupby(
            ["task", "protocol"], sort=False
        )
    ]


def answer(question: Question, claims: pd.DataFrame) -> str:
    """Return the verdicts on a question: `Alike: sine (tuned). Different: 3-bit memory (both).`"""
    each = [finding for finding in findings(claims) if finding.question is question]
    protocols = list(dict.fromkeys(finding.protocol for finding in each))
    names = dict.fromkeys(finding.subject for finding in each)
    by_word: dict[str, dict[str, list[str]]] = {}
    for finding in each:
        by_word.setdefault(finding.word, {}).setdefault(finding.subject, []).append(
            finding.protocol
        )
    return " ".join(
        f"{word[:1].upper()}{word[1:]}: {_cases(subjects, protocols, len(names) > 1)}."
        for word, subjects in by_word.items()
    )


def _cases(subjects: Mapping[str, list[str]], protocols: Sequence[str], is_named: bool) -> str:
    """Return names of cases, joined by protocol: `3-bit memory and sine (both protocols)`."""
    by_protocols: dict[tuple[str, ...], list[str]] = {}
    for subject, under in subjects.items():
        by_protocols.setdefault(tuple(under), []).append(subject)
    return "; ".join(
        _case(names, _protocol_words(under, protocols), is_named)
        for under, names in by_protocols.items()
    )


def _case(names: Sequence[str], protocols: str, is_named: bool) -> str:
    if not is_named:
        return protocols or names[0]
    return join(names) + (f" ({protocols})" if protocols else "")


def _protocol_words(under: Sequence[str], protocols: Sequence[str]) -> str:
    if not any(protocols):
        return ""
    if len(under) == len(protocols) > 1:
        return "both protocols" if len(under) == 2 else "all protocols"
    return f"{join(under)} protocol" + ("s" if len(under) > 1 else "")


def join(words: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def statements(claims: pd.DataFrame) -> pd.DataFrame:
    """Return one row per verdict: the sentence that states it, its claim, task and word."""
    rows = [
        (f"**{question.text}** {answer(question, claims)}", row.claim, row.task, row.verdict)
        for question in QUESTIONS
        for finding in findings(claims)
        if finding.question is question
        for row in finding.rows.itertuples()
    ]
    return pd.DataFrame(rows, columns=["statement", "claim", "task", "verdict"])


def count_words(claims: pd.DataFrame) -> str:
    """Return how many findings the verdicts are, and whether the protocol decides."""
    cases: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings(claims):
        cases.setdefault((finding.question.text, finding.subject), []).append(finding)
    protocols = max((len(each) for each in cases.values()), default=0)
    number = f"The {len(claims)} verdicts are {len(cases)} findings"
    if protocols < 2:
        words = Counter(_kind(each[0]) for each in cases.values())
        return f"{number}: {_counted(words)}."
    equal = [each for each in cases.values() if len({f.word for f in each}) == 1]
    same = Counter(_kind(each[0]) for each in equal)
    listed = f": {_counted(same)}" if same else ""
    return (
        f"{number}, each under {protocols} protocols. The protocols agree in {len(equal)}{listed}. "
        f"In {len(cases) - len(equal)} the verdict depends on the protocol."
    )


def _kind(finding: Finding) -> str:
    """Return the verdict of a finding in one word or two."""
    return "mixed" if finding.is_mixed else str(finding.rows["verdict"].iloc[0])


def _counted(words: Mapping[str, int]) -> str:
    parts: Iterable[str] = (f"{count} {word}" for word, count in words.items())
    return ", ".join(parts)
