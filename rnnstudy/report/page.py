"""Page of a report: one file that opens offline, with its figures and tables beside it.

page = Page(
    title="quickstart",
    summary=("24 networks on a 3-bit memory.",),
    facts=(Fact("networks", "24"), Fact("solved", "24 of 24", "good")),
    sections=(PageSection("3-bit memory", (PagePart("Training", exhibits),)),),
    provenance={"versions": {"rnnstudy": "0.1.0"}},
    spec=text,
)
draw_page(page, folder)                        # -> folder/index.html, figures/, tables/
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rnnstudy.core.component import join_words
from rnnstudy.core.exhibit import Exhibit, Note, Panels, Table
from rnnstudy.core.files import short_name
from rnnstudy.report.contents import Finding, Page, PageChapter, PagePart, PageSection
from rnnstudy.report.explorer.files import write_data, write_explorer
from rnnstudy.report.figures.figures import is_drawable, save_figure
from rnnstudy.report.figures.interactive import plotly_data
from rnnstudy.report.tables import csv_text, table_cell, table_rows
from rnnstudy.study.results.failures import attempt

TEMPLATES = Path(__file__).parent / "templates"

PLOTLY_FILE = "plotly.min.js"
"""Library of the interactive plots: a file beside the page, so that it opens offline."""

METHODS_FILE, SOURCES_FILE = "methods.md", "references.bib"
"""Files of the methods of a study and of their sources."""

MOST_ROWS = 1000
"""Rows of a table in the page. Its file has all."""

FIRST_ROWS = 100
"""Rows of a table that the browser makes at once. The others are made when they are asked for."""

LONG_TABLE = 15
"""Rows beyond which a table scrolls inside its frame."""

WIDE_TABLE = 8
"""Columns beyond which a table is set in smaller letters."""

RESERVED = frozenset({
    "content", "summary", "answer", "answer-title", "methods", "methods-title", "provenance",
    "provenance-title", "spec", "spec-title", "selection-notice", "explorer", "explorer-search",
    "network", "compare", "explore",
})  # fmt: skip
"""Ids of the page itself and of the explorer, and names of the explorer's views in addresses."""

LONG_NAME = 120
"""Letters beyond which the end of a file name is a hash."""

LONG_TEXT = 24
"""Letters beyond which a cell's text may have several lines."""


class RenderedExhibit(NamedTuple):
    """Exhibit with its position in the page and its files."""

    exhibit: Exhibit
    kind: str
    name: str
    cells: list[list[Any]]
    has_plot: bool = False
    """True if a data file holds a plot of the figure."""
    fault: str = ""
    """Sentence on why the exhibit could not be drawn; empty if it was."""

    @property
    def plot_file(self) -> str:
        """Name of the data file of its plot."""
        return f"plots/{self.name}"

    @property
    def panels(self) -> Sequence[Exhibit]:
        """Panels of a figure that has several; empty for any other exhibit."""
        return self.exhibit.exhibits if isinstance(self.exhibit, Panels) else ()

    @property
    def sentence(self) -> str:
        """Sentence that says what the exhibit shows: its finding, or the start of its caption."""
        start = self.exhibit.caption.partition(". ")[0].rstrip(".")
        return self.exhibit.finding or (f"{start}." if start else "")


