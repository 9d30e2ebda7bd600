"""How the search for fixed points grows with starts and with networks, and the memory it takes:

.venv/bin/python tools/bench/search_cost.py --cache /tmp/networks

On a trained 3-bit memory network and on copies of it whose weights differ by a per cent. Networks
are trained once and kept in the cache. Each memory is that of a process of its own; the records
themselves (Jacobians above all) grow with the networks and are held twice while they are joined;
what it takes besides should not grow. Exit status: 0 done, 1 cost grew faster than starts or
networks by a quarter, 2 the arguments are wrong.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from asking import OneSentence, number_from
from memory_networks import ACTIVATIONS, trained, visited
from rich.table import Table

from rnnstudy.cells import CELLS
from rnnstudy.cli.terminal import SafeConsole
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.population.population import Population

STARTS = (256, 512, 1024, 2048, 4096)
NETWORKS = (1, 2, 4, 8, 16, 32, 64)
MANY = (1, 100, 1000)
FEW = FixedPointSearch(candidates=64)
"""How memory is measured, in less time: it does not depend on the number of starts."""

DIFFERENT = 0.01
"""How much the weights of copies differ, as a share."""

LINEAR = 1.25
"""Cost per item, as a multiple of that of half as many, that is no longer linear growth."""


def copies(network: Population, count: int) -> Population:
    """So many networks that differ a little."""
    generator = np.random.default_rng(0)
    weights = {
        name: w * (1.0 + DIFFERENT * generator.standard_normal((count, *w.shape[1:])))
        for name, w in network.weights.items()
    }
    same = network.select("member", np.zeros(count, int))
    return Population(same.cell, weights, same.readout, same.initial_state)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time, the least of several: the rest is other work's."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def by_starts(network: Population, counts: Sequence[int], repeats: int) -> list[float]:
    """Seconds from so many states to what they reach."""
    states = visited(network, max(counts))[0]
    once = FixedPointSearch(rounds=1)

    def work(count: int) -> object:
        return find_fixed_points(network, starts=states[:count], search=once)

    work(counts[0])  # compiles
    return [seconds(lambda count=count: work(count), repeats) for count in counts]


def by_networks(network: Population, counts: Sequence[int], repeats: int) -> list[float]:
    """Seconds from so many networks to their certificates."""
    networks = copies(network, max(counts))
    find_fixed_points(networks.select("member", [0]))

    def work(count: int) -> object:
        return find_fixed_points(networks.select("member", np.arange(count)))

    return [seconds(lambda count=count: work(count), repeats) for count in counts]


def memory(network: Population, count: int) -> tuple[float, float, float, int, float]:
    """Of a search of so many networks: MiB before it, at its peak, and of its record; points; s."""
    networks = copies(network, count)
    find_fixed_points(networks.select("member", [0]), search=FEW)
    before, begun = _resident(), time.process_time()
    found = find_fixed_points(networks, search=FEW)
    taken = time.process_time() - begun
    record = sum(np.asarray(values).nbytes for values in vars(found).values() if _is_array(values))
    return before, _resident(), record / 2**20, len(found), taken


def _resident() -> float:
    """Largest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def _is_array(values: object) -> bool:
    return isinstance(values, np.ndarray)


def show(console: SafeConsole, what: str, counts: Sequence[int], taken: Sequence[float]) -> bool:
    """One table of costs; whether they grew linearly at most."""
    table = Table(title=f"processor time by {what}", title_justify="left", title_style="bold")
    for heading in (what, "s", f"ms per {what[:-1]}", "of that of the fewest"):
        table.add_column(heading, justify="right")
    each = [t / count for t, count in zip(taken, counts, strict=True)]
    for count, t, one in zip(counts, taken, each, strict=True):
        table.add_row(str(count), f"{t:.2f}", f"{1e3 * one:.3f}", f"{one / each[0]:.2f}")
    console.print(table)
    return all(b <= LINEAR * a for a, b in pairwise(each))


def show_memory(console: SafeConsole, network: Population, counts: Sequence[int]) -> None:
    """Peak memory by networks, each in a process of its own."""
    table = Table(title="memory by networks, MiB", title_justify="left", title_style="bold")
    for heading in ("networks", "points", "before", "peak", "record", "besides two records", "s"):
        table.add_column(heading, justify="right")
    for count in counts:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            before, peak, record, points, taken = pool.submit(memory, network, count).result()
        row = (before, peak, record, max(0.0, peak - before - 2.0 * record), taken)
        table.add_row(str(count), str(points), *(f"{value:.0f}" for value in row))
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = OneSentence(prog="search_cost.py", description=__doc__.partition("\n")[0])
    number: dict[str, Any] = {"type": number_from(1), "metavar": "NUMBER"}
    parser.add_argument("--cache", type=Path, required=True, help="folder for trained networks")
    parser.add_argument("--cell", choices=list(CELLS), default="gru")
    parser.add_argument("--activation", choices=ACTIVATIONS, default="tanh")
    parser.add_argument("--units", default=64, **number)
    parser.add_argument("--steps", default=1500, help="of training", **number)
    parser.add_argument("--repeats", default=3, **number)
    parser.add_argument("--only", choices=("starts", "networks", "memory"), help="one of the three")
    parser.add_argument("--quick", action="store_true", help="a tiny run, to see that it works")
    options = parser.parse_args(arguments)
    starts, networks, many = STARTS, NETWORKS, MANY
    if options.quick:
        options.units, options.steps, options.repeats = 20, 20, 1
        starts, networks, many = (32, 64), (1, 2), (1, 2)
    console = SafeConsole()
    network = trained(options.cell, options.activation, options.units, options.cache, options.steps)
    linear, wanted = True, [options.only] if options.only else ["starts", "networks", "memory"]
    if "starts" in wanted:
        linear &= show(console, "starts", starts, by_starts(network, starts, options.repeats))
    if "networks" in wanted:
        taken = by_networks(network, networks, options.repeats)
        linear &= show(console, "networks", networks, taken)
    if "memory" in wanted:
        show_memory(console, network, many)
    return 0 if linear else 1


if __name__ == "__main__":
    sys.exit(main())
