"""Many states followed until each has settled, escaped or come round: the loop under basins."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, compiled
from rnnstudy.dynamics.states.outcomes import Outcomes

Work = dict[str, Tensor]

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

FAR = 1e6
"""Root mean square, as a share of the scale, beyond which a state has escaped."""

STILL = 1e-10
"""Root mean square of a step, as a share of the scale, at which a state stands."""

RETURN = 1e-8
"""Distance, as a share of the scale, at which a state has come back to where it was."""

CHUNK = 64
"""Steps after which states that have arrived leave the batch."""


@dataclass(frozen=True, eq=False)
class Targets:
    """Where states may end: state [pair, attractor, state], radius [pair, attractor] within which a
    state has arrived (negative: no attractor), and per pair the `scale` of states (root mean
    square) and the least `size` of a cycle, [pair, 1]."""

    state: Array
    radius: Array
    scale: Array
    size: Array

    def take(self, pairs: Array) -> "Targets":
        parts = (values[pairs] for values in (self.state, self.radius, self.scale, self.size))
        return Targets(*parts)

    @property
    def parts(self) -> tuple[Array, ...]:
        return self.state, self.radius, self.scale, self.size


@dataclass(frozen=True, eq=False)
class Ends:
    """What became of states: each [pair, point], the last state [pair, point, state]."""

    state: Array
    outcome: Array
    attractor: Array
    steps: Array
    period: Array

    @classmethod
    def joined(cls, parts: "Sequence[Ends]", axis: int) -> "Ends":
        """Several, end to end along the pairs (0) or the points (1)."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(p, name) for p in parts], axis) for name in names))


def settled(state_map: StateMap, starts: Array, targets: Targets, steps: int) -> Ends:
    """Follow states [pair, point, state] for so many steps at most.

    A state ends where it comes within the radius of an attractor, does not move any more, comes
    back to an earlier state of its own after having been away (Brent 1980), or leaves for good.
    """
    work: Work = compiled(_begun, state_map, starts, targets.parts)
    ends = {name: np.array(values) for name, values in work.items()}
    pairs, points = (np.array(part) for part in np.indices(starts.shape[:2]))
    time, part, near = 0, state_map, targets
    while time < steps and pairs.size and (ends["outcome"] == MOVING).any():
        until = min(steps, time + CHUNK)
        work = compiled(_moved, part, work, near.parts, time, until)
        time = until
        for name, values in work.items():
            ends[name][pairs, points] = values.numpy()
        rows, columns = _moving(work["outcome"].numpy() == MOVING)
        if rows.size * columns.shape[1] <= pairs.size // 2:
            part, near = part.take(rows, columns), near.take(rows)
            work = {
                name: tf.gather(tf.gather(values, rows), columns, batch_dims=1)
                for name, values in work.items()
            }
            pairs, points = (
                np.take_along_axis(places[rows], columns, axis=1) for places in (pairs, points)
            )
    names = ("h", "outcome", "nearest", "steps", "period")
    found = Ends(*(ends[name] for name in names))
    arrived = found.outcome == ATTRACTOR
    return replace(found, attractor=np.where(arrived, found.attractor, -1))


def _moving(active: Array) -> tuple[Array, Array]:
    """The smallest rectangular batch that holds the active points: pairs [row], points [row, n]."""
    rows = np.flatnonzero(active.any(axis=1))
    width = int(active.sum(axis=1).max(initial=0))
    return rows, np.argsort(~active[rows], axis=1, kind="stable")[:, :width]


def _begun(state_map: StateMap, h: Tensor, targets: tuple[Tensor, ...]) -> Work:
    """What is known of states before their first step; some are there already."""
    nearest, there = _arrived(h, targets)
    finite = tf.reduce_all(tf.math.is_finite(h), axis=-1)
    nothing = tf.zeros_like(nearest)
    outcome = tf.where(there, ATTRACTOR, tf.where(finite, MOVING, ESCAPED))
    return {
        "h": h,
        "outcome": outcome,
        "nearest": nearest,
        "steps": nothing,
        "period": nothing,
        "mark": nothing,
        "reference": h,
        "reach": tf.zeros_like(h[..., 0]),
    }


def _moved(
    state_map: StateMap, work: Work, targets: tuple[Tensor, ...], time: Tensor, until: Tensor
) -> Work:
    """Steps until a time, or until no state moves any more."""

    def turn(time: Tensor, work: Work) -> tuple[Tensor, Work]:
        return time + 1, _step(state_map, work, targets, time + 1)

    def unfinished(time: Tensor, work: Work) -> Tensor:
        return (time < until) & tf.reduce_any(work["outcome"] == MOVING)

    moved: Work = tf.while_loop(unfinished, turn, (time, work))[1]
    return moved


def _step(state_map: StateMap, work: Work, targets: tuple[Tensor, ...], time: Tensor) -> Work:
    h, (_, _, scale, size) = work["h"], targets
    new = state_map(h)
    # A comparison with NaN is false.
    kept = _rms(new) <= FAR * scale
    new = tf.where(kept[..., None], new, h)
    nearest, there = _arrived(new, targets)
    gap = _rms(new - work["reference"])
    reach = tf.maximum(work["reach"], gap)
    back = (gap <= RETURN * scale) & (reach > size)
    still = _rms(new - h) <= STILL * scale
    outcome = tf.fill(tf.shape(gap), MOVING)
    for holds, code in ((back, CYCLING), (still, ELSEWHERE), (there, ATTRACTOR), (~kept, ESCAPED)):
        outcome = tf.where(holds, code, outcome)
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


def _arrived(h: Tensor, targets: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The nearest attractor of each state, and whether the state is within its radius."""
    places, radius, *_ = targets
    # Without the square of h itself, which is the same for all attractors.
    squares = tf.reduce_sum(places**2, axis=-1)[:, None] - 2 * h @ tf.linalg.matrix_transpose(
        places
    )
    nearest = tf.argmin(squares, axis=-1, output_type=tf.int32)
    distance = tf.norm(h - tf.gather(places, nearest, batch_dims=1), axis=-1)
    return nearest, distance <= tf.gather(radius, nearest, batch_dims=1)


def _rms(values: Tensor) -> Tensor:
    return tf.sqrt(tf.reduce_mean(values**2, axis=-1))
