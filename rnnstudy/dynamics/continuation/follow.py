"""Fixed points followed along a path of inputs, through folds, and their bifurcations located."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.continuation.bifurcations import KINDS, Event, bifurcations
from rnnstudy.dynamics.continuation.branch_switching import Followed, backwards, switched
from rnnstudy.dynamics.continuation.input_path import Path, path_through
from rnnstudy.dynamics.continuation.pseudo_arclength import (
    BRANCH_OUTCOMES,
    Answer,
    Spot,
    Stride,
    Track,
    Walk,
    corrected,
    tangent_of,
    together,
    walked,
)
from rnnstudy.dynamics.continuation.record import Branches
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import as_float_array
from rnnstudy.dynamics.networks.state_map import StateMap, compiled

NEAR = 1e-2
"""How far Newton's method may move a start, in units of the scale."""

SAME_INPUT = 1e-9
"""Distance of inputs, relative to the path's, within which they are the same."""


@one_thread()
def continue_fixed_points(
    network: Any,
    start: FixedPoints | Array,
    path: Array,
    member: int = 0,
    *,
    at: float = 0.0,
    stride: Stride | None = None,
    switch: bool = False,
    layer: str | None = None,
) -> Branches:
    """Fixed points h*(x) of a network followed along a path of inputs, one branch per start.

    network, layer: as for `find_fixed_points`.
    path: [step, input], inputs joined by straight lines; s is the share of the whole length.
    start: [state] or [start, state], fixed points at x(s = `at`), or a `FixedPoints`, of which
    those of this member at this input are taken. From inside the path both directions are followed.
    Pseudo-arclength with s as an unknown (Keller 1977) goes around folds; steps adapt to the turn
    of the tangent. Folds, branch points (transcritical, pitchfork), flips and Neimark-Sacker
    bifurcations that lie between two points are located by the root of a test function; one at the
    very end of the path is not crossed, and shows as an eigenvalue within the margin only.
    switch: follow the branches too that these meet at branch points, and those that they meet.
    Branches of two starts may be the same. ValueError for wrong shapes, a path that does not move,
    or no start.
    """
    stride, given = stride or Stride(), start.state if isinstance(start, FixedPoints) else start
    networks = as_networks(
        network,
        layer,
        state_size=np.atleast_2d(given).shape[-1],
        input_size=np.atleast_2d(path).shape[-1],
        tried=np.atleast_2d(given),
    )
    if member not in range(len(networks)):
        raise ValueError(f"member should be 0 to {len(networks) - 1}, it is {member}")
    if not 0 <= at <= 1:
        raise ValueError(f"at should be a share of the path, 0 to 1, it is {at}")
    way = _path(path, networks.inputs)
    starts = _starts(start, networks.state_size, way.inputs(at, way.leg(at)), member, way)
    track = Track(way, networks.state_size, _scale(stride, networks, starts))
    answer = _answers(networks, member)
    walks = together(
        {
            (i, direction): _branch(track, h, at, direction, stride)
            for i, h in enumerate(starts)
            for direction in (-1, 1)
        },
        answer,
    )
    found = []
    for i in range(len(starts)):
        (back, behind), (ahead, before) = walks[i, -1], walks[i, 1]
        line = _line(back, ahead, before == "closed")
        events = bifurcations(track, answer, line, stride.margin)
        found.append(Followed(line, (behind, before), events))
    met = switched(track, answer, found, stride) if switch else []
    return _record(track, [*found, *met], member, stride.margin)


def _path(path: Array, channels: int) -> Path:
    points = as_float_array("path", path)
    if points.ndim != 2 or points.shape[1] != channels or len(points) < 2:
        raise ValueError(
            f"path should be [step, {channels}] with two steps or more, its shape is {points.shape}"
        )
    return path_through(points)


def _starts(start: Any, size: int, inputs: Array, member: int, path: Path) -> Array:
    """Where branches begin: [start, state]."""
    if isinstance(start, FixedPoints):
        own = start.of(member=member)
        room = SAME_INPUT * (1 + np.abs(path.knots).max())
        here = own.state[(np.abs(own.inputs - inputs) <= room).all(axis=1)]
        if not len(here):
            raise ValueError(f"none of the fixed points is of member {member} at input {inputs}")
        return here
    starts = np.atleast_2d(as_float_array("start", start))
    if starts.ndim != 2 or starts.shape[1] != size or not len(starts):
        raise ValueError(f"start should be [{size}] or [start, {size}], it is {np.shape(start)}")
    return starts


def _scale(stride: Stride, networks: Networks, starts: Array) -> float:
    """The length of a state that counts as much as the whole path."""
    size = networks.bound or max(1.0, float(np.sqrt(np.mean(starts**2, axis=1)).max()))
    return float((stride.scale or size) * np.sqrt(networks.state_size))


