"""Networks whose fixed points are known from an exhaustive search, made once and kept in a cache.

Memory and integration networks of every bounded cell, trained with few steps, with and without
state noise, some of them too briefly; and random networks of large gain, which have many points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from memory_networks import cell_of

from rnnstudy.cells import Cell
from rnnstudy.cells.initialisers import Identity, Normal
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.root_finding import multistart
from rnnstudy.dynamics.states.clustering import merge
from rnnstudy.dynamics.states.sampling import (
    finite_states,
    flatten_trajectories,
    scale_of,
    visited_states,
)
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

BOUNDED = (
    ("vanilla", "tanh"), ("ugrnn", "tanh"), ("gru", "tanh"), ("lstm", "tanh"), ("lstm", "relu"),
)  # fmt: skip
"""Cells whose states stay in a box, so that their searches have a verdict."""

TASKS: dict[str, Task] = {
    "memory": FlipFlop(bits=3, length=50),
    "integration": Integration(streams=2, length=50),
}
"""Tasks of the trained networks. Trials are short, so that training takes little time."""

GAINS = (2.0, 3.0, 4.0, 5.0)
"""Gains of random networks, member after member."""

SIZES = (
    ("memory", 32, 400, 3), ("memory", 16, 150, 4), ("memory", 64, 400, 0.5),
    ("integration", 32, 400, 3), ("integration", 16, 150, 4), ("integration", 64, 300, 0.5),
    ("random", 16, 0, 4), ("random", 24, 0, 2),
)  # fmt: skip
"""Task, units, training steps, and number of networks as a multiple of `--networks`."""

SLOW = ("random", "relu")
"""Random relu LSTMs, whose exhaustive searches take ten times as long, are a quarter as many."""

PASSES = 6
"""Largest number of passes of the exhaustive search after its first searches."""

QUIET = 2
"""Passes without a new point that end it."""

STARTS = 300
"""Starts of each kind in a pass."""

WIDE = FixedPointSearch(candidates=512)
"""First searches."""


@dataclass(frozen=True)
class Cohort:
    """Networks of one cell, task and size. `weight`: share of networks; `steps` of training."""

    task: str
    cell: str
    activation: str
    units: int
    steps: int
    count: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.task}-{self.cell}-{self.activation}-{self.units}"

    @property
    def kind(self) -> str:
        """Its row in the table."""
        return f"{self.task} {self.cell} {self.activation}"


@dataclass(frozen=True)
class Known:
    """Points known of one network at one input, with the root mean square of its states."""

    state: np.ndarray
    scale: float


def cohorts(count: int) -> Iterator[Cohort]:
    """All cohorts, the smallest of `count` networks."""
    for task, units, steps, multiple in SIZES:
        for cell, activation in BOUNDED:
            share = 0.25 if (task, activation) == SLOW else 1.0
            members = max(1, int(multiple * share * count))
            yield Cohort(task, cell, activation, units, steps, members)


def networks_of(cohort: Cohort, seed: int, cache: Path) -> Population:
    """Return the networks of a cohort from the cache, or made and put there."""
    folder = cache / cohort.name / "networks"
    if not (folder / "meta.json").exists():
        seeds = [10_000 * seed + member for member in range(cohort.count)]
        make = random_networks if cohort.task == "random" else trained_networks
        make(cohort, seeds).save(folder)
    return Population.load(folder)


def trained_networks(cohort: Cohort, seeds: Sequence[int]) -> Population:
    """Train one network per seed, every other one without state noise."""
    task, cell = TASKS[cohort.task], cell_of(cohort.cell, cohort.activation, cohort.units)
    if cohort.task == "integration" and cohort.cell == "vanilla":
        # Near the identity a network integrates on a line of points.
        cell = cell.replace(
            recurrent_initializer=Identity(gain=0.9), kernel_initializer=Normal(gain=0.3)
        )
    protocol = Training(steps=cohort.steps, batch=16, learning_rate=1e-2)
    noises = [0.05 if member % 2 else 0.0 for member in range(len(seeds))]
    return train(cell, task, [protocol.replace(state_noise=s) for s in noises], seeds).population


def random_networks(cohort: Cohort, seeds: Sequence[int]) -> Population:
    """Draw networks with random biases, whose recurrent weights have gains above 1."""
    cell: Cell = cell_of(cohort.cell, cohort.activation, cohort.units)
    networks = initial_population(cell, 1, 1, seeds)
    gain = np.array([GAINS[member % len(GAINS)] for member in range(len(seeds))], np.float32)
    generators = [np.random.default_rng((seed, 1)) for seed in seeds]

    def weight(name: str, values: np.ndarray) -> np.ndarray:
        draws = np.stack([g.standard_normal(values.shape[1:]) for g in generators])
        if name == "recurrent_kernel":
            return gain[:, None, None] * draws / np.sqrt(cohort.units)
        return 0.3 * draws if name == "bias" else values

    weights = {
        name: weight(name, values).astype(np.float32) for name, values in networks.weights.items()
    }
    return Population(cell, weights, networks.readout, networks.initial_state)


def inputs_of(cohort: Cohort) -> np.ndarray:
    """Return the constant inputs `[input point, input]` of a cohort."""
    if cohort.task == "random":
        return np.zeros((1, 1))
    return np.asarray(TASKS[cohort.task].static_inputs().values)


def visited_of(cohort: Cohort, networks: Population) -> np.ndarray:
    """Return states `[member, visited, state]` from which a study would search."""
    if cohort.task == "random":
        return visited_states(networks)
    return flatten_trajectories(networks.unroll(np.asarray(TASKS[cohort.task].probe().inputs)))


def known_points(cohort: Cohort, networks: Population, seed: int, file: Path) -> list[list[Known]]:
    """Return the known points `[member][input]` from a file, or by exhaustive search."""
    if not file.exists():
        write_known(exhaustive(cohort, networks, seed), file)
    return read_known(file)


def write_known(known: Sequence[Sequence[Known]], file: Path) -> None:
    """Write points to a file."""
    arrays = {}
    for member, inputs in enumerate(known):
        for position, points in enumerate(inputs):
            arrays[f"{member} {position} state"] = points.state
            arrays[f"{member} {position} scale"] = np.array(points.scale)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    partial.rename(file)


def read_known(file: Path) -> list[list[Known]]:
    """Return the points in a file."""
    with np.load(file) as arrays:
        names = [tuple(map(int, name.split()[:2])) for name in arrays if name.endswith("state")]
        known: list[list[Known]] = [[] for _ in range(1 + max(member for member, _ in names))]
        for member, position in sorted(names):
            state = arrays[f"{member} {position} state"]
            known[member].append(Known(state, float(arrays[f"{member} {position} scale"])))
    return known


def exhaustive(cohort: Cohort, networks: Population, seed: int) -> list[list[Known]]:
    """Search with several seeds, then from thousands of starts of several kinds.

    A pass of 1,800 starts follows another until two find no new point. Passes take turns between
    three methods: Levenberg and Marquardt's with and without chords, and Newton's.
    """
    inputs, visited = inputs_of(cohort), visited_of(cohort, networks)
    searches = [
        find_fixed_points(networks, inputs, visited=visited, search=WIDE.replace(seed=1000 + i))
        for i in range(2)
    ]
    known = []
    for member in range(len(networks)):
        network, pool = networks.select("member", [member]), finite_states(visited[member])
        row = []
        for position in range(len(inputs)):
            first = [s.of(member=member, input_index=position).state for s in searches]
            points = Known(np.zeros((0, pool.shape[1])), scale_of(pool))
            points = join(points, *first)
            generator = np.random.default_rng((seed, member, position))
            row.append(saturate(network, inputs[[position]], pool, points, generator))
        known.append(row)
    return known


def join(known: Known, *states: np.ndarray) -> Known:
    """Return known points and further ones, each once."""
    state = np.concatenate([known.state, *states])
    _, best = merge(state, np.arange(float(len(state))), WIDE.merge * known.scale)
    return Known(state[np.sort(best)], known.scale)


def saturate(
    network: Population,
    inputs: np.ndarray,
    pool: np.ndarray,
    known: Known,
    generator: np.random.Generator,
) -> Known:
    """Return the points after passes of which the last ones found nothing new."""
    quiet = 0
    for turn in range(PASSES):
        starts = starts_of(network, inputs, pool, known, generator)
        search = FixedPointSearch(rounds=1, solver=("levenberg_marquardt", "newton")[turn % 3 == 1])
        direct = multistart.MAX_DIRECT_SIZE if turn % 3 == 0 else 10**6
        with patch.object(multistart, "MAX_DIRECT_SIZE", direct):
            found = find_fixed_points(network, inputs, starts=starts, search=search)
        before, known = len(known.state), join(known, found.state)
        quiet = quiet + 1 if len(known.state) == before else 0
        if quiet == QUIET:
            break
    return known


def starts_of(
    network: Population,
    inputs: np.ndarray,
    pool: np.ndarray,
    known: Known,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return starts `[start, state]` of six kinds."""
    normal, points = generator.standard_normal, known.state
    size, scale = pool.shape[1], known.scale
    near, far = (
        pool[generator.integers(len(pool), size=STARTS)] + width * scale * normal((STARTS, size))
        for width in (0.1, 1.0)
    )
    bound = network.cell.bound or 1.0
    box = bound * generator.uniform(-1.0, 1.0, (STARTS, size))
    parts = [near, far, box]
    if len(points):
        own = points[generator.integers(len(points), size=STARTS)]
        around = own + spread(generator, scale) * normal((STARTS, size))
        parts += [around, slow_directions(network, inputs, known, generator)]
    if len(points) > 1:
        a, b = points[generator.integers(len(points), size=(2, STARTS))]
        between = a + generator.uniform(-0.3, 1.3, (STARTS, 1)) * (b - a)
        parts.append(between + 0.1 * spread(generator, scale) * normal((STARTS, size)))
    return np.concatenate(parts)


def spread(generator: np.random.Generator, scale: float) -> np.ndarray:
    """Return distances `[start, 1]` from a thousandth of the scale to all of it."""
    return scale * 10.0 ** generator.uniform(-3.0, 0.0, (STARTS, 1))


def slow_directions(
    network: Population, inputs: np.ndarray, known: Known, generator: np.random.Generator
) -> np.ndarray:
    """Return starts beside the points, along their four directions of eigenvalues nearest to 1."""
    found: FixedPoints = find_fixed_points(
        network, inputs, starts=known.state, search=FixedPointSearch(rounds=1)
    )
    if not len(found):
        return np.zeros((0, known.state.shape[1]))
    values, vectors = np.linalg.eig(found.jacobian)
    rows = generator.integers(len(found), size=STARTS)
    slowest = np.argsort(np.abs(values - 1.0), axis=1)
    columns = slowest[rows, generator.integers(min(4, values.shape[1]), size=STARTS)]
    direction = vectors[rows, :, columns].real
    direction *= generator.choice([-1.0, 1.0], (STARTS, 1)) * np.sqrt(direction.shape[1])
    return found.state[rows] + spread(generator, known.scale) * direction
