"""The explorer of a simulated study: its files, and its views in a browser."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packed import read_file

from rnnstudy.core.exhibit import Table
from rnnstudy.report.build import write_page, write_report
from rnnstudy.report.contents import Page, PagePart, PageSection
from rnnstudy.report.explorer.files import write_data
from rnnstudy.report.explorer.matrices import NetworkDistances, matrix_content
from rnnstudy.report.explorer.network import NETWORK_BYTES
from rnnstudy.report.explorer.records import explorer_of
from rnnstudy.report.explorer.single_file import write_single_file
from rnnstudy.report.fingerprint import fingerprint_of
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run, open_run

BENCH = str(Path(__file__).parents[3] / "tools" / "bench")
NETWORKS = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Eight networks of a memory, one of each cell and activation, with made-up records."""
    sys.path.append(BENCH)
    import stages

    folder = tmp_path_factory.mktemp("simulated")
    stages.execute(stages.Sizes(NETWORKS, 1, 2), folder)
    yield open_run(folder).at_one_time()
    sys.path.remove(BENCH)


def page_of(run: Run) -> Page:
    """A page with a table of all networks and their explorer, without figures."""
    names = run.members["member"].tolist()
    table = Table(title="Members", columns={"network": names})
    section = PageSection("Networks", (PagePart("members", [table]),))
    return Page("simulated", sections=(section,), networks=names, explorer=explorer_of(run))


