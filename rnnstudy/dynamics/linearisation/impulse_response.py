"""Responses of linearised networks to a pulse, and the parts that their slowest modes give."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import Modes, require_map


@dataclass(frozen=True, eq=False)
class Response:
    """Responses to a pulse at each point, and the part that the k slowest modes miss.

    All numbers of a point with a defective Jacobian are NaN.
    """

    total: Array
    """Squared response, summed over time and outputs, `[point]`."""
    missed: Array
    """Same sum for the response without the first modes, up to and with this one, `[point, mode]`.
    """
    mean_error: Array
    """Relative error of the response's mean over time with the first modes, `[point, mode]`. With
    several outputs it is the length of the error over the length of the mean."""

    @property
    def share(self) -> Array:
        """Share 1 - missed / total (R2) of each point, `[point, mode]`; NaN without a response.

        It may be negative between modes that are not at right angles and nearly cancel each other.
        """
        shares: Array = 1.0 - _divide(self.missed, self.total[:, None])
        return shares


def mode_response(
    modes: Modes, pulse: Array, readout: Array | None = None, steps: int = 20
) -> Response:
    """Return the response to a pulse from the k slowest modes, for every k.

    Modes are added from the largest modulus of their eigenvalue down, after Maheswaranathan et al.
    (2019). A conjugate pair is added as one and counts as two modes: until both are included, the
    response is that without the pair.

    Parameters
    ----------
    modes
        Modes of the points.
    pulse
        Change of the state in the first step, `[point, state]`. Afterwards d' = J d.
    readout
        `[state, output]`, or `[point, state, output]`; None for the state itself.
    steps
        Number of states of the response.

    Returns
    -------
    Response
        Squared responses `[point]`, and errors of the first k modes `[point, mode]`.

    Raises
    ------
    ValueError
        If shapes do not fit, or steps is below 1.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> from rnnstudy.dynamics.linearisation.modes import modes
    >>> integrator = modes(np.diag([1.0, 0.0])[None])
    >>> mode_response(integrator, np.array([[1.0, 1.0]]), steps=9).share.tolist()
    [[0.9, 1.0]]
    """
    require_map(modes, "responses in steps")
    points, size = modes.eigenvalues.shape
    if pulse.shape != (points, size):
        raise ValueError(f"pulse must be [{points}, {size}], got shape {pulse.shape}")
    if readout is not None:
        readout = readout_at_points(readout, points, size)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    total, missed = np.full(points, np.nan), np.full((points, size), np.nan)
    mean_error = np.full((points, size), np.nan)
    for point in np.flatnonzero(~modes.defective).tolist():
        at_point = None if readout is None else readout[point]
        partial = _partial_responses(modes, point, pulse[point], at_point, steps)
        total[point] = np.sum(partial[-1] ** 2)
        missed[point] = np.sum((partial[-1] - partial) ** 2, axis=(1, 2))
        means = partial.mean(axis=1)
        error = np.linalg.norm(means - means[-1], axis=1)
        mean_error[point] = _divide(error, np.asarray(np.linalg.norm(means[-1])))
    return Response(total, missed, mean_error)


def readout_at_points(readout: Array, points: int, size: int) -> Array:
    """Return a readout `[state, output]`, or `[point, state, output]`, at each of some points.

    Raises ValueError for another shape.
    """
    if readout.ndim not in (2, 3) or readout.shape[-2] != size:
        raise ValueError(f"readout must be [{size}, output], got shape {readout.shape}")
    if readout.ndim == 3 and len(readout) != points:
        raise ValueError(f"readout must be [{points}, {size}, output], got shape {readout.shape}")
    return np.broadcast_to(readout, (points, *readout.shape[-2:]))


def _partial_responses(
    modes: Modes, point: int, pulse: Array, readout: Array | None, steps: int
) -> Array:
    """Return the response of the first modes for every number of them, [mode, time, output]."""
    values = modes.eigenvalues[point]
    outputs = modes.right[point] if readout is None else modes.right[point] @ readout
    # [mode, time, output]: readout of the right mode x eigenvalue^time x amplitude of the mode.
    powers = values[:, None] ** np.arange(steps)
    amplitude = (modes.left[point] @ pulse)[:, None] * powers
    partial = np.cumsum(amplitude[:, :, None] * outputs[:, None, :], axis=0)
    last = _last_complete(values)
    responses: Array = np.where((last >= 0)[:, None, None], partial[last], 0.0).real
    return responses


def _last_complete(values: Array) -> Array:
    """Return the last position up to each mode that splits no conjugate pair; -1 if none."""
    imaginary = np.cumsum(values.imag)
    size = np.abs(values.imag).max(initial=0.0)
    is_complete = np.abs(imaginary) <= 1e-9 * size
    last: Array = np.maximum.accumulate(np.where(is_complete, np.arange(len(values)), -1))
    return last


def _divide(part: Array, whole: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0.0, part / whole, np.nan)


def n_modes_for_share(share: Array, wanted: float = 0.9) -> Array:
    """Return the least number of modes at which a share is at least `wanted`.

    It is the first such number. A share may fall again where the next modes cancel each other. The
    counts of Hankel singular values do not depend on the order of modes.

    Parameters
    ----------
    share
        Shares by number of modes, `[..., mode]`.
    wanted
        Share to reach.

    Returns
    -------
    Array
        Numbers of modes `[...]`: infinite if the share is never reached, NaN if it is unknown.

    Examples
    --------
    >>> n_modes_for_share(np.array([[0.4, 0.95, 0.2], [0.1, 0.2, 0.3]])).tolist()
    [2.0, inf]
    """
    reached = share >= wanted
    first = np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1.0, np.inf)
    return np.where(np.isnan(share).any(axis=-1), np.nan, first)


def n_modes_within(error: Array, tolerance: float = 0.05) -> Array:
    """Return the least number of modes at which an error is at most `tolerance`.

    Parameters
    ----------
    error
        Errors by number of modes, `[..., mode]`.
    tolerance
        Largest error.

    Returns
    -------
    Array
        Numbers of modes `[...]`: infinite if no number is enough, NaN if the error is unknown.

    Examples
    --------
    >>> n_modes_within(np.array([0.3, 0.04, 0.0])).tolist()
    2.0
    """
    return n_modes_for_share(-error, -tolerance)
