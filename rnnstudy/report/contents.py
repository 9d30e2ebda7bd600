"""Contents of a report: findings, sections, chapters and parts, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rnnstudy.core.exhibit import Exhibit
from rnnstudy.report.explorer.records import Explorer

Tone = Literal["good", "bad", "plain"]
"""Colour of a number or of a verdict, beside its words."""


@dataclass(frozen=True)
class Fact:
    """Number at the top of the page; `tone` colours it, beside the words."""

    label: str
    value: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class FindingRow:
    """Result of one claim on one task."""

    statement: str
    """Statement of the claim."""
    verdict: str = ""
    """Verdict in one or two words; empty for a description."""
    tone: Tone = "plain"
    effect: str = ""
    """Effect and its interval; empty without one."""
    controls: str = ""
    """Result of the controls in words; empty without controls."""
    control_tone: Tone = "plain"
    details: str = ""
    """Controls in full, and the reason of the verdict."""
    numbers: str = ""
    """Effect and its interval in figures alone: `0.02 [0, 0.04]`."""
    task: str = ""
    """Task in words; empty if there is one only."""
    group: str = ""
    """Networks that the claim is about, such as `protocol=tuned`; empty for all."""
    name: str = ""
    """Name of the claim in the spec."""
    failed_control: str = ""
    """Name of the first control that fails; empty without one."""

    @property
    def scope(self) -> str:
        """Task and networks in words; empty if there is one only."""
        return ", ".join(filter(None, (self.task, self.group)))


@dataclass(frozen=True)
class Finding:
    """Answer to one question: the results of the claim that speaks for it."""

    question: str
    rows: Sequence[FindingRow] = ()
    """Results of the claim, one for each task and each group of networks."""
    companions: Sequence[FindingRow] = ()
    """Results of further claims on the question."""
    meaning: str = ""
    """Meaning of the effect."""
    figure: tuple[str, str, str] | None = None
    """Labels of the section and of the part, and the title, of the figure that shows it."""

    @property
    def statement(self) -> str:
        """Statement of all rows; empty if they have several, or if there is one row."""
        statements = {row.statement for row in self.rows}
        return statements.pop() if len(statements) == 1 < len(self.rows) else ""

    def by_task(self) -> dict[str, dict[str, FindingRow]]:
        """Return task -> group -> row, of results that fill a table."""
        table: dict[str, dict[str, FindingRow]] = {}
        for row in self.rows:
            table.setdefault(row.task, {})[row.group] = row
        return table

    def short_task(self, task: str) -> str:
        """Return a task in words without its details, if no other task is then called the same.

        Parameters
        ----------
        task
            Task of a row.
        """
        short = {each: each.partition(" of ")[0] for each in self.by_task()}
        return short[task] if len({*short.values()}) == len(short) else task

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of networks, in order."""
        return tuple(dict.fromkeys(row.group for row in self.rows))


@dataclass(frozen=True)
class PagePart:
    """Exhibits of one analysis; `failure` is the reason if some or all are missing."""

    title: str
    """Title in words."""
    exhibits: Sequence[Exhibit] = ()
    failure: str = ""
    remark: str = ""
    """Networks that are left out, as a sentence."""
    fault: str = ""
    """Sentence on what could not be shown because code raised an exception."""
    name: str = ""
    """Name in the spec, for small print; default: none."""

    @property
    def label(self) -> str:
        """Name in the spec, or the title without one."""
        return self.name or self.title


@dataclass(frozen=True)
class PageChapter:
    """Chapter of the story of a task: one exhibit that leads it, and its parts, folded."""

    title: str
    parts: Sequence[PagePart] = ()
    lead: tuple[int, int] | None = None
    """Position of the part and of the exhibit that lead the chapter; None without an exhibit."""
    rows: Sequence[FindingRow] = ()
    """Verdicts on the claims of the chapter."""


@dataclass(frozen=True)
class PageSection:
    """Results of one task, or of the whole study: an introduction and its analyses."""

    title: str
    """Title in words."""
    parts: Sequence[PagePart] = ()
    """Parts of a section without chapters."""
    summary: str = ""
    chapters: Sequence[PageChapter] = ()
    """Chapters of a story, in order."""
    name: str = ""
    """Name in the spec, for small print; default: none."""

    @property
    def label(self) -> str:
        """Name in the spec, or the title without one."""
        return self.name or self.title

    @property
    def all_parts(self) -> tuple[PagePart, ...]:
        """Parts of the section and of its chapters."""
        return (*self.parts, *(part for chapter in self.chapters for part in chapter.parts))


@dataclass(frozen=True)
class Page:
    """Contents of a report; `provenance` maps a heading to text, or to named text."""

    title: str
    summary: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    sections: Sequence[PageSection] = ()
    provenance: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    spec: str = ""
    banner: str = ""
    """Warning above everything else."""
    formats: Sequence[str] = ("svg", "pdf")
    findings: Sequence[Finding] = ()
    """Findings, the leading ones first."""
    leading: int = 0
    """Number of findings that lead; the others are folded."""
    rule: str = ""
    """Rule that decides which findings lead."""
    methods: Sequence[tuple[str, str]] = ()
    """Title and text of each paragraph of the methods."""
    methods_file: str = ""
    """Methods in Markdown, with citations as pandoc reads them; empty for no file."""
    bibliography: str = ""
    """Sources of the methods in BibTeX; empty for no file."""
    explorer: Explorer | None = None
    """Networks that a reader can open one by one; None for a page without them."""
    networks: Sequence[str] = ()
    """Names of the networks. Each place that names one is a link to it."""
    """File formats of figures to download. The page itself shows SVG."""
