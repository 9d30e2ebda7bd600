"""What is trained: one architecture, one batch shape, a number of networks; its data, its work."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.arrays import Array
from rnnstudy.population.initialise import initial_population

CHANNELS = 3
"""Inputs and outputs of the 3-bit memory, which all contenders learn."""

RATE, CLIP, BETA1, BETA2, EPSILON = 1e-3, 1.0, 0.9, 0.999, 1e-8
"""Adam and the bound on the norm of a network's whole gradient, the same for all contenders."""

CELLS: dict[str, tuple[type[Cell], dict[str, Any]]] = {
    "vanilla": (Vanilla, {}),
    "ugrnn": (UGRNN, {}),
    "gru": (GRU, {"reset_after": True}),
    "gru_before": (GRU, {"reset_after": False}),
    "lstm": (LSTM, {}),
}

ACTIVATIONS = ("tanh", "relu")


@dataclass(frozen=True)
class Case:
    """Networks of one shape, trained on batches of one shape."""

    cell: str
    activation: str
    units: int
    batch: int
    time: int
    members: int

    def ours(self) -> Cell:
        """The cell as our catalogue has it."""
        kind, fields = CELLS[self.cell]
        return kind(units=self.units, activation=self.activation, **fields)

    def weights(self, members: int, first: int = 0) -> dict[str, Array]:
        """Initial weights [member, ...], by our names, the readout's after the cell's."""
        seeds = range(first, first + members)
        drawn = initial_population(self.ours(), CHANNELS, CHANNELS, seeds)
        return drawn.weights | {f"readout_{n}": w for n, w in drawn.readout.items()}

    def batches(self, count: int, seed: int = 0) -> tuple[Array, Array]:
        """Inputs and targets of the 3-bit memory: each [batch, trial, time, channel]."""
        generator = np.random.default_rng(seed)
        shape = (count, self.batch, self.time, CHANNELS)
        pulsed = generator.random(shape) < 0.05
        pulsed[:, :, 0] = True
        pulses = np.where(pulsed, generator.choice([-1.0, 1.0], shape), 0.0)
        last = np.maximum.accumulate(np.where(pulsed, np.arange(self.time)[:, None], 0), axis=2)
        targets = np.take_along_axis(pulses, last, axis=2)
        return pulses.astype(np.float32), targets.astype(np.float32)

    def parameters(self) -> int:
        """Number of trained numbers of one network; the initial state stays zero."""
        return sum(math.prod(w.shape[1:]) for w in self.weights(1).values())

    def flops(self) -> float:
        """Operations of the products in one training step of one network.

        Two per weight and sample, in three passes (forward, gradient by state, gradient by weight);
        nothing asks for the gradient by the input.
        """
        kernels = {n: math.prod(w.shape[1:]) for n, w in self.weights(1).items() if "kernel" in n}
        passes = 3 * sum(kernels.values()) - kernels["kernel"]
        return 2.0 * passes * self.batch * self.time
