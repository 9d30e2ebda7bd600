"""Links of saddles to the attractors that they lead to, and the words of fixed points."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.solution_classes.condition import (
    POINT,
    SAME_CURVE,
    SAMPLED_STEPS,
    Attractor,
    ConditionState,
)
from rnnstudy.analyses.solution_classes.family import orbit_distances
from rnnstudy.analyses.solution_classes.graph import NO_WORD
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.connections.connections import connections
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.fixed_points.record import FixedPoints

LINK_DISPLACEMENT = 1e-3
"""Distance of a trajectory's start from its saddle, as a share of the size of the states."""


@dataclass(frozen=True)
class LinkSettings:
    """Number of directions, largest number of steps, and distance of arrival."""

    directions: int
    steps: int
    tolerance: float


def trace_links(
    points: FixedPoints,
    conditions: Sequence[ConditionState],
    settings: LinkSettings,
    has_words: bool,
) -> tuple[list[tuple[int, int, int]], Array]:
    """Return links, and the words of all points, `[point, bit]`.

    A link is a point of the record, the position of an attractor among those of its condition, and
    its ways. Only points with one unstable direction have links. They are left both ways, so that
    no choice of directions decides. Words of other points follow from sampled directions.
    """
    usable = np.isin(points.input_index, [c.system.input_index for c in conditions])
    if not has_words:
        usable &= points.n_unstable <= 1
    rows = np.flatnonzero(usable)
    if not len(rows):
        return [], np.full((len(points), 0), NO_WORD)
    graph = connections(
        conditions[0].system.networks,
        points[rows],
        directions=settings.directions,
        steps=settings.steps,
        tolerance=settings.tolerance,
    )
    links: list[tuple[int, int, int]] = []
    for condition in conditions:
        links += _links_of(points, rows, graph, condition, settings)
    return links, _words(points, rows, graph) if has_words else np.full((len(points), 0), NO_WORD)


def _words(points: FixedPoints, rows: Array, graph: Connections) -> Array:
    words = np.full((len(points), graph.outputs.shape[1]), NO_WORD)
    labelled = graph.is_labelled
    words[rows[labelled]] = graph.signs[labelled]
    return words


def _links_of(
    points: FixedPoints,
    rows: Array,
    graph: Connections,
    condition: ConditionState,
    settings: LinkSettings,
) -> list[tuple[int, int, int]]:
    """Return the links of one condition: source in the record, attractor, ways."""
    position = {
        int(condition.known.index[each.point]): i
        for i, each in enumerate(condition.attractors)
        if each.point >= 0
    }
    of_condition = points.input_index[rows] == condition.system.input_index
    links = []
    for source in np.flatnonzero(of_condition & (points.n_unstable[rows] == 1)).tolist():
        arrivals = graph.target[graph.source == source]
        ends = [position.get(int(rows[point]), -1) if point >= 0 else -1 for point in arrivals]
        if -1 in ends:
            ends = _ends_at_sets(points, int(rows[source]), condition, settings, ends)
        links += [(int(rows[source]), end, n) for end, n in Counter(ends).items() if end >= 0]
    return links


def _ends_at_sets(
    points: FixedPoints,
    source: int,
    condition: ConditionState,
    settings: LinkSettings,
    ends: list[int],
) -> list[int]:
    """Return the ends of a saddle's two ways, with cycles and orbits among them."""
    if all(each.kind == POINT for each in condition.attractors):
        return ends
    values, vectors = np.linalg.eig(points.jacobian[source])
    direction = vectors[:, np.argmax(np.abs(values))].real
    size = LINK_DISPLACEMENT * condition.system.scale * np.sqrt(len(direction))
    starts = points.state[source] + size * np.stack([direction, -direction])
    tails = condition.system.simulate(starts, settings.steps, SAMPLED_STEPS)
    radius = settings.tolerance * condition.system.scale * np.sqrt(len(direction))
    return [_nearest_attractor(condition.attractors, tail, radius) for tail in tails]


def _nearest_attractor(attractors: Sequence[Attractor], tail: Array, radius: float) -> int:
    """Return the attractor on which the last states `[time, state]` of a trajectory are, or -1.

    radius: distance at which a state has reached a fixed point.
    """
    if not np.isfinite(tail).all():
        return -1
    for i, attractor in enumerate(attractors):
        states = attractor.states
        if attractor.kind == POINT:
            if np.linalg.norm(tail[-1] - states[-1]) <= radius:
                return i
            continue
        count = min(len(states), len(tail))
        pair = np.stack([states[-count:], tail[-count:]])
        size = np.sqrt(np.mean(np.sum((states - states.mean(axis=0)) ** 2, axis=1)))
        if orbit_distances(pair)[0, 1] <= SAME_CURVE * size:
            return i
    return -1
