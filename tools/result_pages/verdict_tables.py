"""Tables of verdicts: answers, findings, controls, and statements of papers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from result_pages.markdown import folded, interval, number, probability, table
from result_pages.wording import QUESTIONS, TASKS, Finding, answer, findings, with_base

MAHESWARANATHAN, TOLMACHEV = "Maheswaranathan et al. (2019)", "Tolmachev & Engel (2025)"


class PaperStatement(NamedTuple):
    """Statement of a paper that this study tests."""

    paper: str
    text: str
    questions: tuple[int, ...]
    """Positions of the questions that test it."""


PAPERS = (
    PaperStatement(
        MAHESWARANATHAN,
        "The geometry of the dynamics can be highly sensitive to architectures.",
        (2, 3),
    ),
    PaperStatement(
        MAHESWARANATHAN,
        "The topological structure of fixed points and the linearised dynamics often appear "
        "universal across architectures.",
        (0, 1),
    ),
    PaperStatement(
        MAHESWARANATHAN,
        "The 3-bit memory has fixed points with 0 to 3 unstable dimensions, joined as a cube.",
        (4, 5),
    ),
    PaperStatement(
        MAHESWARANATHAN,
        "The linearised frequency at a cue's fixed point follows the target.",
        (6,),
    ),
    PaperStatement(
        MAHESWARANATHAN,
        "Integrators of all cells and activations have approximate line attractors.",
        (7,),
    ),
    PaperStatement(
        MAHESWARANATHAN,
        "Vanilla networks integrate with one mode, gated ones with several.",
        (8,),
    ),
    PaperStatement(
        MAHESWARANATHAN,
        "Trained and untrained networks of one nonlinearity can be more alike than trained ones "
        "of different nonlinearities.",
        (9,),
    ),
    PaperStatement(
        TOLMACHEV,
        "Activations bias fixed-point configurations: solutions differ.",
        (1,),
    ),
    PaperStatement(
        TOLMACHEV,
        "Activations bias the geometry of trajectories.",
        (3,),
    ),
)
"""Statements that this study tests."""


def answers(claims: pd.DataFrame) -> str:
    """Return the verdicts on sameness: a row per factor and protocol, a column per task."""
    each = [f for f in findings(claims) if f.question in QUESTIONS[:2]]
    tasks = list(dict.fromkeys(f.task for f in each))
    cells = {(f.question.statement, f.protocol, f.task): _verdict_cell(f) for f in each}
    rows = [
        [" ".join([question, *([f"({protocol})"] * bool(protocol))]),
         *(cells.get((question, protocol, task), "") for task in tasks)]
        for question, protocol in dict.fromkeys((f.question.statement, f.protocol) for f in each)
    ]  # fmt: skip
    return table(["", *(TASKS.get(task, task) for task in tasks)], rows)


def _verdict_cell(finding: Finding) -> str:
    """Return the verdict of a finding, or of each form, with effects and their intervals."""
    rows, effects = finding.rows.to_dict("records"), []
    for form, word, row in zip(finding.forms, finding.words, rows, strict=True):
        verdict = f"**{word}**" if finding.is_mixed else ""
        parts = [form, verdict, interval(row["effect"], row["low"], row["high"])]
        effects.append(" ".join(filter(None, parts)))
    joint = [] if finding.is_mixed else [f"**{finding.word}**"]
    return " ".join([*joint, ", ".join(filter(None, effects)), *_nearly(rows)]).strip()


def _nearly(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Return the remark that networks are alike although they differ."""
    notes = {row["note"] for row in rows if row["verdict"] == "alike" and not pd.isna(row["note"])}
    return [f"({note})" for note in notes]


def finding_table(claims: pd.DataFrame) -> str:
    """Return one row per finding, with a column per protocol."""
    cases: dict[tuple[str, str, str], dict[str, Finding]] = {}
    for finding in findings(claims):
        at = (finding.question.statement, finding.subject, finding.question.effect)
        cases.setdefault(at, {})[finding.protocol] = finding
    protocols = list(dict.fromkeys(f.protocol for f in findings(claims)))
    rows = [
        [statement, subject, *(_verdict_cell(under[p]) if p in under else "" for p in protocols),
         effect]
        for (statement, subject, effect), under in cases.items()
    ]  # fmt: skip
    return table(["finding", "of", *(p or "verdict" for p in protocols), "effect"], rows)


def control_tables(claims: pd.DataFrame) -> str:
    """Return all verdicts beside their controls, one folded table per question."""
    rows = with_base(claims)
    parts = []
    for question in QUESTIONS:
        names = [name for topic in question.topics for name in topic.claims]
        each = rows[rows["base"].isin(names)]
        if len(each):
            parts.append(folded(f"{question.text} {answer(question, claims)}", _verdicts(each)))
    rest = rows[~rows["base"].isin([n for q in QUESTIONS for t in q.topics for n in t.claims])]
    if len(rest):
        parts.append(folded("Other claims", _verdicts(rest)))
    return "".join(parts)


def _verdicts(rows: pd.DataFrame) -> str:
    head = ["claim", "task", "verdict", "effect (95 %)", "corrected p", "before training",
            "learnt (95 %)", "does the measure see differences?", "noise, zeros, ones; shuffled",
            "networks", "over all trained"]  # fmt: skip
    return table(head, [_verdict_row(row) for row in rows.to_dict("records")])


def _verdict_row(row: Mapping[str, Any]) -> list[str]:
    def words(name: str) -> str:
        return "" if pd.isna(row[name]) else str(row[name])

    note = f": {words('note')}" if words("note") else ""
    left_out = f"; left out: {words('left_out')}" if words("left_out") else ""
    return [
        f"`{row['claim']}`",
        TASKS.get(row["task"], row["task"]),
        f"**{row['verdict']}**{note}",
        interval(row["effect"], row["low"], row["high"]),
        probability(row["corrected_p"]),
        number(row["untrained_effect"]),
        interval(row["learnt"], row["learnt_low"], row["learnt_high"]),
        words("positive_controls"),
        words("negative_controls"),
        number(row["networks"], ".0f") + left_out,
        words("verdict_all_trained"),
    ]


def paper_table(claims: pd.DataFrame) -> str:
    """Return statements of papers beside the verdicts of this study."""
    rows = [
        [paper, statement,
         " ".join(f"*{QUESTIONS[i].statement}.* {answer(QUESTIONS[i], claims)}"
                  for i in questions)]
        for paper, statement, questions in PAPERS
    ]  # fmt: skip
    return table(["paper", "statement", "verdicts of this study"], rows)
