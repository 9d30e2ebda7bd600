"""Periodic orbits by multiple shooting, F(h_i) = h_(i+1) around the cycle; their multipliers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Annotated

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Component

Linearise = Callable[[Array], tuple[Array, Array]]
"""States [point, state] -> F [point, state] and dF/dh [point, state, state]."""

ACCEPT, REJECT = 0.2, 6.0
"""Factors of the damping after a step that lowers the residual, and after one that does not."""

MOST_DAMPING = 1e12
"""Damping beyond which an orbit is stuck."""

FLAT = 1e-9
"""An orbit is stuck where |J'r| is below this share of |J| |r|: a minimum of |r|, no root."""

PATIENCE = 20
"""Steps within which |r|^2 has to halve."""

ROUNDING = 2.0
"""Residuals, in units of the rounding of the states, that need no further step."""

RIDGE = 1e-14
"""Relative diagonal shift that keeps one exactly singular matrix from failing a whole batch."""


class Shooting(Component):
    """How periodic orbits are looked for."""

    candidates: Annotated[int, Field(ge=1)] = 128
    """Number of starts per network, input and period, if none are given."""

    transient: Annotated[int, Field(ge=0)] = 200
    """Steps that half of these starts are followed first: they come to attracting orbits, the
    others to the rest."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states as a share of their root mean square."""

    rounds: Annotated[int, Field(ge=0)] = 3
    """Further rounds at most, each with as many mixtures of the solutions so far as there were
    starts, as long as they bring new ones."""

    limit: Annotated[int, Field(ge=0)] = 120
    """Largest number of steps of the solver."""

    residual: Annotated[float, Field(gt=0)] = 1e-10
    """Largest root mean square of F(h_i) - h_(i+1), as a share of the states'."""

    newton_step: Annotated[float, Field(gt=0)] = 1e-7
    """Largest Newton step, as a share of the states' root mean square."""

    degenerate: Annotated[float, Field(ge=0)] = 1e-6
    """Smallest singular value of the orbit's equations below which it is one of a continuum or
    about to vanish, and not counted."""

    merge: Annotated[float, Field(gt=0)] = 1e-5
    """Distance of states within which two orbits are one, as a share of their root mean square."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of a multiplier's modulus from 1 within which it counts as neither side."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the starts."""


