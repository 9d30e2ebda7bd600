"""Shares of a linearised network's impulse response that its slowest modes explain."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import Modes


@dataclass(frozen=True, eq=False)
class Response:
    """Squared responses to a pulse, and the part that the k slowest modes miss.

    total `[point]`: sum over time and outputs of the squared response. missed `[point, mode]`: the
    same sum for the remainder after the first modes, up to and with this one.
    """

    total: Array
    missed: Array

    @property
    def share(self) -> Array:
        """Share 1 - missed / total, summed over all points, `[mode]`; NaN without a response.

        It may be negative between modes that are not at right angles and nearly cancel each other.
        """
        total = self.total.sum()
        if not total > 0.0:
            return np.full(self.missed.shape[1], np.nan)
        shares: Array = 1.0 - self.missed.sum(axis=0) / total
        return shares


def mode_response(
    modes: Modes, pulse: Array, readout: Array | None = None, steps: int = 20
) -> Response:
    """Return the response to a pulse from the k slowest modes, for every k.

    Modes are added from the largest modulus of their eigenvalue down, after Maheswaranathan et al.
    (2019). A conjugate pair is added as one. Points with a defective Jacobian are omitted.

    Parameters
    ----------
    modes
        Modes of the points.
    pulse
        Change of the state in the first step, `[point, state]`. Afterwards d' = J d.
    readout
        `[state, output]`; None for the state itself.
    steps
        Number of states of the response.
    """
    points, size = modes.eigenvalues.shape
    if pulse.shape != (points, size):
        raise ValueError(f"pulse must be [{points}, {size}], got shape {pulse.shape}")
    if readout is not None and (readout.ndim != 2 or len(readout) != size):
        raise ValueError(f"readout must be [{size}, output], got shape {readout.shape}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    points_with_modes: list[int] = np.flatnonzero(~modes.defective).tolist()
    parts = [_of_point(modes, point, pulse[point], readout, steps) for point in points_with_modes]
    return Response(
        total=np.array([total for total, _ in parts]),
        missed=np.array([missed for _, missed in parts]).reshape(-1, size),
    )


def _of_point(
    modes: Modes, point: int, pulse: Array, readout: Array | None, steps: int
) -> tuple[float, Array]:
    values = modes.eigenvalues[point]
    outputs = modes.right[point] if readout is None else modes.right[point] @ readout
    # [mode, time, output]: readout of the right mode x eigenvalue^time x amplitude of the mode.
    powers = values[:, None] ** np.arange(steps)
    amplitude = (modes.left[point] @ pulse)[:, None] * powers
    partial = np.cumsum(amplitude[:, :, None] * outputs[:, None, :], axis=0)
    last = _last_complete(values)
    partial = np.where((last >= 0)[:, None, None], partial[last], 0.0).real
    missed = np.sum((partial[-1] - partial) ** 2, axis=(1, 2))
    return float(np.sum(partial[-1] ** 2)), missed


def _last_complete(values: Array) -> Array:
    """Return the last position up to each mode that splits no conjugate pair; -1 if none."""
    imaginary = np.cumsum(values.imag)
    size = np.abs(values.imag).max(initial=0.0)
    is_complete = np.abs(imaginary) <= 1e-9 * size
    last: Array = np.maximum.accumulate(np.where(is_complete, np.arange(len(values)), -1))
    return last


def n_modes_for_share(share: Array, wanted: float = 0.9) -> int:
    """Return the least number of modes from which on the share `[mode]` is at least `wanted`.

    It is 0 if the share is never reached.
    """
    enough = np.flatnonzero(~(share >= wanted))
    if len(enough) == 0:
        return 1
    first = int(enough[-1]) + 2
    return first if first <= len(share) else 0