@pytest.fixture(scope="module")
def report(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the report."""
    index, faults = write_page(page_of(run), tmp_path_factory.mktemp("walk") / "report")
    assert faults == ()
    return index


@pytest.fixture(scope="module")
def with_claims(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The networks of `run`, in a study with a claim."""
    import stages

    folder = tmp_path_factory.mktemp("claims")
    stages.execute(stages.Sizes(NETWORKS, 1, 2, claims=True), folder)
    return open_run(folder).at_one_time()


@pytest.fixture(scope="module")
def whole_report(with_claims: Run) -> Path:
    """The index of a report with all that a run has: answer, chapters, figures, methods."""
    index, faults = write_report(with_claims)
    assert faults == ()
    return index


SEEDS, RATES = 9, [0.01, 0.001]
STEP = 20.0
"""Milliseconds of a time step of the first task of `varied`. The second one has none."""

TASKS = [
    {"kind": "flip_flop", "bits": 2, "length": 50, "name": "memory", "dt": STEP},
    {"kind": "sine", "frequencies": 8, "static_cues": 3, "name": "sine"},
]


@pytest.fixture(scope="module")
def varied(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Networks of one cell on two tasks, which differ in their seeds and learning rates."""
    import stages

    grid = {"cells": ["gru"], "activations": ["tanh"], "units": 8}
    grid |= {"seeds": SEEDS, "learning_rate": RATES}
    folder = tmp_path_factory.mktemp("varied")
    with pytest.MonkeyPatch.context() as patch:
        spec = stages.spec
        patch.setattr(
            stages, "spec", lambda *sizes: {**spec(*sizes), "tasks": TASKS, "networks": grid}
        )
        stages.execute(stages.Sizes(NETWORKS, 1, 2), folder)
    return open_run(folder).at_one_time()


@pytest.fixture(scope="module")
def varied_report(varied: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the report of these networks."""
    index, faults = write_page(page_of(varied), tmp_path_factory.mktemp("varied") / "report")
    assert faults == ()
    return index


def test_each_network_has_a_small_file(run: Run, report: Path) -> None:
    data = report.parent / "data"
    written = {path.relative_to(data).as_posix() for path in data.rglob("*.js")}
    networks = {f"networks/{i}.js" for i in range(NETWORKS)}
    assert written == {"index.js", "tasks/0.js", "matrices/0.js", *networks}
    assert max((data / name).stat().st_size for name in networks) < NETWORK_BYTES


def test_the_index_has_the_table_of_networks(run: Run, report: Path) -> None:
    index = read_file(report.parent / "data" / "index.js")
    table = run.members
    assert index["networks"] == table["member"].tolist()
    columns = {column["name"]: column for column in index["columns"]}
    cell = columns["cell"]
    assert [cell["names"][code] for code in cell["codes"]] == table["cell"].tolist()
    # Colours are those of the figures: cells have their own in the whole report.
    assert dict(zip(cell["names"], (mark[0] for mark in cell["marks"]), strict=True)) == {
        "vanilla": "#0072B2", "ugrnn": "#E69F00", "gru": "#009E73", "lstm": "#D55E00",
    }  # fmt: skip
    np.testing.assert_allclose(columns["loss"]["values"], table["loss"], rtol=1e-6)
    chosen = {name for name, column in columns.items() if column["is_field"]}
    assert chosen >= {"task", "cell", "activation", "units", "seed"}
    assert not chosen & {"loss", "solved", "accuracy", "status"}
    solved = columns["solved"]
    assert [solved["names"][code] == "yes" for code in solved["codes"]] == table["solved"].tolist()


def test_distances_and_neighbours_are_those_of_the_run(run: Run, report: Path) -> None:
    data, distances = report.parent / "data", run.distances("svcca")
    matrix = read_file(data / "matrices" / "0.js")
    values = distances.to_numpy()
    upper = values[np.triu_indices(len(values), 1)]
    np.testing.assert_allclose(matrix["upper"], upper, atol=np.ptp(upper) / 2**16)
    names = read_file(data / "index.js")["networks"]
    for position, name in enumerate(names):
        near = read_file(data / "networks" / f"{position}.js")["neighbours"][0]
        expected = distances[name].drop(name).sort_values(kind="stable")
        assert [names[i] for i in near["network"]] == expected.index.tolist()
        np.testing.assert_allclose(near["distance"], expected, rtol=1e-6)


def test_maps_have_the_coordinates_of_the_run(run: Run, report: Path) -> None:
    (content,) = read_file(report.parent / "data" / "index.js")["maps"]
    frame = run.embedding("svcca")
    names = [run.members["member"][i] for i in content["items"]]
    np.testing.assert_allclose(content["points"], frame.loc[names].iloc[:, :2], rtol=1e-6)


def test_trials_and_points_are_those_of_the_records(run: Run, report: Path) -> None:
    name = run.members["member"][3]
    content = read_file(report.parent / "data" / "networks" / "3.js")
    task = read_file(report.parent / "data" / "tasks" / "0.js")
    activity: Any = run.record("representations", name)
    shown = task["trials"]["trial"]
    outputs = activity.outputs[shown]
    assert np.abs(content["trials"]["outputs"] - outputs).max() <= np.ptp(outputs) / 2**16
    points = run.fixed_points(name)
    found = content["space"]["points"]
    assert found["n_unstable"].tolist() == points.n_unstable.tolist()
    spectrum = found["eigenvalues"] @ np.array([1, 1j])
    np.testing.assert_allclose(spectrum, points.eigenvalues, rtol=1e-6)
    # Distances in three components are at most those of the states.
    moved = np.linalg.norm(content["space"]["lines"], axis=-1)
    states = activity.states - activity.states.reshape(-1, activity.states.shape[-1]).mean(axis=0)
    assert (moved <= np.linalg.norm(states[shown], axis=-1) + 1e-3).all()
    assert f"run.fixed_points('{name}')" in content["python"][-1]


def test_the_same_run_gives_the_same_bytes(run: Run, report: Path, tmp_path: Path) -> None:
    write_page(page_of(run), tmp_path / "report")
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (report.parent, tmp_path / "report")
    )
    assert one == two


def test_a_record_less_is_another_page(run: Run) -> None:
    contents = page_of(run)
    assert contents.explorer is not None
    assert fingerprint_of(contents) == fingerprint_of(page_of(run))
    fewer = explorer_of(run)
    assert fewer is not None
    object.__setattr__(fewer, "addresses", fewer.addresses[1:])
    assert fingerprint_of(contents.explorer) != fingerprint_of(fewer)


def test_one_file_holds_what_fits(report: Path, tmp_path: Path) -> None:
    single = write_single_file(report.parent, tmp_path / "all.html", 20)
    text = single.path.read_text()
    assert (single.networks, single.total) == (NETWORKS, NETWORKS)
    assert single.size == len(text.encode()) < 20e6
    assert not [part for part in ('src="', 'href="explorer') if part in text]
    assert text.count('data-file="networks/') == NETWORKS
    needed = single.size - sum(
        path.stat().st_size for path in (report.parent / "data" / "networks").iterdir()
    )
    smaller = write_single_file(report.parent, tmp_path / "some.html", (needed + 20_000) / 1e6)
    assert 0 < smaller.networks < NETWORKS
    assert smaller.size <= needed + 20_000
    assert f"This file holds {smaller.networks} of {NETWORKS} networks" in smaller.path.read_text()
    with pytest.raises(RunError, match=r"the size must be at least \d\.\d MB for this report, got"):
        write_single_file(report.parent, tmp_path / "none.html", 0.1)


def test_a_picture_that_is_named_twice_counts_twice(tmp_path: Path) -> None:
    names = '<img src="a.png"><a href="a.png">a</a><img src="b.png">'
    (tmp_path / "index.html").write_text(f"<html><body>{names}</body></html>")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(bytes(30_000))
    # Base64 has four letters for three bytes: 40 kB for each place of a picture.
    for limit, places in ((39_000, 0), (79_000, 1), (119_000, 2), (125_000, 3)):
        single = write_single_file(tmp_path, tmp_path / "all.html", limit / 1e6)
        assert single.size <= limit
        assert single.path.read_text().count("data:image/png") == places


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    yield from watched(browser, report)


@pytest.fixture
def opened_varied(browser: Any, varied_report: Path) -> Iterator[Any]:
    yield from watched(browser, varied_report)


def watched(browser: Any, page: Path) -> Iterator[Any]:
    """Open a page; after the test nothing may have been complained of or asked for elsewhere."""
    browser.open(page)
    yield browser
    assert browser.complaints == []
    assert [u for u in browser.requests if not u.startswith(("file:", "data:", "blob:"))] == []


def test_distances_that_a_study_adds_are_not_shown(with_claims: Run, tmp_path: Path) -> None:
    # The claim reads distances to controls, which the spec does not list.
    added = {title for title, _ in with_claims.index.selected.shared}
    assert "svcca_controls" in added
    index, _ = write_page(page_of(with_claims), tmp_path / "report")
    content = read_file(index.parent / "data" / "index.js")
    assert [matrix["title"] for matrix in content["matrices"]] == ["svcca"]
    assert [each["title"] for each in content["maps"]] == ["svcca"]
    near = read_file(index.parent / "data" / "networks" / "0.js")["neighbours"]
    assert [each["title"] for each in near] == ["svcca"]


DRAWN = "document.querySelectorAll('#explorer .explorer-plot .main-svg').length"


def go(browser: Any, address: str) -> None:
    browser.ask(f"location.hash = {json.dumps(address)}")


def heading(browser: Any, text: str) -> None:
    """Wait for a view with this heading."""
    browser.wait(f"document.querySelector('#explorer h1')?.textContent === {json.dumps(text)}")


def test_a_reader_walks_from_the_table_to_a_network_and_back(opened: Any, run: Run) -> None:
    name = run.members["member"][2]
    row = f"[...document.querySelectorAll('#content td a')].find(a => a.textContent === '{name}')"
    opened.wait(f"{row} !== undefined")
    opened.ask(f"{row}.click()")
    heading(opened, name)
    opened.wait(f"{DRAWN} >= 4")
    assert opened.ask("document.getElementById('content').hidden")
    assert opened.ask("document.querySelectorAll('#explorer button.point').length") == 9
    facts = opened.ask("document.querySelector('.network-facts').textContent")
    assert run.members["cell"][2] in facts
    opened.ask("document.querySelector('#explorer button.point').click()")
    opened.wait("document.querySelector('button.point').getAttribute('aria-pressed') === 'true'")
    opened.ask("history.back()")
    opened.wait("document.getElementById('explorer').hidden && location.hash === ''")
    assert not opened.ask("document.getElementById('content').hidden")


ROWS = "document.querySelectorAll('.networks tr[data-network]').length"


def test_a_search_and_a_filter_select_in_all_views(opened: Any) -> None:
    go(opened, "#explore")
    heading(opened, "All networks")
    opened.wait(f"{ROWS} === {NETWORKS} && {DRAWN} > 0")
    opened.ask(
        "{const s = document.getElementById('explorer-search'); s.value = 'gru tanh';"
        "s.dispatchEvent(new Event('input'));}"
    )
    # The word gru is part of ugrnn, too, but not of its letters: only gru has it.
    opened.wait(f"{ROWS} === 1")
    assert opened.ask("location.hash") == "#explore=search:gru%20tanh"
    opened.wait(
        "document.querySelector('.map .explorer-plot').data[0].selectedpoints?.length === 1"
    )
    opened.wait("document.querySelector('canvas.matrix').width === 1")
    opened.ask("document.querySelector('button.clear').click()")
    opened.wait(f"{ROWS} === {NETWORKS}")
    relu = (
        "[...document.querySelectorAll('.chip')].find(c => c.textContent.includes('relu'))"
        ".querySelector('input').click()"
    )
    opened.ask(relu)
    opened.wait(f"{ROWS} === {NETWORKS // 2}")
    # The tables of the report follow.
    go(opened, "")
    hidden = "[...document.querySelectorAll('#content tr[data-network]')].filter(r => r.hidden)"
    opened.wait(f"{hidden}.length === {NETWORKS // 2}")
    opened.ask("document.querySelector('#selection-notice button').click()")
    assert opened.ask(f"{hidden}.length") == 0


def test_the_table_sorts_and_two_networks_are_compared(opened: Any, run: Run) -> None:
    go(opened, "#explore")
    opened.wait(f"{ROWS} === {NETWORKS}")
    opened.ask(
        "[...document.querySelectorAll('.networks th button')]"
        ".find(b => b.textContent === 'loss').click()"
    )
    names = "[...document.querySelectorAll('.networks td a')].map(a => a.textContent)"
    table = run.members
    assert opened.ask(names) == table.sort_values("loss", kind="stable")["member"].tolist()
    first, second = table["member"][0], table["member"][5]
    go(opened, f"#compare={first},{second}")
    heading(opened, "Two networks")
    opened.wait(f"{DRAWN} >= 8")
    distance = float(run.distances("svcca").loc[first, second])
    remarks = "[...document.querySelectorAll('#explorer .remark')].map(r => r.textContent)"
    opened.wait(f"{remarks}.some(text => text.startsWith('Distance: SVCCA distances'))")
    (text,) = [each for each in opened.ask(remarks) if each.startswith("Distance")]
    found = float(text.removeprefix("Distance: SVCCA distances ").rstrip("."))
    assert found == pytest.approx(distance, rel=5e-3)
    switch = "document.querySelector('.controls input[type=checkbox]')"
    opened.ask(f"{switch}.click()")
    second_plot = "document.querySelectorAll('.view.space .explorer-plot')[1]"
    opened.wait(f"{second_plot}.layout.scene.xaxis.title.text === 'axis 1'")


def test_turned_states_are_as_near_as_an_orthogonal_matrix_makes_them(
    opened: Any, report: Path, run: Run
) -> None:
    from scipy.linalg import orthogonal_procrustes

    first, second = run.members["member"][0], run.members["member"][5]
    go(opened, f"#compare={first},{second}")
    heading(opened, "Two networks")
    opened.wait(f"{DRAWN} >= 8")
    opened.ask("document.querySelector('.controls input[type=checkbox]').click()")
    plots = "document.querySelectorAll('.view.space .explorer-plot')"
    opened.wait(f"{plots}[1].layout.scene.xaxis.title.text === 'axis 1'")
    axes = f"[...{plots}].map(p => ['x', 'y', 'z'].map(a => p.data[1][a].slice()))"
    a, b = (np.array(values, float).T for values in opened.ask(axes))
    lines = [
        read_file(report.parent / "data" / "networks" / f"{i}.js")["space"]["lines"] for i in (0, 5)
    ]
    flat = [each.reshape(-1, 3) for each in lines]
    turn, _ = orthogonal_procrustes(flat[1], flat[0])
    np.testing.assert_allclose(a, lines[0][0], atol=1e-4)
    np.testing.assert_allclose(b, lines[1][0] @ turn, atol=1e-4)


MAP = "document.querySelector('.map .explorer-plot')"


def place_on_map(browser: Any, row: int) -> tuple[float, float]:
    """Return the place in the window of a point of the first map, in pixels."""
    browser.page.locator(".map .explorer-plot").first.scroll_into_view_if_needed()
    x, y = browser.ask(
        f"(() => {{const p = {MAP}, b = p.getBoundingClientRect();"
        "const l = p._fullLayout, t = p.data[0];"
        f"return [b.left + l.xaxis._offset + l.xaxis.d2p(t.x[{row}]),"
        f" b.top + l.yaxis._offset + l.yaxis.d2p(t.y[{row}])];}})()"
    )
    return x, y


def test_two_clicks_lead_from_the_page_to_the_fixed_points_of_a_network(
    opened: Any, run: Run
) -> None:
    opened.page.get_by_role("link", name="Explore networks").click()
    heading(opened, "All networks")
    opened.wait(f"{DRAWN} > 0 && {MAP}.on !== undefined")
    row = NETWORKS - 1
    opened.page.mouse.move(*place_on_map(opened, row))
    opened.wait("document.querySelector('.map .hoverlayer .hovertext') !== null")
    name = run.members["member"][opened.ask(f"{MAP}.data[0].customdata[{row}]")]
    opened.page.mouse.click(*place_on_map(opened, row))
    heading(opened, name)
    opened.wait(f"{DRAWN} >= 4")
    space = "document.querySelector('.view.space .explorer-plot')"
    assert opened.ask(f"{space}.data.some(t => t.mode === 'markers' && t.x.length > 0)")


def test_a_lasso_of_the_mouse_selects_in_all_views(opened: Any) -> None:
    go(opened, "#explore")
    opened.wait(f"{ROWS} === {NETWORKS} && {DRAWN} > 0 && {MAP}.on !== undefined")
    places = np.array([place_on_map(opened, row) for row in range(NETWORKS)])
    # The network at the left, and all that are nearer to it than 12 pixels.
    first = places[places[:, 0].argmin()]
    inside = int((np.abs(places - first).max(axis=1) < 12).sum())
    corners = [(-12, -12), (12, -12), (12, 12), (-12, 12), (-12, -12)]
    mouse = opened.page.mouse
    mouse.move(*(first + corners[0]))
    mouse.down()
    for corner in corners[1:]:
        mouse.move(*(first + corner), steps=6)
    mouse.up()
    opened.wait(f"{ROWS} === {inside}")
    assert opened.ask(f"{MAP}.data[0].selectedpoints.length") == inside
    opened.wait(f"document.querySelector('canvas.matrix').width === {inside}")
    opened.page.get_by_role("button", name="Show all").click()
    opened.wait(f"{ROWS} === {NETWORKS}")


COUNT_PLOTS = f"""(() => {{
  window.drawn = [];
  const count = () => {{
    const heading = document.querySelector("#explorer h1")?.textContent;
    window.drawn.push([heading, {DRAWN}]);
    window.counting = requestAnimationFrame(count);
  }};
  count();
}})()"""
"""JavaScript that notes the heading and the number of plots at each frame."""


def test_a_network_is_on_the_screen_before_its_plots(opened: Any, run: Run) -> None:
    opened.ask("loadPlotly().then(() => 0)")
    name = run.members["member"][0]
    opened.ask(COUNT_PLOTS)
    go(opened, f"#network={name}")
    last = "document.querySelector('.view.training .explorer-plot')?.on !== undefined"
    opened.wait(last)
    opened.ask("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    seen = [count for heading, count in opened.ask("window.drawn") if heading == name]
    opened.ask("cancelAnimationFrame(window.counting)")
    counts = list(dict.fromkeys(seen))
    # No plot, and then each of them on a frame of its own.
    plots = opened.ask("document.querySelectorAll('#explorer .explorer-plot').length")
    assert counts[0] == 0
    assert len(counts) == plots + 1


SCENE = "document.querySelector('.view.space .explorer-plot')"


def test_the_next_network_is_drawn_into_the_same_scene(opened: Any, run: Run) -> None:
    # Made-up activity is the same for all activations of a cell.
    first, second = run.members["member"][0], run.members["member"][2]
    go(opened, f"#network={first}")
    opened.wait(f"{SCENE}?.on !== undefined && {SCENE}.dataset.listens === 'yes'")
    opened.ask(f"window.scene = {SCENE}; window.canvas = scene.querySelector('canvas');")
    before = opened.ask("scene.data[1].x.slice()")
    go(opened, f"#network={second}")
    heading(opened, second)
    opened.wait(f"{SCENE}?.dataset.listens === 'yes'")
    assert opened.ask(f"{SCENE} === scene && scene.querySelector('canvas') === canvas")
    assert opened.ask("scene.getAttribute('aria-label')").endswith(f" of {second}")
    assert opened.ask("scene.data[1].x.slice()") != before
    assert opened.ask("canvas.getContext('webgl').isContextLost()") is False
    # A point that is clicked is chosen once, by the network in sight.
    assert opened.ask("scene._ev.listenerCount('plotly_click')") == 1
    # The report has no scene: its memory is given back.
    go(opened, "")
    opened.wait("document.getElementById('explorer').hidden")
    assert opened.ask("canvas.getContext('webgl').isContextLost()")


def test_a_scene_takes_the_width_of_its_next_view(opened: Any, run: Run) -> None:
    first, second = run.members["member"][:2]
    go(opened, f"#network={first}")
    opened.wait(f"{SCENE}?.dataset.listens === 'yes'")
    wide = opened.ask(f"{SCENE}._fullLayout.width")
    go(opened, f"#compare={first},{second}")
    heading(opened, "Two networks")
    both = "[...document.querySelectorAll('.view.space .explorer-plot')]"
    opened.wait(f"{both}.every(box => box.dataset.listens === 'yes')")
    widths = opened.ask(f"{both}.map(box => [box._fullLayout.width, box.clientWidth])")
    assert all(abs(drawn - room) <= 1 < abs(room - wide) for drawn, room in widths)
    names = "[...document.querySelectorAll('.view.space .cell > h3')].map(h => h.textContent)"
    assert opened.ask(names) == [first, second]


def test_a_colour_of_the_matrix_is_a_distance(opened: Any, report: Path) -> None:
    go(opened, "#explore")
    opened.wait(f"document.querySelector('canvas.matrix')?.width === {NETWORKS}")
    opened.ask("window.canvas = document.querySelector('canvas.matrix')")
    pixels = opened.ask(
        "[...new Uint32Array(canvas.getContext('2d')"
        f".getImageData(0, 0, {NETWORKS}, {NETWORKS}).data.buffer)]"
    )
    colours = np.array(pixels).reshape(NETWORKS, NETWORKS)
    matrix = read_file(report.parent / "data" / "matrices" / "0.js")
    distances = np.zeros((NETWORKS, NETWORKS))
    distances[np.triu_indices(NETWORKS, 1)] = matrix["upper"]
    distances = (distances + distances.T)[np.ix_(matrix["clustered"], matrix["clustered"])]
    assert (colours == colours.T).all()
    # The diagonal is blank, and nothing else is.
    others = ~np.eye(NETWORKS, dtype=bool)
    assert ((colours != 0) == others).all()
    step = np.ptp(matrix["upper"]) / 200
    for colour in np.unique(colours[others]):
        assert np.ptp(distances[others & (colours == colour)]) < step
    assert len(np.unique(colours[others])) == len(np.unique(matrix["upper"].round(4)))
    # The pixels are given back when the view is left.
    go(opened, "")
    opened.wait("document.getElementById('explorer').hidden")
    assert opened.ask("canvas.width * canvas.height") == 0


def test_paper_has_a_picture_of_a_scene(opened: Any, run: Run) -> None:
    go(opened, f"#network={run.members['member'][0]}")
    opened.wait(f"{SCENE}?.dataset.listens === 'yes'")
    opened.ask("dispatchEvent(new Event('beforeprint'))")
    picture = "document.querySelector('.view.space img.printed')"
    opened.wait(f"{picture}.complete && {picture}.naturalWidth > 100")
    # The picture is of the scene: it is neither empty nor of one colour.
    colours = opened.ask(
        f"(() => {{const c = document.createElement('canvas'), p = {picture};"
        "c.width = p.naturalWidth; c.height = p.naturalHeight; const x = c.getContext('2d');"
        "x.drawImage(p, 0, 0); const d = new Uint32Array("
        "x.getImageData(0, 0, c.width, c.height).data.buffer); return new Set(d).size;})()"
    )
    assert colours > 10
    opened.ask("dispatchEvent(new Event('afterprint'))")
    assert opened.ask(f"{picture} === null")


def test_paper_has_all_rows_of_the_table(opened: Any) -> None:
    go(opened, "#explore")
    opened.wait(f"{ROWS} === {NETWORKS}")
    blank = "document.querySelectorAll('.networks tr.blank').length"
    assert opened.ask(blank) == 2
    opened.ask("document.querySelector('.networks tbody').replaceChildren()")
    opened.ask("dispatchEvent(new Event('beforeprint'))")
    assert opened.ask(f"[{ROWS}, {blank}]") == [NETWORKS, 0]
    opened.ask("dispatchEvent(new Event('afterprint'))")
    assert opened.ask(f"[{ROWS}, {blank}]") == [NETWORKS, 2]


def test_few_eigenvalues_take_no_context_of_webgl(opened: Any, run: Run) -> None:
    go(opened, f"#network={run.members['member'][0]}")
    box = "document.querySelector('.view.spectrum .explorer-plot')"
    opened.wait(f"{box}?.on !== undefined")
    assert opened.ask(f"{box}.querySelectorAll('canvas').length") == 0
    shown = opened.ask(f"{box}.data.reduce((sum, trace) => sum + trace.x.length, 0)")
    assert shown == run.fixed_points(run.members["member"][0]).eigenvalues.size


def test_an_unknown_network_is_named(opened: Any) -> None:
    go(opened, "#network=nobody")
    heading(opened, "No such network")
    assert "has no network nobody" in opened.ask("document.getElementById('explorer').textContent")


@pytest.mark.parametrize("width", [390, 1300])
def test_no_view_is_wider_than_its_window(opened: Any, run: Run, width: int) -> None:
    opened.look(width)
    name = run.members["member"][1]
    for address, title in (("#explore", "All networks"), (f"#network={name}", name)):
        go(opened, address)
        heading(opened, title)
        opened.wait(f"{DRAWN} > 0")
        assert opened.ask("document.documentElement.scrollWidth <= window.innerWidth"), address


def test_times_of_trials_are_in_seconds_where_the_task_has_a_step(
    opened_varied: Any, varied: Run
) -> None:
    axis = "document.querySelector('.view.trials .explorer-plot')?.layout?.xaxis.title.text"
    time = "document.querySelector('.view.trials .explorer-plot').data[0].x.slice(0, 3)"
    for task, words, step in (("memory", "time (s)", STEP / 1000), ("sine", "time step", 1.0)):
        name = first_of(varied, task)
        go(opened_varied, f"#network={name}")
        heading(opened_varied, name)
        opened_varied.wait(f"{axis} === {json.dumps(words)}")
        np.testing.assert_allclose(opened_varied.ask(time), step * np.arange(3))


def first_of(run: Run, task: str) -> str:
    """Name of the first network of a task."""
    table = run.members
    return str(table["member"][table["task"] == task].iloc[0])


SCALE = "document.querySelector('.scale')?.textContent"


def test_the_scale_of_equal_distances_is_their_value(
    browser: Any, report: Path, tmp_path: Path
) -> None:
    matrix = NetworkDistances("svcca", "memory0", np.arange(NETWORKS), 0.5 * (1 - np.eye(NETWORKS)))
    moved = shutil.copytree(report.parent, tmp_path / "report")
    write_data(moved, "matrices/0", matrix_content(matrix))
    browser.open(moved / report.name)
    go(browser, "#explore")
    browser.wait(f"{SCALE}?.startsWith('All distances: 0.5.')")
    # All cells but those of the diagonal have one colour.
    opaque = browser.ask(
        "[...document.querySelector('canvas.matrix').getContext('2d')"
        f".getImageData(0, 0, {NETWORKS}, {NETWORKS}).data].filter((_, i) => i % 4 === 3)"
    )
    assert (np.array(opaque) == 255).sum() == NETWORKS**2 - NETWORKS
    assert browser.complaints == []


def test_networks_of_different_tasks_keep_their_own_inputs(opened_varied: Any, varied: Run) -> None:
    first, second = (first_of(varied, task) for task in ("memory", "sine"))
    inputs = (
        "[...document.querySelectorAll('.view .cell')].filter(c => c.querySelector('button.point'))"
        ".map(c => [...c.querySelectorAll('th')].some(h => h.textContent === 'input'))"
    )
    choices = "document.querySelectorAll('.controls select').length"
    for pair, expected in (((first, second), [False, True]), ((second, first), [True, False])):
        go(opened_varied, f"#compare={','.join(pair)}")
        opened_varied.wait(f"document.querySelector('.whose')?.textContent === '{pair[0]}'")
        assert opened_varied.ask(inputs) == expected
        assert opened_varied.ask(choices) == 0
        opened_varied.wait(f"{DRAWN} >= 8")
    # Networks of one task share the choices of a trial and of an input.
    table = varied.members
    names = table["member"][table["task"] == "sine"].iloc[:2]
    go(opened_varied, f"#compare={','.join(names)}")
    opened_varied.wait(f"{choices} === 2 && {DRAWN} >= 8")
    assert opened_varied.ask(inputs) == [True, True]


def test_an_address_that_was_cut_is_read_as_it_is(opened: Any) -> None:
    # The last letter is the beginning of an escape that is not there.
    go(opened, "#network=a%2")
    opened.page.reload()
    heading(opened, "No such network")
    text = "document.getElementById('explorer').textContent"
    assert "has no network a%2" in opened.ask(text)
    # The report behind it works, and so do the other views.
    opened.ask("document.querySelector('#content th button').click()")
    sorting = "document.querySelector('#content th').getAttribute('aria-sort')"
    assert opened.ask(sorting) == "ascending"
    go(opened, "#compare=a%2,b")
    opened.wait(f"{text}.includes('has no network a%2')")
    go(opened, "#explore=search:tanh%2")
    opened.wait("document.getElementById('explorer-search')?.value === 'tanh%2'")
    go(opened, "#a%2")
    opened.wait("document.getElementById('explorer').hidden")


FOCUSED = "document.activeElement.textContent"


def test_the_heading_of_a_view_takes_the_focus_and_the_link_gets_it_back(
    opened: Any, run: Run
) -> None:
    first, second = run.members["member"][:2]
    link = opened.page.get_by_role("link", name="Explore networks")
    link.focus()
    opened.page.keyboard.press("Enter")
    opened.wait(f"{FOCUSED} === 'All networks'")
    opened.wait(f"{ROWS} === {NETWORKS} && {DRAWN} > 0")
    assert opened.ask("window.scrollY") == 0
    for address, title in (
        (f"#network={first}", first),
        (f"#compare={first},{second}", "Two networks"),
        ("#network=nobody", "No such network"),
    ):
        go(opened, address)
        opened.wait(f"{FOCUSED} === {json.dumps(title)}")
        assert opened.ask("document.activeElement.tagName") == "H1"
    go(opened, "")
    opened.wait("document.getElementById('explorer').hidden")
    assert opened.ask(FOCUSED) == "Explore networks"


def test_a_comparison_of_one_network_says_what_is_missing(opened: Any, run: Run) -> None:
    name = run.members["member"][0]
    go(opened, f"#compare={name}")
    heading(opened, "No comparison")
    text = opened.ask("document.getElementById('explorer').textContent")
    assert "A comparison has 2 networks, but the address has 1." in text
    go(opened, f"#compare={name},nobody")
    heading(opened, "No such network")
    text = opened.ask("document.getElementById('explorer').textContent")
    assert "has no network nobody." in text


def test_a_training_field_of_the_grid_is_a_factor_and_a_loss_is_none(
    opened_varied: Any, varied: Run
) -> None:
    count = len(varied.members)
    go(opened_varied, "#explore")
    opened_varied.wait(f"{ROWS} > 0 && {DRAWN} > 0")
    factors = opened_varied.ask(
        "[...document.querySelectorAll('.filter-sets legend')].map(each => each.textContent)"
    )
    assert {"task", "seed", "learning_rate"} <= set(factors)
    assert "loss" not in factors
    chips = "[...document.querySelectorAll('.filter-sets fieldset')].find("
    chips += "each => each.textContent.startsWith('learning_rate')).querySelectorAll('.chip')"
    names = opened_varied.ask(f"[...{chips}].map(each => each.textContent.trim().split(' ')[0])")
    assert names == ["0.001", "0.01"]
    opened_varied.ask(f"{chips}[0].querySelector('input').click()")
    summary = "document.querySelector('#explorer .remark').textContent"
    opened_varied.wait(f"{summary} === '{count // 2} of {count} networks selected'")
    assert opened_varied.ask("location.hash") == "#explore=learning_rate:0.001"
    opened_varied.ask("document.querySelector('button.clear').click()")
    opened_varied.wait(f"{summary} === '{count} networks'")


LEGEND = "document.querySelector('#explorer .legend')"


def choice_of(label: str) -> str:
    """JavaScript that finds a choice by the beginning of its label."""
    labels = "[...document.querySelectorAll('.choice')]"
    return f"{labels}.find(each => each.textContent.startsWith('{label}')).querySelector('select')"


def choose(browser: Any, label: str, position: int) -> None:
    """Choose the option at a position."""
    browser.ask(
        f"{{const select = {choice_of(label)}; select.selectedIndex = {position};"
        "select.dispatchEvent(new Event('change'));}"
    )


def colour_by(browser: Any, name: str) -> None:
    """Choose the column of the colours, and wait until the legend has them."""
    names = browser.ask(f"[...{choice_of('Colour by')}.options].map(each => each.value)")
    choose(browser, "Colour by", names.index(name))
    browser.wait(f"{LEGEND}.getAttribute('aria-label').endsWith('{name}')")


def test_nine_seeds_differ_in_eight_colours_and_their_markers(
    opened_varied: Any, varied: Run
) -> None:
    go(opened_varied, "#explore")
    opened_varied.wait(f"{ROWS} > 0 && {MAP}?.on !== undefined")
    colour_by(opened_varied, "seed")
    looks = f"new Set({MAP}.data[0].marker.color.map((c, i) => c + {MAP}.data[0].marker.symbol[i]))"
    opened_varied.wait(f"{looks}.size === {SEEDS}")
    seeds = varied.members["seed"].tolist()
    shown = [seeds[i] for i in opened_varied.ask(f"{MAP}.data[0].customdata")]
    symbols = opened_varied.ask(f"{MAP}.data[0].marker.symbol")
    assert {s for s, seed in zip(symbols, shown, strict=True) if seed < 8} == {"circle"}
    assert {s for s, seed in zip(symbols, shown, strict=True) if seed == 8} == {"square"}
    # The legend has the same markers.
    paths = opened_varied.ask(
        f"[...{LEGEND}.querySelectorAll('path')].map(p => [p.getAttribute('fill'), "
        "p.getAttribute('d')])"
    )
    assert len({tuple(path) for path in paths}) == len(paths) == SEEDS
    assert len({path[1] for path in paths}) == 2


def test_the_legend_names_the_markers_of_the_activations(opened: Any) -> None:
    go(opened, "#explore")
    opened.wait(f"{ROWS} === {NETWORKS} && {DRAWN} > 0")
    legends = (
        "[...document.querySelectorAll('#explorer .legend')].map(list => "
        "[list.getAttribute('aria-label'), list.textContent, "
        "[...list.querySelectorAll('path')].map(p => p.getAttribute('fill') === 'none')])"
    )
    cells, activations = opened.ask(legends)
    assert cells == ["Colours: cell", "vanillaugrnngrulstm", [False] * 4]
    # The marker of relu is open in all figures.
    assert activations == ["Markers: activation", "tanhrelu", [False, True]]
    colour_by(opened, "activation")
    ((words, names, _),) = opened.ask(legends)
    assert (words, names) == ("Colours and markers: activation", "tanhrelu")


def test_a_point_that_is_chosen_in_the_plot_is_chosen_in_the_table(opened: Any, run: Run) -> None:
    go(opened, f"#network={run.members['member'][0]}")
    opened.wait(f"{SCENE}?.dataset.listens === 'yes'")
    pressed = (
        "[...document.querySelectorAll('button.point')]"
        ".filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.textContent)"
    )
    for point, expected in ((2, ["2"]), (5, ["5"]), (5, [])):
        opened.ask(f"{SCENE}.emit('plotly_click', {{points: [{{customdata: {point}}}]}})")
        assert opened.ask(pressed) == expected


def test_of_two_quick_choices_of_distances_the_second_is_shown(opened_varied: Any) -> None:
    go(opened_varied, "#explore")
    opened_varied.wait("document.querySelector('canvas.matrix')?.width > 1")
    # The first file comes when the second one is there.
    opened_varied.ask(
        "{const original = load; window.sent = []; window.load = name => new Promise(done => "
        "sent.push([name, () => original(name).then(done)])); 0;}"
    )
    for place in (0, 1):
        choose(opened_varied, "Distances", place)
    opened_varied.wait("sent.length === 2")
    for place in (1, 0):
        opened_varied.ask(f"sent[{place}][1]().then(() => 0)")
        opened_varied.ask("new Promise(done => setTimeout(done))")
    # A cell names its networks: they are of the second task.
    status = "document.querySelector('.matrix-view .remark')"
    opened_varied.ask(
        "document.querySelector('canvas.matrix').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'ArrowRight'}))"
    )
    assert opened_varied.ask(f"{status}.textContent").startswith("sine-")


def caption_of(view: str, position: int = 0) -> str:
    """JavaScript for the caption of a plot."""
    return f"document.querySelectorAll('.view.{view} .caption')[{position}]?.textContent"


def test_captions_say_what_is_there(browser: Any, run: Run, report: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(report.parent, tmp_path / "report")
    names = run.members["member"]
    for position, edges in ((0, 120), (1, 121)):
        content = read_file(moved / "data" / "networks" / f"{position}.js")
        nodes = np.arange(edges + 1)
        content["graph"] = {
            "n_unstable": np.minimum(nodes, 1), "input": 0 * nodes, "source": nodes[1:],
            "target": 0 * nodes[1:], "share": np.ones(edges),
        }  # fmt: skip
        points = content["space"]["points"]
        if position:
            points |= {"direction_point": np.zeros(0, int), "direction": np.zeros((0, 2, 3))}
        write_data(moved, f"networks/{position}", content)
    browser.open(moved / report.name)
    go(browser, f"#compare={names[0]},{names[1]}")
    arrows = "[...document.querySelectorAll('.view.graph .explorer-plot')]"
    arrows += ".map(plot => plot.layout?.annotations.length)"
    browser.wait(f"{arrows}.length === 2 && {arrows}.every(each => each !== undefined)")
    graphs = [browser.ask(caption_of("graph", i)) for i in (0, 1)]
    assert [text.split()[0] for text in graphs] == ["Arrows", "Lines"]
    assert "at most 120 lines, and here are 121" in graphs[1]
    assert browser.ask(arrows) == [120, 0]
    spaces = [browser.ask(caption_of("space", i)) for i in (0, 1)]
    assert all(text.startswith("Principal components of the states") for text in spaces)
    assert ["Short lines" in text for text in spaces] == [True, False]
    # With the axes of the first network, the second one has none of its own.
    box = "document.querySelector('.controls input[type=checkbox]')"
    for words in ("turned onto those of the first network", "on all probe trials"):
        browser.ask(f"{box}.click()")
        browser.wait(f"{caption_of('space', 1)}.includes({json.dumps(words)})")
        assert browser.ask(caption_of("space")) == spaces[0]
    assert browser.complaints == []


def test_a_dot_of_a_figure_leads_to_its_network(browser: Any, whole_report: Path, run: Run) -> None:
    browser.open(whole_report)
    figure = "[...document.querySelectorAll('figure')].find("
    figure += "each => each.textContent.includes('Loss of every network'))"
    browser.ask(f"for (let each = {figure}; each; each = each.parentElement) each.open = true")
    browser.ask(f"{figure}.querySelector('button.explore').click()")
    plot = f"{figure}.querySelector('.plot')"
    browser.wait(f"{plot}.querySelector('.point') !== null")
    x, y = browser.ask(
        f"(() => {{{figure}.scrollIntoView({{block: 'center', behavior: 'instant'}});"
        f"const box = {plot}.querySelector('.point').getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2];})()"
    )
    name = browser.ask(f"{plot}.data[0].customdata[0]")
    assert name in run.members["member"].tolist()
    browser.page.mouse.move(x, y)
    browser.wait(f"{plot}.querySelector('.hoverlayer .hovertext') !== null")
    browser.page.mouse.click(x, y)
    heading(browser, name)
    # The pictures of typical networks have links to them.
    go(browser, "")
    browser.wait("document.getElementById('explorer').hidden")
    link = "document.querySelector('.networks-shown a')"
    name = browser.ask(f"{link}.textContent")
    browser.ask(f"{link}.click()")
    heading(browser, name)
    assert browser.complaints == []


def test_one_file_opens_without_its_folder(browser: Any, report: Path, tmp_path: Path) -> None:
    single = write_single_file(report.parent, tmp_path / "mail.html", 20)
    browser.open(single.path)
    go(browser, "#network=" + read_file(report.parent / "data" / "index.js")["networks"][6])
    browser.wait(f"{DRAWN} >= 4")
    assert browser.complaints == []
    names = [url for url in browser.requests if not url.startswith(("data:", "blob:"))]
    assert names == [single.path.resolve().as_uri()]


RULES = """(async () => {
  for (const fold of document.querySelectorAll("details:not([name])")) fold.open = true;
  // Plotly gives two plots in space the same id. WCAG 2.2 no longer asks for different ones.
  const rules = { "duplicate-id": { enabled: false } };
  const found = await axe.run(document, { preload: false, resultTypes: ["violations"], rules });
  return found.violations.map((each) => [each.id, each.nodes.map((node) => node.html)]);
})()"""


def accessibility_rules() -> str:
    """The source of axe-core, which knows rules for contrast, names, roles, order and keyboards."""
    package = pytest.importorskip("axe_core_python")
    return Path(package.__file__).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_all_views_keep_the_rules_of_accessibility(
    browser: Any, run: Run, report: Path, scheme: str, width: int
) -> None:
    rules = accessibility_rules()
    first, second = run.members["member"][:2]
    browser.look(width, scheme=scheme)
    try:
        browser.open(report)
        browser.ask(f"{rules};0")
        for address in ("", "#explore", f"#network={first}", f"#compare={first},{second}"):
            browser.ask(f"location.hash = {json.dumps(address)}")
            if address:
                browser.wait(f"{DRAWN} > 0")
            assert browser.ask(RULES) == []
            assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.look()


SHOW_ALL = """(async () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((image) => image.decode()));
})()"""


def test_a_whole_report_keeps_the_rules_of_accessibility(browser: Any, whole_report: Path) -> None:
    rules = accessibility_rules()
    looks: list[tuple[int, Any]] = [(1280, "light"), (390, "dark")]
    try:
        for width, scheme in looks:
            browser.look(width, scheme=scheme)
            browser.open(whole_report)
            # All of these are there, so that their rules are looked at.
            for part in (
                "#answer",
                "details.shown",
                ".chapter figure",
                ".networks-shown",
                "#methods",
            ):
                assert browser.ask(f"document.querySelector('{part}') !== null"), part
            # A wide figure scrolls, also by keys, when its fold is open and its picture is there.
            browser.ask(SHOW_ALL)
            browser.ask("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
            browser.ask(f"{rules};0")
            assert browser.ask(RULES) == []
            assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.look()


SLOW = """(() => {
  const timer = window.setTimeout;
  window.setTimeout = (work, wait, ...rest) =>
    timer(work, work.name === "drawSelection" ? 300 : wait, ...rest);
})()"""
"""JavaScript that lets maps and matrices wait, as those of many networks do."""


def test_the_benchmark_measures_all_of_a_filter_and_reads_its_matrix(opened: Any) -> None:
    import report_scale

    opened.ask("location.hash = '#explore'")
    opened.wait(report_scale.OVERVIEW)
    opened.ask(SLOW)
    _, drawn = opened.ask(report_scale.FILTER)
    assert drawn >= 0.3
    first = [address for address in opened.requests if "/data/matrices/" in address]
    assert len(first) == 1
    opened.ask(report_scale.MATRIX)
    assert [address for address in opened.requests if "/data/matrices/" in address] == first * 2
