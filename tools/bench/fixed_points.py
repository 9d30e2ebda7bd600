"""Times our search for fixed points against Adam on the speed, side by side in one run:

.venv/bin/python tools/bench/fixed_points.py --cache /tmp/networks

On trained 3-bit memory networks of each cell and activation, from states that they visit. Adam is
written in PyTorch as today's tools use it. Ours is timed three times: from the same starts only,
with a second round that starts between the points found, and on to the certificate. All points are
checked in float64. Networks are trained once and kept in the cache (64 units: a minute each). Exit
status: 0 done, 1 two rounds were not 20 times as fast in the median, or slower or found less
somewhere, 2 the arguments are wrong.
"""

import argparse
import importlib
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from asking import OneSentence, number_from
from memory_networks import ACTIVATIONS, TASK, trained, visited
from rich.table import Table

from rnnstudy.cells import CELLS
from rnnstudy.cli.terminal import SafeConsole
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks.state_map import population_state_map
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.solvers import Newton
from rnnstudy.dynamics.states.clustering import merge
from rnnstudy.dynamics.states.sampling import scale_of
from rnnstudy.population.population import Population

NEAR = 0.02
"""How far from a true fixed point Adam may end for it to count, as a share of the states' size."""

SAME = 1e-3
"""Distance within which two points are one, likewise."""

SPEED = 1e-24
"""Largest speed that a fixed point may have."""

WAYS = {
    "same": FixedPointSearch(rounds=1),
    "two": FixedPointSearch(rounds=2),
    "full": FixedPointSearch(),
}
"""Ours from the same starts alone, with a round of mixtures of what these find, and until nothing
new is found and the index sum is right."""

CALLED = {
    "same": "from the same starts",
    "two": "with a second round",
    "full": "to the certificate",
}


@dataclass(frozen=True)
class Timed:
    """What a contender returned, and the seconds that it took: wall clock and processor."""

    result: Any
    wall: float
    cpu: float