def draw_page(page: Page, folder: Path) -> tuple[str, ...]:
    """Draw the page, its figures and tables into an empty folder, and return the faults.

    Figures and tables depend on the exhibits alone. An exhibit that cannot be drawn is a note with
    the reason in its place.

    Parameters
    ----------
    page
        The contents.
    folder
        Folder that exists and is empty. The page in it is `index.html`.

    Returns
    -------
    tuple of str
        One sentence for each part or exhibit that could not be shown; empty if all are there.
    """
    names = FileNames()
    formats = tuple(dict.fromkeys(("svg", *page.formats)))
    sections = [_render_section(section, folder, names, formats) for section in page.sections]
    items = [item for section in sections for _, item in _items(section)]
    has_plots = bool(page.explorer) or any(item.has_plot for item in items)
    if has_plots:
        _write(folder / PLOTLY_FILE, _plotly_source())
    for name, text in ((METHODS_FILE, page.methods_file), (SOURCES_FILE, page.bibliography)):
        if text:
            _write(folder / name, text)
    findings = [{"finding": each, "item": _figure(each, sections)} for each in page.findings]
    _write(folder / "index.html", _render_page(page, sections, findings, has_plots))
    unwritten = write_explorer(page.explorer, folder) if page.explorer else []
    return (*page_faults(page), *(item.fault for item in items if item.fault), *unwritten)


def _figure(finding: Finding, sections: Sequence[Mapping[str, Any]]) -> RenderedExhibit | None:
    """Return the figure of a finding as it stands in its section; None without one."""
    for section in sections:
        for label, item in _items(section):
            if (section["section"].label, label, item.exhibit.title) == finding.figure:
                return item if item.kind == "figure" else None
    return None


def page_faults(page: Page) -> tuple[str, ...]:
    """Return one sentence for each part whose contents lack something.

    Parameters
    ----------
    page
        The contents.
    """
    return tuple(
        f"{section.label}, {part.label}: {part.fault}"
        for section in page.sections
        for part in section.all_parts
        if part.fault
    )


def _write(path: Path, text: str) -> None:
    # Names of files that are no UTF-8 may be part of a text.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


class FileNames:
    """File names of exhibits: `task-analysis-title`, numbered if two would be equal.

    They are the ids of the exhibits and of their headings, too: `name` and `name-title`.
    """

    def __init__(self) -> None:
        self.used = set(RESERVED)

    def assign(self, *titles: str) -> str:
        """Return a name that no other exhibit, and no place of the page itself, has."""
        wanted = short_name("-".join(file_stem(title) for title in titles), LONG_NAME)
        name, count = wanted, 1
        while {name, f"{name}-title"} & self.used:
            count += 1
            name = f"{wanted}-{count}"
        self.used |= {name, f"{name}-title"}
        return name


