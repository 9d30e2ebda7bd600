"""What eigenvalues do not tell: how far from normal a Jacobian is, and what that does at first."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.linearisation.modes import as_jacobians, eigenvalues

ROUNDING = 1e-13
"""Relative excess over 1 of a power's norm that is put down to rounding."""


@dataclass(frozen=True, eq=False)
class NonNormality(Record):
    """How Jacobians act beside their eigenvalues."""

    departure: Array = array("point")
    """Henrici's, in the Frobenius norm: sqrt(|J|^2 - sum |eigenvalue|^2); 0 if J is normal."""
    relative: Array = array("point")
    """The same as a share of |J|, from 0 to 1."""
    growth: Array = array("point")
    """max_k |J^k| in the spectral norm over all k >= 0: how much a small disturbance can grow.
    Infinite if J has an eigenvalue of modulus above 1 + margin."""
    step: Array = array("point")
    """The k of that maximum, 0 if nothing grows; -1 if it is infinite."""
    settled: Array = array("point")
    """Whether the maximum is one over all k, not only over those that were tried."""

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per point."""
        names = ("departure", "relative", "growth", "step", "settled")
        return pd.DataFrame({name: getattr(self, name) for name in names})


@one_thread()
def non_normality(points: Any, limit: int = 2000, margin: float | None = None) -> NonNormality:
    """Departure from normality and transient growth of Jacobians [point, state, state] or a record.

    limit: largest power tried. ValueError if Jacobians are not square or not finite.
    """
    jacobian = as_jacobians(points)
    margin = getattr(points, "margin", 1e-6) if margin is None else margin
    departure, relative = henrici(jacobian)
    return NonNormality(departure, relative, *transient_growth(jacobian, limit, margin))


def henrici(jacobian: Array) -> tuple[Array, Array]:
    """Departure from normality [point] of [point, state, state] and its share of the norm.

    Henrici (1962), Frobenius norm: of the strictly upper triangle T of a Schur form J = U (D + T)
    U*, from which it is taken here, since the difference of squares loses half the digits.
    """
    from scipy.linalg import schur

    upper = [np.triu(schur(one, output="complex")[0], 1) for one in jacobian]
    departure = np.array([np.linalg.norm(one) for one in upper], float)
    size = np.linalg.norm(jacobian, axis=(1, 2))
    return departure, np.divide(departure, size, out=np.zeros_like(size), where=size > 0)


def transient_growth(jacobian: Array, limit: int, margin: float) -> tuple[Array, Array, Array]:
    """max_k |J^k| of Jacobians [point, state, state], its k, and whether it is one over all k.

    It is as soon as some |J^m| <= 1: then |J^(qm + r)| <= |J^r|, and later powers add nothing. The
    Frobenius norm bounds the spectral norm, which is computed where it may be a new maximum, and
    at powers of two where it may end the search.
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
        unsure = (norm > growth[active]) | (bool(k & (k - 1) == 0) & (norm > 1.0))
        norm[unsure] = np.linalg.norm(power[unsure], 2, axis=(1, 2))
        better = norm > growth[active] * (1.0 + ROUNDING)
        better &= unsure
        growth[active[better]], step[active[better]] = norm[better], k
        over = norm <= 1.0 + ROUNDING
        settled[active[over]] = True
        active, power = active[~over], power[~over]
    return growth, step, settled


def kreiss(jacobian: Array, radii: int = 24, angles: int = 64) -> Array:
    """Lower bounds [point] on the Kreiss constants of [point, state, state].

    K = sup over |z| > 1 of (|z| - 1) |(z - J)^-1|, here over so many radii, spaced evenly in the
    logarithm of |z| - 1 from 1e-4 to 1e2, and angles in the upper half plane. Kreiss's matrix
    theorem: K <= max_k |J^k| <= e n K (Trefethen & Embree 2005, section 18). Infinite if an
    eigenvalue's modulus is above 1.
    """
    found = np.zeros(len(jacobian))
    eye = np.eye(jacobian.shape[-1])
    for beyond in np.geomspace(1e-4, 1e2, radii):
        for angle in np.linspace(0.0, np.pi, angles):
            z = (1.0 + beyond) * np.exp(1j * angle)
            least = np.linalg.svd(z * eye - jacobian, compute_uv=False)[:, -1]
            found = np.maximum(found, beyond / np.maximum(least, np.finfo(float).tiny))
    return np.where(np.abs(eigenvalues(jacobian)).max(axis=1, initial=0.0) > 1.0, np.inf, found)
