"""Multiple shooting for periodic orbits: F(h_i) = h_(i+1) around the orbit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.root_finding.damping import DampedState, DampingRule

Linearise = Callable[[Array], tuple[Array, Array]]
"""States `[point, state]` -> F `[point, state]` and dF/dh `[point, state, state]`."""

DAMPING = DampingRule(patience=20)
"""Damping of the steps. Their objective is the mean square of the residual."""

ROUNDING_UNITS = 2.0
"""Residuals, in units of the rounding of the states, that need no further step."""

RIDGE = 1e-14
"""Relative diagonal shift that keeps one exactly singular matrix from failing a whole batch."""


@dataclass(frozen=True, eq=False)
class ShootingResult:
    """Ends of multiple shooting.

    Parameters
    ----------
    state
        States, `[orbit, step, state]`.
    jacobian
        dF/dh there, `[orbit, step, state, state]`.
    residual
        F(h_i) - h_(i+1), `[orbit, step, state]`.
    diverged
        Mask of orbits that were not finite from the start, `[orbit]`.
    """

    state: Array
    jacobian: Array
    residual: Array
    diverged: Array

    @classmethod
    def join(cls, parts: "Sequence[ShootingResult]") -> "ShootingResult":
        """Return several results, one after the other."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @property
    def residual_size(self) -> Array:
        """Root mean square of the residual, `[orbit]`."""
        size: Array = np.sqrt(_mean_square(self.residual))
        return size


def multiple_shooting(linearise: Linearise, starts: Array, limit: int) -> ShootingResult:
    """Move orbits until F maps each state to the next, and the last to the first.

    Levenberg-Marquardt moves all states at once. The damping is proportional to the squared
    residual, so convergence is quadratic near a root. All states are unknowns. The equations
    therefore stay as well conditioned as one step of the map, however fast neighbours separate.

    Parameters
    ----------
    linearise
        F and dF/dh at states.
    starts
        First orbits, `[orbit, step, state]`.
    limit
        Largest number of steps.

    References
    ----------
    Yamashita & Fukushima (2001), On the rate of convergence of the Levenberg-Marquardt method.
    """
    state = np.array(starts, np.float64)
    residual, jacobian = _residual(linearise, state)
    square, ones = _mean_square(residual), np.ones(len(state))
    damped = DampedState(square, ones, ones.copy(), square.copy(), np.zeros(len(state), int))
    diverged = ~np.isfinite(square)
    is_active = ~diverged & ~_is_converged(state, residual)
    for _ in range(limit):
        active = np.flatnonzero(is_active)
        if not len(active):
            break
        before = DampedState(*(values[active] for values in damped))
        shift = before.damping * np.minimum(before.objective, 1.0)
        move, slope = _damped_step(jacobian[active], residual[active], shift)
        new = state[active] + move
        new_residual, new_jacobian = _residual(linearise, new)
        is_lower, after = DAMPING.next_state(before, _mean_square(new_residual), slope, np)
        improved = active[is_lower]
        state[improved], residual[improved] = new[is_lower], new_residual[is_lower]
        jacobian[improved] = new_jacobian[is_lower]
        for values, changed in zip(damped, after, strict=True):
            values[active] = changed
        is_active[active] = ~DAMPING.is_stuck(after) & ~_is_converged(
            state[active], residual[active]
        )
    return ShootingResult(state, jacobian, residual, diverged)


def _residual(linearise: Linearise, state: Array) -> tuple[Array, Array]:
    """Return F(h_i) - h_(i+1) and dF/dh of orbits [orbit, step, state]."""
    image, jacobian = linearise(state.reshape(-1, state.shape[-1]))
    with np.errstate(invalid="ignore", over="ignore"):
        residual = image.reshape(state.shape) - np.roll(state, -1, axis=1)
    return residual, jacobian.reshape(*state.shape, state.shape[-1])


def _mean_square(residual: Array) -> Array:
    """Mean square of residuals [orbit, step, state]: [orbit]."""
    with np.errstate(invalid="ignore", over="ignore"):
        square: Array = np.mean(residual**2, axis=(1, 2))
    return square


def _is_converged(state: Array, residual: Array) -> Array:
    """Mask [orbit] of orbits whose residual is rounding."""
    rounding = ROUNDING_UNITS * np.finfo(float).eps * (1.0 + np.abs(state).max(axis=(1, 2)))
    converged: Array = np.abs(residual).max(axis=(1, 2)) <= rounding
    return converged


def _damped_step(jacobian: Array, residual: Array, shift: Array) -> tuple[Array, Array]:
    """Return the step d of (J'J + shift) d = -J'r around the orbit, and |J'r| / |J| |r| [orbit].

    J has dF/dh at each state and -1 to its right, cyclically. J'J is block tridiagonal except for
    its corners.
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
        # Orbits that overflowed have no step. Finite numbers keep them from failing the others.
        overflow = ~np.isfinite(diagonal).all(axis=(1, 2, 3))
        overflow |= ~np.isfinite(gradient).all(axis=(1, 2))
        diagonal[overflow], gradient[overflow] = eye, 0.0
        coupling = np.where(overflow[:, None, None, None], 0.0, -transposed)
        move = _solve_cyclic(diagonal, coupling, -gradient)
        weight = np.linalg.norm(jacobian, axis=(2, 3)).max(axis=1) + 1.0
        length = weight * np.linalg.norm(residual, axis=(1, 2))
        slope = np.linalg.norm(gradient, axis=(1, 2)) / np.maximum(length, 1e-300)
    return move, slope


def _solve_cyclic(diagonal: Array, coupling: Array, right: Array) -> Array:
    """Return the solution [orbit, step, state] of a symmetric, cyclically block tridiagonal system.

    diagonal [orbit, step, state, state]. coupling: of each step to the next one. Each block but the
    last is eliminated in turn. The elimination couples its neighbour to the last block.
    """
    steps = diagonal.shape[1]
    last, right_last = diagonal[:, -1], right[:, -1]
    block, right_block = diagonal[:, 0], right[:, 0]
    # Coupling of block 0 to the last one: transposed from that of the last one to block 0.
    to_last = coupling[:, -1].swapaxes(-1, -2)
    eliminated = []
    for i in range(steps - 1):
        final = i == steps - 2
        coupled = coupling[:, i] + to_last if final else coupling[:, i]
        columns = [coupled] if final else [coupled, to_last]
        columns.append(right_block[..., None])
        solution = np.linalg.solve(block, np.concatenate(columns, axis=-1))
        size = block.shape[-1]
        by_next, by_last, by_right = np.split(solution, [size, solution.shape[-1] - 1], axis=-1)
        constant = by_right[..., 0]
        eliminated.append((by_next, by_last, constant))
        back = coupled.swapaxes(-1, -2)
        if final:
            last = last - back @ by_next
            right_last = right_last - _times(back, constant)
            break
        last = last - to_last.swapaxes(-1, -2) @ by_last
        right_last = right_last - _times(to_last.swapaxes(-1, -2), constant)
        block = diagonal[:, i + 1] - back @ by_next
        right_block = right[:, i + 1] - _times(back, constant)
        to_last = -back @ by_last
    moves = [np.linalg.solve(last, right_last[..., None])[..., 0]]
    for i, (by_next, by_last, constant) in reversed(list(enumerate(eliminated))):
        step = constant - _times(by_next, moves[0])
        moves.insert(0, step if i == steps - 2 else step - _times(by_last, moves[-1]))
    return np.stack(moves, axis=1)


def _times(matrix: Array, vector: Array) -> Array:
    product: Array = (matrix @ vector[..., None])[..., 0]
    return product