def file_stem(title: str) -> str:
    """Return a title as part of a file name: lower-case letters, digits, - and _."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-") or "untitled"


def _render_section(
    section: PageSection, folder: Path, names: FileNames, formats: Sequence[str]
) -> dict[str, Any]:
    name = names.assign(section.label)
    render = partial(_render_part, section, folder=folder, names=names, formats=formats)
    return {
        "section": section,
        "name": name,
        "parts": [render(part) for part in section.parts],
        "chapters": [
            _render_chapter(chapter, names.assign(section.label, chapter.title), render)
            for chapter in section.chapters
        ],
    }


def _render_chapter(
    chapter: PageChapter, name: str, render: Callable[[PagePart], dict[str, Any]]
) -> dict[str, Any]:
    """Return a chapter. The exhibit that leads it is not repeated in its part."""
    parts = [render(part) for part in chapter.parts]
    lead = None
    if chapter.lead is not None:
        part, exhibit = chapter.lead
        lead = {"part": parts[part], "item": parts[part]["exhibits"].pop(exhibit)}
    return {
        "title": chapter.title,
        "rows": chapter.rows,
        "name": name,
        "lead": lead,
        "parts": [part for part in parts if _has_content(part)],
        "faulty": any(part["part"].failure or part["part"].fault for part in parts),
        "folded": _folded_words(
            [item for part in parts for item in part["exhibits"]], lead["item"].kind if lead else ""
        ),
    }


def _folded_words(items: Sequence[RenderedExhibit], lead: str) -> str:
    """Return how many exhibits of each kind are folded: `1 more figure and 2 tables`.

    `lead` is the kind of the exhibit above them; empty without one.
    """
    count = Counter(item.kind for item in items)
    words = [
        f"{count[kind]}{' more' * (kind == lead)} {kind}{'s' * (count[kind] > 1)}"
        for kind in ("figure", "table", "note")
        if count[kind]
    ]
    return join_words(words)


def _has_content(part: Mapping[str, Any]) -> bool:
    """Return False for a part of which everything is shown elsewhere."""
    return bool(part["exhibits"] or not part["part"].exhibits or part["part"].failure
                or part["part"].fault)  # fmt: skip


def _render_part(
    section: PageSection, part: PagePart, folder: Path, names: FileNames, formats: Sequence[str]
) -> dict[str, Any]:
    name = names.assign(section.label, part.label)
    exhibits = list(_render_exhibits(section, part, folder, names, formats))
    return {"part": part, "name": name, "exhibits": exhibits}


def _items(section: Mapping[str, Any]) -> Iterator[tuple[str, RenderedExhibit]]:
    """Yield all exhibits of a section, each with the label of its part."""
    for chapter in section["chapters"]:
        if chapter["lead"]:
            yield chapter["lead"]["part"]["part"].label, chapter["lead"]["item"]
    folded = (part for chapter in section["chapters"] for part in chapter["parts"])
    for part in (*section["parts"], *folded):
        for item in part["exhibits"]:
            yield part["part"].label, item


def _render_exhibits(
    section: PageSection, part: PagePart, folder: Path, names: FileNames, formats: Sequence[str]
) -> Iterator[RenderedExhibit]:
    """Write the files of a part, and yield its exhibits."""
    for exhibit in part.exhibits:
        title = str(exhibit.title) if isinstance(exhibit, Exhibit) else type(exhibit).__name__
        name = names.assign(section.label, part.label, title)
        draw = partial(_render_exhibit, exhibit, folder, name, formats)
        rendered, error = attempt(draw, None)
        if rendered is None:
            text = f"It could not be drawn: {error}"
            note = Note(title=title, text=text)
            fault = f"{section.label}, {part.label}, {title}: {text[0].lower()}{text[1:]}"
            rendered = RenderedExhibit(note, "note", name, [], fault=fault)
        yield rendered


def _render_exhibit(
    exhibit: Exhibit, folder: Path, name: str, formats: Sequence[str]
) -> RenderedExhibit:
    if isinstance(exhibit, Table):
        text = csv_text(exhibit)
        rows = table_rows(exhibit)[:MOST_ROWS]
        cells = [[table_cell(value) for value in row] for row in rows]
        (folder / "tables").mkdir(exist_ok=True)
        _write(folder / "tables" / f"{name}.csv", text)
        return RenderedExhibit(exhibit, "table", name, cells)
    if isinstance(exhibit, Note):
        return RenderedExhibit(exhibit, "note", name, [])
    if isinstance(exhibit, Panels) and not exhibit.exhibits:
        note = Note(title=exhibit.title, text="Nothing to show.")
        return RenderedExhibit(note, "note", name, [])
    if is_drawable(exhibit):
        plot = plotly_data(exhibit)
        save_figure(exhibit, folder / "figures", name, formats)
        figure = RenderedExhibit(exhibit, "figure", name, [], plot is not None)
        if figure.has_plot:
            write_data(folder, figure.plot_file, plot)
        return figure
    kind = type(exhibit).__name__
    raise ValueError(f"an exhibit must be a table, a note or a figure, got a {kind}")


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    return source


def _render_page(
    page: Page,
    sections: Sequence[Mapping[str, Any]],
    findings: Sequence[Mapping[str, Any]],
    has_plots: bool,
) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html")
    return template.render(
        page=page,
        sections=sections,
        findings=findings,
        has_plots=has_plots,
        long_table=LONG_TABLE,
        first_rows=FIRST_ROWS,
        wide_table=WIDE_TABLE,
        long_text=LONG_TEXT,
        networks=frozenset(page.networks),
        methods_file=METHODS_FILE,
        sources_file=SOURCES_FILE,
    )
