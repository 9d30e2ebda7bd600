"""Non-normality of Jacobians: departure from normality and transient growth."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arguments import check_whole
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.linearisation.modes import (
    as_jacobians,
    eigenvalues,
    margin_of,
    require_map,
)

MAX_NORM_ROUNDING = 1e-13
"""Relative excess of a power's norm over 1 that rounding explains."""


@dataclass(frozen=True, eq=False)
class NonNormality(Record):
    """Departure from normality and transient growth of Jacobians.

    Examples
    --------
    >>> non_normality(np.array([[[0.5, 4.0], [0.0, 0.5]]])).growth.round(2).tolist()
    [4.06]
    """

    departure: Array = array("point")
    """Henrici's departure sqrt(|J|^2 - sum |eigenvalue|^2), Frobenius norm; 0 if J is normal."""
    relative: Array = array("point")
    """The same as a share of |J|, from 0 to 1."""
    growth: Array = array("point")
    """Largest growth max_k |J^k| of a small disturbance, spectral norm, over k >= 0. It is infinite
    if J has an eigenvalue of modulus above 1 + margin."""
    step: Array = array("point")
    """The k of that maximum; 0 without growth, -1 if it is infinite."""
    settled: Array = array("point")
    """Mask of maxima over all k, not only over the powers up to the limit."""

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per point."""
        names = ("departure", "relative", "growth", "step", "settled")
        return pd.DataFrame({name: getattr(self, name) for name in names})


@one_thread()
def non_normality(points: Any, limit: int = 2000, margin: float | None = None) -> NonNormality:
    """Return departure from normality and transient growth of Jacobians.

    Parameters
    ----------
    points
        Jacobians `[point, state, state]`, or a record with a field `jacobian`.
    limit
        Largest power of J.
    margin
        Excess of a modulus over 1 from which growth is infinite. None: the record's, or 1e-6.

    Returns
    -------
    NonNormality
        Departure, growth and the step of the largest growth.

    References
    ----------
    Henrici 1962. Trefethen & Embree 2005, section 18.

    Examples
    --------
    >>> non_normality(np.eye(2)[None]).departure.tolist()
    [0.0]
    """
    require_map(points, "transient growth")
    jacobian = as_jacobians(points)
    check_whole("limit", limit, least=1)
    margin = margin_of(points, margin)
    departure, relative = henrici(jacobian)
    return NonNormality(departure, relative, *transient_growth(jacobian, limit, margin))


def henrici(jacobian: Array) -> tuple[Array, Array]:
    """Return the departure from normality `[point]` and its share of the norm.

    It is the Frobenius norm of the strictly upper triangle T of a Schur form J = U (D + T) U*
    (Henrici 1962). The difference of squares would lose half the digits.
    """
    from scipy.linalg import schur

    upper = [np.triu(schur(one, output="complex")[0], 1) for one in jacobian]
    departure = np.array([np.linalg.norm(one) for one in upper], float)
    size = np.linalg.norm(jacobian, axis=(1, 2))
    return departure, np.divide(departure, size, out=np.zeros_like(size), where=size > 0)


def transient_growth(jacobian: Array, limit: int, margin: float) -> tuple[Array, Array, Array]:
    """Return max_k |J^k| `[point]`, its k, and a mask of maxima over all k.

    Later powers add nothing after some |J^m| <= 1, since then |J^(qm + r)| <= |J^r|. The Frobenius
    norm bounds the spectral norm. That is computed if it may be a new maximum, and at powers of two
    if it may end the search.
    """
    count, size = jacobian.shape[:2]
    radius = np.abs(eigenvalues(jacobian)).max(axis=1, initial=0.0)
    growth, step = np.ones(count), np.zeros(count, int)
    settled = radius > 1.0 + margin
    growth[settled], step[settled] = np.inf, -1
    active = np.flatnonzero(~settled)
    power = np.broadcast_to(np.eye(size), (len(active), size, size))
    for k in range(1, limit + 1):
        if not len(active):
            break
        power = power @ jacobian[active]
        norm = np.linalg.norm(power, axis=(1, 2))
        is_unsure = (norm > growth[active]) | (bool(k & (k - 1) == 0) & (norm > 1.0))
        norm[is_unsure] = np.linalg.norm(power[is_unsure], 2, axis=(1, 2))
        better = norm > growth[active] * (1.0 + MAX_NORM_ROUNDING)
        better &= is_unsure
        growth[active[better]], step[active[better]] = norm[better], k
        is_over = norm <= 1.0 + MAX_NORM_ROUNDING
        settled[active[is_over]] = True
        active, power = active[~is_over], power[~is_over]
    return growth, step, settled


def kreiss(jacobian: Array, radii: int = 24, angles: int = 64) -> Array:
    """Return lower bounds `[point]` on the Kreiss constants of Jacobians `[point, state, state]`.

    K is the supremum over |z| > 1 of (|z| - 1) |(z - J)^-1|. It is taken over some radii and over
    angles in the upper half plane. The logarithm of |z| - 1 is evenly spaced from 1e-4 to 1e2. By
    Kreiss's theorem K <= max_k |J^k| <= e n K (Trefethen & Embree 2005, section 18). It is infinite
    if an eigenvalue's modulus is above 1.
    """
    bound = np.zeros(len(jacobian))
    eye = np.eye(jacobian.shape[-1])
    for beyond in np.geomspace(1e-4, 1e2, radii):
        for angle in np.linspace(0.0, np.pi, angles):
            z = (1.0 + beyond) * np.exp(1j * angle)
            least = np.linalg.svd(z * eye - jacobian, compute_uv=False)[:, -1]
            bound = np.maximum(bound, beyond / np.maximum(least, np.finfo(float).tiny))
    return np.where(np.abs(eigenvalues(jacobian)).max(axis=1, initial=0.0) > 1.0, np.inf, bound)
