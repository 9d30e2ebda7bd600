"""Measures a GPU in one call of under ten minutes and prints tables for docs/benchmarks.md:

.venv/bin/python tools/bench/gpu.py --minutes 9 --json gpu.json

Agreement with the CPU, networks x steps per second of each cell beside Keras on the same device,
share of the device's peak, memory, and how many networks fit. What the time does not suffice for,
and everything on a machine without a GPU, reads 'not measured'. Exit status: 0 done, 1 the GPU
disagrees with the CPU, 2 the arguments are wrong.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from asking import OneSentence, number_from
from contenders.case import CELLS, Case
from workers import Failed, Variant, Worker

T = TypeVar("T")

DRIVERS = ("/proc/driver/nvidia", "/dev/dxg")

NOT_MEASURED = "not measured"

CELL_NAMES = [name for name in CELLS if name != "gru_before"]

FULL: dict[str, Any] = {"units": 64, "batch": 64, "time": 100, "members": [64, 512], "steps": 60}
TINY: dict[str, Any] = {"units": 6, "batch": 4, "time": 8, "members": [2, 4], "steps": 6}

TOLERANCE = 1e-3
"""Largest relative difference of losses after some steps in float32, and of fixed points."""

MOST_STEPS = 200
"""Steps of one measurement at most."""

SECONDS = 2.0
"""About how long one measurement takes."""


@dataclass
class Found:
    """What was measured of one cell; None where it was not."""

    cell: str
    losses: float | None = None
    """Largest relative difference of the losses on GPU and CPU."""
    points: float | None = None
    """Largest difference of the fixed points; infinite if their numbers differ."""
    rates: dict[int, float] = field(default_factory=dict)
    """Number of networks -> networks x steps per second."""
    keras: float | None = None
    shares: dict[int, float] = field(default_factory=dict)
    """Number of networks -> share of the peak."""
    memory: dict[int, int] = field(default_factory=dict)
    """Number of networks -> peak bytes."""
    fit: int | None = None
    """Number of networks that fit into the device's memory at once."""
    failures: list[str] = field(default_factory=list)


