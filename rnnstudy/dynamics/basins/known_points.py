"""Known fixed points of systems, to which states are followed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.basins.follow import Attractors
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.linearisation.modes import require_map
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.states.sampling import scale_of

RADIUS_SHARE = 0.1
"""Radius within which a state has arrived, as a share of the distance to the nearest other fixed
point, at most: another basin begins beyond a saddle."""

NO_SCALE = 1e-3
"""Root mean square of points, as a share of the bound or 1, below which it is no scale."""


@dataclass(frozen=True, eq=False)
class KnownPoints:
    """Known fixed points of one system.

    Parameters
    ----------
    system
        Network at one input.
    index
        Positions of the points in their record, `[point]`.
    state
        Fixed points, `[point, state]`.
    n_unstable
        Number of unstable directions, `[point]`.
    """

    system: AutonomousSystem
    index: Array
    state: Array
    n_unstable: Array

    @property
    def stable(self) -> Array:
        """Positions of the points without unstable directions, among these points."""
        return np.flatnonzero(self.n_unstable == 0)

    @cached_property
    def isolation(self) -> Array:
        """Distance of each point to the nearest other one, `[point]`; infinite if there is none."""
        return nearest(self.state, self.state, k=2)[0]

    def radius(self, tolerance: float) -> Array:
        """Return the distance within which a state has arrived at each point, `[point]`."""
        reach = tolerance * self.system.scale * np.sqrt(self.state.shape[1])
        radius: Array = np.minimum(reach, RADIUS_SHARE * self.isolation)
        return radius

    def attractors(self, tolerance: float) -> Attractors:
        """Return the stable points and their radii."""
        return Attractors(self.state[self.stable], self.radius(tolerance)[self.stable])


def known_points(
    network: Any, points: FixedPoints, layer: str | None = None
) -> tuple[Networks, list[KnownPoints]]:
    """Return the networks, and the points of each member and input that has any.

    Raises ValueError if the points are of other networks: of another number or size.
    """
    if not isinstance(points, FixedPoints):
        raise ValueError(
            f"fixed_points must be a FixedPoints, got {type(points).__name__}. "
            "Use find_fixed_points."
        )
    require_map(points, "connections and transitions")
    size, channels = points.state.shape[1], points.inputs.shape[1]
    tried = points.state if len(points) else None
    networks = as_networks(network, layer, size, channels, tried, continuous=False)
    if networks.state_size != size or points.member.max(initial=0) >= len(networks):
        raise ValueError(
            f"fixed_points must be of these {len(networks)} networks with states of "
            f"{networks.state_size}, got {points.member.max(initial=0) + 1} or more with {size}."
        )
    keys = np.stack([points.member, points.input_index], axis=1)
    return networks, [_of_system(networks, points, *key) for key in np.unique(keys, axis=0)]


def _of_system(
    networks: Networks, points: FixedPoints, member: int, input_index: int
) -> KnownPoints:
    index = np.flatnonzero((points.member == member) & (points.input_index == input_index))
    state = points.state[index]
    # The scale of points at the origin alone is not that of states.
    scale, least = scale_of(state), networks.state_bound or 1.0
    system = AutonomousSystem(
        networks,
        int(member),
        points.inputs[index[0]],
        int(input_index),
        scale if scale > NO_SCALE * least else least,
    )
    return KnownPoints(system, index, state, points.n_unstable[index])


def nearest(points: Array, states: Array, k: int = 1) -> tuple[Array, Array]:
    """Return the distance `[start]` of states `[start, state]` to the k-th nearest of points
    `[point, state]`, and that point's position. The distance is infinite for fewer points."""
    # Imported late: a plan is checked without it and it takes a while to import.
    from scipy.spatial import cKDTree

    distance, position = cKDTree(points).query(states, k=[k])
    return distance[:, 0], position[:, 0]
