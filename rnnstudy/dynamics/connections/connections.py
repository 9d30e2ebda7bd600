"""Connections of fixed points: unstable directions followed to stable points."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.arguments import check_number, check_whole
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.basins.known_points import KnownPoints, known_points
from rnnstudy.dynamics.connections.arrivals import Arrivals, arrivals, outputs_of
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.connections.unstable_directions import (
    edge_tracking_directions,
    unstable_directions,
)
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.arguments import check_arguments, check_layer, instance_of

DISPLACEMENT_SHARE = 0.1
"""Displacement as a share of the distance to the nearest other fixed point, at most."""

REFINEMENTS = 8
"""Number of rounds of edge tracking. Each quarters the distance between directions."""


@check_arguments(fixed_points=instance_of(FixedPoints, "Use find_fixed_points."), layer=check_layer)
@one_thread()
def connections(
    network: Any,
    fixed_points: FixedPoints,
    *,
    directions: int = 80,
    displacement: float = 1e-3,
    steps: int = 10_000,
    tolerance: float = 1e-3,
    seed: int = 0,
    layer: str | None = None,
) -> Connections:
    """Follow the unstable directions of every saddle and repeller to where they lead, as a graph.

    A point with one unstable direction is left both ways. A point with several is left along
    random directions in their span, each uniform at another time. The first is uniform at once.
    The last is uniform when the linearised dynamics have carried it to the nearest other fixed
    point. Directions that are all uniform at once follow the fastest mode later, and miss where
    slower modes lead. Directions that are all uniform at a late time contain almost none of the
    fast modes. The curvature of the unstable manifold then decides, and all may end at one point.

    Edge tracking refines between directions with different ends, until 2^n ends are known for n
    unstable directions, or `directions` refined ones are tested. A round tests at most half of
    those that are left, in the narrowest gaps. The record contains those refined directions that
    reach new points.

    Parameters
    ----------
    network
        Network in which the points were found, as for `find_fixed_points`.
    fixed_points
        Fixed points of the network.
    directions
        Number of random directions of a point with several unstable ones, and largest number of
        refined ones.
    displacement
        Distance of the first states from the point, as a share of the points' root mean square.
    steps
        Largest number of steps of a trajectory.
    tolerance
        Distance within which a state has arrived, as a share of the points' root mean square. It is
        at most a tenth of the distance to the nearest other fixed point.
    seed
        Seed of the directions.
    layer
        Name of the recurrent layer of a model with several.

    Returns
    -------
    Connections
        Points, and the end of every trajectory. Trajectories pass saddles, and end at stable
        points.

    Raises
    ------
    ValueError
        If the points are of other networks, or a number is not positive.

    References
    ----------
    Skufca, Yorke & Eckhardt (2006), Edge of chaos in a parallel shear flow. Physical Review
    Letters 96 (edge tracking).

    Examples
    --------
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> rnnstudy.connections(bistable, points)
    connections of 3 fixed points: 2 edges; trajectories to: 2 point
    """
    check_whole("directions", directions, least=1)
    check_whole("steps", steps, least=1)
    check_whole("seed", seed)
    check_number("displacement", displacement, above=0.0)
    check_number("tolerance", tolerance, above=0.0)
    networks, points = known_points(network, fixed_points, layer)

    def follow(starts: Sequence[Array]) -> list[Arrivals]:
        return arrivals(points, starts, steps, tolerance)

    departures = [
        _departures(known, fixed_points, directions, displacement, seed) for known in points
    ]
    ends = follow([states for _, states in departures])
    owners, ends = _refine(points, departures, ends, directions, follow)
    source = _end_to_end([known.index[owner] for known, owner in zip(points, owners, strict=True)])
    target = _end_to_end(
        [
            np.where(end.point >= 0, known.index[end.point], -1)
            for known, end in zip(points, ends, strict=True)
        ]
    )
    order = np.argsort(source, kind="stable")
    return Connections(
        state=fixed_points.state,
        outputs=outputs_of(networks, fixed_points),
        n_unstable=fixed_points.n_unstable,
        member=fixed_points.member,
        input_index=fixed_points.input_index,
        source=source[order],
        target=target[order],
        outcome=_end_to_end([end.outcome for end in ends])[order],
        steps=_end_to_end([end.steps for end in ends])[order],
    )


def _departures(
    points: KnownPoints, record: FixedPoints, directions: int, displacement: float, seed: int
) -> tuple[Array, Array]:
    """Return owners [start] and states [start, state] beside the unstable points of a system."""
    size, system = points.state.shape[1], points.system
    owners, states = [np.zeros(0, int)], [np.empty((0, size))]
    for i in np.flatnonzero(points.n_unstable > 0):
        generator = np.random.default_rng((seed, system.input_index, int(i)))
        isolation = points.isolation[i]
        length = min(displacement * system.scale * np.sqrt(size), DISPLACEMENT_SHARE * isolation)
        growth = isolation / length if np.isfinite(isolation) else 1.0
        jacobian = record.jacobian[points.index[i]]
        outward = unstable_directions(jacobian, record.margin, directions, growth, generator)
        owners.append(np.full(len(outward), i))
        states.append(points.state[i] + length * outward)
    return np.concatenate(owners), np.concatenate(states)


class TestedDirections(NamedTuple):
    """States beside unstable points, each array `[start, ...]`: owner, state, and end point."""

    owner: Array
    state: Array
    end: Array

    def join(self, other: "TestedDirections") -> "TestedDirections":
        """Return these directions, then others."""
        return TestedDirections(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))


def _refine(
    points: Sequence[KnownPoints],
    departures: Sequence[tuple[Array, Array]],
    ends: Sequence[Arrivals],
    most: int,
    follow: Callable[[Sequence[Array]], list[Arrivals]],
) -> tuple[list[Array], list[Arrivals]]:
    """Return owners and ends per system, with directions in between that reach new points.

    At most so many directions of each point are tested.
    """
    owners, arrived = [owner for owner, _ in departures], list(ends)
    tested = [
        TestedDirections(owner, states, end.point)
        for (owner, states), end in zip(departures, ends, strict=True)
    ]
    rest = [np.full(len(known.state), most) for known in points]
    for _ in range(REFINEMENTS):
        # Half of the rest: the first rounds would otherwise leave nothing to narrower gaps.
        between = [
            _between_different_ends(known, each, count // 2)
            for known, each, count in zip(points, tested, rest, strict=True)
        ]
        if not any(len(owner) for owner, _ in between):
            break
        later = follow([states for _, states in between])
        for i, ((owner, states), end) in enumerate(zip(between, later, strict=True)):
            new = _is_new(tested[i], owner, end.point)
            owners[i] = np.append(owners[i], owner[new])
            arrived[i] = arrived[i].join(end.take(new))
            tested[i] = tested[i].join(TestedDirections(owner, states, end.point))
            rest[i] = rest[i] - np.bincount(owner, minlength=len(rest[i]))
    return owners, arrived


def _between_different_ends(
    points: KnownPoints, tested: TestedDirections, most: Array
) -> tuple[Array, Array]:
    """Return owners [start] and states [start, state] between those with different ends.

    A point has at most so many. One whose ends are as many as a cube's has none.

    Parameters
    ----------
    points
        Points of a system.
    tested
        Directions that have been followed.
    most
        Largest number of states beside each point, `[point]`.
    """
    owners, states = [np.zeros(0, int)], [np.empty((0, points.state.shape[1]))]
    for i in np.flatnonzero(points.n_unstable > 1):
        of_point = tested.owner == i
        # Each unstable direction separates two ends, so there are no more than this.
        if len(np.unique(tested.end[of_point])) >= 2 ** points.n_unstable[i]:
            continue
        away = tested.state[of_point] - points.state[i]
        lengths = np.linalg.norm(away, axis=1, keepdims=True)
        between = edge_tracking_directions(away / lengths, tested.end[of_point], most[i])
        owners.append(np.full(len(between), i))
        states.append(points.state[i] + lengths[0] * between)
    return np.concatenate(owners), np.concatenate(states)


def _is_new(tested: TestedDirections, owner: Array, end: Array) -> Array:
    """Return a mask [start] of the first trajectories from a point to a new end."""
    known = set(zip(tested.owner.tolist(), tested.end.tolist(), strict=True))
    new = np.zeros(len(owner), bool)
    for i, pair in enumerate(zip(owner.tolist(), end.tolist(), strict=True)):
        new[i] = pair[1] >= 0 and pair not in known
        known.add(pair)
    return new


def _end_to_end(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.zeros(0, int), *parts])
