"""The interface of networks of one shape to the analyses of dynamics."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import StateMap
from rnnstudy.keras_bridge.invariant_box import is_inside


class Networks(ABC):
    """One or many networks of one shape in float64, as the analyses of dynamics see them."""

    is_continuous: bool = False
    """The networks are vector fields. Their state map is h + time_unit f(h; x)."""

    time_unit: float = 1.0
    """Typical time of a vector field, a power of two; 1 step for a map."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of members."""

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
        """Radius of an invariant box that contains all fixed points, see `within`; None if no such
        box is known."""

    @property
    def state_bound(self) -> float | None:
        """Radius of that box in the space of states; None if it is unknown or infinite."""
        return self.bound if self.bound != np.inf else None

    def within(self, states: Array) -> Array:
        """Return a mask `[...]` of states `[..., state]` in that box; all without a box."""
        return is_inside(self.visible(states), np.inf if self.bound is None else self.bound)

    @abstractmethod
    def state_map(self, members: Array, inputs: Array) -> StateMap:
        """Return the map of some members `[pair]` at inputs `[pair, point, input]`."""

    def rate_map(self, members: Array, inputs: Array) -> StateMap:
        """Return f(h; x) of a vector field in the form of `state_map`; ValueError for a map."""
        raise ValueError(
            "the network must be a vector field, got a map. Pass a function with continuous=True."
        )

    def flow_map(self, members: Array, inputs: Array, time: float, substeps: int) -> StateMap:
        """Return the map along the flow of a vector field for a time, by so many steps."""
        raise ValueError(
            "the network must be a vector field, got a map. Pass a function with continuous=True."
        )

    @abstractmethod
    def sample_visited(self, members: Sequence[int] | None = None) -> Array:
        """Return states `[member, visited, state]` on trajectories that need no task.

        None stands for all members.
        """

    @abstractmethod
    def visible(self, states: Array) -> Array:
        """Return the part `[..., unit]` of states `[..., state]` that the readout reads.

        It is the whole state if no readout is known.
        """

    @abstractmethod
    def outputs_of(self, states: Array) -> Array | None:
        """Return the readout `[member, ..., output]` of states `[member, ..., state]`, or None."""
