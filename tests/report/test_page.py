"""The page: complete, offline, safe with any text, and without a complaint of the browser."""

import csv
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packed import read_file

from rnnstudy.core.exhibit import Exhibit, Matrix, Note, Panels, Table
from rnnstudy.report import build
from rnnstudy.report import page as page_module
from rnnstudy.report.contents import (
    Fact,
    Finding,
    FindingRow,
    Page,
    PageChapter,
    PagePart,
    PageSection,
)
from rnnstudy.report.explorer.single_file import write_single_file
from rnnstudy.report.figures.figures import is_drawable
from rnnstudy.report.figures.interactive import plotly_data
from rnnstudy.report.page import FIRST_ROWS, MOST_ROWS, file_stem

Exhibits = Callable[[int], dict[str, Exhibit]]
EVIL = "<script>alert(1)</script>"


class Elements(HTMLParser):
    """All start tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def write_page(contents: Page, folder: Path) -> Path:
    """The index of a page without a fault."""
    index, faults = build.write_page(contents, folder)
    assert faults == ()
    return index


def page(found: dict[str, Exhibit]) -> Page:
    return Page(
        title="quickstart",
        summary=("24 networks learnt a 3-bit memory.",),
        facts=(Fact("networks", "24"), Fact("solved", "24 of 24", "good")),
        sections=(
            PageSection(
                "flip_flop", (PagePart("all of it", tuple(found.values())),), summary="A memory."
            ),
            PageSection(
                "sine", (PagePart("fixed points", failure="ValueError: the budget is spent"),)
            ),
        ),
        provenance={"versions": {"rnnstudy": "0.1.0"}, "device": "CPU"},
        spec="study: quickstart\n",
    )


@pytest.fixture(scope="module")
def report(exhibits: Exhibits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a report with one exhibit of each kind."""
    return write_page(page(exhibits(3)), tmp_path_factory.mktemp("report"))


def test_every_file_that_the_page_names_is_there(report: Path) -> None:
    elements = Elements(report.read_text(encoding="utf-8"))
    named = [e["href"] for e in elements.all("a")] + [e["src"] for e in elements.all("img")]
    named += [e["src"] for e in elements.all("script") if "src" in e]
    plots = [f"data/{e['data-plot']}.js" for e in elements.all("div") if "data-plot" in e]
    files = [name for name in named if name and not name.startswith("#")]
    files += ["plotly.min.js", *plots]
    assert all((report.parent / name).is_file() for name in files)
    written = {str(p.relative_to(report.parent)) for p in report.parent.rglob("*") if p.is_file()}
    assert written == {"index.html", "fingerprint.json", *files}
    assert "figures/flip_flop-all-of-it-distances.pdf" in written
    assert "tables/flip_flop-all-of-it-members.csv" in written


def test_links_within_the_page_lead_somewhere_and_ids_are_unique(report: Path) -> None:
    elements = Elements(report.read_text(encoding="utf-8"))
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    inner = [e["href"] for e in elements.all("a") if (e["href"] or "").startswith("#")]
    assert {str(link)[1:] for link in inner} <= set(ids)


