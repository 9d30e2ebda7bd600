"""What single modes of a linearised network contribute to its response to a pulse of input."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import Modes


@dataclass(frozen=True, eq=False)
class Response:
    """Squared responses to a pulse, and what the k slowest modes miss of them.

    total [point]: sum over time and outputs of the squared response; missed [point, mode]: that of
    what is left of it without all but the first modes, so many as the position says plus 1.
    """

    total: Array
    missed: Array

    @property
    def share(self) -> Array:
        """1 - missed / total, summed over all points: [mode]; NaN without a response.

        Below 0 where modes that nearly cancel each other (not at right angles) are parted.
        """
        total = self.total.sum()
        if not total > 0.0:
            return np.full(self.missed.shape[1], np.nan)
        shares: Array = 1.0 - self.missed.sum(axis=0) / total
        return shares


def mode_response(
    modes: Modes, pulse: Array, readout: Array | None = None, steps: int = 20
) -> Response:
    """The response to a pulse as the k slowest modes predict it, for every k (as Maheswaranathan et
    al. 2019 remove them one at a time).

    pulse [point, state]: what the pulse adds to the state, in its first step; then the deviation
    d' = J d goes on by itself, `steps` states in all. readout [state, output]: what is looked at;
    None: the state itself. Modes are taken by falling modulus of their eigenvalue, conjugate pairs
    as one: their first counts for nothing until the second is there. Points whose Jacobian is not
    diagonalisable are left out. ValueError for wrong shapes.
    """
    points, size = modes.eigenvalues.shape
    if pulse.shape != (points, size):
        raise ValueError(f"pulse should be [{points}, {size}], its shape is {pulse.shape}")
    if readout is not None and (readout.ndim != 2 or len(readout) != size):
        raise ValueError(f"readout should be [{size}, output], its shape is {readout.shape}")
    if steps < 1:
        raise ValueError(f"steps should be at least 1, it is {steps}")
    usable: list[int] = np.flatnonzero(~modes.defective).tolist()
    parts = [_of_point(modes, point, pulse[point], readout, steps) for point in usable]
    return Response(
        total=np.array([total for total, _ in parts]),
        missed=np.array([missed for _, missed in parts]).reshape(-1, size),
    )


def _of_point(
    modes: Modes, point: int, pulse: Array, readout: Array | None, steps: int
) -> tuple[float, Array]:
    values = modes.eigenvalues[point]
    seen = modes.right[point] if readout is None else modes.right[point] @ readout
    # [mode, time, output]: readout of right mode x eigenvalue^time x how far the pulse drives it.
    powers = values[:, None] ** np.arange(steps)
    driven = (modes.left[point] @ pulse)[:, None] * powers
    kept = np.cumsum(driven[:, :, None] * seen[:, None, :], axis=0)
    complete = _complete(values)
    kept = np.where((complete >= 0)[:, None, None], kept[complete], 0.0).real
    missed = np.sum((kept[-1] - kept) ** 2, axis=(1, 2))
    return float(np.sum(kept[-1] ** 2)), missed


def _complete(values: Array) -> Array:
    """For each number of modes kept, the last position at which no pair is parted; -1 if none."""
    imaginary = np.cumsum(values.imag)
    size = np.abs(values.imag).max(initial=0.0)
    whole = np.abs(imaginary) <= 1e-9 * size
    found: Array = np.maximum.accumulate(np.where(whole, np.arange(len(values)), -1))
    return found


def n_modes_for_share(share: Array, wanted: float = 0.9) -> int:
    """The least number of modes from which on they give the wanted share [mode] of the response; 0
    if it is never reached (there is no response)."""
    enough = np.flatnonzero(~(share >= wanted))
    if len(enough) == 0:
        return 1
    first = int(enough[-1]) + 2
    return first if first <= len(share) else 0
