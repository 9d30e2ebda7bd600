"""Adapters from a population, a Keras layer or a function to one interface, `Networks`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.cells.base import visible_entries
from rnnstudy.core.arguments import check_flag
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.dynamics.networks.checks import check_bound, check_step
from rnnstudy.dynamics.networks.function_step import FunctionStep
from rnnstudy.dynamics.networks.interface import Networks as Networks
from rnnstudy.dynamics.networks.single_network import SingleNetwork, probes_near
from rnnstudy.dynamics.networks.state_map import StateMap, StepFunction, population_state_map
from rnnstudy.dynamics.networks.torch_step import (
    TorchStep,
    check_torch_step,
    float64_module,
    torch_result,
)
from rnnstudy.dynamics.networks.vector_field import VectorField
from rnnstudy.dynamics.networks.vector_field_signs import warn_of_vector_field
from rnnstudy.dynamics.states.sampling import visited_states
from rnnstudy.keras_bridge.cell_dynamics import float64_cell
from rnnstudy.keras_bridge.from_keras import equal_cell, initial_state
from rnnstudy.keras_bridge.from_torch import from_torch
from rnnstudy.keras_bridge.invariant_box import declared_radii, is_inside
from rnnstudy.keras_bridge.keras_cell import KerasCell
from rnnstudy.keras_bridge.readout import Readout, readout_of
from rnnstudy.keras_bridge.recurrent_layers import cell_of, label, recurrent_layer
from rnnstudy.keras_bridge.torch_modules import recurrent_parts, torch_module
from rnnstudy.population.population import Population, population_of_one


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
        h, x = probes_near(self.population.initial_state[0], self.inputs)
        self._step_function = check_step("the network", self.state_map(np.array([0]), x), h)
        if cell.radii is not None:
            check_bound("the network", self.state_map(np.array([0]), x), h, cell.radii)

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        return replace(super().state_map(members, inputs), step_function=self._step_function)

    def within(self, states: Array) -> Array:
        radii = self._cell.radii
        return is_inside(states, np.inf if radii is None else radii)


def as_networks(
    network: Any,
    layer: str | None = None,
    state_size: int | None = None,
    input_size: int | None = None,
    probes: Array | None = None,
    continuous: bool | None = None,
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
    continuous
        Whether a function is a vector field (inputs, states) -> dh/dt. None: it is a map, with a
        warning if it looks like a vector field.

    Returns
    -------
    Networks
        One or many networks of one shape.

    Raises
    ------
    ValueError
        If the network has no state, or cannot be computed in float64.
    """
    is_function = _check_continuous(network, continuous)
    if isinstance(network, Networks):
        return network
    if torch_module(network) is not None:
        return _torch_networks(network, layer, state_size, input_size or 0, probes, continuous)
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
    if not is_function:
        raise ValueError(
            "network must be a Population, a Keras cell, layer or model, a PyTorch module, or a "
            f"function (inputs, state) -> state, got a {type(network).__name__}"
        )
    return _function_networks(network, state_size, input_size or 0, probes, continuous)


def _check_continuous(network: Any, continuous: bool | None) -> bool:
    """Return whether a network is a function; ValueError if `continuous` asks that of another."""
    is_known = isinstance(network, Networks | Population | type)
    is_function = callable(network) and not is_known and not isinstance(network, keras.layers.Layer)
    if continuous is None or not check_flag("continuous", continuous) or is_function:
        return is_function
    if not getattr(network, "is_continuous", False):
        raise ValueError(
            f"continuous must be False for a {type(network).__name__}, whose steps are a map. "
            "Pass a function (inputs, states) -> dh/dt."
        )
    return False


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
    function: Callable[..., Any],
    size: int | None,
    inputs: int,
    probes: Array | None,
    continuous: bool | None,
) -> Networks:
    name = f"function '{getattr(function, '__name__', type(function).__name__)}'"
    if size is None:
        raise ValueError(
            f"the state size of {name} must be known, got none. Give starts or state_size."
        )
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"state_size must be a whole number of at least 1, got {size!r}")
    h, x = probes_near(np.zeros(size), inputs, probes)
    name += "" if inputs else ", called without inputs,"
    if torch_result(function, x[0], h[0]):
        return _torch_step_networks(function, name, size, inputs, probes, continuous)
    return _step_networks(FunctionStep(function), name, size, inputs, probes, continuous)


def _torch_step_networks(
    function: Callable[..., Any],
    name: str,
    size: int,
    inputs: int,
    probes: Array | None,
    continuous: bool | None,
) -> Networks:
    step = TorchStep(function)
    h, x = probes_near(np.zeros(size), inputs, probes)
    check_torch_step(name, step, x[0], h[0])
    return _step_networks(step, name, size, inputs, probes, continuous)


def _step_networks(
    step: FunctionStep | TorchStep,
    name: str,
    size: int,
    inputs: int,
    probes: Array | None,
    continuous: bool | None,
) -> Networks:
    start = np.zeros(size)
    radii = declared_radii(step.function, name, size)
    if continuous:
        return VectorField(name, step, inputs, start, probes, radii)
    network = SingleNetwork(name, step, inputs, start, probes=probes, radii=radii)
    if continuous is None and radii is None:
        warn_of_vector_field(name, network)
    return network


def _torch_networks(
    module: Any,
    layer: str | None,
    size: int | None,
    inputs: int,
    probes: Array | None,
    continuous: bool | None,
) -> Networks:
    """Return a PyTorch module as Keras layers, or as a function if it is a step of some state."""
    name = f"PyTorch module {type(module).__name__}"
    if layer is not None or size is None:
        return _keras_networks(from_torch(module, layer=layer, dtype="float64"), None)
    if recurrent_parts(module) and not continuous:
        try:
            return _keras_networks(from_torch(module, dtype="float64"), None)
        except ValueError:
            h, x = probes_near(np.zeros(size), inputs, probes)
            if not torch_result(float64_module(module), x[0], h[0]):
                raise
    name += "" if inputs else ", called without inputs,"
    return _torch_step_networks(float64_module(module), name, size, inputs, probes, continuous)
