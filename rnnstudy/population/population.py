"""Many networks as one array: a cell and its weights, stacked along the member axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras_models, tf
from rnnstudy.core.lazy_imports import models as lazy_models
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.population.compile import compiled
from rnnstudy.population.unroll import time_inside, unroll


@dataclass(frozen=True, eq=False)
class Population(Record):
    """Networks of one cell and one shape: weights, readout and initial state of each member."""

    cell: Cell
    weights: dict[str, Array] = arrays("member")
    """The cell's weights by name, each [member, ...]."""
    readout: dict[str, Array] = arrays("member")
    """kernel [member, unit, output] and bias [member, output]."""
    initial_state: Array = array("member", "state")
    """The state before the first time step."""

    def __len__(self) -> int:
        return len(self.initial_state)

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.weights["kernel"].shape[1])

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.readout["bias"].shape[1])

    def unroll(self, inputs: Array, start: Array | None = None) -> Array:
        """States of all members over trials, noise-free.

        inputs: [trial, time, input], the same for all members, or [member, trial, time, input].
        start: [member, trial, state]; default: each member's initial state.
        Returns [member, trial, time, state] in the precision of the weights.
        """
        inputs = np.asarray(inputs, self.initial_state.dtype)
        if inputs.shape[-1] != self.inputs:
            raise ValueError(
                f"inputs have {inputs.shape[-1]} channels, the networks take {self.inputs}"
            )
        states: Array = _states(self.cell, self.weights, self._start(inputs, start), inputs).numpy()
        return states

    def _start(self, inputs: Array, start: Array | None) -> Array:
        shape = (len(self), inputs.shape[-3], self.cell.state_size)
        given = self.initial_state[:, None, :] if start is None else np.asarray(start)
        return np.broadcast_to(given, shape).astype(self.initial_state.dtype)

    def visible(self, states: Array) -> Array:
        """What the readout sees: [..., state] -> [..., unit]."""
        seen: Array = self.cell.visible(states)
        return seen

    def outputs_of(self, states: Array) -> Array:
        """Readout of states: [member, ..., state] -> [member, ..., output]."""
        seen = self.visible(states)
        flat = seen.reshape(len(self), -1, seen.shape[-1])
        values = flat @ self.readout["kernel"] + self.readout["bias"][:, None, :]
        return values.reshape(*seen.shape[:-1], self.outputs)

    @classmethod
    def from_models(cls, models: Sequence[Any]) -> "Population":
        """Keras models of one shape as a population, member after member.

        Each is a recurrent layer whose cell is one of ours or equals one (Keras's SimpleRNN, GRU,
        LSTM), then a Dense readout without activation. ValueError for anything else.
        """
        found: Population = lazy_models.from_models(models)
        return found

    def model(self, member: int, name: str | None = None) -> Any:
        """One network as a `keras.Model`: [trial, time, input] -> [trial, time, output]."""
        return keras_models.to_model(self, member, name)

    def as_float64(self) -> "Population":
        """The same networks in double precision, for the analysis of their dynamics."""
        return Population(
            cell=self.cell,
            weights={name: w.astype(np.float64) for name, w in self.weights.items()},
            readout={name: w.astype(np.float64) for name, w in self.readout.items()},
            initial_state=self.initial_state.astype(np.float64),
        )


def _states(cell: Cell, weights: dict[str, Array], start: Array, inputs: Array) -> Any:
    """Compiled per cell, so that cohorts of one cell share a program."""
    return _unroller(cell)(weights, start, inputs)


_UNROLLERS: dict[Cell, Any] = {}


def _unroller(cell: Cell) -> Any:
    if cell not in _UNROLLERS:

        def states(weights: dict[str, Any], start: Any, inputs: Any) -> Any:
            members = start.shape[0]
            everyone = tf.broadcast_to(inputs, [members, *inputs.shape[-3:]])
            return time_inside(unroll(cell, weights, everyone, start))

        _UNROLLERS[cell] = compiled(states)
    return _UNROLLERS[cell]


def full_readout(population: Any, member: int) -> Array:
    """The readout kernel as it acts on the whole state [state, output]: 0 on what is not seen."""
    size = population.cell.state_size
    seen: Array = population.visible(np.eye(size))
    kernel: Array = seen @ population.readout["kernel"][member]
    return kernel
