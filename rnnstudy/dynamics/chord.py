"""Starts near a root that is known: the root's own matrix takes them there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.dynamics.flow import Dynamics, Flow, compiled
from rnnstudy.dynamics.iterate import Solution, batches, solve
from rnnstudy.dynamics.solvers import Iteration, regular
from rnnstudy.lazy import tf

Array = np.ndarray
Tensor = Any

MATRIX = "chord matrix"
"""Name under which a flow's weights hold the matrices."""

STEPS = Iteration(limit=20, tolerance=1e-20, patience=1)
"""Steps of a chord: each has to shorten the next by a third, and the last is 1e-10 long at most."""

WEAKEST = 1e-5
"""Least singular value of I - J at a root that may take starts in, by its bound from below."""

WIDTH = 32
"""Starts that share a row of the batch, and with it the copy of a matrix."""


@dataclass(frozen=True)
class Chord:
    """h -> h + (I - J)^-1 (F(h) - h) with the Jacobian J of a root that is known.

    Newton's method with one matrix for all states (the chord method: Ortega & Rheinboldt 1970,
    7.1): a step costs a product where Newton's own solves a system. It moves by less and less
    only from states that are near the root, or beyond which the map is much as it is there.
    """

    dynamics: Dynamics

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the input adds."""
        return self.dynamics.drive(w, x)

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state."""
        return h + (self.dynamics.step(w, drive, h) - h) @ w[MATRIX]


@dataclass(frozen=True)
class Known:
    """Isolated roots: member [root], state [root, state] and, transposed, their (I - J)^-1,
    matrix [root, state, state]."""

    member: Array
    state: Array
    matrix: Array

    def join(self, other: "Known") -> "Known":
        """These, then the others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Known(*(np.concatenate(pair) for pair in pairs))


def known(flow: Flow, roots: Sequence[Array]) -> Known:
    """The isolated ones among each member's roots [root, state]."""
    member = np.repeat(np.arange(len(roots)), list(map(len, roots)))
    state = np.concatenate(roots)
    if not len(state):
        return Known(member, state, np.empty((0, *(state.shape[1],) * 2)))
    own = flow.take(member, np.zeros((len(member), 1), int))
    matrix = compiled(_matrix, own, state[:, None]).numpy()[:, 0]
    # So many times the largest number bounds the largest singular value.
    isolated = state.shape[1] * np.abs(matrix).max(axis=(1, 2)) <= 1.0 / WEAKEST
    return Known(member[isolated], state[isolated], matrix[isolated])


def _matrix(flow: Flow, h: Tensor) -> Tensor:
    """Transposed (I - J)^-1 at h."""
    matrix = tf.eye(h.shape[-1], dtype=h.dtype) - flow.linearise(h)[1]
    return tf.linalg.inv(regular(matrix), adjoint=True)


def nearby(
    flow: Flow, starts: Array, left: Array, roots: Known, radius: Array
) -> tuple[Array, Array]:
    """Which root each of the starts that are left reaches by the chord of the nearest: -1 if none.

    starts [member, start, state]; left [member, start]; radius [member]: root mean square distance
    within which it has been reached. Returns the root's position [member, start] and the steps.
    """
    target, steps = np.full(left.shape, -1), np.zeros(left.shape, int)
    root, points = _rows(starts, left, roots)
    copied = starts.shape[2] ** 2 + sum(int(np.prod(w.shape[1:])) for w in flow.weights.values())
    for part in batches(len(root), 2 * copied):
        own, to = points[part], root[part]
        member = roots.member[to]
        found = _followed(flow, starts, member, own, roots.matrix[to])
        apart = np.sqrt(np.mean((found.state - roots.state[to, None]) ** 2, axis=-1))
        near = apart <= radius[member, None]
        row, column = np.nonzero((own >= 0) & near & (found.speed < STEPS.tolerance))
        where = member[row], own[row, column]
        target[where], steps[where] = to[row], found.steps[row, column]
    return target, steps


def _followed(flow: Flow, starts: Array, member: Array, points: Array, matrix: Array) -> Solution:
    """The chords from rows of points [row, point] of a member [row] each, all by one matrix."""
    # What only fills up a row is not finite, and given up at once.
    h = np.where(points[..., None] >= 0, starts[member[:, None], points], np.nan)
    own = flow.take(member, np.maximum(points, 0))
    weights = {**own.weights, MATRIX: matrix}
    chords = Flow(Chord(flow.dynamics), weights, own.drive, own.inputs)
    return solve(chords, STEPS, h, few=points.size)


def _rows(starts: Array, left: Array, roots: Known) -> tuple[Array, Array]:
    """Rows of starts that are left and have one root nearest to them: root [row], and positions
    [row, `WIDTH`], filled up by -1."""
    rows, points = [np.zeros(0, int)], [np.zeros((0, WIDTH), int)]
    for member in np.unique(roots.member):
        own, which = np.flatnonzero(roots.member == member), np.flatnonzero(left[member])
        state = roots.state[own]
        # Squares of distances, but for those of the starts themselves.
        squares = np.sum(state**2, axis=1) - 2.0 * starts[member, which] @ state.T
        nearest = own[np.argmin(squares, axis=1)]
        for root in np.unique(nearest):
            mine = which[nearest == root]
            filled = np.concatenate([mine, np.full(-len(mine) % WIDTH, -1)]).reshape(-1, WIDTH)
            rows.append(np.full(len(filled), root))
            points.append(filled)
    return np.concatenate(rows), np.concatenate(points)
