"""Networks that hold three bits: what fixed points are measured on, trained once and kept."""

from pathlib import Path

import numpy as np

from rnnstudy.cells import CELLS, Cell
from rnnstudy.dynamics.states.sampling import flatten_trajectories
from rnnstudy.population.population import Population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

TASK = FlipFlop(bits=3)
"""The memory task of specs/quickstart.yaml ..."""

PROTOCOL = Training(steps=1500, batch=32, learning_rate=1e-2, l2=1e-6, state_noise=0.05)
"""... and how it is learnt there."""

ACTIVATIONS = ("tanh", "relu")

EXTRA: dict[tuple[str, str], dict[str, float]] = {("lstm", "relu"): {"clip": 10.0}}
"""Without a bound on its memory a relu LSTM explodes on long trials."""


def cell_of(kind: str, activation: str, units: int) -> Cell:
    """A cell as in that study."""
    fields: dict[str, object] = dict(EXTRA.get((kind, activation), {}))
    if kind == "gru":
        fields["reset_after"] = False
    return CELLS[kind].model_validate({"units": units, "activation": activation, **fields})


def trained(kind: str, activation: str, units: int, cache: Path, steps: int = 1500) -> Population:
    """A network of one cell from the cache, or trained for so many steps and put there."""
    folder = cache / f"{kind}-{activation}-{units}-{steps}"
    if not (folder / "meta.json").exists():
        protocol = PROTOCOL.replace(steps=steps)
        train(cell_of(kind, activation, units), TASK, [protocol], [0]).population.save(folder)
    return Population.load(folder)


def visited(networks: Population, count: int, seed: int = 0) -> np.ndarray:
    """So many states [member, start, state] at random from trajectories on fresh trials."""
    generator = np.random.default_rng(seed)
    states = flatten_trajectories(networks.unroll(np.asarray(TASK.probe().inputs)))
    picked = generator.choice(states.shape[1], count, replace=states.shape[1] < count)
    return states[:, picked]
