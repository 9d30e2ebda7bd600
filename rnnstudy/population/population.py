"""Population record: one cell with the weights of many networks, stacked along the member axis."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.base import visible_entries
from rnnstudy.core.arguments import as_real_array
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras_models, tf
from rnnstudy.core.lazy_imports import models as lazy_models
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.population.compile import compile_function
from rnnstudy.population.unroll import time_inside, unroll


@dataclass(frozen=True, eq=False)
class Population(Record):
    """Networks of one cell and one shape: weights, readout and initial state of each member.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.vanilla import Vanilla
    >>> from rnnstudy.population.initialise import initial_population
    >>> networks = initial_population(Vanilla(units=4), inputs=2, outputs=1, seeds=[0, 1, 2])
    >>> states = networks.unroll(np.zeros((5, 10, 2)))
    >>> states.shape, networks.outputs_of(states).shape
    ((3, 5, 10, 4), (3, 5, 10, 1))
    """

    cell: Cell
    """Cell of all members."""
    weights: dict[str, Array] = arrays("member")
    """Weights of the cell by name, each [member, ...]."""
    readout: dict[str, Array] = arrays("member")
    """`kernel` [member, unit, output] and `bias` [member, output]."""
    initial_state: Array = array("member", "state")
    """State before the first time step."""

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
        """Return the noise-free states of all members, [member, trial, time, state].

        Parameters
        ----------
        inputs
            [trial, time, input], the same for all members, or [member, trial, time, input].
        start
            State before the first time step, [member, trial, state]; default: `initial_state`.

        Returns
        -------
        Array
            [member, trial, time, state], in the precision of the weights.

        Raises
        ------
        ValueError
            Inputs or start have other axes than the networks, or inputs are not finite.
        """
        inputs = as_real_array("inputs", inputs).astype(self.initial_state.dtype)
        members = (len(self),) if inputs.ndim == 4 else ()
        if inputs.ndim not in (3, 4) or inputs.shape[:-3] != members:
            raise ValueError(
                f"inputs must be [trial, time, {self.inputs}] or [{len(self)} members, trial, time,"
                f" {self.inputs}], got shape {inputs.shape}. Add the axis of trials."
            )
        if inputs.shape[-1] != self.inputs:
            raise ValueError(
                f"inputs must have {self.inputs} channels, got {inputs.shape[-1]}. "
                "Pass [trial, time, input]."
            )
        states: Array = _states(self.cell, self.weights, self._start(inputs, start), inputs).numpy()
        return states

    def _start(self, inputs: Array, start: Array | None) -> Array:
        shape = (len(self), inputs.shape[-3], self.cell.state_size)
        first = self.initial_state[:, None, :]
        if start is not None:
            first = as_real_array("start", start, finite=False)
            if first.shape != shape:
                raise ValueError(
                    f"start must be [member, trial, state], of shape {shape}, got shape "
                    f"{first.shape}. Give one state for each network and trial."
                )
        return np.broadcast_to(first, shape).astype(self.initial_state.dtype)

    def visible(self, states: Array) -> Array:
        """Return the readout's inputs, part or function of states: [..., state] -> [..., unit]."""
        return np.asarray(self.cell.visible(states))

    def outputs_of(self, states: Array) -> Array:
        """Return the readout of states: [member, ..., state] -> [member, ..., output]."""
        states = as_real_array("states", states, finite=False)
        sizes = (len(self), self.cell.state_size)
        if states.ndim < 2 or (states.shape[0], states.shape[-1]) != sizes:
            raise ValueError(
                f"states must be [{len(self)} members, ..., {self.cell.state_size}], got shape "
                f"{states.shape}. Pass the states of all networks."
            )
        visible = self.visible(states)
        flat = visible.reshape(len(self), -1, visible.shape[-1])
        # Untrained relu networks may grow without bound, which is no error here.
        with np.errstate(invalid="ignore", over="ignore"):
            values = flat @ self.readout["kernel"] + self.readout["bias"][:, None, :]
        return values.reshape(*visible.shape[:-1], self.outputs)

    @classmethod
    def from_models(cls, models: Sequence[Any]) -> "Population":
        """Return Keras models or PyTorch modules of one shape as a population, in their order.

        Parameters
        ----------
        models
            Keras models of a recurrent layer and a Dense readout without activation. The layer's
            cell is one of this package, or Keras's SimpleRNN, GRU or LSTM. A PyTorch module counts
            as its Keras model, see `rnnstudy.from_torch`.

        Raises
        ------
        ValueError
            A model has other layers or another shape than the first.
        """
        population: Population = lazy_models.from_models(models)
        return population

    def model(self, member: int, name: str | None = None) -> Any:
        """Return a member as a `keras.Model`: [trial, time, input] -> [trial, time, output]."""
        return keras_models.to_model(self, member, name)

    def as_float64(self) -> "Population":
        """Return the same networks in double precision, for the analysis of their dynamics."""
        return Population(
            cell=self.cell,
            weights={name: w.astype(np.float64) for name, w in self.weights.items()},
            readout={name: w.astype(np.float64) for name, w in self.readout.items()},
            initial_state=self.initial_state.astype(np.float64),
        )


def population_of_one(
    cell: Cell, weights: dict[str, Array], start: Array, readout: dict[str, Array] | None = None
) -> Population:
    """Return a population of one network. Without a readout it has no outputs."""
    readout = readout or {"kernel": np.zeros((cell.units, 0)), "bias": np.zeros(0)}
    dtype = np.result_type(*(w.dtype for w in weights.values()))
    return Population(
        cell=cell,
        weights={name: w[None].astype(dtype) for name, w in weights.items()},
        readout={name: w[None].astype(dtype) for name, w in readout.items()},
        initial_state=start[None].astype(dtype),
    )


def _states(cell: Cell, weights: dict[str, Array], start: Array, inputs: Array) -> Any:
    """Return the states of `unroll`, by a program that all cohorts of one cell share."""
    return _unroller(cell)(weights, start, inputs)


@functools.lru_cache(maxsize=8)
def _unroller(cell: Cell) -> Any:
    def states(weights: dict[str, Any], start: Any, inputs: Any) -> Any:
        members = start.shape[0]
        repeated = tf.broadcast_to(inputs, [members, *inputs.shape[-3:]])
        return time_inside(unroll(cell, weights, repeated, start))

    return compile_function(states)


def readout_jacobian(population: Population, member: int, states: Array) -> Array:
    """Return the derivatives of a member's outputs by its state, at states [point, state].

    They are [state, output] if the readout reads entries of the state, since they are then the same
    at all points. Otherwise they are [point, state, output].
    """
    kernel: Array = population.readout["kernel"][member]
    if visible_entries(population.cell) is not None:
        rows = population.visible(np.eye(population.cell.state_size))
        constant: Array = rows @ kernel
        return constant
    if not len(states):
        return np.zeros((*states.shape, population.outputs))
    h = tf.constant(states)
    with tf.GradientTape() as tape:
        tape.watch(h)
        visible = population.cell.visible(h)
    slopes = tape.batch_jacobian(visible, h).numpy()
    return np.einsum("pus,uo->pso", slopes, kernel)
