"""Eigenvalues and modes of Jacobians: order, time constants, and what they say of a point."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread

PARALLEL = 64 * 32**3
"""Smallest share of matrices that a core gets, in products of numbers: 64 matrices of 32 units."""

DEFECTIVE = 1e-6
"""Largest error of left times right modes; beyond, the Jacobian counts as not diagonalisable."""


@dataclass(frozen=True, eq=False)
class Modes(Record):
    """Eigenvalues and eigenvectors of Jacobians, largest modulus first.

    Left and right modes are biorthonormal: sum_state left[p, i] right[p, j] = delta_ij, without
    conjugation, so that J = sum_i eigenvalue_i right_i left_i'. Of a Jacobian that is not
    diagonalisable, or only just, the left ones are NaN, and `condition` says why.
    """

    eigenvalues: Array = array("point", "mode")
    right: Array = array("point", "mode", "state")
    """Of length 1, the largest entry real and positive."""
    left: Array = array("point", "mode", "state")
    condition: Array = array("point")
    """Condition number of the matrix of right modes; 1 for a normal Jacobian."""
    sensitivity: Array = array("point", "mode")
    """|left| |right|, each eigenvalue's condition number: how far it moves per change of J."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which a mode counts as marginal."""
    dt: float | None = None
    """Seconds per time step, if known."""

    def __len__(self) -> int:
        return len(self.eigenvalues)

    @property
    def defective(self) -> Array:
        """Whether left modes could not be told: [point]."""
        return np.isnan(self.left).any(axis=(1, 2))

    @property
    def n_unstable(self) -> Array:
        """Number of eigenvalues of modulus above 1 + margin: [point]."""
        return n_unstable(self.eigenvalues, self.margin)

    @property
    def n_marginal(self) -> Array:
        """Number of eigenvalues whose modulus is within the margin of 1: [point]."""
        return is_near_unit_circle(self.eigenvalues, self.margin).sum(axis=1)

    @property
    def kind(self) -> Array:
        """stable, saddle, repeller or marginal: [point]."""
        return stability_kinds(self.eigenvalues, self.margin)

    @property
    def time_constant(self) -> Array:
        """-1 / ln|eigenvalue| in steps, negative if it grows, infinite at 1: [point, mode]."""
        return time_constants(self.eigenvalues)

    @property
    def frequency(self) -> Array:
        """Of oscillation, in cycles per step, from 0 to 1/2: [point, mode]."""
        return frequencies(self.eigenvalues)

    @property
    def seconds(self) -> Array:
        """Time constants in seconds; ValueError if dt is not known: [point, mode]."""
        return self.time_constant * self._dt()

    @property
    def hertz(self) -> Array:
        """Frequencies in Hz; ValueError if dt is not known: [point, mode]."""
        return self.frequency / self._dt()

    def _dt(self) -> float:
        if self.dt is None:
            raise ValueError("seconds need the length of a time step: modes(..., dt=seconds)")
        return self.dt

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per point and mode."""
        point, mode = np.indices(self.eigenvalues.shape)
        columns = {
            "point": point,
            "mode": mode,
            "modulus": np.abs(self.eigenvalues),
            "time_constant": self.time_constant,
            "frequency": self.frequency,
            "sensitivity": self.sensitivity,
        }
        if self.dt is not None:
            columns |= {"seconds": self.seconds, "hertz": self.hertz}
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()})

    def __repr__(self) -> str:
        points, size = self.eigenvalues.shape
        bad = int(self.defective.sum())
        return f"{size} modes of each of {points} Jacobians" + (f", {bad} defective" * bool(bad))


def modes(points: Any, dt: float | None = None, margin: float | None = None) -> Modes:
    """The modes of Jacobians [point, state, state], or of a record that has them.

    dt: seconds per time step. margin: that of the record, else 1e-6.
    ValueError if Jacobians are not square or not finite, or dt is not positive.
    """
    known = isinstance(dt, int | float | np.number)
    if dt is not None and not (known and np.isfinite(dt) and dt > 0):
        raise ValueError(f"dt should be a positive number of seconds, it is {dt!r}")
    jacobian = as_jacobians(points)
    margin = getattr(points, "margin", 1e-6) if margin is None else margin
    values, right, left, condition = decompose_jacobians(jacobian)
    sizes = np.linalg.norm(left, axis=2) * np.linalg.norm(right, axis=2)
    return Modes(values, right, left, condition, sizes, margin, dt)


def as_jacobians(points: Any) -> Array:
    """Jacobians [point, state, state] as given or of a record, checked."""
    given = np.asarray(getattr(points, "jacobian", points), np.float64)
    if given.ndim != 3 or given.shape[1] != given.shape[2]:
        raise ValueError(f"Jacobians should be [point, state, state], their shape is {given.shape}")
    if not np.isfinite(given).all():
        raise ValueError(
            f"Jacobians should be finite, {int((~np.isfinite(given)).any(axis=(1, 2)).sum())} of "
            f"{len(given)} are not"
        )
    return given


@one_thread()
def decompose_jacobians(jacobian: Array) -> tuple[Array, Array, Array, Array]:
    """Eigenvalues, right and left modes [point, mode, state] and condition [point]; see `Modes`."""
    values, vectors = _over_cores(np.linalg.eig, jacobian)
    values, vectors = values.astype(np.complex128), vectors.astype(np.complex128)
    order = _order(values)
    values = np.take_along_axis(values, order, axis=1)
    right = np.take_along_axis(vectors.swapaxes(1, 2), order[:, :, None], axis=1)
    largest = np.take_along_axis(right, np.abs(right).argmax(axis=2)[:, :, None], axis=2)
    right = right * (np.abs(largest) / largest)
    weights = np.linalg.svd(right, compute_uv=False)
    with np.errstate(divide="ignore"):
        condition = weights[:, 0] / weights[:, -1]
    good = condition * np.finfo(float).eps * right.shape[1] < DEFECTIVE
    left = np.full_like(right, np.nan)
    left[good] = np.linalg.inv(right[good]).swapaxes(1, 2)
    return values, right, left, condition


@one_thread()
def eigenvalues(jacobian: Array) -> Array:
    """Eigenvalues [..., mode] of Jacobians [..., state, state], complex, largest modulus first."""
    (values,) = _over_cores(lambda part: (np.linalg.eigvals(part),), jacobian)
    values = values.astype(np.complex128)
    return np.take_along_axis(values, _order(values), axis=-1)


def _order(values: Array) -> Array:
    return np.argsort(-np.abs(values), axis=-1, kind="stable")


def _over_cores(function: Callable[[Array], tuple[Array, ...]], matrices: Array) -> list[Array]:
    """A function of matrices [matrix, ...], many of them shared among cores."""
    count = len(matrices) if matrices.ndim > 2 else 1
    workers = min(cpu_count() or 1, count, count * matrices.shape[-1] ** 3 // PARALLEL)
    if workers < 2:
        return list(function(matrices))
    shares = np.array_split(matrices, workers)
    with ThreadPoolExecutor(workers) as pool:
        return [np.concatenate(parts) for parts in zip(*pool.map(function, shares), strict=True)]


def time_constants(values: Array) -> Array:
    """-1 / ln|eigenvalue| in steps: how long a mode lasts; negative if it grows, infinite at 1."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.abs(values))
        return np.where(logarithm == 0.0, np.inf, -1.0 / logarithm)


def frequencies(values: Array) -> Array:
    """|angle| / 2 pi of eigenvalues: cycles per step, 1/2 where a mode flips its sign."""
    return np.abs(np.angle(values)) / (2.0 * np.pi)


def is_near_unit_circle(values: Array, margin: float) -> Array:
    """Which eigenvalues' moduli are within the margin of 1."""
    return np.abs(np.abs(values) - 1.0) <= margin


def n_unstable(values: Array, margin: float) -> Array:
    """Number of eigenvalues [..., mode] of modulus above 1 + margin."""
    return (np.abs(values) > 1.0 + margin).sum(axis=-1)


def stability_kinds(values: Array, margin: float) -> Array:
    """`stable`, `saddle`, `repeller` or `marginal` per point, from its eigenvalues [point, mode].

    A point with an eigenvalue within `margin` of the unit circle is marginal, whatever the others.
    """
    unstable = n_unstable(values, margin)
    marginal = is_near_unit_circle(values, margin).any(axis=1)
    every = unstable == values.shape[1]
    return np.select(
        [marginal, unstable == 0, every], ["marginal", "stable", "repeller"], default="saddle"
    )
