"""The one door from networks of any make to the analysis of their dynamics."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.dynamics.networks.checks import check_bound, check_step
from rnnstudy.dynamics.networks.function_step import FunctionStep
from rnnstudy.dynamics.networks.state_map import (
    StateMap,
    StepFunction,
    compiled,
    population_state_map,
)
from rnnstudy.dynamics.states.sampling import default_trials, flatten_trajectories, visited_states
from rnnstudy.keras_bridge.cell_dynamics import float64_cell
from rnnstudy.keras_bridge.from_keras import equal_cell, initial_state, population_of_one
from rnnstudy.keras_bridge.invariant_box import declared_radii, is_inside, largest_radius
from rnnstudy.keras_bridge.keras_cell import KerasCell
from rnnstudy.keras_bridge.readout import Readout, readout_of
from rnnstudy.keras_bridge.recurrent_layers import cell_of, label, recurrent_layer
from rnnstudy.population.population import Population

PROBES = 6
"""Number of states at which a foreign step is tried."""

FAR = 1e3
"""Where default trajectories end, as a multiple of 1 + |h| at their start: beyond, they explode."""


class Networks(ABC):
    """One or many networks of one shape, in double precision: what the analysis may ask of them."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of members."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Number of input channels."""

    @property
    @abstractmethod
    def state_size(self) -> int:
        """Length of the flat state vector."""

    @property
    @abstractmethod
    def bound(self) -> float | None:
        """Radius r of an invariant box that holds all fixed points, see `within`; None if no such
        box is known."""

    def within(self, states: Array) -> Array:
        """Which states [..., state] lie in that box, |visible(h)| <= r; all if there is none."""
        return is_inside(self.visible(states), np.inf if self.bound is None else self.bound)

    @abstractmethod
    def state_map(self, members: Array, inputs: Array) -> StateMap:
        """The flow of some members: members [pair], inputs [pair, point, input]."""

    @abstractmethod
    def visited(self, members: Sequence[int] | None = None) -> Array:
        """States on trajectories that need no task, of all or some members: [member, visited,
        state]."""

    @abstractmethod
    def visible(self, states: Array) -> Array:
        """What the readout sees of states [..., state]: [..., unit]; the whole if none is known."""

    @abstractmethod
    def outputs_of(self, states: Array) -> Array | None:
        """Readout of states [member, ..., state]: [member, ..., output]; None if there is none."""


def _probes(start: Array, inputs: int, tried: Array | None = None) -> tuple[Array, Array]:
    """States [1, point, state] and inputs [1, point, input] at which a foreign step is tried."""
    generator = np.random.default_rng(0)
    near = start + generator.uniform(-0.5, 0.5, (PROBES, len(start)))
    h = (near if tried is None else tried[:PROBES])[None]
    return h, generator.uniform(-1.0, 1.0, (1, h.shape[1], inputs))


class PopulationNetworks(Networks):
    """The networks of a population; `readout`, if given, is what reads them out instead."""

    def __init__(self, population: Population, readout: Readout | None = None) -> None:
        self.population = population.as_float64()
        self.readout = readout

    def __len__(self) -> int:
        return len(self.population)

    @property
    def inputs(self) -> int:
        return self.population.inputs

    @property
    def state_size(self) -> int:
        return self.population.cell.state_size

    @property
    def bound(self) -> float | None:
        return self.population.cell.bound

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        return population_state_map(self.population, members, inputs)

    def visited(self, members: Sequence[int] | None = None) -> Array:
        whole = self.population
        return visited_states(whole if members is None else whole.select("member", list(members)))

    def visible(self, states: Array) -> Array:
        return self.population.visible(states)

    def outputs_of(self, states: Array) -> Array | None:
        if self.readout is not None:
            return self.readout(self.visible(states))
        return self.population.outputs_of(states) if self.population.outputs else None


class KerasNetworks(PopulationNetworks):
    """A population of one whose step Keras does, with derivatives as that step allows them."""

    def __init__(self, population: Population, cell: KerasCell) -> None:
        super().__init__(population)
        self._cell = cell
        self._dynamics: StepFunction = cell
        h, x = _probes(self.population.initial_state[0], self.inputs)
        self._dynamics = check_step("the network", self.state_map(np.array([0]), x), h)
        if cell.radii is not None:
            check_bound("the network", self.state_map(np.array([0]), x), h, cell.radii)

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        return replace(super().state_map(members, inputs), step_function=self._dynamics)

    def within(self, states: Array) -> Array:
        radii = self._cell.radii
        return is_inside(states, np.inf if radii is None else radii)


class SingleNetwork(Networks):
    """One network whose step somebody else wrote: a Keras cell or a plain function.

    weights: by name, as `step_function` takes them, without a member axis; start [state]: the state
    before the first step; seen: which entries of the state the readout sees, None if that is
    unknown; tried [point, state]: states at which the step is tried; radii [state]: of a box that
    no step leaves, if one is known.
    """

    def __init__(
        self,
        name: str,
        step_function: StepFunction,
        inputs: int,
        start: Array,
        weights: Mapping[str, Array] | None = None,
        seen: slice | None = None,
        readout: Readout | None = None,
        tried: Array | None = None,
        radii: Array | None = None,
    ) -> None:
        self.step_function, self.start, self.seen, self.readout = (
            step_function,
            start,
            seen,
            readout,
        )
        self.radii = radii
        self.weights = dict(weights or {})
        self._inputs = inputs
        h, x = _probes(start, inputs, tried)
        self.step_function = check_step(name, self.state_map(np.array([0]), x), h)
        if radii is not None:
            check_bound(name, self.state_map(np.array([0]), x), h, radii)

    def __len__(self) -> int:
        return 1

    @property
    def inputs(self) -> int:
        return self._inputs

    @property
    def state_size(self) -> int:
        return len(self.start)

    @property
    def bound(self) -> float | None:
        return largest_radius(self.radii)

    def within(self, states: Array) -> Array:
        return is_inside(states, np.inf if self.radii is None else self.radii)

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        weights = {
            name: tf.constant(np.broadcast_to(w, (len(members), *w.shape)))
            for name, w in self.weights.items()
        }
        held = tf.constant(inputs, tf.float64)
        return StateMap(self.step_function, weights, self.step_function.drive(weights, held), held)

    def visited(self, members: Sequence[int] | None = None) -> Array:
        inputs, first = default_trials(self.inputs, self.start[None])
        limit = FAR * (1.0 + np.abs(first).max(axis=-1, keepdims=True))
        states = [first]
        for now in np.moveaxis(inputs, 1, 0):
            state_map = self.state_map(np.array([0]), now[None])
            new = compiled(StateMap.__call__, state_map, states[-1]).numpy()
            near = (np.abs(new) <= limit).all(axis=-1, keepdims=True)
            states.append(np.where(near, new, first))
        return flatten_trajectories(np.stack(states[1:], axis=2))

    def visible(self, states: Array) -> Array:
        return states if self.seen is None else states[..., self.seen]

    def outputs_of(self, states: Array) -> Array | None:
        known = self.readout is not None and self.seen is not None
        return self.readout(self.visible(states)) if self.readout is not None and known else None


def as_networks(
    network: Any,
    layer: str | None = None,
    state_size: int | None = None,
    input_size: int | None = None,
    tried: Array | None = None,
) -> Networks:
    """What the analysis of dynamics may ask of a network of any make, in double precision.

    network: a `Population`; a Keras cell of ours, of Keras's or of anybody's, with any number of
    states, `StackedRNNCells`, an RNN layer, or a model with one recurrent layer (several: `layer`
    names one); a function (inputs [point, input], states [point, state]) -> states in TensorFlow
    operations, with `state_size` and `input_size` (default 0); or what this returned before.
    All states of a cell are one flat vector, end to end, in the cell's order. A cell or function
    may have an attribute `bound`: a radius r, or one per entry of the state, such that no step
    leads out of |h| <= r; what it implies of fixed points is then checked.
    tried [point, state]: states at which a function is sure to be defined.
    ValueError, in one sentence, for whatever has no state or cannot be taken in double precision.
    """
    if isinstance(network, Networks):
        return network
    if layer is not None and not isinstance(network, keras.layers.Layer):
        raise ValueError(f"layer is {layer!r}, but a {type(network).__name__} has no layers")
    if isinstance(network, Population):
        cell = network.cell
        if isinstance(cell, KerasCell):
            return KerasNetworks(network, cell)
        return PopulationNetworks(network)
    if isinstance(network, keras.layers.Layer):
        return _of_keras(network, layer)
    if isinstance(network, list | tuple):
        raise ValueError("a list of networks: Population.from_models makes one population of them")
    if isinstance(network, type):
        raise ValueError(f"the class {network.__name__} is no network: make one of it first")
    if not callable(network):
        raise ValueError(
            f"a {type(network).__name__} is no network: give a Population, a Keras cell, layer or "
            "model, or a function (inputs, state) -> state"
        )
    return _of_function(network, state_size, input_size or 0, tried)


def _of_keras(network: Any, name: str | None) -> Networks:
    layer = recurrent_layer(network, name)
    cell = cell_of(layer)
    readout = readout_of(network, layer)
    equal = equal_cell(cell)
    if equal is not None:
        start = initial_state(cell, equal[0].state_size)
        return PopulationNetworks(population_of_one(*equal, start), readout)
    found = float64_cell(cell, layer)
    inputs = int(np.prod(found.step_function.input_shape))
    return SingleNetwork(
        label(cell), found.step_function, inputs, found.start, found.weights, found.seen, readout,
        radii=found.radii,
    )  # fmt: skip


def _of_function(
    function: Callable[..., Any], size: int | None, inputs: int, tried: Array | None
) -> Networks:
    name = f"function '{getattr(function, '__name__', type(function).__name__)}'"
    if size is None:
        raise ValueError(f"{name} does not say how large its state is: give starts or state_size")
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"state_size should be a number of at least 1, it is {size!r}")
    name += "" if inputs else ", given no inputs,"
    start = np.zeros(size)
    radii = declared_radii(function, name, size)
    return SingleNetwork(name, FunctionStep(function), inputs, start, tried=tried, radii=radii)
