"""Hankel singular values of linearised networks, from an input to a readout."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.linearisation.impulse_response import readout_at_points


@one_thread()
def hankel_singular_values(
    jacobian: Array, effect: Array, readout: Array, steps: int | None = None
) -> Array:
    """Return the Hankel singular values of d' = J d + B u with the output y = C d.

    The Hankel matrix maps past inputs to future outputs. Its singular values do not depend on
    coordinates, and so not on the modes. The best model with k state variables misses a share
    sum_{i > k} s_i^2 / sum_i s_i^2 of its squared norm or more (Eckart & Young 1936).

    Parameters
    ----------
    jacobian
        J, `[point, state, state]`.
    effect
        B, the change of the state by a unit of each input, `[point, state, input]`.
    readout
        C', `[state, output]`, or `[point, state, output]` if it differs between points.
    steps
        Horizon: the number of past and of future time steps. A finite horizon also has values for
        modes on or outside the unit circle, such as that of a perfect integrator. None: no limit.

    Returns
    -------
    Array
        Singular values `[point, value]`, largest first. Without a horizon they are NaN for a point
        with an eigenvalue of modulus 1 or more. With one they are NaN if a response overflows.

    Raises
    ------
    ValueError
        If shapes do not fit, or steps is below 1.

    References
    ----------
    Antoulas 2005, Approximation of large-scale dynamical systems, chapters 4, 5 and 7.

    Examples
    --------
    A perfect integrator has one value, the horizon. A second unit that is not read out has none:

    >>> pulse, readout = np.ones((1, 2, 1)), np.array([[1.0], [0.0]])
    >>> hankel_singular_values(np.diag([1.0, 0.9])[None], pulse, readout, steps=4).round(6).tolist()
    [[4.0, 0.0]]
    """
    points, size = jacobian.shape[:2]
    if jacobian.shape != (points, size, size):
        raise ValueError(f"jacobian must be [point, state, state], got shape {jacobian.shape}")
    if effect.ndim != 3 or effect.shape[:2] != (points, size):
        raise ValueError(f"effect must be [{points}, {size}, input], got shape {effect.shape}")
    readout = readout_at_points(readout, points, size)
    if steps is None:
        parts = zip(jacobian, effect, readout, strict=True)
        values = [_without_horizon(one, b, c) for one, b, c in parts]
        return np.array(values).reshape(points, size)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return _within_horizon(jacobian, effect, readout, steps)


def _within_horizon(jacobian: Array, effect: Array, readout: Array, steps: int) -> Array:
    """Return the singular values of the finite Hankel matrix, [point, value]."""
    responses = _impulse_responses(jacobian, effect, readout, 2 * steps - 1)
    points, _, outputs, inputs = responses.shape
    lag = np.add.outer(np.arange(steps), np.arange(steps))
    blocks = responses[:, lag].transpose(0, 1, 3, 2, 4)  # [point, future, output, past, input]
    matrix = blocks.reshape(points, steps * outputs, steps * inputs)
    is_finite = np.isfinite(matrix).all(axis=(1, 2), keepdims=True)
    values = np.linalg.svd(np.where(is_finite, matrix, 0.0), compute_uv=False)
    known: Array = np.where(is_finite[:, 0], values, np.nan)
    return known[:, : jacobian.shape[1]]


def _impulse_responses(jacobian: Array, effect: Array, readout: Array, steps: int) -> Array:
    """Return C J^t B for the first time steps, [point, time, output, input]."""
    displacement, responses = effect, []
    with np.errstate(invalid="ignore", over="ignore"):
        for _ in range(steps):
            responses.append(np.swapaxes(readout, 1, 2) @ displacement)
            displacement = jacobian @ displacement
    return np.stack(responses, axis=1)


def _without_horizon(jacobian: Array, effect: Array, readout: Array) -> Array:
    """Return the values of one point from its Gramians, [value].

    They are the singular values of the product of the Gramians' square roots.
    """
    from scipy.linalg import solve_discrete_lyapunov

    if np.abs(np.linalg.eigvals(jacobian)).max(initial=0.0) >= 1.0:
        return np.full(len(jacobian), np.nan)
    reachable = solve_discrete_lyapunov(jacobian, effect @ effect.T)
    observable = solve_discrete_lyapunov(jacobian.T, readout @ readout.T)
    values: Array = np.linalg.svd(_root(observable).T @ _root(reachable), compute_uv=False)
    return values


def _root(gramian: Array) -> Array:
    """Return a factor R of a positive semidefinite matrix R R'."""
    values, vectors = np.linalg.eigh((gramian + gramian.T) / 2.0)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def cumulative_energy(values: Array) -> Array:
    """Return the share of squared singular values in the k largest, for every k.

    Parameters
    ----------
    values
        Hankel singular values, `[..., value]`, largest first.

    Returns
    -------
    Array
        Shares `[..., value]`, which rise to 1; NaN if all values are 0.

    Examples
    --------
    >>> cumulative_energy(np.array([3.0, 1.0])).tolist()
    [0.9, 1.0]
    """
    energy = np.cumsum(values**2, axis=-1)
    with np.errstate(invalid="ignore"):
        shares: Array = energy / energy[..., -1:]
    return shares