def test_all_that_was_given_is_said(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    for said in (
        "24 networks learnt a 3-bit memory.",
        "24 of 24",
        "A memory.",
        "All is well.",
        "This analysis failed.",
        "ValueError: the budget is spent",
        "study: quickstart",
        "0.1.0",
        "CPU",
    ):
        assert said in text, said
    plots = [str(read_file(path)) for path in (report.parent / "data" / "plots").iterdir()]
    assert any("flip_flop-gru-tanh-32-s000" in plot for plot in plots)
    assert all(e["alt"] for e in Elements(text).all("img"))


def test_nothing_comes_from_the_network(report: Path) -> None:
    elements = Elements(report.read_text(encoding="utf-8"))
    for _, attributes in elements.found:
        for value in (attributes.get("src"), attributes.get("href")):
            assert not (value or "").startswith(("http:", "https:", "//"))


def test_two_reports_of_one_result_are_the_same(exhibits: Exhibits, tmp_path: Path) -> None:
    found = {name: exhibits(1)[name] for name in ("table", "matrix", "note")}
    for folder in ("one", "two"):
        write_page(page(found), tmp_path / folder)
    one, two = (
        {p.relative_to(tmp_path / f): p.read_bytes() for p in (tmp_path / f).rglob("*.*")}
        for f in ("one", "two")
    )
    assert one == two


def test_figures_come_in_the_formats_asked_for_and_the_page_shows_svg(
    exhibits: Exhibits, tmp_path: Path
) -> None:
    for asked, there in ((("svg",), {".svg"}), (("pdf",), {".svg", ".pdf"})):
        found = dataclasses.replace(page({"matrix": exhibits(1)["matrix"]}), formats=asked)
        index = write_page(found, tmp_path / asked[0])
        assert {path.suffix for path in (index.parent / "figures").iterdir()} == there
        links = [e["href"] or "" for e in Elements(index.read_text(encoding="utf-8")).all("a")]
        offered = {Path(link).suffix for link in links if link.startswith("figures/")}
        assert offered == {f".{form}" for form in asked}


def test_a_new_report_leaves_nothing_of_the_old(exhibits: Exhibits, tmp_path: Path) -> None:
    write_page(page({name: exhibits(1)[name] for name in ("table", "matrix")}), tmp_path)
    write_page(Page(title="empty"), tmp_path)
    present = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert present == ["fingerprint.json", "index.html"]


def test_an_empty_result_is_a_page(tmp_path: Path) -> None:
    text = write_page(Page(title="empty"), tmp_path).read_text(encoding="utf-8")
    assert "There are no results yet." in text
    assert "Not recorded." in text


def test_empty_parts_say_so(tmp_path: Path) -> None:
    parts = (
        PagePart("a"),
        PagePart("b", (Table(title="t", columns={}), Panels(title="p", exhibits=[]))),
    )
    empty = Page(title="p", sections=(PageSection("s", parts), PageSection("bare")))
    text = write_page(empty, tmp_path).read_text(encoding="utf-8")
    assert text.count("Nothing to show.") == 3
    assert "No rows." in text


def test_markup_is_text_everywhere(tmp_path: Path) -> None:
    matrix = Matrix(title=EVIL, caption=EVIL, values=np.eye(2), labels=[EVIL, "</script>"])
    table = Table(title=EVIL, caption=EVIL, columns={EVIL: [EVIL]})
    note = Note(title=EVIL, text=EVIL, caption=EVIL)
    sections = (PageSection(EVIL, (PagePart(EVIL, (matrix, table, note), EVIL),), EVIL),)
    evil = Page(EVIL, (EVIL,), (Fact(EVIL, EVIL),), sections, {EVIL: {EVIL: EVIL}}, EVIL)
    text = write_page(evil, tmp_path).read_text(encoding="utf-8")
    assert EVIL not in text
    kinds = [e.get("type") or e.get("src") for e in Elements(text).all("script")]
    assert kinds == [None]


def test_findings_come_first_with_their_figures(exhibits: Exhibits, tmp_path: Path) -> None:
    matrix = exhibits(1)["matrix"]
    chapter = PageChapter("Geometry", (PagePart("Map", (matrix,), name="map"),), (0, 0))
    section = PageSection("Task", chapters=(chapter,), name="task")
    row = FindingRow("It is so.", "supported", "good", "effect 0.5", "controls pass", "good")
    shown = Finding("Is it so?", (row,), figure=("task", "map", matrix.title))
    others = [Finding(f"Question {i}?", (FindingRow("No."),)) for i in range(6)]
    contents = Page(
        "p", sections=(section,), findings=[shown, *others], leading=5, rule="By the spec.",
        formats=("svg",),
    )  # fmt: skip
    text = write_page(contents, tmp_path).read_text(encoding="utf-8")
    answer, story = text.split('id="task"')
    assert answer.index("Is it so?") < answer.index("Question 3?")
    leading, rest = answer.split("2 further questions")
    assert leading.count("<h3>") == 5
    assert "Question 4?" in rest
    assert "By the spec." in rest
    (image,) = Elements(leading).all("img")
    assert image["src"] == "figures/task-map-distances.svg"
    assert image["src"] in story
    assert '<strong class="verdict good">supported</strong>, effect 0.5' in leading
    assert "✓ controls pass" in leading


def test_a_failed_control_is_named_beside_its_verdict(tmp_path: Path) -> None:
    words = "controls fail (a verdict even with noise in place of the measure)"
    rows = [
        FindingRow("It is so.", "uninformative", numbers="0.5", controls=words,
                   control_tone="bad", failed_control="noise", task=task)
        for task in ("memory", "sine")
    ]  # fmt: skip
    contents = Page("p", findings=[Finding("Is it so?", rows)], leading=5)
    text = write_page(contents, tmp_path).read_text(encoding="utf-8")
    assert text.count("✗ noise</span>") == 2
    assert text.count(f'aria-label="{words}"') == 2


def test_a_chapter_shows_its_lead_and_folds_the_rest(tmp_path: Path) -> None:
    first = Table(title="one", columns={"a": [1]}, caption="First. Second.")
    second = Table(title="two", columns={"a": [2]}, finding="Two is shown.")
    parts = (PagePart("Words", (first, second), name="raw_name"), PagePart("Bad", failure="why"))
    chapter = PageChapter("Chapter", parts, (0, 1))
    section = PageSection("Task", chapters=(chapter,), name="task")
    text = write_page(Page("p", sections=(section,)), tmp_path).read_text(encoding="utf-8")
    before, fold = text.split("<details", 1)
    assert "Two is shown." in before
    assert ">two<" in before
    assert ">one<" not in before
    assert ">one<" in fold
    assert ">two<" not in fold
    assert "raw_<wbr>name</small>" in fold
    # A failure is never folded.
    assert fold.startswith(' class="more" open>')
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "task-raw_name-one.csv",
        "task-raw_name-two.csv",
    ]
    levels = [tag for tag, _ in Elements(text).found if re.fullmatch(r"h\d", tag)]
    assert levels[:6] == ["h1", "h2", "h3", "h4", "h4", "h5"]