def timed(work: Callable[[], Any]) -> Timed:
    """Do the work and look at both clocks."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Timed(result, time.perf_counter() - wall, time.process_time() - cpu)


def true_points(network: Population, states: np.ndarray, scale: float) -> np.ndarray:
    """The distinct fixed points [point, state] that states [start, state] are near, in float64.

    Newton's method has to reach one within `NEAR`, and I - J must not be singular there.
    """
    finite = states[np.isfinite(states).all(axis=1)].astype(np.float64)
    held = np.zeros((1, len(finite), network.inputs))
    state_map = population_state_map(network.as_float64(), np.array([0]), held)
    found = solve(state_map, Newton(limit=40, tolerance=1e-28), finite[None])
    state, speed = found.state[0], found.speed[0]
    moved = np.sqrt(np.mean((state - finite) ** 2, axis=1))
    within = np.abs(network.visible(state)).max(axis=1) <= (network.cell.bound or np.inf)
    state = state[(speed < SPEED) & (moved < NEAR * scale) & within]
    if not len(state):
        return state
    state = state[merge(state, np.zeros(len(state)), SAME * scale)[1]]
    again = population_state_map(network.as_float64(), np.array([0]), held[:, : len(state)])
    jacobian = again.linearise(_tensor(state))[1].numpy()[0]
    weakest = np.linalg.svd(np.eye(state.shape[1]) - jacobian, compute_uv=False).min(axis=1)
    return state[weakest > 1e-6]


def _tensor(state: np.ndarray) -> Any:
    return tf.constant(state[None])


def measure(
    kind: str, activation: str, options: argparse.Namespace, pool: ProcessPoolExecutor
) -> dict[str, Any]:
    """One cell and activation: everything that was measured, as plain data."""
    network = trained(kind, activation, options.units, options.cache, options.steps)
    starts = visited(network, options.starts)[0]
    scale = scale_of(starts)
    weights = {name: values[0] for name, values in network.weights.items()}
    their = network.cell, weights, starts
    _check_same_map(network, starts, _elsewhere(pool, "image", *their))
    ways = {
        name: partial(find_fixed_points, network, starts=starts, search=search)
        for name, search in WAYS.items()
    }
    first = {name: timed(way).wall for name, way in ways.items()}
    rounds = []
    for _ in range(options.repeats):
        adam = Timed(*_elsewhere(pool, "measured", *their, options.iterations))
        rounds.append({"adam": adam} | {name: timed(way) for name, way in ways.items()})
    last = rounds[-1]
    states, taken = last["adam"].result
    adams = true_points(network, states, scale)
    found: dict[str, Any] = {"cell": kind, "activation": activation, "units": options.units}
    found |= {"starts": options.starts, "repeats": options.repeats, "first_call_s": first}
    found["adam"] = _times(rounds, "adam") | {"iterations": taken, "points": len(adams)}
    for name in WAYS:
        points: FixedPoints = last[name].result
        found[name] = _times(rounds, name) | _ours(points, network, adams, scale)
        for clock in ("wall", "cpu"):
            ratios = [r["adam"].__dict__[clock] / r[name].__dict__[clock] for r in rounds]
            found[name][f"{clock}_ratio"] = statistics.median(ratios)
    return found


def _elsewhere(pool: ProcessPoolExecutor, name: str, *arguments: Any) -> Any:
    """What a function of `adam_on_speed` returns, in the process that has PyTorch."""
    return pool.submit(_call, name, arguments).result()


def _call(name: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(importlib.import_module("adam_on_speed"), name)(*arguments)


def _check_same_map(network: Population, starts: np.ndarray, theirs: np.ndarray) -> None:
    held = np.zeros((1, len(starts), network.inputs))
    ours = population_state_map(network.as_float64(), np.array([0]), held)(_tensor(starts)).numpy()[
        0
    ]
    # float32 sums of some hundred products.
    np.testing.assert_allclose(theirs, ours, atol=1e-4 * np.abs(ours).max())


def _times(rounds: Sequence[dict[str, Timed]], name: str) -> dict[str, float]:
    return {
        "wall_s": statistics.median(r[name].wall for r in rounds),
        "cpu_s": statistics.median(r[name].cpu for r in rounds),
    }


def _ours(
    points: FixedPoints, network: Population, adams: np.ndarray, scale: float
) -> dict[str, Any]:
    row = points.certificate.iloc[0]
    true = true_points(network, points.state, scale)
    apart = np.sqrt(np.mean((adams[:, None] - true) ** 2, axis=2)) if len(true) else np.ones((1, 1))
    return {
        "points": len(true),
        "false_points": len(points) - len(true),
        "worst_speed": float(points.speed.max(initial=0.0)),
        "missed_of_adams": int((apart.min(axis=1) > SAME * scale).sum()) if len(adams) else 0,
        "rounds": int(row["rounds"]),
        "starts": int(row["starts"]),
        "index_sum": int(row["index_sum"]),
        "verdict": str(row["verdict"]),
    }


def show(console: SafeConsole, results: Sequence[dict[str, Any]]) -> None:
    """All that was measured, one line per network."""
    title = f"{results[0]['starts']} starts, {results[0]['units']} units; s of wall clock"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("network")
    table.add_column("Adam s", justify="right")
    ours = (heading for name in WAYS for heading in (f"{CALLED[name]} s", "points", "faster"))
    for heading in ("steps", "points", *ours):
        table.add_column(heading, justify="right")
    table.add_column("certificate")
    for r in results:
        cells = [f"{r['adam']['wall_s']:.2f}", str(r["adam"]["iterations"])]
        cells.append(str(r["adam"]["points"]))
        for name in WAYS:
            way = r[name]
            cells += [f"{way['wall_s']:.2f}", str(way["points"]), f"{way['wall_ratio']:.1f}x"]
        table.add_row(f"{r['cell']} {r['activation']}", *cells, r["full"]["verdict"])
    console.print(table)
    for name, clock in product(WAYS, ("wall", "cpu")):
        ratios = [r[name][f"{clock}_ratio"] for r in results]
        console.print(
            f"{CALLED[name]}, {clock}: {statistics.median(ratios):.1f}x in the median, "
            f"{min(ratios):.1f}x at least",
            highlight=False,
        )
    worst = max(r[name]["worst_speed"] for r, name in product(results, WAYS))
    false = sum(r[name]["false_points"] for r, name in product(results, WAYS))
    console.print(f"largest speed {worst:.0e}; {false} false points", highlight=False)


def enough(results: Sequence[dict[str, Any]]) -> bool:
    """Whether two rounds were 20 times as fast in the median and never slower, and found as many
    points, all of them exactly."""
    ratios = [r["two"]["wall_ratio"] for r in results]
    return statistics.median(ratios) >= 20.0 and all(
        r["two"]["wall_ratio"] >= 1.0
        and r["two"]["points"] >= r["adam"]["points"]
        and r["two"]["false_points"] == 0
        and r["two"]["worst_speed"] < SPEED
        for r in results
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; returns the exit status."""
    options = _options(arguments)
    console, results = SafeConsole(), []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        for activation, kind in product(options.activations, options.cells):
            with console.status(f"{kind} {activation}"):
                results.append(measure(kind, activation, options, pool))
            if options.json:
                options.json.write_text(json.dumps({"task": str(TASK), "cases": results}, indent=1))
    show(console, results)
    return 0 if enough(results) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="fixed_points.py", description=__doc__.partition("\n")[0])
    several: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    cells = list(CELLS)
    usual = ["vanilla", "ugrnn", "gru", "lstm"]
    parser.add_argument("--cells", choices=cells, default=usual, help=", ".join(cells), **several)
    parser.add_argument(
        "--activations", choices=ACTIVATIONS, default=list(ACTIVATIONS),
        help=", ".join(ACTIVATIONS), **several,
    )  # fmt: skip
    number: dict[str, Any] = {"type": number_from(1), "metavar": "NUMBER"}
    parser.add_argument("--units", default=64, **number)
    parser.add_argument("--starts", default=1024, **number)
    parser.add_argument("--repeats", default=3, help="rounds; the median counts", **number)
    parser.add_argument("--iterations", default=5000, help="of Adam, at most", **number)
    parser.add_argument("--steps", default=1500, help="of training", **number)
    parser.add_argument("--quick", action="store_true", help="a tiny run, to see that it works")
    parser.add_argument("--cache", type=Path, required=True, help="folder for trained networks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    options = parser.parse_args(arguments)
    if options.quick:
        options.units, options.starts, options.steps = 20, 48, 20
        options.repeats, options.iterations = 1, 40
    return options


if __name__ == "__main__":
    sys.exit(main())
