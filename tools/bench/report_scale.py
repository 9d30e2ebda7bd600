"""Times, memory and bytes of a report of many networks in a headless Chromium.

Records are made up as in `scale.py`, or are those of a folder that an earlier call has filled. The
report of them is written, and opened from the disk as a reader does: first paint, view of all
networks, search, filter, matrix, one network, a comparison. The page in one file is written and
opened, too. Progress goes to stderr.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from asking import OneSentence, number_from

sys.path.append(str(Path(__file__).parents[2] / "tests"))

Data = dict[str, Any]

LIMITS = {
    "first paint": 1.0,
    "first paint of the page in one file": 1.0,
    "search": 0.1,
    "filter": 0.1,
    "matrix": 1.0,
    "one network": 1.0,
    "memory": 500.0,
    "largest file of a network": 128.0,
}
"""Measure -> largest value that the project aims at: seconds, MB of memory, KiB of a file."""

WORKERS = 2
"""Threads that make up the records. They compute, so that more than cores only wait."""

SINGLE, SINGLE_MEGABYTES = "report.html", 20.0
"""Name and largest size of the page in one file."""

FRAMES = "await new Promise(done => requestAnimationFrame(() => setTimeout(done)));"
"""JavaScript that waits until a change is on the screen."""

SEARCH = f"""(async () => {{
  const box = document.getElementById("explorer-search"), from = performance.now();
  box.value = "gru"; box.dispatchEvent(new Event("input")); {FRAMES}{FRAMES}
  return (performance.now() - from) / 1000;
}})()"""

REDRAWN = """new Promise((done) => {
  const observer = new MutationObserver(() => { observer.disconnect(); done(); });
  observer.observe(document.querySelector("canvas.matrix"), { attributeFilter: ["width"] });
})"""
"""JavaScript of a promise that the matrix is painted again: it first sets its size."""

ALL_REDRAWN = f"""Promise.all([{REDRAWN},
  ...[...document.querySelectorAll("#explorer .view.map .explorer-plot")]
    .map((box) => new Promise((done) => box.once("plotly_afterplot", done)))])"""
"""JavaScript of a promise that all maps and the matrix are drawn again."""

FILTER = f"""(async () => {{
  const box = document.querySelector(".chip input"), drawn = {ALL_REDRAWN};
  const from = performance.now(), seconds = () => (performance.now() - from) / 1000;
  box.click(); {FRAMES}{FRAMES}
  const answered = seconds();
  await drawn; {FRAMES}
  const redrawn = seconds(), whole = {ALL_REDRAWN};
  document.querySelector("button.clear").click(); await whole; {FRAMES}
  return [answered, redrawn];
}})()"""
"""JavaScript that returns the seconds until the table answers a filter, and until all is drawn.

Maps and matrices of many networks wait for a pause of the reader, which is part of the second."""

MATRIX = f"""(async () => {{
  const select = document.querySelector(".matrix-view").closest("section").querySelector("select");
  loaded.delete(select.value);
  const painted = {REDRAWN}, from = performance.now();
  select.dispatchEvent(new Event("change")); await painted; {FRAMES}
  return (performance.now() - from) / 1000;
}})()"""
"""JavaScript that returns the seconds until a matrix is read from its file, unpacked and drawn.

The page forgets that it has read it."""

PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime / 1000"

PLOTTED = "document.querySelector('#explorer .explorer-plot .main-svg') !== null"

OVERVIEW = "document.querySelector('#explorer .matrix-view .ramp') !== null"
"""JavaScript that is true once the matrix has its scale. It is drawn after all maps."""

IN_SPACE = """(() => {
  const plots = [...document.querySelectorAll("#explorer .view.space .explorer-plot")];
  return plots.length > 0 && plots.every((plot) => plot.dataset.listens === "yes");
})()"""
"""JavaScript that is true if the states of all networks of a view are drawn."""

MARK = "document.querySelector('.explorer-view')?.setAttribute('data-before', '')"
"""JavaScript that marks the view of before."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report, measure it, print the table; return 1 if a limit is exceeded."""
    options = _options(arguments)
    with _folder(options.records) as folder:
        measured = _written(folder, options.networks) | _opened(folder)
    if options.json:
        about = {"cores": os.cpu_count(), "networks": options.networks}
        options.json.write_text(json.dumps(about | measured, indent=1))
    sys.stdout.write(table(measured, options.networks) + "\n")
    return int(any(measured[name] > limit for name, limit in LIMITS.items()))


@contextmanager
def _folder(records: Path | None) -> Iterator[Path]:
    """Yield the folder of the records: the one that is kept, or one that is removed."""
    if records is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    else:
        records.mkdir(parents=True, exist_ok=True)
        yield records


def _make_up(networks: int, folder: Path) -> None:
    """Make up the records that a folder does not hold yet, without waiting for the disk."""
    import stages

    # Records that are made up need not outlive a crash of the machine.
    with mock.patch.object(os, "fsync", return_value=None):
        stages.execute(stages.Sizes(networks, workers=WORKERS), folder)


