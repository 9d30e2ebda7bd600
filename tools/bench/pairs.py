"""Times all pairs of networks under a metric against computing each pair from raw states:

.venv/bin/python tools/bench/pairs.py --networks 256 1000 5000 --naive-pairs 40

`by definition` follows a metric's paper with plain NumPy or SciPy, pair by pair, `metric.distance`
is this package's own code for one pair. Both are timed on a sample of pairs, from which the time
for all of them follows, with one thread for linear algebra and with all: the faster counts. Ours is
measured whole: preparing every network once, then all pairs, in tiles that read the prepared
networks from a disk where there are many. Exit status: 0 done, 1 the numbers differ by more than
1e-6, 2 the arguments are wrong.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
from asking import OneSentence, number_from
from rich.table import Table
from threadpoolctl import threadpool_limits

from rnnstudy.cli.terminal import SafeConsole
from rnnstudy.comparison.distances.pairs import pairwise_distances, prepare_forms
from rnnstudy.comparison.distances.tiles import PreparedForm, split_into_blocks, tile_distances
from rnnstudy.core.arrays import Array
from rnnstudy.metrics import CCA, CKA, METRICS, SVCCA, Metric, Procrustes

Data = dict[str, Any]

TILED = 512
"""Networks from which on they are kept on a disk and compared in tiles, as a study does."""

BLOCK = 128
"""Networks along the side of a tile."""

AGREEMENT = 1e-6

QUICK: Data = {"networks": [12], "units": 6, "samples": 200, "naive_pairs": 3}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; returns the exit status."""
    options, console = _options(arguments), SafeConsole()
    found: list[Data] = []
    for kind in options.metrics:
        for count in options.networks:
            with console.status(f"{kind}, {count} networks"):
                found.append(measured(METRICS[kind](), count, options))
            console.print(table(found[-1]))
            if options.json:
                content = {"cores": os.cpu_count(), "cases": found}
                options.json.write_text(json.dumps(content, indent=1) + "\n")
    worst = max(case["largest_difference"] for case in found)
    if worst > AGREEMENT:
        SafeConsole(stderr=True).print(f"pairs.py: numbers differ by {worst:.1e}", style="red")
        return 1
    return 0


def measured(metric: Metric, count: int, options: argparse.Namespace) -> Data:
    """Times in seconds of one metric on one number of networks."""
    states = Population(count, options.units, options.samples)
    values, ours = (_tiled if count >= TILED else _at_once)(metric, states)
    pairs = _sample(count, options.naive_pairs)
    naive = {"by definition": DEFINITIONS.get(metric.kind), "metric.distance": metric.distance}
    rows, largest = [], 0.0
    for name, distance in naive.items():
        if distance is not None:
            seconds, found = _each_pair(distance, states, pairs)
            largest = max(largest, float(np.abs(found - values[tuple(pairs.T)]).max()))
            whole = seconds * count * (count - 1) / 2
            rows.append({"name": name, "pair_s": seconds, "all_s": whole})
    return {
        "metric": metric.kind,
        "networks": count,
        "units": options.units,
        "samples": options.samples,
        "naive": rows,
        "ours": ours,
        "largest_difference": largest,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


class Population(Sequence[Array]):
    """States [sample, unit] of networks, made when asked for: signals that all share and their own,
    of falling size, through random weights and tanh; in float32, as networks have them."""

    def __init__(self, count: int, units: int, samples: int) -> None:
        self.count, self.units = count, units
        self.shared = _signals(np.random.default_rng(0), samples)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: Any) -> Array:
        generator = np.random.default_rng([1, i])
        own = 0.5 * _signals(generator, len(self.shared))
        signals = np.hstack([self.shared, own]).astype(np.float32)
        mixing = generator.standard_normal((signals.shape[1], self.units), dtype=np.float32)
        return np.tanh(signals @ mixing) + np.float32(0.01) * generator.standard_normal(
            (len(signals), self.units), dtype=np.float32
        )


def _signals(generator: np.random.Generator, samples: int) -> Array:
    sizes = np.geomspace(1.0, 0.1, 12)
    return generator.standard_normal((samples, 12)) * sizes


def _at_once(metric: Metric, states: Population) -> tuple[Array, Data]:
    """All pairs in memory, as `rnnstudy.pairwise` does."""
    given = [states[i] for i in range(len(states))]
    begun = time.perf_counter()
    forms = prepare_forms(given, metric)
    middle = time.perf_counter()
    values = pairwise_distances(forms, metric).values
    return values, _ours(begun, middle, tiles=1)


