"""Adapters from a population, a Keras layer or a function to one interface, `Networks`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.cells.base import visible_entries
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.dynamics.networks.checks import check_bound, check_step
from rnnstudy.dynamics.networks.function_step import FunctionStep
from rnnstudy.dynamics.networks.interface import Networks as Networks
from rnnstudy.dynamics.networks.state_map import (
    StateMap,
    StepFunction,
    population_state_map,
    run_compiled,
)
from rnnstudy.dynamics.networks.torch_step import (
    TorchStep,
    check_torch_step,
    float64_module,
    torch_result,
)
from rnnstudy.dynamics.states.sampling import default_trials, flatten_trajectories, visited_states
from rnnstudy.keras_bridge.cell_dynamics import float64_cell
from rnnstudy.keras_bridge.from_keras import equal_cell, initial_state, population_of_one
from rnnstudy.keras_bridge.from_torch import from_torch
from rnnstudy.keras_bridge.invariant_box import declared_radii, is_inside, largest_radius
from rnnstudy.keras_bridge.keras_cell import KerasCell
from rnnstudy.keras_bridge.readout import Readout, readout_of
from rnnstudy.keras_bridge.recurrent_layers import cell_of, label, recurrent_layer
from rnnstudy.keras_bridge.torch_modules import recurrent_parts, torch_module
from rnnstudy.population.population import Population

PROBES = 6
"""Number of states at which the step of other people's code is checked."""

EXPLOSION = 1e3
"""Size at which a default trajectory starts anew, as a multiple of 1 + |h| at its start."""


def _probes(start: Array, inputs: int, states: Array | None = None) -> tuple[Array, Array]:
    """Return states `[1, point, state]` and inputs `[1, point, input]` for checks of a step."""
    generator = np.random.default_rng(0)
    near = start + generator.uniform(-0.5, 0.5, (PROBES, len(start)))
    h = (near if states is None else states[:PROBES])[None]
    return h, generator.uniform(-1.0, 1.0, (1, h.shape[1], inputs))


class PopulationNetworks(Networks):
    """The networks of a population, with another readout if there is one."""

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

    @property
    def state_bound(self) -> float | None:
        # A box of rates is none of the currents behind them.
        return None if visible_entries(self.population.cell) is None else super().state_bound

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        return population_state_map(self.population, members, inputs)

    def sample_visited(self, members: Sequence[int] | None = None) -> Array:
        whole = self.population
        return visited_states(whole if members is None else whole.select("member", list(members)))

    def visible(self, states: Array) -> Array:
        return self.population.visible(states)

    def outputs_of(self, states: Array) -> Array | None:
        if self.readout is not None:
            return self.readout(self.visible(states))
        return self.population.outputs_of(states) if self.population.outputs else None


class KerasNetworks(PopulationNetworks):
    """A population of one whose step is computed by Keras."""

    def __init__(self, population: Population, cell: KerasCell) -> None:
        super().__init__(population)
        self._cell = cell
        self._step_function: StepFunction = cell
        h, x = _probes(self.population.initial_state[0], self.inputs)
        self._step_function = check_step("the network", self.state_map(np.array([0]), x), h)
        if cell.radii is not None:
            check_bound("the network", self.state_map(np.array([0]), x), h, cell.radii)

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        return replace(super().state_map(members, inputs), step_function=self._step_function)

    def within(self, states: Array) -> Array:
        radii = self._cell.radii
        return is_inside(states, np.inf if radii is None else radii)


class SingleNetwork(Networks):
    """One network whose step is other people's code: a Keras cell or a plain function.

    Parameters
    ----------
    name
        Name of the network in messages.
    step_function
        The step.
    inputs
        Number of input channels.
    start
        State `[state]` before the first step.
    weights
        By name, as the step takes them, without a member axis.
    output_slice
        Entries of the state that the readout reads; None if they are unknown.
    readout
        Readout of these entries; None for none.
    probes
        States `[point, state]` where the step is defined; None for states near the start.
    radii
        Radii `[state]` of a box that no step leaves; None if no box is known.
    """

    def __init__(
        self,
        name: str,
        step_function: StepFunction,
        inputs: int,
        start: Array,
        weights: Mapping[str, Array] | None = None,
        output_slice: slice | None = None,
        readout: Readout | None = None,
        probes: Array | None = None,
        radii: Array | None = None,
    ) -> None:
        self.step_function, self.start = step_function, start
        self.output_slice, self.readout, self.radii = output_slice, readout, radii
        self.weights = dict(weights or {})
        self._inputs = inputs
        h, x = _probes(start, inputs, probes)
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
        x = tf.constant(inputs, tf.float64)
        return StateMap(self.step_function, weights, self.step_function.drive(weights, x), x)

    def sample_visited(self, members: Sequence[int] | None = None) -> Array:
        inputs, first = default_trials(self.inputs, self.start[None])
        limit = EXPLOSION * (1.0 + np.abs(first).max(axis=-1, keepdims=True))
        states = [first]
        for now in np.moveaxis(inputs, 1, 0):
            state_map = self.state_map(np.array([0]), now[None])
            new = run_compiled(StateMap.__call__, state_map, states[-1]).numpy()
            is_near = (np.abs(new) <= limit).all(axis=-1, keepdims=True)
            states.append(np.where(is_near, new, first))
        return flatten_trajectories(np.stack(states[1:], axis=2))

    def visible(self, states: Array) -> Array:
        return states if self.output_slice is None else states[..., self.output_slice]

    def outputs_of(self, states: Array) -> Array | None:
        if self.readout is None or self.output_slice is None:
            return None
        return self.readout(self.visible(states))