def _answers(networks: Networks, member: int) -> Callable[[Array, Array], Answer]:
    """Linearisations at states [point, state] and inputs [point, input], in one compiled call."""
    state_map = networks.state_map(np.array([member]), np.zeros((1, 1, networks.inputs)))

    def answer(h: Array, x: Array) -> Answer:
        image, by_state, by_input = compiled(_linearised, state_map, h[None], x[None])
        return image.numpy()[0], by_state.numpy()[0], by_input.numpy()[0]

    return answer


def _linearised(state_map: StateMap, h: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    at = replace(state_map, drive=state_map.step_function.drive(state_map.weights, x), inputs=x)
    return *at.linearise(h), at.by_input(h)


def _branch(track: Track, h: Array, at: float, direction: int, stride: Stride) -> Walk:
    """One start followed in one direction along the path."""
    leg = track.path.leg(at)
    if direction < 0 and at == track.path.s[leg] and leg > 0:
        leg -= 1
    v = np.append(h / track.scale, at)
    ahead = np.append(np.zeros(len(h)), float(direction))
    spot = yield from corrected(track, v, np.abs(ahead), leg, ahead, lenient=True)
    if spot is None or spot.matrices is None or np.linalg.norm(spot.v - v) > NEAR:
        return [], "no fixed point"
    matrix = track.matrix(*spot.matrices, leg)
    spot = replace(spot, tangent=tangent_of(matrix, np.abs(ahead), ahead))
    spots, outcome = yield from walked(track, spot, stride)
    return spots, "" if len(spots) == 1 and outcome in {"end", "beginning"} else outcome


def _line(back: Sequence[Spot], ahead: Sequence[Spot], closed: bool) -> list[Spot]:
    """The points of a branch in one order; a closed one was walked twice, and is kept once."""
    if closed or not ahead:
        return list(ahead)
    return [*backwards(back), *ahead]


def _record(track: Track, found: Sequence[Followed], member: int, margin: float) -> Branches:
    spots = [spot for one in found for spot in one.spots]
    state, inputs = _places(track, spots)
    values = np.array([spot.eigenvalues for spot in spots], np.complex128).reshape(state.shape)
    unstable = (np.abs(values) > 1 + margin).sum(axis=1)
    counts = [len(one.spots) for one in found]
    begins = np.cumsum([0, *counts[:-1]])
    rows = [
        (branch, begin + i, event)
        for branch, (begin, one) in enumerate(zip(begins, found, strict=True))
        for i, event in one.events
    ]
    before = np.cumsum([0, *(len(one.events) for one in found)])
    return Branches(
        s=np.array([spot.s for spot in spots], np.float64),
        inputs=inputs,
        state=state,
        eigenvalues=values,
        n_unstable=unstable,
        branch=np.repeat(np.arange(len(found)), counts),
        outcome=np.array([[BRANCH_OUTCOMES[name].code for name in one.outcome] for one in found]),
        origin=np.array([-1 if i < 0 else before[i] + k for i, k in (one.origin for one in found)]),
        events=_columns(track, rows),
        member=member,
        margin=margin,
    )


def _places(track: Track, spots: Sequence[Spot]) -> tuple[Array, Array]:
    """States [point, state] and inputs [point, input] of points of branches."""
    path, size = track.path, track.size
    asked = [track.ask(spot.v, path.leg(spot.s)) for spot in spots]
    state = np.array([h for h, _ in asked], np.float64).reshape(-1, size)
    inputs = np.array([x for _, x in asked], np.float64).reshape(-1, path.knots.shape[1])
    return state, inputs


def _columns(track: Track, rows: Sequence[tuple[int, int, Event]]) -> dict[str, Array]:
    """The table of bifurcations, from each one's branch, the point before it, and itself."""
    found = [event for _, _, event in rows]
    state, inputs = _places(track, [event.spot for event in found])
    eigenvalue = np.array([event.eigenvalue for event in found], np.complex128)
    return {
        "branch": np.array([branch for branch, _, _ in rows], np.int64),
        "kind": np.array([KINDS.index(event.kind) for event in found], np.int64),
        "s": np.array([event.spot.s for event in found], np.float64),
        "eigenvalue": eigenvalue,
        "frequency": np.abs(np.angle(eigenvalue)) / (2 * np.pi),
        "change": np.array([event.change for event in found], np.int64),
        "located": np.array([event.width for event in found], np.float64),
        "point": np.array([point for _, point, _ in rows], np.int64),
        "inputs": inputs,
        "state": state,
    }