@pytest.mark.parametrize(
    ("exhibits", "lead", "words"),
    [
        ("ft", (0, 0), "1 table: P"),
        ("ffft", (0, 0), "2 more figures and 1 table: P"),
        ("tt", (0, 0), "1 more table: P"),
        ("tnf", None, "1 figure, 1 table and 1 note: P"),
        ("", None, "P"),
    ],
)
def test_a_fold_counts_what_is_in_it(
    exhibits: str, lead: tuple[int, int] | None, words: str, tmp_path: Path
) -> None:
    kinds: dict[str, Callable[[], Exhibit]] = {
        "f": lambda: Matrix(title="m", values=np.eye(2), labels=["a", "b"]),
        "t": lambda: Table(title="t", columns={"a": [1]}),
        "n": lambda: Note(title="n", text="x"),
    }
    part = PagePart("P", [kinds[each]() for each in exhibits], failure="" if exhibits else "why")
    section = PageSection("Task", chapters=(PageChapter("C", (part,), lead),))
    contents = Page("p", sections=(section,), formats=("svg",))
    text = write_page(contents, tmp_path).read_text(encoding="utf-8")
    assert f"<summary>{words}</summary>" in text


def test_no_task_takes_a_name_that_the_page_uses(tmp_path: Path) -> None:
    named = [path for path in page_module.TEMPLATES.rglob("*") if path.suffix in {".html", ".js"}]
    pattern = re.compile(r'\bid(?:="|: ")([a-z-]+)"')
    own = {name for path in named for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert {"content", "explorer", "explorer-search"} <= own <= page_module.RESERVED
    routes = {"network", "compare", "explore"}
    tasks = sorted(own | routes)
    sections = [PageSection("Words", (PagePart("x", failure="why"),), name=task) for task in tasks]
    finding = Finding("Is it so?", (FindingRow("No."),))
    contents = Page("p", sections=sections, findings=[finding], methods=[("Title", "Text.")])
    elements = Elements(write_page(contents, tmp_path).read_text(encoding="utf-8"))
    ids = [str(attributes["id"]) for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert not routes & set(ids)
    links = [str(e["href"])[1:] for e in elements.all("a") if (e["href"] or "").startswith("#")]
    assert set(links) <= set(ids)
    assert {f"{task}-2" for task in tasks} <= set(links)


def test_an_exhibit_called_title_has_an_id_of_its_own(tmp_path: Path) -> None:
    table = Table(title="Title", columns={"a": [1]})
    section = PageSection("s", (PagePart("p", (table,)),))
    text = write_page(Page("p", sections=(section,)), tmp_path).read_text(encoding="utf-8")
    ids = [attributes["id"] for _, attributes in Elements(text).found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_names_of_networks_are_links(tmp_path: Path) -> None:
    table = Table(title="t", columns={"network": ["a b", "c"], "other": ["a", "a b c"]})
    section = PageSection("s", (PagePart("p", (table,)),))
    contents = Page("p", sections=(section,), networks=["a b", "d"])
    text = write_page(contents, tmp_path).read_text(encoding="utf-8")
    links = [e for e in Elements(text).all("a") if "data-network" in e]
    assert links == [{"href": "#network=a%20b", "data-network": "a b"}]


def test_panels_of_networks_lead_to_them(tmp_path: Path) -> None:
    matrices = [
        Matrix(title="m", caption=caption, values=np.eye(2), labels=["a", "b"])
        for caption in ("a b", "no network", "c_d", "a b")
    ]
    panels = Panels(title="Typical", caption="Each is a network.", exhibits=matrices)
    section = PageSection("s", (PagePart("p", (panels,)),))
    contents = Page("p", sections=(section,), networks=["a b", "c_d"], formats=("svg",))
    text = write_page(contents, tmp_path).read_text(encoding="utf-8")
    (words,) = re.findall(r'<p class="networks-shown">(.*)</p>', text)
    assert words == (
        'Networks: <a href="#network=a%20b">a b</a>, <a href="#network=c_d">c_<wbr>d</a>.'
    )


class Unpaintable:
    """An object of a user that is no exhibit."""


def test_what_cannot_be_drawn_is_named_in_its_place(tmp_path: Path) -> None:
    table = Table(title="fine", columns={"a": [1]})
    uneven = Table(title="uneven", columns={"a": [1]})
    object.__setattr__(uneven, "columns", {"a": [1], "b": [1, 2]})
    exhibits: list[Any] = [Unpaintable(), table, uneven]
    contents = Page("p", sections=(PageSection("T", (PagePart("x", exhibits),)),))
    index, faults = build.write_page(contents, tmp_path / "report")
    assert faults[0] == (
        "T, x, Unpaintable: it could not be drawn: ValueError: an exhibit must be a table, a note "
        "or a figure, got a Unpaintable"
    )
    assert faults[1].startswith("T, x, uneven: it could not be drawn: ValueError: zip()")
    assert len(faults) == 2
    text = index.read_text(encoding="utf-8")
    assert text.count("It could not be drawn: ValueError") == 2
    assert [path.name for path in (index.parent / "tables").iterdir()] == ["t-x-fine.csv"]
    # The next run tries again.
    assert not (index.parent / "fingerprint.json").exists()


def test_the_report_of_before_stays_if_the_next_cannot_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    before = write_page(Page("before"), folder).read_bytes()

    def fail(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_module, "_render_page", fail)
    with pytest.raises(OSError, match="No space left"):
        build.write_page(Page("after"), folder)
    assert (folder / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_names_that_are_no_utf8_are_shown_as_escapes(tmp_path: Path) -> None:
    text = write_page(Page(os.fsdecode(b"th\xe9")), tmp_path / "report").read_text("utf-8")
    assert "th\\udce9" in text


def test_long_names_differ_in_their_hashes(tmp_path: Path) -> None:
    notes = [Table(title="a" * 300 + end, columns={"a": [1]}) for end in "bc"]
    index = write_page(Page("p", sections=(PageSection("T", (PagePart("x", notes),)),)), tmp_path)
    names = [path.name for path in (index.parent / "tables").iterdir()]
    assert {len(name) for name in names} == {124}
    assert len({name[:100] for name in names}) == 1


def test_names_are_stable_and_never_collide(tmp_path: Path) -> None:
    notes = [Table(title=title, columns={"a": [1]}) for title in ("A b", "A  b!", "???", "Ünï")]
    write_page(Page("p", sections=(PageSection("T", (PagePart("x", notes),)),)), tmp_path)
    assert sorted(p.name for p in (tmp_path / "tables").iterdir()) == [
        "t-x-a-b-2.csv",
        "t-x-a-b.csv",
        "t-x-uni.csv",
        "t-x-untitled.csv",
    ]
    assert file_stem("Loss, on   fresh_trials") == "loss-on-fresh_trials"


def test_tables_hold_every_digit(report: Path) -> None:
    with open(report.parent / "tables" / "flip_flop-all-of-it-members.csv", newline="") as file:
        back = [float(row["loss"]) for row in csv.DictReader(file)]
    random = np.random.default_rng(0)
    assert back == random.normal(size=(24, 2))[:, 0].tolist()


def test_a_long_table_is_whole_in_its_file_alone(tmp_path: Path) -> None:
    rows = MOST_ROWS + 5
    table = Table(title="networks", columns={"network": [f"member{i}" for i in range(rows)]})
    section = PageSection("all", (PagePart("members", [table]),))
    html = write_page(Page(title="many", sections=(section,)), tmp_path).read_text()
    assert f"{rows} rows, here the first {MOST_ROWS}" in html
    assert f">member{MOST_ROWS - 1}<" in html
    assert f">member{MOST_ROWS}<" not in html
    (file,) = (tmp_path / "tables").iterdir()
    assert len(file.read_text().splitlines()) == rows + 1


def test_importing_the_report_loads_no_drawing_library() -> None:
    code = (
        "import sys, rnnstudy.report.page\n"
        "print({'matplotlib', 'plotly', 'jinja2', 'tensorflow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    browser.open(report)
    yield browser
    assert browser.complaints == []
    assert [u for u in browser.requests if not u.startswith(("file:", "data:", "blob:"))] == []


def test_figures_are_shown_by_a_browser(opened: Any) -> None:
    shown = "[...document.images].map(image => image.complete && image.naturalWidth > 100)"
    # A figure is read when it comes near the window.
    for place in range(12):
        opened.ask(f"document.images[{place}].scrollIntoView()")
        opened.wait(f"({shown})[{place}]")
    assert opened.ask(shown) == [True] * 12


@pytest.mark.parametrize("kind", ["pointerover", "focusin", "touchstart"])
def test_plotly_is_read_when_a_reader_comes_near_a_plot(
    browser: Any, report: Path, kind: str
) -> None:
    browser.open(report)
    # Another element does not ask for it.
    browser.ask(
        f"document.querySelector('h1').dispatchEvent(new Event('{kind}', {{bubbles: true}}))"
    )
    assert browser.ask("window.Plotly === undefined && plotly === null")
    assert not [url for url in browser.requests if "plotly" in url]
    button = "document.querySelector('button.explore')"
    browser.ask(f"{button}.dispatchEvent(new Event('{kind}', {{bubbles: true}}))")
    browser.wait("window.Plotly?.newPlot !== undefined")
    assert browser.complaints == []


MANY = 250
"""Rows of a table of which the page shows the first ones."""


@pytest.fixture(scope="module")
def long_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a page with a table of many networks."""
    names = [f"net{i}" for i in range(MANY)]
    columns = {"network": names, "loss": [float(i * 7 % MANY) for i in range(MANY)]}
    section = PageSection("all", (PagePart("members", [Table(title="t", columns=columns)]),))
    contents = Page("many", sections=(section,), networks=names)
    return write_page(contents, tmp_path_factory.mktemp("long"))


SHOW_ROWS = {
    "sorted": "document.querySelectorAll('th button')[0].click()",
    "scrolled": "document.querySelector('.scroll').scrollTop = 50",
    "printed": "dispatchEvent(new Event('beforeprint'))",
    "searched": "dispatchEvent(new KeyboardEvent('keydown', {key: 'f', ctrlKey: true}))",
}


@pytest.mark.parametrize("way", SHOW_ROWS)
def test_rows_of_a_long_table_are_made_when_a_reader_asks_for_them(
    browser: Any, long_table: Path, way: str
) -> None:
    browser.open(long_table)
    names = "[...document.querySelectorAll('tbody tr')].map(row => row.dataset.network)"
    all_names = [f"net{i}" for i in range(MANY)]
    assert browser.ask(names) == all_names[:FIRST_ROWS]
    browser.ask(SHOW_ROWS[way])
    browser.wait(f"document.querySelectorAll('tbody tr').length === {MANY}")
    assert browser.ask(names) == all_names
    links = "[...document.querySelectorAll('td a')].map(a => decodeURIComponent(a.hash))"
    assert browser.ask(links) == [f"#network={name}" for name in all_names]
    browser.ask("document.querySelectorAll('th button')[1].click()")
    by_loss = sorted(range(MANY), key=lambda i: i * 7 % MANY)
    assert browser.ask(names) == [f"net{i}" for i in by_loss]
    assert browser.complaints == []


def test_plots_are_files_beside_the_page(exhibits: Exhibits, tmp_path: Path) -> None:
    found = exhibits(1)
    folder = write_page(page(found), tmp_path / "report").parent
    plots = {
        file_stem(exhibit.title): plotly_data(exhibit)
        for exhibit in found.values()
        if is_drawable(exhibit)
    }
    expected = {
        f"flip_flop-all-of-it-{stem}.js": plot for stem, plot in plots.items() if plot is not None
    }
    written = {path.name: read_file(path) for path in (folder / "data" / "plots").iterdir()}
    assert written == json.loads(json.dumps(expected))
    assert len(written) == 6


def test_plots_open_and_close_in_a_browser(opened: Any) -> None:
    assert opened.ask("document.querySelectorAll('button.explore').length") == 6
    opened.ask("document.querySelectorAll('button.explore').forEach(b => b.click())")
    drawn = "[...document.querySelectorAll('.plot')].filter(p => p.querySelector('.main-svg'))"
    opened.wait(f"{drawn}.length === 6")
    # A point per network in the map and in the strip, and those of the plane.
    assert opened.ask("document.querySelectorAll('.plot .point').length") == 2 * 24 + 27
    # Plotly offers to upload a plot to its makers; nothing may leave the page.
    titles = opened.ask(
        "[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title || b.title)"
    )
    assert titles
    assert not any("Share" in title or "cloud" in title for title in titles)
    opened.ask("document.querySelectorAll('button.explore').forEach(b => b.click())")
    assert opened.ask("[...document.querySelectorAll('.plot')].every(p => p.hidden)")


def test_a_plot_that_is_missing_says_so(browser: Any, report: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(report.parent, tmp_path / "report")
    shutil.rmtree(moved / "data" / "plots")
    browser.open(moved / report.name)
    browser.ask("document.querySelector('button.explore').click()")
    plot = "document.querySelector('.plot').textContent"
    browser.wait(f"{plot}.includes('cannot be read')")
    assert "Keep it beside the page." in browser.ask(plot)


def test_plots_open_in_a_page_in_one_file(browser: Any, report: Path, tmp_path: Path) -> None:
    single = write_single_file(report.parent, tmp_path / "mail.html", 20)
    browser.open(single.path)
    browser.ask("document.querySelectorAll('button.explore').forEach(b => b.click())")
    drawn = "[...document.querySelectorAll('.plot')].filter(p => p.querySelector('.main-svg'))"
    browser.wait(f"{drawn}.length === 6")
    assert browser.complaints == []


def test_a_long_reason_of_failed_controls_fits_a_phone(browser: Any, tmp_path: Path) -> None:
    words = "controls fail (the measure misses a difference that is there, in every task)"
    row = FindingRow("It is so.", "uninformative", controls=words, control_tone="bad")
    index = write_page(Page("p", findings=[Finding("Is it so?", (row,))], leading=5), tmp_path)
    browser.look(390)
    try:
        browser.open(index)
        assert browser.ask("document.querySelector('.mark').textContent").endswith(words)
        assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.look()


def test_tables_sort_in_a_browser(opened: Any) -> None:
    click = "document.querySelectorAll('th button')[1].click()"
    column = "[...document.querySelectorAll('tbody tr')].map(r => Number(r.cells[1].dataset.sort))"
    opened.ask(click)
    up = opened.ask(column)
    assert up == sorted(up)
    assert len(up) == 24
    opened.ask(click)
    assert opened.ask(column) == up[::-1]
    sorting = "document.querySelectorAll('th')[1].getAttribute('aria-sort')"
    assert opened.ask(sorting) == "descending"


@pytest.mark.parametrize("width", [360, 1400])
def test_no_page_is_wider_than_its_window(opened: Any, width: int) -> None:
    opened.look(width)
    assert opened.ask("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_wide_table_is_whole_on_paper(browser: Any, tmp_path: Path) -> None:
    texts = {f"text {i}": ["a sentence of several words, longer than a name"] for i in range(7)}
    numbers = {f"number {i}": [0.123456] for i in range(6)}
    names = {"name": ["svcca_depends_on_activation_of_solved_networks"]}
    table = Table(title="t", columns={**texts, **numbers, **names})
    section = PageSection("s", (PagePart("x", [table]),))
    browser.open(write_page(Page("p", sections=(section,)), tmp_path))
    paper = 688  # A4 without its margins, in pixels
    try:
        browser.look(paper, media="print")
        edges = browser.ask(
            "[...document.querySelectorAll('td')].map(cell => cell.getBoundingClientRect().right)"
        )
        assert len(edges) == 14
        assert max(edges) <= paper
        # A number is on one line.
        lines = browser.ask(
            "[...document.querySelectorAll('td.number')].map(cell => {"
            "const range = document.createRange(); range.selectNodeContents(cell);"
            "return range.getClientRects().length;})"
        )
        assert lines == [1] * 6
    finally:
        browser.look()
