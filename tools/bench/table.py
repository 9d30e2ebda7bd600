"""The results as tables for a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from rnnstudy.cli.terminal import SafeConsole

Data = dict[str, Any]

SHAPE = {"units": "units", "batch": "trials", "time": "time steps", "members": "members"}


def show(console: SafeConsole, data: Data) -> None:
    """A case: its times, who was skipped, what the ratios come to."""
    console.print(_times(data))
    _tell_skipped(console, data)
    _tell_ratio(console, data)
    _tell_outside(console, data)
    console.print()


def show_scaling(console: SafeConsole, results: Sequence[Data]) -> None:
    """How ours scale with members and with time steps, where there are several."""
    for axis in ("members", "time"):
        if len({data[axis] for data in results}) > 1:
            console.print(_scaling(results, axis))


def _times(data: Data) -> Table:
    gpu = any(entry.get("share_of_peak") for entry in data["entries"])
    table = Table(title=_case(data), title_justify="left", title_style="bold")
    table.add_column("contender")
    table.add_column("spread")
    ends = ["network steps / s", "of peak"] if gpu else []
    for heading in ("compile s", "ms per network", "ours is faster", "of floor", *ends):
        table.add_column(heading, justify="right")
    for entry in data["entries"]:
        if "skipped" not in entry:
            table.add_row(*_row(entry, _best(data))[: len(table.columns)])
    return table


def _case(data: Data, without: str = "") -> str:
    shape = [f"{data[name]} {word}" for name, word in SHAPE.items() if name != without]
    return ", ".join([f"{data['cell']} {data['activation']}", *shape])


def _row(entry: Data, best: float | None) -> list[str]:
    other = best is not None and entry["contender"] != "ours"
    return [
        entry["contender"],
        entry["variant"],
        f"{entry['compile_s']:.1f}",
        f"{entry['ms']:.3g}",
        f"{entry['ms'] / best:.2f}x" if other else "",
        f"{entry['share_of_floor']:.0%}",
        f"{entry['network_steps_per_s']:.4g}",
        f"{entry['share_of_peak'] or 0:.1%}",
    ]


def _best(data: Data) -> float | None:
    """Our best time."""
    times = [e["ms"] for e in data["entries"] if e["contender"] == "ours" and "ms" in e]
    return min(times, default=None)


def _tell_skipped(console: SafeConsole, data: Data) -> None:
    told = dict.fromkeys(
        f"{entry['contender']} skipped: {entry['skipped']}"
        for entry in data["entries"]
        if "skipped" in entry
    )
    for line in told:
        console.print(line, style="dim", highlight=False)


def _tell_ratio(console: SafeConsole, data: Data) -> None:
    ratio = data["ratio_to_best_alternative"]
    single = data["ratio_to_best_alternative_in_one_process"]
    if ratio:
        console.print(
            f"ours is {ratio:.2f}x as fast as the best alternative, "
            f"{single or 0:.2f}x as the best in one process; "
            f"the floor is {data['floor_ms']:.3g} ms ({data['product_rate'] / 1e9:.0f} GF/s)",
            highlight=False,
        )


def _tell_outside(console: SafeConsole, data: Data) -> None:
    shares = [entry.get("share_outside_compiled_code") for entry in data["entries"]]
    known = [share for share in shares if share is not None]
    if known:
        console.print(f"ours: {max(known):.1%} of the time outside compiled code", highlight=False)


def _scaling(results: Sequence[Data], axis: str) -> Table:
    """Our best milliseconds, and the ratio to the best alternative, along one axis."""
    values = sorted({data[axis] for data in results})
    title = f"ours by {SHAPE[axis]}: ms per network (ratio to the best alternative)"
    table = Table("case", title=title, title_justify="left", title_style="bold")
    for value in values:
        table.add_column(str(value), justify="right")
    rows: dict[str, dict[int, str]] = {}
    for data in results:
        rows.setdefault(_case(data, without=axis), {})[data[axis]] = _point(data)
    for case, points in rows.items():
        table.add_row(case, *(points.get(value, "") for value in values))
    return table


def _point(data: Data) -> str:
    best, ratio = _best(data), data["ratio_to_best_alternative"]
    if best is None:
        return "-"
    return f"{best:.3g}" + (f" ({ratio:.1f}x)" if ratio else "")
