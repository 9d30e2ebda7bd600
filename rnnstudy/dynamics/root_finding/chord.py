"""Starts near a root that is known: the root's own matrix takes them there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, StepFunction, compiled
from rnnstudy.dynamics.root_finding.iterate import Solution, solve
from rnnstudy.dynamics.root_finding.linear_systems import regularise
from rnnstudy.dynamics.root_finding.solvers import Iteration

MATRIX = "chord matrix"
"""Name under which a flow's weights hold the matrices."""

STAGES = (4, 2, 14)
"""Steps after each of which what is still under way is put together anew."""

STEPS = Iteration(limit=sum(STAGES), tolerance=1e-20, patience=1)
"""Steps of a chord: each has to shorten the next by a third, and the last is 1e-10 long at most."""

WEAKEST = 1e-5
"""Least singular value of I - J at a root that may take starts in, by its bound from below."""

WIDTH = 16
"""Starts in a row, which shares one matrix."""


@dataclass(frozen=True)
class ChordMap:
    """h -> h + (I - J)^-1 (F(h) - h) with the Jacobian J of a root that is known.

    Newton's method with one matrix for all states (the chord method: Ortega & Rheinboldt 1970,
    7.1): a step costs a product where Newton's own solves a system. It moves by less and less
    only from states that are near the root, or beyond which the map is much as it is there.
    """

    step_function: StepFunction

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the input adds."""
        return self.step_function.drive(w, x)

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state; points [member, row x `WIDTH`, state]."""
        residual = self.step_function.step(w, drive, h) - h
        shape = tf.shape(h)
        rows = tf.reshape(residual, [shape[0], -1, WIDTH, h.shape[-1]])
        return h + tf.reshape(rows @ w[MATRIX], shape)


@dataclass(frozen=True)
class KnownRoots:
    """Isolated roots: member [root], state [root, state] and, transposed, their (I - J)^-1,
    matrix [root, state, state]."""

    member: Array
    state: Array
    matrix: Array

    def join(self, other: "KnownRoots") -> "KnownRoots":
        """These, then the others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return KnownRoots(*(np.concatenate(pair) for pair in pairs))


def isolated_roots(state_map: StateMap, roots: Sequence[Array]) -> KnownRoots:
    """The isolated ones among each member's roots [root, state]."""
    counts, size = list(map(len, roots)), roots[0].shape[1]
    state = np.full((len(roots), max(counts), size), np.nan)
    real = np.arange(max(counts)) < np.array(counts)[:, None]
    state[real] = np.concatenate(roots)
    if not real.any():
        return KnownRoots(np.zeros(0, int), state[real], np.empty((0, size, size)))
    matrix = compiled(_matrix, state_map, state, np.zeros(real.shape, int)).numpy()[real]
    # So many times the largest number bounds the largest singular value.
    isolated = size * np.abs(matrix).max(axis=(1, 2)) <= 1.0 / WEAKEST
    return KnownRoots(np.nonzero(real)[0][isolated], state[real][isolated], matrix[isolated])


def _matrix(state_map: StateMap, h: Tensor, at: Tensor) -> Tensor:
    """Transposed (I - J)^-1 at h [member, root, state], each at one of the flow's points."""
    matrix = tf.eye(h.shape[-1], dtype=h.dtype) - state_map.at_points(at).linearise(h)[1]
    return tf.linalg.inv(regularise(matrix), adjoint=True)


def nearest_root_index(starts: Array, left: Array, roots: KnownRoots) -> Array:
    """Which root is nearest to each start that is left: its position [member, start], -1 for none.

    starts [member, start, state]; left [member, start].
    """
    nearest = np.full(left.shape, -1)
    for member in np.unique(roots.member):
        own, which = np.flatnonzero(roots.member == member), np.flatnonzero(left[member])
        state = roots.state[own]
        # Squares of distances, but for those of the starts themselves.
        squares = np.sum(state**2, axis=1) - 2.0 * starts[member, which] @ state.T
        nearest[member, which] = own[np.argmin(squares, axis=1)]
    return nearest


def absorb_by_chord(
    state_map: StateMap, starts: Array, target: Array, roots: KnownRoots, radius: Array
) -> tuple[Array, Array]:
    """Which starts reach their target by its chord: its position [member, start], else -1.

    starts [member, start, state], all of one member at the same input; target [member, start]:
    position of a root, -1 for none; radius [member]: root mean square distance within which it has
    been reached. Returns the steps [member, start] as well.
    """
    found, going = Solution.unsolved(starts), target
    for limit in STAGES:
        if (going >= 0).any():
            _follow(state_map, found, going, roots, limit)
            going = np.where(found.done | found.diverged, -1, going)
    near = target >= 0
    apart = np.sqrt(np.mean((found.state[near] - roots.state[target[near]]) ** 2, axis=-1))
    within = np.repeat(radius, near.sum(axis=1))
    near[near] = (apart <= within) & (found.speed[near] < STEPS.tolerance)
    return np.where(near, target, -1), np.where(near, found.steps, 0)


def _follow(
    state_map: StateMap, found: Solution, target: Array, roots: KnownRoots, limit: int
) -> None:
    """Enter so many steps of the chords from the states that have a target [member, start]."""
    root, points = _rows(target)
    members = np.arange(len(target))[:, None]
    copied = len(target) * (found.state.shape[2] ** 2 + WIDTH * found.state.shape[2])
    for part in batches(root.shape[1], 8 * 2 * copied):
        own = points[:, WIDTH * part.start : WIDTH * part.stop]
        # What only fills up a row is not finite, and given up at once.
        h = np.where(own[..., None] >= 0, found.state[members, own], np.nan)
        weights = {**state_map.weights, MATRIX: roots.matrix[root[:, part]]}
        chords = StateMap(
            ChordMap(state_map.step_function), weights, state_map.drive, state_map.inputs
        )
        reached = solve(chords, STEPS, h, np.maximum(own, 0), limit, packed=False)
        for i, filled in enumerate(own >= 0):
            before = found.steps[i, own[i, filled]]
            found.enter(i, own[i, filled], reached, np.flatnonzero(filled))
            found.steps[i, own[i, filled]] += before


def _rows(target: Array) -> tuple[Array, Array]:
    """Starts of one target [member, start] side by side, in rows of `WIDTH`: each row's root
    [member, row] and its starts [member, row x `WIDTH`], filled up by -1."""
    rows = [_rows_of(own) for own in target]
    most = max(len(root) for root, _ in rows)
    root, points = np.zeros((len(rows), most), int), np.full((len(rows), most, WIDTH), -1)
    for i, (own, starts) in enumerate(rows):
        root[i, : len(own)], points[i, : len(own)] = own, starts
    return root, points.reshape(len(rows), most * WIDTH)


def _rows_of(target: Array) -> tuple[Array, Array]:
    """Those of one member: root [row] and starts [row, `WIDTH`]."""
    order = np.argsort(target, kind="stable")[np.count_nonzero(target < 0) :]
    root, first, count = np.unique(target[order], return_index=True, return_counts=True)
    needed = -(-count // WIDTH)
    begin = WIDTH * (np.cumsum(needed) - needed)
    points = np.full(WIDTH * needed.sum(), -1)
    points[np.repeat(begin - first, count) + np.arange(len(order))] = order
    return np.repeat(root, needed), points.reshape(-1, WIDTH)
