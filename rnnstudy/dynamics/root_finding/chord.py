"""Chord method: starts near a known root follow steps with that root's frozen Jacobian."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, WrappedStep, run_compiled
from rnnstudy.dynamics.root_finding.first_order import Iteration
from rnnstudy.dynamics.root_finding.iterate import Solution, solve
from rnnstudy.dynamics.root_finding.linear_systems import regularise

MATRIX = "chord matrix"
"""Name of the matrices among the weights of a chord map."""

STAGES = (4, 2, 14)
"""Numbers of steps after each of which the remaining starts are packed anew."""

CHORD_STEPS = Iteration(limit=sum(STAGES), tolerance=1e-20, patience=1)
"""Chord iteration. Each step must shorten the next by a third. The last is at most 1e-10 long."""

MIN_SINGULAR_VALUE = 1e-5
"""Least singular value of I - J at a root that may absorb starts, by its bound from below."""

ROW_WIDTH = 16
"""Starts in a row, which shares one matrix."""


@dataclass(frozen=True)
class ChordMap(WrappedStep):
    """Map h -> h + (I - J)^-1 (F(h) - h) with the Jacobian J of a known root.

    It is Newton's method with one matrix for all states (chord method: Ortega & Rheinboldt 1970,
    7.1). A step costs a product in place of a linear solve. It contracts near the root.
    """

    own_free_axes: ClassVar[Mapping[str, int]] = {MATRIX: 2}

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        residual = self.step_function.step(w, drive, h) - h
        shape = tf.shape(h)
        rows = tf.reshape(residual, [shape[0], -1, ROW_WIDTH, h.shape[-1]])
        return h + tf.reshape(rows @ w[MATRIX], shape)


@dataclass(frozen=True)
class KnownRoots:
    """Isolated roots, end to end.

    member `[root]`. state `[root, state]`. matrix `[root, state, state]`: (I - J)^-1 transposed.
    """

    member: Array
    state: Array
    matrix: Array

    def join(self, other: "KnownRoots") -> "KnownRoots":
        """Return these roots, then the others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return KnownRoots(*(np.concatenate(pair) for pair in pairs))


def isolated_roots(state_map: StateMap, roots: Sequence[Array]) -> KnownRoots:
    """Return the isolated ones among each member's roots `[root, state]`."""
    counts, size = list(map(len, roots)), roots[0].shape[1]
    state = np.full((len(roots), max(counts), size), np.nan)
    is_root = np.arange(max(counts)) < np.array(counts)[:, None]
    state[is_root] = np.concatenate(roots)
    if not is_root.any():
        return KnownRoots(np.zeros(0, int), state[is_root], np.empty((0, size, size)))
    points = np.zeros(is_root.shape, int)
    matrix = run_compiled(_chord_matrix, state_map, state, points).numpy()[is_root]
    # The largest entry times the size bounds the largest singular value.
    is_isolated = size * np.abs(matrix).max(axis=(1, 2)) <= 1.0 / MIN_SINGULAR_VALUE
    members = np.nonzero(is_root)[0]
    return KnownRoots(members[is_isolated], state[is_root][is_isolated], matrix[is_isolated])


def _chord_matrix(state_map: StateMap, h: Tensor, at: Tensor) -> Tensor:
    """Return (I - J)^-1 transposed at h `[member, root, state]`, each at one point of the map."""
    matrix = tf.eye(h.shape[-1], dtype=h.dtype) - state_map.at_points(at).linearise(h)[1]
    return tf.linalg.inv(regularise(matrix), adjoint=True)


def nearest_root_index(starts: Array, mask: Array, roots: KnownRoots) -> Array:
    """Return the position of the root nearest to each start, `[member, start]`; -1 for none.

    starts `[member, start, state]`. mask `[member, start]`: starts that are wanted.
    """
    nearest = np.full(mask.shape, -1)
    for member in np.unique(roots.member):
        indices, points = np.flatnonzero(roots.member == member), np.flatnonzero(mask[member])
        state = roots.state[indices]
        # Squared distances without the starts' own squares, which are equal for all roots.
        squares = np.sum(state**2, axis=1) - 2.0 * starts[member, points] @ state.T
        nearest[member, points] = indices[np.argmin(squares, axis=1)]
    return nearest