def _written(folder: Path, networks: int) -> Data:
    """Make up the records, write the report, and return its times and sizes."""
    from rnnstudy.core.threads import one_thread
    from rnnstudy.report.build import write_report
    from rnnstudy.report.explorer.single_file import write_single_file
    from rnnstudy.study.results.run import open_run

    with one_thread():
        records = _timed("records", lambda: _make_up(networks, folder))
        report = _timed("report", lambda: write_report(open_run(folder)))
        single = _timed("one file", lambda: write_single_file(
            folder / "report", folder / SINGLE, SINGLE_MEGABYTES))  # fmt: skip
    data = folder / "report" / "data"
    sizes = [path.stat().st_size for path in (data / "networks").iterdir()]
    return {
        "make up the records": records,
        "write the report": report,
        "write the page in one file": single,
        "page in one file": (folder / SINGLE).stat().st_size / 2**10,
        "mean file of a network": sum(sizes) / len(sizes) / 2**10,
        "largest file of a network": max(sizes) / 2**10,
        "index": (data / "index.js").stat().st_size / 2**10,
        "matrices": sum(path.stat().st_size for path in data.glob("matrices/*.js")) / 2**10,
        "page": (folder / "report" / "index.html").stat().st_size / 2**10,
    }


def _timed(name: str, work: Callable[[], Any]) -> float:
    """Return the seconds that some work takes, and say so."""
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    sys.stderr.write(f"{name}: {seconds:.1f} s\n")
    return seconds


def _opened(folder: Path) -> Data:
    """Open the report in a browser and return times and memory."""
    from browser import Browser, browser_program

    program = browser_program()
    if program is None:
        raise SystemExit("report_scale.py: Chromium must be installed, found none.")
    browser = Browser(program)
    try:
        blank = _bytes_of(browser.renderers()) / 1e6
        measured = _walk(browser, folder / "report" / "index.html")
        measured["memory of a blank page"] = blank
        browser.open(folder / SINGLE)
        browser.wait(f"{PAINT} > 0")
        return measured | {"first paint of the page in one file": browser.ask(PAINT)}
    finally:
        browser.close()


def _walk(browser: Any, page: Path) -> Data:
    browser.open(page)
    browser.wait(f"{PAINT} > 0")
    measured: Data = {"first paint": browser.ask(PAINT)}
    measured["all networks"] = _seconds(browser, "#explore", PLOTTED)
    browser.wait(OVERVIEW)
    measured["search"] = browser.ask(SEARCH)
    measured["filter"], measured["filter, maps and matrix drawn"] = browser.ask(FILTER)
    measured["matrix"] = browser.ask(MATRIX)
    links = "[...document.querySelectorAll('.networks a')].slice(0, 2).map(a => a.textContent)"
    first, second = browser.ask(links)
    for name, address in (
        ("one network", f"#network={first}"),
        ("next network", f"#network={second}"),
        ("comparison", f"#compare={first},{second}"),
    ):
        begun = time.perf_counter()
        measured[name] = _seconds(browser, address, PLOTTED)
        browser.wait(IN_SPACE)
        measured[f"{name}, states in space"] = time.perf_counter() - begun
    each = [_bytes_of([process]) / 1e6 for process in browser.renderers()]
    resident = _bytes_of(browser.renderers(), "Rss") / 1e6
    # Chromium keeps a process for the next page, and one of the page before.
    return measured | {
        "memory": sum(each),
        "memory of the page's own process": max(each),
        "memory, shared pages counted for each process": resident,
    }


def _seconds(browser: Any, address: str, condition: str) -> float:
    """Return the seconds from a change of the address until a condition holds in the new view."""
    begun = time.perf_counter()
    browser.ask(f"{MARK}; location.hash = {json.dumps(address)}")
    browser.wait(f"document.querySelector('[data-before]') === null && {condition}")
    return time.perf_counter() - begun


def _bytes_of(processes: Sequence[int], kind: str = "Pss") -> int:
    """Return the bytes of memory of some processes.

    A page that n processes share counts 1/n for each as `Pss`, and whole for each as `Rss`.
    """
    texts = [Path(f"/proc/{process}/smaps_rollup").read_text() for process in processes]
    lines = [line for text in texts for line in text.splitlines() if line.startswith(f"{kind}:")]
    return sum(int(line.split()[1]) for line in lines) * 1024


SIZES = (
    "page in one file", "mean file of a network", "largest file of a network", "index", "matrices",
    "page",
)  # fmt: skip
"""Measures that are sizes of files."""


def table(measured: Data, networks: int) -> str:
    """Return the table for the docs: a row per measure, with its limit if it has one."""
    rows = [f"| {networks:,} networks | value | limit |", "|---|---|---|"]
    for name, value in measured.items():
        unit = _unit(name)
        limit = f"{LIMITS[name]:g} {unit}" if name in LIMITS else ""
        rows.append(f"| {name} | {value:.3g} {unit} | {limit} |")
    return "\n".join(rows)


def _unit(name: str) -> str:
    if name.startswith("memory"):
        return "MB"
    return "KiB" if name in SIZES else "s"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="report_scale.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", type=number_from(8), default=3000, metavar="N")
    parser.add_argument(
        "--records", type=Path, metavar="FOLDER", help="where records are kept and used again"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    options = parser.parse_args(arguments)
    if options.networks % 8:
        parser.error(f"{options.networks} networks are not a multiple of 8")
    return options


if __name__ == "__main__":
    sys.exit(main())
