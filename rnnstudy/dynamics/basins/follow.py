"""States followed to attractors: batches of bounded memory, and the compiled loop over steps."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem, joint_map
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled
from rnnstudy.dynamics.states.outcomes import Outcomes

Work = dict[str, Tensor]
"""Quantities of every state in a batch, each `[system, start, ...]`."""

Targets = tuple[Tensor, Tensor, Tensor, Tensor]
"""Attractors `[system, attractor, state]`, radii `[system, attractor]`, scale and least size of a
cycle `[system, 1]`."""

BASIN_OUTCOMES = Outcomes(
    {
        "attractor": "The state reached one of the attractors.",
        "elsewhere": (
            "The state is constant at a point that is not a known attractor.",
            "Search for more fixed points, and pass them too.",
        ),
        "cycling": (
            "The state repeats periodically.",
            "Use `find_cycles` to study the orbit.",
        ),
        "escaped": (
            "The state left every bounded region.",
            "Check the weights, or start closer to visited states.",
        ),
        "moving": (
            "The state did not settle: its motion is slow, quasi-periodic or chaotic.",
            "Raise `steps`.",
        ),
    }
)
"""Outcomes of states that are followed to attractors."""

ATTRACTOR, ELSEWHERE, CYCLING, ESCAPED, MOVING = BASIN_OUTCOMES.codes

FOLLOW_BYTES = 64 * 2**20
"""Memory for the states of one batch."""

STEP_COPIES = 16
"""Vectors `[state]` that a step holds per state at its peak."""

PADDING_COORDINATE = 1e30
"""Coordinate of attractors that only fill up an array."""

ESCAPE_RADIUS = 1e6
"""Root mean square, as a share of the scale, beyond which a state has escaped."""

REST_STEP = 1e-10
"""Root mean square of a step, as a share of the scale, at which a state is at rest."""

RETURN_DISTANCE = 1e-8
"""Distance, as a share of the scale, at which a state has come back to an earlier one."""

PACKING_STEPS = 64
"""Steps after which states that have ended leave the batch."""


@dataclass(frozen=True, eq=False)
class Attractors:
    """Attractors of one system.

    Parameters
    ----------
    state
        Attractors, `[attractor, state]`.
    radius
        Distance within which a state has arrived, `[attractor]`.
    """

    state: Array
    radius: Array


@dataclass(frozen=True, eq=False)
class EndStates:
    """Ends of states, each array `[start, ...]`, or `[system, start, ...]` of a batch.

    Parameters
    ----------
    state
        Last state, `[start, state]`.
    outcome
        Code of BASIN_OUTCOMES.
    attractor
        Position among the system's attractors, -1 for other outcomes.
    steps
        Number of steps until the outcome was clear.
    period
        Period of a cycle in steps, else 0.
    """

    state: Array
    outcome: Array
    attractor: Array
    steps: Array
    period: Array

    @classmethod
    def join(cls, parts: "Sequence[EndStates]", axis: int = 0) -> "EndStates":
        """Return several ends, one after the other along an axis."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(p, name) for p in parts], axis) for name in names))

    def take(self, index: tuple[int, slice]) -> "EndStates":
        """Return the ends of some starts of one system."""
        return EndStates(*(getattr(self, field.name)[index] for field in fields(self)))


