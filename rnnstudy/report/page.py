"""Page of a report: one file that opens offline, with its figures and tables beside it.

page = Page(
    title="quickstart",
    summary=("24 networks on a 3-bit memory.",),
    facts=(Fact("networks", "24"), Fact("solved", "24 of 24", "good")),
    sections=(Section("flip_flop", (Part("performance", exhibits),)),),
    provenance={"versions": {"rnnstudy": "0.1.0"}},
    spec=text,
)
write_page(page, folder)                       # -> folder/index.html, figures/, tables/
"""

import re
import shutil
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rnnstudy.core.exhibit import Exhibit, Note, Panels, Table
from rnnstudy.report.figures.figures import is_drawable, save_figure
from rnnstudy.report.figures.interactive import plotly_data
from rnnstudy.report.tables import csv_text, table_cell, table_rows

TEMPLATES = Path(__file__).parent / "templates"

PLOTLY_FILE = "plotly.min.js"
"""Library of the interactive plots: a file beside the page, so that it opens offline."""

LONG_TABLE = 15
"""Rows beyond which a table scrolls inside its frame."""

WIDE_TABLE = 8
"""Columns beyond which a table is set in smaller letters."""

LONG_TEXT = 24
"""Letters beyond which a cell's text may have several lines."""


@dataclass(frozen=True)
class Fact:
    """Number at the top of the page; `tone` colours it, beside the words."""

    label: str
    value: str
    tone: Literal["good", "bad", "plain"] = "plain"


@dataclass(frozen=True)
class PagePart:
    """Exhibits of one analysis; `failure` is the reason if some or all are missing."""

    title: str
    exhibits: Sequence[Exhibit] = ()
    failure: str = ""
    remark: str = ""
    """Networks that are left out, as a sentence."""


@dataclass(frozen=True)
class PageSection:
    """Results of one task, or of the whole study: an introduction and its analyses."""

    title: str
    parts: Sequence[PagePart] = ()
    summary: str = ""


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
    """File formats of figures to download. The page itself shows SVG."""


class RenderedExhibit(NamedTuple):
    """Exhibit with its position in the page and its files."""

    exhibit: Exhibit
    kind: str
    name: str
    cells: list[list[Any]]
    plot: Any


def write_page(page: Page, folder: Path) -> Path:
    """Write the page, its figures and tables into `folder`, and return the path of the page.

    Files of an earlier report are replaced. Figures and tables depend on the exhibits alone.
    """
    for part in ("figures", "tables"):
        shutil.rmtree(folder / part, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PLOTLY_FILE).unlink(missing_ok=True)
    names = FileNames()
    formats = tuple(dict.fromkeys(("svg", *page.formats)))
    sections = [_render_section(section, folder, names, formats) for section in page.sections]
    parts = [part for section in sections for part in section["parts"]]
    explorable = any(item.plot for part in parts for item in part["exhibits"])
    if explorable:
        (folder / PLOTLY_FILE).write_text(_plotly_source(), encoding="utf-8")
    index = folder / "index.html"
    index.write_text(_render_page(page, sections, explorable), encoding="utf-8")
    return index


class FileNames:
    """File names of exhibits: `task-analysis-title`, numbered if two would be equal."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def assign(self, *titles: str) -> str:
        """Return a name that no other exhibit of this page has."""
        wanted = "-".join(file_stem(title) for title in titles)[:120].strip("-")
        name, count = wanted, 1
        while name in self.used:
            count += 1
            name = f"{wanted}-{count}"
        self.used.add(name)
        return name


def file_stem(title: str) -> str:
    """Return a title as part of a file name: lower-case letters, digits, - and _."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-") or "untitled"


def _render_section(
    section: PageSection, folder: Path, names: FileNames, formats: Sequence[str]
) -> dict[str, Any]:
    name = names.assign(section.title)
    parts = [
        {
            "title": part.title,
            "failure": part.failure,
            "remark": part.remark,
            "name": names.assign(section.title, part.title),
            "exhibits": list(_render_exhibits(section, part, folder, names, formats)),
        }
        for part in section.parts
    ]
    return {"title": section.title, "summary": section.summary, "name": name, "parts": parts}


def _render_exhibits(
    section: PageSection, part: PagePart, folder: Path, names: FileNames, formats: Sequence[str]
) -> Iterator[RenderedExhibit]:
    """Write the files of a part, and yield its exhibits."""
    for exhibit in part.exhibits:
        name = names.assign(section.title, part.title, exhibit.title)
        if isinstance(exhibit, Table):
            (folder / "tables").mkdir(exist_ok=True)
            (folder / "tables" / f"{name}.csv").write_text(csv_text(exhibit), encoding="utf-8")
            cells = [[table_cell(value) for value in row] for row in table_rows(exhibit)]
            yield RenderedExhibit(exhibit, "table", name, cells, None)
        elif isinstance(exhibit, Note):
            yield RenderedExhibit(exhibit, "note", name, [], None)
        elif isinstance(exhibit, Panels) and not exhibit.exhibits:
            yield RenderedExhibit(
                Note(title=exhibit.title, text="Nothing to show."), "note", name, [], None
            )
        elif is_drawable(exhibit):
            save_figure(exhibit, folder / "figures", name, formats)
            yield RenderedExhibit(exhibit, "figure", name, [], plotly_data(exhibit))
        else:
            kind = type(exhibit).__name__
            raise ValueError(f"'{exhibit.title}' must be a table, a note or a figure, got a {kind}")


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    return source


def _render_page(page: Page, sections: Sequence[Mapping[str, Any]], explorable: bool) -> str:
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
        plotly=PLOTLY_FILE if explorable else None,
        long_table=LONG_TABLE,
        wide_table=WIDE_TABLE,
        long_text=LONG_TEXT,
    )
