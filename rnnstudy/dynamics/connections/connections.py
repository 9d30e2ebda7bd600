"""How fixed points are connected: unstable directions followed to where they lead."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.basins.arrivals import Arrivals, Site, arrivals, outputs_of, sites_of
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.connections.unstable_directions import between, ways_out
from rnnstudy.dynamics.fixed_points.record import FixedPoints

NEAR = 0.1
"""Displacement as a share of the way to the nearest other fixed point, at most."""

ROUNDS = 8
"""How often the distance between ways with different ends is quartered, to find what is between."""


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
    """Where the unstable directions of every saddle and repeller lead, as a graph.

    network, layer: as for `find_fixed_points`, which found the points.
    A point with one unstable direction is left both ways; one with several along so many random
    `directions` in their span, each spread evenly at another time: the first at once, the last when
    the linearised dynamics have brought it as far as the nearest other fixed point. (Of those
    spread evenly at once nearly all follow the fastest mode later, and where slower ones lead is
    not seen. Of those that should be so at last, what the way bends by soon outweighs the little
    that they have of faster modes, so that all may end in one place.) Between ways that lead to
    different points others are followed, nearer and nearer to where their ends part, until 2^n
    points are known for n unstable directions; those are kept that come to new ones.

    States are displaced by a share of the points' root mean square, and followed until within
    `tolerance` (a share of it too) of a point without unstable directions, or for so many steps;
    passing a saddle does not end it. ValueError for points of other networks or numbers that are
    not positive.
    """
    if directions < 1 or steps < 1 or not (displacement > 0 and tolerance > 0):
        raise ValueError(
            "directions, displacement, steps and tolerance should be positive, they are "
            f"{directions}, {displacement}, {steps}, {tolerance}"
        )
    networks, sites = sites_of(network, fixed_points, layer)
    left = [_left(site, fixed_points, directions, displacement, seed) for site in sites]

    def follow(starts: Sequence[Array]) -> list[Arrivals]:
        return arrivals(networks, sites, starts, steps, tolerance)

    ends = follow([states for _, states in left])
    owners, ends = _refined(sites, left, ends, follow)
    source = [site.points[own] for site, own in zip(sites, owners, strict=True)]
    target = [
        np.where(end.point >= 0, site.points[end.point], -1)
        for site, end in zip(sites, ends, strict=True)
    ]
    return Connections(
        state=fixed_points.state,
        outputs=outputs_of(networks, fixed_points),
        n_unstable=fixed_points.n_unstable,
        member=fixed_points.member,
        input_index=fixed_points.input_index,
        source=_flat(source),
        target=_flat(target),
        outcome=_flat([end.outcome for end in ends]),
        steps=_flat([end.steps for end in ends]),
    )


def _refined(
    sites: Sequence[Site],
    left: Sequence[tuple[Array, Array]],
    ends: Sequence[Arrivals],
    follow: Callable[[Sequence[Array]], list[Arrivals]],
) -> tuple[list[Array], list[Arrivals]]:
    """Whose states were left [site][start] and what became of them, with those between that came to
    new points."""
    owners, kept = [own for own, _ in left], list(ends)
    tried = [Tried(own, states, end.point) for (own, states), end in zip(left, ends, strict=True)]
    for _ in range(ROUNDS):
        more = [_parted(site, each) for site, each in zip(sites, tried, strict=True)]
        if not any(len(own) for own, _ in more):
            break
        found = follow([states for _, states in more])
        for i, ((own, states), end) in enumerate(zip(more, found, strict=True)):
            new = _new(tried[i], own, end.point)
            owners[i] = np.append(owners[i], own[new])
            kept[i] = kept[i].joined(end.take(new))
            tried[i] = tried[i].joined(Tried(own, states, end.point))
    return owners, kept


class Tried(NamedTuple):
    """States that left the points of a site, whose they are, and where they came to: [start]."""

    own: Array
    states: Array
    ends: Array

    def joined(self, other: "Tried") -> "Tried":
        """Both, end to end."""
        return Tried(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))


def _parted(site: Site, tried: Tried) -> tuple[Array, Array]:
    """Owners [start] and states [start, state] between those of one point with different ends,
    unless these are as many as a cube's."""
    owners, found = [np.zeros(0, int)], [np.empty((0, site.state.shape[1]))]
    for i in np.flatnonzero(site.unstable > 1):
        mine = tried.own == i
        # Where each unstable direction parts two ways, so many points are all that there are.
        if len(np.unique(tried.ends[mine])) >= 2 ** site.unstable[i]:
            continue
        away = tried.states[mine] - site.state[i]
        lengths = np.linalg.norm(away, axis=1, keepdims=True)
        ways = between(away / lengths, tried.ends[mine])
        owners.append(np.full(len(ways), i))
        found.append(site.state[i] + lengths[0] * ways)
    return np.concatenate(owners), np.concatenate(found)


def _new(tried: Tried, own: Array, ends: Array) -> Array:
    """Which [start] came first, of those from one point, to a point that none had come to."""
    known = set(zip(tried.own.tolist(), tried.ends.tolist(), strict=True))
    new = np.zeros(len(own), bool)
    for i, pair in enumerate(zip(own.tolist(), ends.tolist(), strict=True)):
        new[i] = pair[1] >= 0 and pair not in known
        known.add(pair)
    return new


def _flat(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.zeros(0, int), *parts])


def _left(
    site: Site, points: FixedPoints, directions: int, displacement: float, seed: int
) -> tuple[Array, Array]:
    """States [start, state] beside the unstable points of a site, and whose [start] they are."""
    size = site.state.shape[1]
    owners, states = [np.zeros(0, int)], [np.empty((0, size))]
    for i in np.flatnonzero(site.unstable > 0):
        generator = np.random.default_rng((seed, site.input_index, int(i)))
        length = min(displacement * site.scale * np.sqrt(size), NEAR * site.apart[i])
        growth = site.apart[i] / length if np.isfinite(site.apart[i]) else 1.0
        jacobian = points.jacobian[site.points[i]]
        ways = ways_out(jacobian, points.margin, directions, growth, generator)
        owners.append(np.full(len(ways), i))
        states.append(site.state[i] + length * ways)
    return np.concatenate(owners), np.concatenate(states)