def absorb_by_chord(
    state_map: StateMap, starts: Array, target: Array, roots: KnownRoots, radius: Array
) -> tuple[Array, Array]:
    """Return the root that each start reaches by its target's chord, -1 for none, and the steps.

    Parameters
    ----------
    starts
        `[member, start, state]`, all of one member at the same input.
    target
        Position of a root `[member, start]`; -1 for none.
    radius
        Root mean square distance `[member]` within which a root is reached.
    """
    ends, moving = Solution.at_starts(starts), target
    for limit in STAGES:
        if (moving >= 0).any():
            _follow_chords(state_map, ends, moving, roots, limit)
            moving = np.where(ends.is_done | ends.diverged, -1, moving)
    mask = target >= 0
    distance = np.sqrt(np.mean((ends.state[mask] - roots.state[target[mask]]) ** 2, axis=-1))
    is_near = distance <= np.repeat(radius, mask.sum(axis=1))
    mask[mask] = is_near & (ends.speed[mask] < CHORD_STEPS.tolerance)
    return np.where(mask, target, -1), np.where(mask, ends.steps, 0)


def _follow_chords(
    state_map: StateMap, ends: Solution, target: Array, roots: KnownRoots, limit: int
) -> None:
    """Write `limit` chord steps of the starts that have a target `[member, start]` into `ends`."""
    root, points = _rows(target)
    members = np.arange(len(target))[:, None]
    numbers = len(target) * (ends.state.shape[2] ** 2 + ROW_WIDTH * ends.state.shape[2])
    for part in batches(root.shape[1], 8 * 2 * numbers):
        block = points[:, ROW_WIDTH * part.start : ROW_WIDTH * part.stop]
        # Places that only fill up a row are NaN, and given up at once.
        h = np.where(block[..., None] >= 0, ends.state[members, block], np.nan)
        step_function = ChordMap(state_map.step_function)
        chords = state_map.wrap(step_function, {MATRIX: roots.matrix[root[:, part]]})
        solution = solve(chords, CHORD_STEPS, h, np.maximum(block, 0), limit, packed=False)
        for i, is_start in enumerate(block >= 0):
            rows = block[i, is_start]
            steps = ends.steps[i, rows]
            ends.enter(i, rows, solution, np.flatnonzero(is_start))
            ends.steps[i, rows] += steps


def _rows(target: Array) -> tuple[Array, Array]:
    """Return starts of one target `[member, start]` side by side, in rows of `ROW_WIDTH`.

    Returns each row's root `[member, row]` and its starts `[member, row x width]`, filled by -1.
    """
    rows = [_rows_of(targets) for targets in target]
    count = max(len(root) for root, _ in rows)
    root, points = np.zeros((len(rows), count), int), np.full((len(rows), count, ROW_WIDTH), -1)
    for i, (roots, starts) in enumerate(rows):
        root[i, : len(roots)], points[i, : len(roots)] = roots, starts
    return root, points.reshape(len(rows), count * ROW_WIDTH)


def _rows_of(target: Array) -> tuple[Array, Array]:
    """Return the rows of one member: root `[row]` and starts `[row, ROW_WIDTH]`."""
    order = np.argsort(target, kind="stable")[np.count_nonzero(target < 0) :]
    root, first, count = np.unique(target[order], return_index=True, return_counts=True)
    needed = -(-count // ROW_WIDTH)
    begin = ROW_WIDTH * (np.cumsum(needed) - needed)
    points = np.full(ROW_WIDTH * needed.sum(), -1)
    points[np.repeat(begin - first, count) + np.arange(len(order))] = order
    return np.repeat(root, needed), points.reshape(-1, ROW_WIDTH)