class Bench:
    """The processes that measure, each started when it is needed first."""

    def __init__(self, sizes: dict[str, Any], gpu: bool, minutes: float) -> None:
        self.sizes, self.gpu = sizes, gpu
        self.end = time.monotonic() + 60 * minutes
        self._workers: dict[tuple[str, bool], Worker] = {}

    def ask(self, who: str, gpu: bool, what: str, *arguments: Any) -> Any:
        """Return what a process answers; Failed if it cannot, or if the time is over."""
        if time.monotonic() > self.end:
            raise Failed("the time was over")
        threads = len(os.sched_getaffinity(0))
        worker = self._workers.get((who, gpu))
        if worker is None:
            worker = self._workers[who, gpu] = Worker(Variant(who), 0, threads, gpu)
        worker.ask(what, *arguments)
        return worker.answer()

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.end()

    def case(self, cell: str, members: int) -> Case:
        """Return a case of the benchmark."""
        sizes = self.sizes
        return Case(cell, "tanh", sizes["units"], sizes["batch"], sizes["time"], members)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; return the exit status."""
    options = _options(arguments)
    gpu = any(map(os.path.exists, DRIVERS))
    bench = Bench(TINY if options.tiny else FULL, gpu, options.minutes)
    device, peak, found = "", 0.0, [Found(cell) for cell in options.cells]
    try:
        if gpu or options.cpu:
            device = _tried(lambda: bench.ask("ours", gpu, "device")) or ""
            peak = _tried(lambda: bench.ask("machine", gpu, "peak")) or 0.0
            for measure in (agreement, rates, against_keras):
                for each in found:
                    _measure(measure, bench, each, peak)
    finally:
        bench.close()
    sys.stdout.write(report(device, peak, bench.sizes, found) + "\n")
    if options.json:
        content = {"device": device, "peak": peak, "cells": list(map(asdict, found))}
        options.json.write_text(json.dumps(content | {"sizes": bench.sizes}, indent=1) + "\n")
    worst = max(
        (d for each in found for d in (each.losses, each.points) if d is not None), default=0
    )
    return int(worst > TOLERANCE)


def _measure(
    measure: Callable[[Bench, Found, float], None], bench: Bench, found: Found, peak: float
) -> None:
    sys.stderr.write(f"{found.cell}: {measure.__name__.replace('_', ' ')}\n")
    try:
        measure(bench, found, peak)
    except Failed as failure:
        found.failures.append(f"{measure.__name__.replace('_', ' ')}: {failure}")
        sys.stderr.write(f"{found.cell}: {found.failures[-1]}\n")


def agreement(bench: Bench, found: Found, peak: float) -> None:
    """Compare losses and fixed points of one network on the device and on the CPU."""
    case, steps = bench.case(found.cell, 1), bench.sizes["steps"]
    here, there = (
        np.array(bench.ask("ours", gpu, "losses", case, steps)) for gpu in (bench.gpu, 0)
    )
    found.losses = float(np.max(np.abs(here - there) / np.abs(there)))
    here, there = (bench.ask("dynamics", gpu, "fixed_points", case) for gpu in (bench.gpu, 0))
    same = len(here) == len(there)
    found.points = float(np.max(np.abs(here - there), initial=0.0)) if same else float("inf")


def rates(bench: Bench, found: Found, peak: float) -> None:
    """Measure the speed of training and its memory for each number of networks."""
    for members in bench.sizes["members"]:
        case = bench.case(found.cell, members)
        bench.ask("ours", bench.gpu, "begin", case)
        seconds = _seconds_per_step(bench, "ours")
        found.rates[members] = members / seconds
        if peak:
            found.shares[members] = case.flops() * members / seconds / peak
        memory = bench.ask("ours", bench.gpu, "memory")
        if memory:
            found.memory[members] = memory[0]
            found.fit = _fitting(found.memory, memory[1])


def against_keras(bench: Bench, found: Found, peak: float) -> None:
    """Measure the speed of Keras, one network after the other."""
    case = bench.case(found.cell, 1)
    unfit = bench.ask("keras", bench.gpu, "unfit", case)
    if unfit:
        raise Failed(unfit)
    bench.ask("keras", bench.gpu, "begin", case)
    found.keras = 1.0 / _seconds_per_step(bench, "keras")


def _seconds_per_step(bench: Bench, who: str) -> float:
    """Return the least seconds per step of three measurements."""
    first = bench.ask(who, bench.gpu, "run", 10) / 10
    steps = min(MOST_STEPS, max(10, 10 * round(SECONDS / max(first, 1e-6) / 10)))
    if bench.sizes is TINY:
        steps = 10
    return float(min(bench.ask(who, bench.gpu, "run", steps) / steps for _ in range(3)))


def _fitting(memory: dict[int, int], limit: int) -> int | None:
    """Return how many networks fit, by the slope between the smallest and the largest number."""
    (few, small), *_, (many, large) = [*memory.items(), *memory.items()]
    if many == few or large <= small or not limit:
        return None
    slope = (large - small) / (many - few)
    return int(many + (limit - large) / slope)


def _tried(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except Failed as failure:
        sys.stderr.write(f"{failure}\n")
        return None


def report(device: str, peak: float, sizes: dict[str, Any], found: Sequence[Found]) -> str:
    """Return the tables for the docs."""
    shape = "{units} units, {batch} trials, {time} steps".format(**sizes)
    about = f"Device: {device or NOT_MEASURED}. Peak of a large float32 product: "
    about += f"{peak / 1e12:.1f} TF/s." if peak else f"{NOT_MEASURED}."
    return "\n\n".join(
        [f"{about} Networks have {shape}.", _speeds(sizes, found), _rest(sizes, found)]
    )


def _speeds(sizes: dict[str, Any], found: Sequence[Found]) -> str:
    counts = sizes["members"]
    heads = ["networks x steps per second", *(f"{n} networks" for n in counts), "Keras", "faster",
             "share of peak"]  # fmt: skip
    rows = []
    for each in found:
        best = max(each.rates.values(), default=None)
        faster = None if best is None or each.keras is None else best / each.keras
        rates = [_shown(each.rates.get(n), "{:,.0f}") for n in counts]
        share = max(each.shares.values(), default=None)
        rows.append([each.cell, *rates, _shown(each.keras, "{:,.0f}"), _shown(faster, "{:.1f}x"),
                     _shown(share, "{:.1%}")])  # fmt: skip
    return _table(heads, rows)


def _rest(sizes: dict[str, Any], found: Sequence[Found]) -> str:
    losses = f"largest difference of losses in {sizes['steps']} steps"
    points = "largest difference of fixed points"
    heads = ["", losses, points, "MiB per network", "networks that fit"]
    rows = []
    for each in found:
        per_network = [size / count / 2**20 for count, size in each.memory.items()]
        rows.append([
            each.cell, _shown(each.losses, "{:.0e}"), _shown(each.points, "{:.0e}"),
            _shown(per_network[-1] if per_network else None, "{:.1f}"), _shown(each.fit, "{:,}"),
        ])  # fmt: skip
    return _table(heads, rows)


def _shown(value: float | None, form: str) -> str:
    return NOT_MEASURED if value is None else form.format(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_lines(heads, rows))


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="gpu.py", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--cells", nargs="+", choices=CELL_NAMES, default=CELL_NAMES, metavar="NAME"
    )
    parser.add_argument("--minutes", type=number_from(1), default=9, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument("--cpu", action="store_true", help="measure the CPU if there is no GPU")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