def follow_to_attractors(
    systems: Sequence[AutonomousSystem],
    starts: Sequence[Array],
    attractors: Sequence[Attractors],
    steps: int,
    tolerance: float,
) -> list[EndStates]:
    """Follow states of several systems until each has a known end.

    A state ends in four ways. It comes within the radius of an attractor. It is at rest. It comes
    back to an earlier state of its own after it was away (Brent 1980). It escapes.

    Parameters
    ----------
    systems
        Systems of the same networks.
    starts
        States of each system, `[start, state]`.
    attractors
        Attractors of each system.
    steps
        Largest number of steps.
    tolerance
        Least size of a cycle, as a share of the system's scale.

    Returns
    -------
    list of EndStates
        Ends of each system's starts.

    References
    ----------
    Brent (1980), An improved Monte Carlo factorization algorithm. BIT 20.

    Examples
    --------
    >>> from rnnstudy.dynamics.networks.adapters import as_networks
    >>> networks = as_networks(lambda inputs, state: 0.5 * state, state_size=1)
    >>> system = AutonomousSystem(networks, 0, np.zeros(0))
    >>> origin = Attractors(np.zeros((1, 1)), np.array([0.1]))
    >>> (ends,) = follow_to_attractors([system], [np.array([[1.0], [0.3]])], [origin], 100, 1e-3)
    >>> ends.steps.tolist()
    [4, 2]
    """
    width = max(1, *map(len, starts), 1)
    most = max(1, *(len(each.radius) for each in attractors), 1)
    per_start = 8 * (STEP_COPIES * starts[0].shape[1] + 4 * most) if starts else 1
    ends: list[EndStates] = []
    for part in batches(len(systems), width * per_start, FOLLOW_BYTES):
        targets = _targets(systems[part], attractors[part], tolerance)
        padded = _pad(starts[part])
        joined = EndStates.join(
            [
                _follow_batch(systems[part], padded[:, columns], targets, steps)
                for columns in batches(padded.shape[1], len(padded) * per_start, FOLLOW_BYTES)
            ],
            axis=1,
        )
        counts = map(len, starts[part])
        ends += [joined.take((row, slice(count))) for row, count in enumerate(counts)]
    return ends


def _pad(starts: Sequence[Array]) -> Array:
    """Return states [system, start, state]. NaN fills rows up, and escapes at once."""
    width = max(1, *map(len, starts), 1)
    padded = np.full((len(starts), width, starts[0].shape[1]), np.nan)
    for row, states in zip(padded, starts, strict=True):
        row[: len(states)] = states
    return padded


def _targets(
    systems: Sequence[AutonomousSystem], attractors: Sequence[Attractors], tolerance: float
) -> tuple[Array, ...]:
    """Return the attractors of a batch as arrays. A negative radius fills a row up."""
    most = max(1, *(len(each.radius) for each in attractors), 1)
    state = np.full((len(systems), most, attractors[0].state.shape[1]), PADDING_COORDINATE)
    radius = np.full((len(systems), most), -1.0)
    for row, reach, each in zip(state, radius, attractors, strict=True):
        row[: len(each.state)], reach[: len(each.radius)] = each.state, each.radius
    scale = np.array([[system.scale] for system in systems])
    return state, radius, scale, tolerance * scale


def _follow_batch(
    systems: Sequence[AutonomousSystem], starts: Array, targets: tuple[Array, ...], steps: int
) -> EndStates:
    """Follow states [system, start, state] for so many steps at most."""
    part = joint_map(systems, starts.shape[1])
    work: Work = run_compiled(_begin, part, starts, targets)
    ends = {name: np.array(values) for name, values in work.items()}
    rows, columns = (np.array(index) for index in np.indices(starts.shape[:2]))
    time = 0
    while time < steps and rows.size and (ends["outcome"] == MOVING).any():
        until = min(steps, time + PACKING_STEPS)
        work = run_compiled(_advance, part, work, targets, time, until)
        time = until
        for name, values in work.items():
            ends[name][rows, columns] = values.numpy()
        active, places = _moving(work["outcome"].numpy() == MOVING)
        if active.size * places.shape[1] <= rows.size // 2:
            part = part.take(active, places)
            targets = tuple(values[active] for values in targets)
            work = {
                name: tf.gather(tf.gather(values, active), places, batch_dims=1)
                for name, values in work.items()
            }
            rows, columns = (
                np.take_along_axis(index[active], places, axis=1) for index in (rows, columns)
            )
    attractor = np.where(ends["outcome"] == ATTRACTOR, ends["nearest"], -1)
    return EndStates(ends["h"], ends["outcome"], attractor, ends["steps"], ends["period"])


