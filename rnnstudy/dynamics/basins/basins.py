"""Where states end: basins of attraction by following many of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.basins.follow import Ends, Targets, settled
from rnnstudy.dynamics.basins.record import Basins
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import as_float_array, constant_inputs
from rnnstudy.dynamics.states.sampling import finite_states, scale_of

BLOCK_BYTES = 64 * 2**20
"""Memory for the states of one batch."""

COPIES = 16
"""Vectors as long as the state that a step holds per point at its peak."""

APART = 0.1
"""Radius within which a state has arrived, as a share of the way to the nearest other fixed point,
at most: beyond a saddle begins another basin."""

NOWHERE = 1e30
"""Where attractors are that only fill up an array."""


def basins(
    network: Any,
    starts: Array,
    attractors: FixedPoints | Array,
    inputs: Array | None = None,
    *,
    steps: int = 10_000,
    tolerance: float = 1e-3,
    confidence: float = 0.95,
    layer: str | None = None,
) -> Basins:
    """Follow states to where they end, for every network of a population and every input.

    network, layer: as for `find_fixed_points`.
    starts: [start, state], the same for all, or [member, start, state].
    attractors: [attractor, state], the same for all; or a `FixedPoints`, of which each member's
    points without unstable directions at each input are taken.
    inputs: [input point, input], held constant; None: those of the `FixedPoints`, else zeros.
    A state has arrived within `tolerance` of an attractor, as a share of the states' typical root
    mean square, or a tenth of the distance to the next fixed point, if that is less. ValueError for
    wrong shapes, and for attractors that are the same.
    """
    if steps < 0 or not tolerance > 0:
        raise ValueError(f"steps and tolerance should be positive, they are {steps}, {tolerance}")
    begun, held = as_float_array("starts", starts, finite=False), _inputs(attractors, inputs)
    networks = as_networks(
        network,
        layer,
        state_size=begun.shape[-1] if begun.ndim else None,
        input_size=None if held is None else np.atleast_2d(held).shape[-1],
        tried=begun.reshape(-1, begun.shape[-1]) if begun.ndim > 1 else None,
    )
    held = constant_inputs(networks, held)
    begun = _starts(begun, networks)
    pairs = [(member, x) for member in range(len(networks)) for x in range(len(held))]
    known = _known(attractors, pairs, networks.state_size)
    listed = [np.flatnonzero(known.at(*pair) & known.attracts) for pair in pairs]
    targets = _targets(known, listed, begun, pairs, tolerance)
    ends = _followed(networks, begun, held, pairs, targets, steps)
    return _record(begun, pairs, known, listed, ends, confidence)


@dataclass(frozen=True, eq=False)
class _Known:
    """Fixed points [point] that are known, whether or not they attract."""

    state: Array
    member: Array
    input_index: Array
    attracts: Array
    point: Array

    def at(self, member: int, position: int) -> Array:
        """Which of them are a member's at an input."""
        mask: Array = (self.member == member) & (self.input_index == position)
        return mask


def _known(attractors: Any, pairs: Sequence[tuple[int, int]], size: int) -> _Known:
    if isinstance(attractors, FixedPoints):
        rest = attractors.n_unstable == 0
        owners = attractors.member, attractors.input_index
        return _Known(attractors.state, *owners, rest, np.arange(len(rest)))
    states = as_float_array("attractors", attractors)
    if states.ndim != 2 or states.shape[1] != size:
        raise ValueError(f"attractors should be [attractor, {size}], it is {states.shape}")
    member, position = np.repeat(np.array(pairs).T, len(states), axis=1)
    point = np.tile(np.arange(len(states)), len(pairs))
    return _Known(states[point], member, position, np.ones(len(point), bool), point)


def _inputs(attractors: Any, inputs: Array | None) -> Array | None:
    """The inputs [input point, input] as given, or those of the fixed points."""
    if inputs is not None or not isinstance(attractors, FixedPoints):
        return None if inputs is None else as_float_array("inputs", inputs)
    searched = attractors.searches["input_index"]
    places, first = np.unique(attractors.input_index, return_index=True)
    if len(places) != searched.max(initial=-1) + 1:
        raise ValueError("at some inputs there are no fixed points: give inputs")
    found: Array = attractors.inputs[first]
    return found