@dataclass(frozen=True, eq=False)
class Shots:
    """Where shooting ended: states [orbit, step, state], the Jacobians [orbit, step, state, state]
    and residuals F(h_i) - h_(i+1) [orbit, step, state] there, and which orbits [orbit] were not
    finite from the start."""

    state: Array
    jacobian: Array
    residual: Array
    diverged: Array

    @classmethod
    def joined(cls, parts: "Sequence[Shots]") -> "Shots":
        """Several, end to end."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @property
    def size(self) -> Array:
        """Root mean square of the residual: [orbit]."""
        return np.sqrt(_square(self.residual))


def shoot(linearise: Linearise, starts: Array, limit: int) -> Shots:
    """Move orbits [orbit, step, state] until F maps each state to the next, the last to the first.

    Levenberg-Marquardt on all states at once, with a damping in proportion to the squared residual,
    so that it is quadratic near a root (Yamashita & Fukushima 2001). As all states are unknowns,
    the equations stay as tame as one step of the map, however fast neighbours part from each other.
    """
    state = np.array(starts, np.float64)
    residual, jacobian = _residual(linearise, state)
    square = _square(residual)
    damping, mark, age = np.ones(len(state)), square.copy(), np.zeros(len(state), int)
    diverged = ~np.isfinite(square)
    active = ~diverged & ~_arrived(state, residual)
    for _ in range(limit):
        here = np.flatnonzero(active)
        if not len(here):
            break
        shift = damping[here] * np.minimum(square[here], 1.0)
        move, slope = _damped(jacobian[here], residual[here], shift)
        tried = state[here] + move
        off, matrix = _residual(linearise, tried)
        new = _square(off)
        # A comparison with NaN is false, and such a step is not taken.
        better = new < (1.0 - 1e-8) * square[here]
        good = here[better]
        state[good], residual[good], jacobian[good] = tried[better], off[better], matrix[better]
        square[good] = new[better]
        damping[here] *= np.where(better, ACCEPT, REJECT)
        halved = square[here] < 0.5 * mark[here]
        mark[here[halved]] = square[here[halved]]
        age[here] = np.where(halved, 0, age[here] + 1)
        stuck = (damping[here] > MOST_DAMPING) | (slope < FLAT) | (age[here] >= PATIENCE)
        active[here] = ~stuck & ~_arrived(state[here], residual[here])
    return Shots(state, jacobian, residual, diverged)


def _residual(linearise: Linearise, state: Array) -> tuple[Array, Array]:
    """F(h_i) - h_(i+1) and dF/dh of orbits [orbit, step, state]."""
    image, jacobian = linearise(state.reshape(-1, state.shape[-1]))
    with np.errstate(invalid="ignore", over="ignore"):
        off = image.reshape(state.shape) - np.roll(state, -1, axis=1)
    return off, jacobian.reshape(*state.shape, state.shape[-1])


def _square(residual: Array) -> Array:
    """Mean square of residuals [orbit, step, state]: [orbit]."""
    with np.errstate(invalid="ignore", over="ignore"):
        square: Array = np.mean(residual**2, axis=(1, 2))
    return square


def _arrived(state: Array, residual: Array) -> Array:
    rounding = ROUNDING * np.finfo(float).eps * (1.0 + np.abs(state).max(axis=(1, 2)))
    arrived: Array = np.abs(residual).max(axis=(1, 2)) <= rounding
    return arrived


def _damped(jacobian: Array, residual: Array, shift: Array) -> tuple[Array, Array]:
    """The step d of (J'J + shift) d = -J'r around the cycle, and |J'r| / |J| |r| [orbit].

    J has the blocks dF/dh at each state and -1 to the right of it, cyclically: J'J is block
    tridiagonal but for its corners, and is eliminated block by block.
    """
    _, steps, size, _ = jacobian.shape
    eye = np.eye(size)
    with np.errstate(invalid="ignore", over="ignore"):
        if steps == 1:
            jacobian = jacobian - eye
        transposed = jacobian.swapaxes(-1, -2)
        pulled = _times(transposed, residual)
        diagonal = transposed @ jacobian + shift[:, None, None, None] * eye
        gradient = pulled if steps == 1 else pulled - np.roll(residual, 1, axis=1)
        if steps > 1:
            diagonal = diagonal + eye
        largest = np.abs(diagonal).max(axis=(1, 2, 3))[:, None, None, None]
        diagonal = diagonal + RIDGE * largest * eye
        # What overflowed has no step; a finite stand-in keeps it from failing the others.
        lost = ~np.isfinite(diagonal).all(axis=(1, 2, 3)) | ~np.isfinite(gradient).all(axis=(1, 2))
        diagonal[lost], gradient[lost] = eye, 0.0
        coupling = np.where(lost[:, None, None, None], 0.0, -transposed)
        move = _around(diagonal, coupling, -gradient)
        weight = np.linalg.norm(jacobian, axis=(2, 3)).max(axis=1) + 1.0
        length = weight * np.linalg.norm(residual, axis=(1, 2))
        slope = np.linalg.norm(gradient, axis=(1, 2)) / np.maximum(length, 1e-300)
    return move, slope


def _around(diagonal: Array, coupling: Array, right: Array) -> Array:
    """Solution [orbit, step, state] of a symmetric, cyclically block tridiagonal system.

    diagonal [orbit, step, state, state]; coupling: of each step to the next one. Each block but the
    last is eliminated in turn; what it leaves between its neighbour and the last block is carried.
    """
    steps = diagonal.shape[1]
    last, right_last = diagonal[:, -1], right[:, -1]
    now, right_now = diagonal[:, 0], right[:, 0]
    # Of block 0 to the last one: the transpose of the last one's coupling to block 0.
    carried = coupling[:, -1].swapaxes(-1, -2)
    kept = []
    for i in range(steps - 1):
        final = i == steps - 2
        ahead = coupling[:, i] + carried if final else coupling[:, i]
        columns = [ahead, right_now[..., None]] if final else [ahead, carried, right_now[..., None]]
        solved = np.linalg.solve(now, np.concatenate(columns, axis=-1))
        size = now.shape[-1]
        by_next, by_last, own = solved[..., :size], solved[..., size:-1], solved[..., -1]
        kept.append((by_next, by_last, own))
        if final:
            last = last - ahead.swapaxes(-1, -2) @ by_next
            right_last = right_last - _times(ahead.swapaxes(-1, -2), own)
            break
        back = ahead.swapaxes(-1, -2)
        last = last - carried.swapaxes(-1, -2) @ by_last
        right_last = right_last - _times(carried.swapaxes(-1, -2), own)
        now, right_now = diagonal[:, i + 1] - back @ by_next, right[:, i + 1] - _times(back, own)
        carried = -back @ by_last
    found = [np.linalg.solve(last, right_last[..., None])[..., 0]]
    for i, (by_next, by_last, own) in reversed(list(enumerate(kept))):
        step = own - _times(by_next, found[0])
        found.insert(0, step if i == steps - 2 else step - _times(by_last, found[-1]))
    return np.stack(found, axis=1)


def _times(matrix: Array, vector: Array) -> Array:
    product: Array = (matrix @ vector[..., None])[..., 0]
    return product