def _moving(active: Array) -> tuple[Array, Array]:
    """Return rows and columns [row, column] of the smallest rectangle with all active states."""
    rows = np.flatnonzero(active.any(axis=1))
    width = int(active.sum(axis=1).max(initial=0))
    return rows, np.argsort(~active[rows], axis=1, kind="stable")[:, :width]


def _begin(state_map: StateMap, h: Tensor, targets: Targets) -> Work:
    """Return the quantities of states before their first step. Some states have ended."""
    nearest, arrived = _arrival(h, targets)
    finite = tf.reduce_all(tf.math.is_finite(h), axis=-1)
    zeros = tf.zeros_like(nearest)
    outcome = tf.where(arrived, ATTRACTOR, tf.where(finite, MOVING, ESCAPED))
    return {
        "h": h,
        "outcome": outcome,
        "nearest": nearest,
        "steps": zeros,
        "period": zeros,
        "mark": zeros,
        "reference": h,
        "reach": tf.zeros_like(h[..., 0]),
    }


def _advance(
    state_map: StateMap, work: Work, targets: Targets, time: Tensor, until: Tensor
) -> Work:
    """Step until a time, or until no state moves."""

    def turn(time: Tensor, work: Work) -> tuple[Tensor, Work]:
        return time + 1, _step(state_map, work, targets, time + 1)

    def is_unfinished(time: Tensor, work: Work) -> Tensor:
        return (time < until) & tf.reduce_any(work["outcome"] == MOVING)

    moved: Work = tf.while_loop(is_unfinished, turn, (time, work))[1]
    return moved


def _step(state_map: StateMap, work: Work, targets: Targets, time: Tensor) -> Work:
    h, (_, _, scale, size) = work["h"], targets
    new = state_map(h)
    # A comparison with NaN is false.
    bounded = _rms(new) <= ESCAPE_RADIUS * scale
    new = tf.where(bounded[..., None], new, h)
    nearest, arrived = _arrival(new, targets)
    gap = _rms(new - work["reference"])
    reach = tf.maximum(work["reach"], gap)
    returned = (gap <= RETURN_DISTANCE * scale) & (reach > size)
    at_rest = _rms(new - h) <= REST_STEP * scale
    outcome = tf.fill(tf.shape(gap), MOVING)
    for condition, code in (
        (returned, CYCLING),
        (at_rest, ELSEWHERE),
        (arrived, ATTRACTOR),
        (~bounded, ESCAPED),
    ):
        outcome = tf.where(condition, code, outcome)
    # The reference is renewed at powers of two, so that a cycle of any period is met.
    renew = tf.bitwise.bitwise_and(time, time - 1) == 0
    after = {
        "h": new,
        "outcome": outcome,
        "nearest": nearest,
        "steps": tf.fill(tf.shape(gap), time),
        "period": tf.where(outcome == CYCLING, time - work["mark"], 0),
        "mark": tf.where(renew, time, work["mark"]),
        "reference": tf.where(renew, new, work["reference"]),
        "reach": tf.where(renew, tf.zeros_like(reach), reach),
    }
    moving = work["outcome"] == MOVING
    return {
        name: tf.where(moving[..., None] if len(values.shape) == 3 else moving, values, work[name])
        for name, values in after.items()
    }


def _arrival(h: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return the nearest attractor of each state, and True within its radius."""
    attractors, radius, *_ = targets
    # Without the square of h itself, which is the same for all attractors.
    squares = tf.reduce_sum(attractors**2, axis=-1)[:, None]
    squares -= 2 * h @ tf.linalg.matrix_transpose(attractors)
    nearest = tf.argmin(squares, axis=-1, output_type=tf.int32)
    distance = tf.norm(h - tf.gather(attractors, nearest, batch_dims=1), axis=-1)
    return nearest, distance <= tf.gather(radius, nearest, batch_dims=1)


def _rms(values: Tensor) -> Tensor:
    return tf.sqrt(tf.reduce_mean(values**2, axis=-1))