def as_networks(
    network: Any,
    layer: str | None = None,
    state_size: int | None = None,
    input_size: int | None = None,
    probes: Array | None = None,
) -> Networks:
    """Return a network of any make as `Networks`, in float64.

    A cell or function may have an attribute `bound`: a radius r, or one per entry of the state,
    such that no step leads out of |h| <= r. The consequences for fixed points are then checked.

    Parameters
    ----------
    network
        A `Population`; a Keras cell of any make, with any number of states, `StackedRNNCells`, an
        RNN layer, or a model with one recurrent layer; a function (inputs `[point, input]`, states
        `[point, state]`) -> states in TensorFlow or PyTorch operations; a PyTorch module that
        `from_torch` takes, or one that is such a function; or `Networks`. All states of a cell are
        one flat vector, end to end, in the cell's order.
    layer
        Name of the recurrent layer of a model that has several.
    state_size
        Length of a function's state.
    input_size
        Number of a function's inputs. Default 0.
    probes
        States `[point, state]` where a function is defined.

    Returns
    -------
    Networks
        One or many networks of one shape.

    Raises
    ------
    ValueError
        If the network has no state, or cannot be computed in float64.
    """
    if isinstance(network, Networks):
        return network
    if torch_module(network) is not None:
        return _torch_networks(network, layer, state_size, input_size or 0, probes)
    if layer is not None and not isinstance(network, keras.layers.Layer):
        raise ValueError(
            f"layer must be None for a {type(network).__name__}, which has no layers, got {layer!r}"
        )
    if isinstance(network, Population):
        cell = network.cell
        if isinstance(cell, KerasCell):
            return KerasNetworks(network, cell)
        return PopulationNetworks(network)
    if isinstance(network, keras.layers.Layer):
        return _keras_networks(network, layer)
    if isinstance(network, list | tuple):
        raise ValueError(
            "network must be one object, got a list. "
            "Combine the models first: Population.from_models(models)."
        )
    if isinstance(network, type):
        raise ValueError(
            f"network must be an instance, got the class {network.__name__}. Construct it first."
        )
    if not callable(network):
        raise ValueError(
            "network must be a Population, a Keras cell, layer or model, a PyTorch module, or a "
            f"function (inputs, state) -> state, got a {type(network).__name__}"
        )
    return _function_networks(network, state_size, input_size or 0, probes)


def _keras_networks(network: Any, name: str | None) -> Networks:
    layer = recurrent_layer(network, name)
    cell = cell_of(layer)
    readout = readout_of(network, layer)
    equal = equal_cell(cell)
    if equal is not None:
        start = initial_state(cell, equal[0].state_size)
        return PopulationNetworks(population_of_one(*equal, start), readout)
    copy = float64_cell(cell, layer)
    inputs = int(np.prod(copy.step_function.input_shape))
    return SingleNetwork(
        label(cell), copy.step_function, inputs, copy.start, copy.weights, copy.output_slice,
        readout, radii=copy.radii,
    )  # fmt: skip


def _function_networks(
    function: Callable[..., Any], size: int | None, inputs: int, probes: Array | None
) -> Networks:
    name = f"function '{getattr(function, '__name__', type(function).__name__)}'"
    if size is None:
        raise ValueError(
            f"the state size of {name} must be known, got none. Give starts or state_size."
        )
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"state_size must be a whole number of at least 1, got {size!r}")
    h, x = _probes(np.zeros(size), inputs, probes)
    name += "" if inputs else ", called without inputs,"
    if torch_result(function, x[0], h[0]):
        return _torch_step_networks(function, name, size, inputs, probes)
    return _step_networks(FunctionStep(function), name, size, inputs, probes)


def _torch_step_networks(
    function: Callable[..., Any], name: str, size: int, inputs: int, probes: Array | None
) -> Networks:
    step = TorchStep(function)
    h, x = _probes(np.zeros(size), inputs, probes)
    check_torch_step(name, step, x[0], h[0])
    return _step_networks(step, name, size, inputs, probes)


def _step_networks(
    step: FunctionStep | TorchStep, name: str, size: int, inputs: int, probes: Array | None
) -> Networks:
    start = np.zeros(size)
    radii = declared_radii(step.function, name, size)
    return SingleNetwork(name, step, inputs, start, probes=probes, radii=radii)


def _torch_networks(
    module: Any, layer: str | None, size: int | None, inputs: int, probes: Array | None
) -> Networks:
    """Return a PyTorch module as Keras layers, or as a function if it is a step of some state."""
    name = f"PyTorch module {type(module).__name__}"
    if layer is not None or size is None:
        return _keras_networks(from_torch(module, layer=layer, dtype="float64"), None)
    if recurrent_parts(module):
        try:
            return _keras_networks(from_torch(module, dtype="float64"), None)
        except ValueError:
            h, x = _probes(np.zeros(size), inputs, probes)
            if not torch_result(float64_module(module), x[0], h[0]):
                raise
    name += "" if inputs else ", called without inputs,"
    return _torch_step_networks(float64_module(module), name, size, inputs, probes)
