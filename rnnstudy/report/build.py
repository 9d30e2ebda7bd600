"""Report of a run: its contents, and its folder."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from rnnstudy.core.component import join_words
from rnnstudy.core.files import draft_beside, make_folder, read_file, remove_folder, replace_folder
from rnnstudy.core.files.changes import create_folder
from rnnstudy.report.answer import (
    MOST_LEADING,
    NO_CLAIMS,
    RULE,
    Stories,
    descriptions,
    findings,
)
from rnnstudy.report.contents import Fact, Page, Tone
from rnnstudy.report.explorer.records import explorer_of
from rnnstudy.report.fingerprint import fingerprint_of, is_current, write_fingerprint
from rnnstudy.report.methods.text import Methods, methods_of
from rnnstudy.report.opening import networks_sentence
from rnnstudy.report.page import draw_page, page_faults
from rnnstudy.report.sections import (
    claims_section,
    damage_section,
    members_section,
    methods_section,
    rates_section,
    task_section,
)
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.results.failures import attempt, words_of
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.solved_rates import unequal_rates_in_words
from rnnstudy.study.results.verdict_table import ClaimResult
from rnnstudy.study.store import snapshot_of

FEW_SOLVED = 0.95
"""Share of solved networks below which the page begins with a warning."""

SPEC = "spec.yaml"
"""Copy of the spec in a run directory."""

SPEC_LIMIT = 1 << 24
"""Largest number of bytes of a spec that is shown."""

WITHOUT_VERDICT = ("uninformative", "not enough networks", "failed", "not computed")
"""Words of claims on which a study says nothing."""


class WrittenReport(NamedTuple):
    """Report on disk."""

    page: Path
    """File to open."""
    faults: tuple[str, ...]
    """One sentence for each part that could not be shown; empty if all are there."""


def write_report(run: Run) -> WrittenReport:
    """Write `report/` of a run directory.

    The report is drawn beside the one of before, which it replaces when it is complete.

    Parameters
    ----------
    run
        The results.
    """
    return write_page(page(run), run.directory / "report")


def update_report(run: Run) -> WrittenReport:
    """Write `report/` unless it already shows the same contents, drawn by the same code.

    All records are read in any case.

    Parameters
    ----------
    run
        The results.
    """
    contents, folder = page(run), run.directory / "report"
    fingerprint = _fingerprint(contents)
    if fingerprint and is_current(folder, fingerprint):
        return WrittenReport(folder / "index.html", page_faults(contents))
    return write_page(contents, folder)


def write_page(contents: Page, folder: Path) -> WrittenReport:
    """Write a page to a folder, which holds the one of before until this one is complete.

    Parameters
    ----------
    contents
        The page.
    folder
        Folder of the report.
    """
    draft = draft_beside(folder)
    make_folder(folder.parent)
    create_folder(draft)
    try:
        faults = draw_page(contents, draft)
        # Exhibits that could not be drawn are tried again by the next run.
        if faults == page_faults(contents) and (fingerprint := _fingerprint(contents)):
            write_fingerprint(draft, fingerprint)
        replace_folder(draft, folder)
    finally:
        with suppress(OSError):
            remove_folder(draft)
    return WrittenReport(folder / "index.html", faults)


def _fingerprint(contents: Page) -> str:
    """Return the fingerprint of a page; empty if an exhibit of the user cannot have one."""
    return attempt(lambda: fingerprint_of(contents), "")[0]


def page(run: Run) -> Page:
    """Return the contents of the report, from the records of the run's store.

    Parameters
    ----------
    run
        The results.
    """
    run = run.at_one_time()
    none: list[ClaimResult] = []
    claims, error = attempt(run.verdicts, none)
    stories = [task_section(run, task.title, claims) for task in run.study.tasks]
    titles = {analysis.title: words_of(analysis) for analysis in run.study.analyses}
    none_yet: Methods | None = None
    methods, wrong = attempt(lambda: methods_of(run.study, run.index.pairs), none_yet)
    rows = findings(claims, Stories(titles, stories, run.study.analyses))
    return Page(
        title=run.study.report.title or run.study.study,
        summary=tuple(_summary(run)),
        facts=tuple(_facts(run, claims)),
        banner=_banner(run),
        sections=(
            *stories,
            *claims_section(run, claims, error),
            *rates_section(run),
            members_section(run),
            *methods_section(run, wrong),
            *damage_section(run),
        ),
        findings=rows or descriptions(stories),
        leading=MOST_LEADING,
        rule=RULE if rows else NO_CLAIMS,
        methods=[] if methods is None else [(each.title, each.text) for each in methods.readable],
        methods_file="" if methods is None else methods.markdown,
        bibliography="" if methods is None else methods.bibtex,
        provenance=_provenance(run),
        spec=_spec(run),
        formats=run.study.report.formats,
        networks=[str(name) for name in run.members["member"]],
        explorer=explorer_of(run),
    )


def _summary(run: Run) -> list[str]:
    unequal = unequal_rates_in_words(run.solved_by_combination())
    return [
        networks_sentence(run.index.members, run.study.tasks),
        *([f"Combinations differ in how many of their networks solve the task: {unequal}."]
          if unequal else []),
        *([] if run.study.analyses else ["The spec has no analyses."]),
    ]  # fmt: skip


def _banner(run: Run) -> str:
    """Return a warning if fewer than 95 % of the networks have solved their task."""
    outcomes = run.solved_by_combination()
    counts = {task: [sum(map(sum, by.values())), sum(map(len, by.values()))]
              for task, by in outcomes.items()}  # fmt: skip
    solved, networks = (sum(each[i] for each in counts.values()) for i in (0, 1))
    if solved >= FEW_SOLVED * networks:
        return ""
    tasks = [f"{k} of {n} on {task}" for task, (k, n) in counts.items()]
    share = f"{solved} of {count_label(networks, 'network')} ({100 * solved / networks:.0f} %)"
    return (
        f"Only {share} solved their task: {join_words(tasks)}. Analyses and claims leave out the "
        "others unless the spec says otherwise (networks). Selection by outcome is a choice: "
        "compare the verdicts over all trained networks, and the shares of solved networks."
    )


def _facts(run: Run, claims: Sequence[ClaimResult]) -> list[Fact]:
    table = run.members
    trained = int((table["status"] == "trained").sum())
    solved = int(table["solved"].eq(True).sum())
    diverged = int((table["status"] == "diverged").sum())
    failures = run.failures()
    everything = len(table)
    words = [claim.word for claim in claims]
    supported = sum(word in ("supported", "alike") for word in words)
    open_claims = sum(word in WITHOUT_VERDICT for word in words)
    of_claims = [
        Fact("claims supported", f"{supported} of {len(words)}"),
        Fact("claims without a verdict", f"{open_claims} of {len(words)}"),
    ]
    return [
        Fact("trained", f"{trained} of {everything}", "good" if trained == everything else "bad"),
        Fact("solved", f"{solved} of {everything}", _tone(solved, everything)),
        Fact("left out of an analysis", str(_left_out_count(run))),
        Fact("diverged", str(diverged), "bad" if diverged else "good"),
        Fact("failed steps", str(len(failures)), "bad" if failures else "good"),
        *(of_claims if words else []),
    ]


def _left_out_count(run: Run) -> int:
    """Return the number of networks that an analysis or a claim leaves out for their outcome."""
    index, store = run.index.selected, snapshot_of(run.store)
    choices = {each.networks for each in (*run.study.analyses, *run.study.claims)}
    return len({
        address
        for task in index.positions
        for choice in choices
        for address in index.exclusions(store, task, choice)
    })  # fmt: skip


def _tone(solved: int, networks: int) -> Tone:
    """Return the colour of a number of solved networks."""
    if solved == networks:
        return "good"
    return "plain" if solved >= FEW_SOLVED * networks else "bad"


def _provenance(run: Run) -> dict[str, Any]:
    provenance = run.provenance
    seeds = sorted({int(seed) for seed in run.members["seed"].dropna()})
    about = {
        "began": str(provenance.get("begun", "")),
        "ended": str(provenance.get("ended", "")),
        "seconds": str(provenance.get("seconds", "")),
        "command": " ".join(provenance.get("command", [])),
        "platform": str(provenance.get("platform", "")),
        "cores": str(provenance.get("cores", "")),
        "devices": ", ".join(provenance.get("devices", [])),
        "seeds": ", ".join(map(str, seeds)),
    }
    return {
        "last execution": {name: text for name, text in about.items() if text},
        "versions": {name: str(text) for name, text in provenance.get("versions", {}).items()},
    }


def _spec(run: Run) -> str:
    """Return the text of the spec as it was given, or why it cannot be shown."""
    try:
        return read_file(run.directory / SPEC, SPEC_LIMIT).decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{SPEC} {(error.strerror or str(error)).lower()}"
