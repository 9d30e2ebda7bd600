"""The one door from networks of any make to the analysis of their dynamics."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from rnnstudy.dynamics.flow import Flow, flow_of
from rnnstudy.dynamics.starts import visited_states
from rnnstudy.population.population import Population

Array = np.ndarray


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
        """Radius r of an invariant box |visible(h)| <= r that holds all fixed points, or None."""

    @abstractmethod
    def flow(self, members: Array, inputs: Array) -> Flow:
        """The flow of some members: members [pair], inputs [pair, point, input]."""

    @abstractmethod
    def visited(self, seed: int = 0) -> Array:
        """States on trajectories that need no task: [member, visited, state]."""

    @abstractmethod
    def visible(self, states: Array) -> Array:
        """What the readout sees of states [..., state]: [..., unit]; the whole if none is known."""

    @abstractmethod
    def outputs_of(self, states: Array) -> Array | None:
        """Readout of states [member, ..., state]: [member, ..., output]; None if there is none."""


class PopulationNetworks(Networks):
    """The networks of a population."""

    def __init__(self, population: Population) -> None:
        self.population = population.as_float64()

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

    def visited(self, seed: int = 0) -> Array:
        return visited_states(self.population, seed)

    def visible(self, states: Array) -> Array:
        return self.population.visible(states)

    def outputs_of(self, states: Array) -> Array | None:
        return self.population.outputs_of(states)


def networks_of(network: Any) -> Networks:
    """What the analysis of dynamics may ask of a network of any make.

    network: a `Population`, or what this function returned before. ValueError for anything else.
    """
    if isinstance(network, Networks):
        return network
    if isinstance(network, Population):
        return PopulationNetworks(network)
    raise ValueError(f"a {type(network).__name__} is no recurrent network that is known here")
