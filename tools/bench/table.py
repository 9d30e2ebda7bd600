"""The results as tables for a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Data = dict[str, Any]


def show(console: Console, results: Sequence[Data]) -> None:
    """One table of all times, and one of how ours scale where there is something to scale."""
    gpu = any(entry.get("share_of_peak") for data in results for entry in data["entries"])
    console.print(_times(results, gpu))
    for axis, word in (("members", "members"), ("time", "time steps")):
        if len({data[axis] for data in results}) > 1:
            console.print(_scaling(results, axis, word))


def _times(results: Sequence[Data], gpu: bool) -> Table:
    table = Table(title="One training step of one network", title_justify="left")
    for heading in ("case", "contender", "spread"):
        table.add_column(heading)
    ends = ["network steps / s", "of peak"] if gpu else []
    for heading in ("compile s", "ms", "ours is faster", "of floor", *ends):
        table.add_column(heading, justify="right")
    for data in results:
        for k, entry in enumerate(data["entries"]):
            table.add_row("" if k else _case(data), *_row(entry, _best(data), gpu))
        table.add_section()
    return table


def _case(data: Data) -> str:
    shape = f"{data['units']} units, batch {data['batch']}, {data['time']} steps"
    return f"{data['cell']} {data['activation']}\n{shape}\n{data['members']} members"


def _row(entry: Data, best: float | None, gpu: bool) -> list[str]:
    named = [entry["contender"], entry["variant"]]
    if "skipped" in entry:
        return [entry["contender"], f"[dim]{entry['skipped']}[/dim]"]
    ratio = "" if entry["contender"] == "ours" or best is None else f"{entry['ms'] / best:.2f}x"
    row = [
        f"{entry['compile_s']:.1f}",
        f"{entry['ms']:.3g}",
        ratio,
        f"{entry['share_of_floor']:.0%}",
    ]
    ends = [f"{entry['network_steps_per_s']:.4g}", f"{entry['share_of_peak'] or 0:.1%}"]
    return named + row + (ends if gpu else [])


def _best(data: Data) -> float | None:
    """Our best time."""
    times = [e["ms"] for e in data["entries"] if e["contender"] == "ours" and "ms" in e]
    return min(times, default=None)


def _scaling(results: Sequence[Data], axis: str, word: str) -> Table:
    """Our best milliseconds (and how much faster than the best alternative) along one axis."""
    values = sorted({data[axis] for data in results})
    table = Table(title=f"Ours by {word}: ms, ratio to best", title_justify="left")
    table.add_column("case")
    for value in values:
        table.add_column(str(value), justify="right")
    rows: dict[str, dict[int, str]] = {}
    for data in results:
        rows.setdefault(_rest(data, axis), {})[data[axis]] = _cell(data)
    for title, cells in rows.items():
        table.add_row(title, *(cells.get(value, "") for value in values))
    return table


def _rest(data: Data, axis: str) -> str:
    names = {"units": "units", "batch": "batch", "time": "steps", "members": "members"}
    shape = [f"{data[name]} {word}" for name, word in names.items() if name != axis]
    return ", ".join([f"{data['cell']} {data['activation']}", *shape])


def _cell(data: Data) -> str:
    best, ratio = _best(data), data["ratio_to_best_alternative"]
    if best is None:
        return "-"
    return f"{best:.3g}" + (f" ({ratio:.1f}x)" if ratio else "")


def verdicts(console: Console, results: Sequence[Data]) -> None:
    """One line per case."""
    for data in results:
        ratio = data["ratio_to_best_alternative"]
        single = data["ratio_to_best_alternative_in_one_process"]
        if ratio:
            console.print(
                f"{_case(data).replace(chr(10), ', ')}: {ratio:.2f}x the best alternative"
                + (f", {single:.2f}x the best in one process" if single else "")
            )
