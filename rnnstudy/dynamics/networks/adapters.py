"""The one door from networks of any make to the analysis of their dynamics."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.dynamics.networks.checks import kept, trusted
from rnnstudy.dynamics.networks.function_step import FunctionDynamics
from rnnstudy.dynamics.networks.state_map import Dynamics, Flow, compiled, flow_of
from rnnstudy.dynamics.states.sampling import default_trials, flat, visited_states
from rnnstudy.keras_bridge.cell_dynamics import rebuilt
from rnnstudy.keras_bridge.from_keras import equal_cell, initial_state, single
from rnnstudy.keras_bridge.invariant_box import inside, radius, said_radii
from rnnstudy.keras_bridge.keras_cell import KerasCell
from rnnstudy.keras_bridge.readout import Head, head_of
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
        return inside(self.visible(states), np.inf if self.bound is None else self.bound)

    @abstractmethod
    def flow(self, members: Array, inputs: Array) -> Flow:
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
    """The networks of a population; `head`, if given, is what reads them out instead."""

    def __init__(self, population: Population, head: Head | None = None) -> None:
        self.population = population.as_float64()
        self.head = head

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

    def flow(self, members: Array, inputs: Array) -> Flow:
        return flow_of(self.population, members, inputs)

    def visited(self, members: Sequence[int] | None = None) -> Array:
        whole = self.population
        return visited_states(whole if members is None else whole.select("member", list(members)))

    def visible(self, states: Array) -> Array:
        return self.population.visible(states)

    def outputs_of(self, states: Array) -> Array | None:
        if self.head is not None:
            return self.head(self.visible(states))
        return self.population.outputs_of(states) if self.population.outputs else None


class KerasNetworks(PopulationNetworks):
    """A population of one whose step Keras does, with derivatives as that step allows them."""

    def __init__(self, population: Population, cell: KerasCell) -> None:
        super().__init__(population)
        self._cell = cell
        self._dynamics: Dynamics = cell
        h, x = _probes(self.population.initial_state[0], self.inputs)
        self._dynamics = trusted("the network", self.flow(np.array([0]), x), h)
        if cell.radii is not None:
            kept("the network", self.flow(np.array([0]), x), h, cell.radii)

    def flow(self, members: Array, inputs: Array) -> Flow:
        return replace(super().flow(members, inputs), dynamics=self._dynamics)

    def within(self, states: Array) -> Array:
        radii = self._cell.radii
        return inside(states, np.inf if radii is None else radii)


class SingleNetwork(Networks):
    """One network whose step somebody else wrote: a Keras cell or a plain function.

    weights: by name, as `dynamics` takes them, without a member axis; start [state]: the state
    before the first step; seen: which entries of the state the readout sees, None if that is
    unknown; tried [point, state]: states at which the step is tried; radii [state]: of a box that
    no step leaves, if one is known.
    """

    def __init__(
        self,
        name: str,
        dynamics: Dynamics,
        inputs: int,
        start: Array,
        weights: Mapping[str, Array] | None = None,
        seen: slice | None = None,
        head: Head | None = None,
        tried: Array | None = None,
        radii: Array | None = None,
    ) -> None:
        self.dynamics, self.start, self.seen, self.head = dynamics, start, seen, head
        self.radii = radii
        self.weights = dict(weights or {})
        self._inputs = inputs
        h, x = _probes(start, inputs, tried)
        self.dynamics = trusted(name, self.flow(np.array([0]), x), h)
        if radii is not None:
            kept(name, self.flow(np.array([0]), x), h, radii)

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
        return radius(self.radii)

    def within(self, states: Array) -> Array:
        return inside(states, np.inf if self.radii is None else self.radii)

    def flow(self, members: Array, inputs: Array) -> Flow:
        weights = {
            name: tf.constant(np.broadcast_to(w, (len(members), *w.shape)))
            for name, w in self.weights.items()
        }
        held = tf.constant(inputs, tf.float64)
        return Flow(self.dynamics, weights, self.dynamics.drive(weights, held), held)

    def visited(self, members: Sequence[int] | None = None) -> Array:
        inputs, first = default_trials(self.inputs, self.start[None])
        limit = FAR * (1.0 + np.abs(first).max(axis=-1, keepdims=True))
        states = [first]
        for now in np.moveaxis(inputs, 1, 0):
            flow = self.flow(np.array([0]), now[None])
            new = compiled(Flow.__call__, flow, states[-1]).numpy()
            near = (np.abs(new) <= limit).all(axis=-1, keepdims=True)
            states.append(np.where(near, new, first))
        return flat(np.stack(states[1:], axis=2))

    def visible(self, states: Array) -> Array:
        return states if self.seen is None else states[..., self.seen]

    def outputs_of(self, states: Array) -> Array | None:
        known = self.head is not None and self.seen is not None
        return self.head(self.visible(states)) if self.head is not None and known else None


def networks_of(
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
    head = head_of(network, layer)
    equal = equal_cell(cell)
    if equal is not None:
        start = initial_state(cell, equal[0].state_size)
        return PopulationNetworks(single(*equal, start), head)
    found = rebuilt(cell, layer)
    inputs = int(np.prod(found.dynamics.input_shape))
    return SingleNetwork(
        label(cell), found.dynamics, inputs, found.start, found.weights, found.seen, head,
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
    radii = said_radii(function, name, size)
    return SingleNetwork(name, FunctionDynamics(function), inputs, start, tried=tried, radii=radii)