def _tiled(metric: Metric, states: Population) -> tuple[Array, Data]:
    """All pairs in tiles; what is prepared is kept on a disk, and memory bounded."""
    split, values = split_into_blocks(len(states), BLOCK), np.zeros((len(states), len(states)))
    pairs = [(rows, columns) for i, rows in enumerate(split) for columns in split[i:]]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as threads:
        kept = [Kept(folder, block) for block in split]

        def compare(rows: range, columns: range) -> None:
            first, second = kept[rows.start // BLOCK], kept[columns.start // BLOCK]
            found = tile_distances(first, second, metric)
            values[rows.start : rows.stop, columns.start : columns.stop] = found
            values[columns.start : columns.stop, rows.start : rows.stop] = found.T

        spent = 0.0
        for block in split:
            # States are made here, not read from networks: that is not counted.
            given = [states[i] for i in block]
            begun = time.perf_counter()
            for i, form in zip(block, prepare_forms(given, metric), strict=True):
                PreparedForm.of(form).save(Path(folder, str(i)))
            spent += time.perf_counter() - begun
        middle = time.perf_counter()
        list(threads.map(compare, *zip(*pairs, strict=True)))
        return values, _ours(middle - spent, middle, len(pairs))


class Kept(Sequence[Any]):
    """Prepared forms on a disk."""

    def __init__(self, folder: str, which: range) -> None:
        self.folder, self.which = folder, which

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, i: Any) -> Any:
        return PreparedForm.load(Path(self.folder, str(self.which[i]))).form


def _ours(begun: float, middle: float, tiles: int) -> Data:
    now = time.perf_counter()
    return {"prepare_s": middle - begun, "compare_s": now - middle, "all_s": now - begun,
            "tiles": tiles}  # fmt: skip


def _each_pair(
    distance: Callable[[Array, Array], float], states: Population, pairs: Array
) -> tuple[float, Array]:
    """Seconds per pair (the median, which a busy moment does not move), and the distances."""
    seconds, found = np.zeros((2, len(pairs))), np.zeros(len(pairs))
    for row, limit in enumerate((1, None)):
        with threadpool_limits(limit, user_api="blas"):
            for k, (i, j) in enumerate(pairs):
                x, y = states[i], states[j]
                begun = time.perf_counter()
                found[k] = distance(x, y)
                seconds[row, k] = time.perf_counter() - begun
    return float(np.median(seconds, axis=1).min()), found


def _sample(count: int, size: int) -> Array:
    """Different pairs [pair, 2] with the first below the second."""
    every = np.random.default_rng(2).integers(0, count, (20 * size + 20, 2))
    every = np.sort(every[every[:, 0] != every[:, 1]], axis=1)
    return np.unique(every, axis=0)[:size] if count > 2 else np.array([[0, 1]])


def _svcca(x: Array, y: Array) -> float:
    """Singular vectors of both, then of their product."""
    left, right = (np.linalg.svd(_centred(z), full_matrices=False)[0][:, :10] for z in (x, y))
    return float(1.0 - np.linalg.svd(left.T @ right, compute_uv=False).mean())


def _cca(x: Array, y: Array) -> float:
    left, right = (np.linalg.svd(_centred(z), full_matrices=False)[0] for z in (x, y))
    return float(1.0 - np.linalg.svd(left.T @ right, compute_uv=False).mean())


def _cka(x: Array, y: Array) -> float:
    x, y = _centred(x), _centred(y)
    size = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(1.0 - np.linalg.norm(y.T @ x) ** 2 / size)


def _procrustes(x: Array, y: Array) -> float:
    x, y = (z / np.linalg.norm(z) for z in map(_centred, (x, y)))
    return float(np.arccos(scipy.linalg.orthogonal_procrustes(x, y)[1]))


def _centred(x: Array) -> Array:
    return x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)


DEFINITIONS: dict[str, Callable[[Array, Array], float]] = {
    SVCCA.kind: _svcca,
    CCA.kind: _cca,
    CKA.kind: _cka,
    Procrustes.kind: _procrustes,
}


def table(case: Data) -> Table:
    """A case for a terminal."""
    title = "{metric}, {networks} networks, {units} units, {samples} samples".format(**case)
    found = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("", "a pair", "all pairs", "ours is faster"):
        found.add_column(heading, justify="right" if heading else "left")
    ours = case["ours"]
    for row in case["naive"]:
        ratio = f"{row['all_s'] / ours['all_s']:.0f}x"
        found.add_row(row["name"], _duration(row["pair_s"]), _duration(row["all_s"]), ratio)
    pairs = case["networks"] * (case["networks"] - 1) / 2
    found.add_row("ours", _duration(ours["all_s"] / pairs), _duration(ours["all_s"]), "")
    found.add_row("  to prepare", "", _duration(ours["prepare_s"]), "")
    found.add_row(f"  to compare, {ours['tiles']} tiles", "", _duration(ours["compare_s"]), "")
    memory = case["peak_memory_bytes"] / 2**20
    found.caption = f"largest difference {case['largest_difference']:.0e}, memory {memory:.0f} MB"
    return found


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="pairs.py", description=__doc__.partition("\n")[0])
    static = [kind for kind, metric in METRICS.items() if not metric.trajectories]
    parser.add_argument("--metrics", nargs="+", choices=static, default=["svcca"], metavar="NAME")
    parser.add_argument("--networks", nargs="+", type=number_from(2), default=[256], metavar="N")
    parser.add_argument("--units", type=number_from(2), default=64, metavar="N")
    parser.add_argument("--samples", type=number_from(2), default=6400, metavar="N")
    parser.add_argument("--naive-pairs", type=number_from(2), default=40, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--quick", action="store_true", help="a tiny run, to see that it works")
    if parser.parse_args(arguments).quick:
        parser.set_defaults(**QUICK)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