def _starts(given: Array, networks: Networks) -> Array:
    """[member, start, state]"""
    shape, size, members = given.shape, networks.state_size, len(networks)
    fits = len(shape) == 2 or (len(shape) == 3 and shape[0] == members)
    if not fits or shape[-1] != size or not given.size:
        raise ValueError(
            f"starts should be [start, {size}] or [{members} members, start, {size}], "
            f"their shape is {shape}"
        )
    return np.broadcast_to(given, (members, *shape[-2:]))


def _targets(
    known: _Known,
    listed: Sequence[Array],
    starts: Array,
    pairs: Sequence[tuple[int, int]],
    tolerance: float,
) -> Targets:
    size, most = starts.shape[-1], max(1, *map(len, listed))
    places = np.full((len(pairs), most, size), NOWHERE)
    radius = np.full((len(pairs), most), -1.0)
    scale = np.ones((len(pairs), 1))
    for i, (pair, own) in enumerate(zip(pairs, listed, strict=True)):
        near = finite_states(np.concatenate([starts[pair[0]], known.state[own]]))
        scale[i] = scale_of(near)
        places[i, : len(own)] = known.state[own]
        apart = _apart(known.state[own], known.state[known.at(*pair)])
        if (apart == 0).any():
            raise ValueError("two of the attractors are the same state")
        reach = tolerance * scale[i] * np.sqrt(size)
        radius[i, : len(own)] = np.minimum(reach, APART * apart)
    return Targets(places, radius, scale, tolerance * scale)


def _apart(points: Array, others: Array) -> Array:
    """Distance of each point, itself one of the others, to the next of them; infinite if alone."""
    return cKDTree(others).query(points, k=[2])[0][:, 0] if len(others) else np.zeros(0)


def _followed(
    networks: Networks,
    starts: Array,
    inputs: Array,
    pairs: Sequence[tuple[int, int]],
    targets: Targets,
    steps: int,
) -> list[Ends]:
    """The ends of all starts, pair by pair, in batches of bounded memory."""
    count, size = starts.shape[1:]
    room = max(1, BLOCK_BYTES // (8 * (COPIES * size + 4 * targets.radius.shape[1])))
    wide, across = min(count, room), max(1, room // count)
    parts: list[Ends] = []
    for first in range(0, len(pairs), across):
        rows = np.arange(first, min(first + across, len(pairs)))
        members, held = np.array(pairs)[rows].T
        blocks = []
        for begin in range(0, count, wide):
            h = starts[members, begin : begin + wide]
            x = np.broadcast_to(inputs[held][:, None], (*h.shape[:2], inputs.shape[1]))
            blocks.append(settled(networks.state_map(members, x), h, targets.take(rows), steps))
        parts.append(Ends.joined(blocks, axis=1))
    return parts


def _record(
    starts: Array,
    pairs: Sequence[tuple[int, int]],
    known: _Known,
    listed: Sequence[Array],
    parts: Sequence[Ends],
    confidence: float,
) -> Basins:
    ends, count = Ends.joined(parts, axis=0), starts.shape[1]
    members, positions = np.array(pairs).T
    before = np.cumsum([0, *map(len, listed[:-1])])[:, None]
    chosen = np.concatenate(listed)
    return Basins(
        state=starts[members].reshape(-1, starts.shape[-1]),
        end=ends.state.reshape(-1, starts.shape[-1]),
        outcome=ends.outcome.ravel(),
        attractor=np.where(ends.attractor >= 0, before + ends.attractor, -1).ravel(),
        steps=ends.steps.ravel(),
        period=ends.period.ravel(),
        member=np.repeat(members, count),
        input_index=np.repeat(positions, count),
        attractors={
            "state": known.state[chosen],
            "member": known.member[chosen],
            "input_index": known.input_index[chosen],
            "point": known.point[chosen],
        },
        confidence=confidence,
    )
