"""Eigenvalues and modes of Jacobians: order, time constants, kinds of stability."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_number
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread

MIN_CORE_WORK = 64 * 32**3
"""Least work of a core, in products of numbers: 64 matrices of 32 units."""

MAX_BIORTHONORMAL_ERROR = 1e-6
"""Largest error of left times right modes of a Jacobian that counts as diagonalisable."""


@dataclass(frozen=True, eq=False)
class Modes(Record):
    """Eigenvalues and eigenvectors of Jacobians, sorted from the largest modulus down.

    Left and right modes are biorthonormal: sum_state left[p, i] right[p, j] = delta_ij, without
    conjugation. So J = sum_i eigenvalue_i right_i left_i'. The left modes are NaN if the Jacobian
    is not diagonalisable, or only just. `condition` is then large.

    Examples
    --------
    >>> modes(np.diag([0.5, -0.9])[None]).kind.tolist()
    ['stable']
    """

    eigenvalues: Array = array("point", "mode")
    """Eigenvalues, complex, largest modulus first."""
    right: Array = array("point", "mode", "state")
    """Right modes of length 1. Their largest entry is real and positive."""
    left: Array = array("point", "mode", "state")
    """Left modes, biorthonormal to the right ones."""
    condition: Array = array("point")
    """Condition number of the matrix of right modes; 1 for a normal Jacobian."""
    sensitivity: Array = array("point", "mode")
    """Condition number |left| |right| of each eigenvalue: its largest move per change of J."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which a mode counts as marginal."""
    dt: float | None = None
    """Seconds per time step, if known."""

    def __len__(self) -> int:
        return len(self.eigenvalues)

    @property
    def defective(self) -> Array:
        """Mask `[point]` of Jacobians without left modes."""
        is_missing: Array = np.isnan(self.left).any(axis=(1, 2))
        return is_missing

    @property
    def n_unstable(self) -> Array:
        """Number of eigenvalues of modulus above 1 + margin, `[point]`."""
        return n_unstable(self.eigenvalues, self.margin)

    @property
    def n_marginal(self) -> Array:
        """Number of eigenvalues whose modulus is within the margin of 1, `[point]`."""
        count: Array = is_near_unit_circle(self.eigenvalues, self.margin).sum(axis=1)
        return count

    @property
    def kind(self) -> Array:
        """`stable`, `saddle`, `repeller` or `marginal`, `[point]`."""
        return stability_kinds(self.eigenvalues, self.margin)

    @property
    def time_constant(self) -> Array:
        """Time constant -1 / ln|eigenvalue| in steps, `[point, mode]`; negative if growing."""
        return time_constants(self.eigenvalues)

    @property
    def frequency(self) -> Array:
        """Frequency of oscillation in cycles per step, 0 to 1/2, `[point, mode]`."""
        return frequencies(self.eigenvalues)

    @property
    def seconds(self) -> Array:
        """Time constants in seconds, `[point, mode]`; ValueError without dt."""
        return self.time_constant * self._dt()

    @property
    def hertz(self) -> Array:
        """Frequencies in Hz, `[point, mode]`; ValueError without dt."""
        return self.frequency / self._dt()

    def _dt(self) -> float:
        if self.dt is None:
            raise ValueError("dt must be known for seconds, got None. Use modes(..., dt=seconds).")
        return self.dt

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per point and mode."""
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
        count = int(self.defective.sum())
        suffix = f", {count} defective" if count else ""
        return f"{size} modes of each of {points} Jacobians{suffix}"


def modes(points: Any, dt: float | None = None, margin: float | None = None) -> Modes:
    """Return the modes of Jacobians, or of a record that has them.

    Parameters
    ----------
    points
        Jacobians `[point, state, state]`, or a record with a field `jacobian`.
    dt
        Seconds per time step; None if unknown.
    margin
        Distance of a modulus from 1 within which a mode is marginal. None: the record's, or 1e-6.

    Returns
    -------
    Modes
        Eigenvalues, modes and time constants.

    Raises
    ------
    ValueError
        If Jacobians are not square or not finite, or dt is not positive.

    Examples
    --------
    >>> modes(np.diag([0.5, -0.9])[None], dt=0.1).seconds.round(2).tolist()
    [[0.95, 0.14]]
    """
    if dt is not None:
        check_number("dt", dt, above=0.0, remedy="It is the number of seconds of a time step.")
    jacobian = as_jacobians(points)
    margin = margin_of(points, margin)
    values, right, left, condition = decompose_jacobians(jacobian)
    sizes = np.linalg.norm(left, axis=2) * np.linalg.norm(right, axis=2)
    return Modes(values, right, left, condition, sizes, margin, dt)


def margin_of(points: Any, margin: float | None) -> float:
    """Return a margin of moduli, that of the record or 1e-6 if it is None, checked."""
    wanted = getattr(points, "margin", 1e-6) if margin is None else margin
    return check_number("margin", wanted, least=0.0, remedy="1e-6 is the default.")


def as_jacobians(points: Any) -> Array:
    """Return Jacobians `[point, state, state]`, from an array or a record, checked."""
    jacobian = as_float_array("Jacobians", getattr(points, "jacobian", points), finite=False)
    if jacobian.ndim != 3 or jacobian.shape[1] != jacobian.shape[2]:
        raise ValueError(
            f"Jacobians must be [point, state, state], got shape {jacobian.shape}. "
            "Pass jacobian[None] for a single one."
        )
    if not np.isfinite(jacobian).all():
        count = int((~np.isfinite(jacobian)).any(axis=(1, 2)).sum())
        raise ValueError(f"Jacobians must be finite, got {count} of {len(jacobian)} that are not")
    return jacobian


@one_thread()
def decompose_jacobians(jacobian: Array) -> tuple[Array, Array, Array, Array]:
    """Return eigenvalues, right and left modes `[point, mode, state]` and condition `[point]`."""
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
    is_diagonalisable = condition * np.finfo(float).eps * right.shape[1] < MAX_BIORTHONORMAL_ERROR
    left = np.full_like(right, np.nan)
    left[is_diagonalisable] = np.linalg.inv(right[is_diagonalisable]).swapaxes(1, 2)
    return values, right, left, condition


@one_thread()
def eigenvalues(jacobian: Array) -> Array:
    """Return eigenvalues `[..., mode]` of Jacobians, complex, largest modulus first."""
    (values,) = _over_cores(lambda part: (np.linalg.eigvals(part),), jacobian)
    values = values.astype(np.complex128)
    return np.take_along_axis(values, _order(values), axis=-1)


def _order(values: Array) -> Array:
    return np.argsort(-np.abs(values), axis=-1, kind="stable")


def _over_cores(function: Callable[[Array], tuple[Array, ...]], matrices: Array) -> list[Array]:
    """Return a function of matrices `[matrix, ...]`, computed on several cores if they are many."""
    count = len(matrices) if matrices.ndim > 2 else 1
    workers = min(cpu_count() or 1, count, count * matrices.shape[-1] ** 3 // MIN_CORE_WORK)
    if workers < 2:
        return list(function(matrices))
    shares = np.array_split(matrices, workers)
    with ThreadPoolExecutor(workers) as pool:
        return [np.concatenate(parts) for parts in zip(*pool.map(function, shares), strict=True)]


def time_constants(values: Array) -> Array:
    """Return -1 / ln|eigenvalue| in steps. It is negative for growing modes and infinite at 1."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.abs(values))
        return np.where(logarithm == 0.0, np.inf, -1.0 / logarithm)


def frequencies(values: Array) -> Array:
    """Return |angle| / 2 pi of eigenvalues in cycles per step; 1/2 if a mode flips its sign."""
    frequency: Array = np.abs(np.angle(values)) / (2.0 * np.pi)
    return frequency


def is_near_unit_circle(values: Array, margin: float) -> Array:
    """Return a mask of eigenvalues whose moduli are within the margin of 1."""
    is_near: Array = np.abs(np.abs(values) - 1.0) <= margin
    return is_near


def n_unstable(values: Array, margin: float) -> Array:
    """Return the number of eigenvalues `[..., mode]` of modulus above 1 + margin."""
    count: Array = (np.abs(values) > 1.0 + margin).sum(axis=-1)
    return count


def stability_kinds(values: Array, margin: float) -> Array:
    """Return `stable`, `saddle`, `repeller` or `marginal` for eigenvalues `[point, mode]`.

    A point with an eigenvalue within `margin` of the unit circle is marginal, whatever the others.
    """
    unstable = n_unstable(values, margin)
    marginal = is_near_unit_circle(values, margin).any(axis=1)
    every = unstable == values.shape[1]
    return np.select(
        [marginal, unstable == 0, every], ["marginal", "stable", "repeller"], default="saddle"
    )
