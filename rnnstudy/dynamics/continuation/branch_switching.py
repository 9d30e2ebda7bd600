"""From branches of fixed points to those that they meet at branch points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.continuation.bifurcations import Event, bifurcations
from rnnstudy.dynamics.continuation.pseudo_arclength import (
    Answer,
    Spot,
    Stride,
    Track,
    Walk,
    together,
    walked,
)

STEP = 1e-4
"""Half the length of the differences from which second derivatives come, in units of the stride."""

SIMPLE = 1e-4
"""Second smallest singular value, as a share of the largest, above which only two branches meet."""

SAME_PLACE = 1e-3
"""Distance, in units of the stride, of branch points that are one."""

MOST = 64
"""Branches that are switched to, at most."""


@dataclass(frozen=True, eq=False)
class Followed:
    """A branch: its points in order, how it ended backwards and forwards, and its bifurcations,
    each with the position of the point before it."""

    spots: Sequence[Spot]
    outcome: tuple[str, str]
    events: Sequence[tuple[int, Event]]
    origin: tuple[int, int] = (-1, -1)
    """Branch and bifurcation at which it was met, if it was."""


def backwards(walk: Sequence[Spot]) -> list[Spot]:
    """The points of a walk behind its start, from its end on, as a walk the other way has them."""
    return [replace(spot, tangent=-spot.tangent) for spot in walk[:0:-1]]


def switched(
    track: Track,
    answer: Callable[[Array, Array], Answer],
    known: Sequence[Followed],
    stride: Stride,
) -> list[Followed]:
    """The branches that the known ones meet, and those that these meet, each followed both ways.

    A branch point that two of them pass needs no switching. Where more than two branches meet at
    once, none is switched to.
    """
    found, tried = list(known), list[Array]()
    while len(found) < len(known) + MOST:
        place = _crossing(found, tried)
        if place is None:
            break
        branch, number = place
        event = found[branch].events[number][1]
        tried.append(event.spot.v)
        ahead = other_tangent(track, answer, event.spot)
        if ahead is not None:
            spots, outcome = _both_ways(track, answer, event.spot, ahead, stride)
            events = bifurcations(track, answer, spots, stride.margin)
            found.append(Followed(spots, outcome, events, place))
    return found[len(known) :]


def _crossing(found: Sequence[Followed], tried: Sequence[Array]) -> tuple[int, int] | None:
    """Branch and number of the first branch point that one branch alone passes and nobody tried."""
    places = [
        (i, k, event.spot.v)
        for i, one in enumerate(found)
        for k, (_, event) in enumerate(one.events)
        if event.kind == "branch point"
    ]
    for i, k, v in places:
        passing = sum(np.linalg.norm(other - v) < SAME_PLACE for _, _, other in places)
        if passing == 1 and all(np.linalg.norm(other - v) >= SAME_PLACE for other in tried):
            return i, k
    return None


def other_tangent(
    track: Track, answer: Callable[[Array, Array], Answer], spot: Spot
) -> Array | None:
    """The direction [state + 1] in which another branch leaves a branch point of one.

    With G(v) = F(h; x(s)) - h, null vectors t, the tangent, and u of dG/dv, and its left null
    vector w, the directions a t + b u of branches solve w'G_vv(a t + b u)(a t + b u) = 0, which
    has the root b = 0 (Keller 1977, the algebraic bifurcation equation); this is the other one.
    None if more than two branches meet, or these touch without crossing.
    """
    matrix = partial(_matrix, track, answer, track.path.leg(spot.s))
    left, values, right = np.linalg.svd(matrix(spot.v))
    if len(values) > 1 and values[-2] < SIMPLE * values[0]:
        return None
    weak, plane = left[:, -1], right[-2:]
    along = plane @ spot.tangent / np.linalg.norm(plane @ spot.tangent)
    t, u = along @ plane, np.array([-along[1], along[0]]) @ plane

    def bent(direction: Array) -> Array:
        apart = matrix(spot.v + STEP * direction) - matrix(spot.v - STEP * direction)
        found: Array = weak @ apart / (2.0 * STEP)
        return found

    mixed, twice = bent(t) @ u, bent(u) @ u
    if abs(mixed) <= SIMPLE * max(abs(twice), np.linalg.norm(bent(u)), STEP):
        return None
    other: Array = u - twice / (2.0 * mixed) * t
    return other / np.linalg.norm(other)


def _matrix(track: Track, answer: Callable[[Array, Array], Answer], leg: int, v: Array) -> Array:
    """Derivative of F(h; x(s)) - h by v, anywhere."""
    h, x = track.ask(v, leg)
    _, by_state, by_input = (values[0] for values in answer(h[None], x[None]))
    return track.matrix(by_state, by_input, leg)


def _both_ways(
    track: Track,
    answer: Callable[[Array, Array], Answer],
    spot: Spot,
    ahead: Array,
    stride: Stride,
) -> tuple[list[Spot], tuple[str, str]]:
    """The branch that leaves a point in a direction and its opposite, without that point, at which
    no side of a bifurcation is decided."""
    walks: dict[int, Walk] = {
        sign: walked(track, replace(spot, tangent=sign * ahead), stride) for sign in (-1, 1)
    }
    ends = together(walks, answer)
    (back, behind), (on, before) = ends[-1], ends[1]
    return [*([] if before == "closed" else backwards(back)), *on[1:]], (behind, before)
