"""Eigenvalues and modes of Jacobians: order, time constants, kinds of stability.

`continuous` means the Jacobians of a vector field dh/dt = f(h). Stability then depends on the real
parts of the eigenvalues in place of their moduli.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_flag, check_number
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import available_cores, one_thread

MIN_CORE_WORK = 64 * 32**3
"""Least work of a core, in products of numbers: 64 matrices of 32 units."""

MAX_BIORTHONORMAL_ERROR = 1e-6
"""Largest error of left times right modes of a Jacobian that counts as diagonalisable."""


@dataclass(frozen=True, eq=False)
class Modes(Record):
    """Eigenvalues and eigenvectors of Jacobians, sorted from the largest modulus down.

    Those of a vector field are sorted from the largest real part down.

    Left and right modes are biorthonormal: sum_state left[p, i] right[p, j] = delta_ij, without
    conjugation. So J = sum_i eigenvalue_i right_i left_i'. The left modes are NaN if the Jacobian
    is not diagonalisable, or only just. `condition` is then large.

    Examples
    --------
    >>> modes(np.diag([0.5, -0.9])[None]).kind.tolist()
    ['stable']
    """

    eigenvalues: Array = array("point", "mode")
    """Eigenvalues, complex, largest modulus first; of a vector field, largest real part first."""
    right: Array = array("point", "mode", "state")
    """Right modes of length 1. Their largest entry is real and positive."""
    left: Array = array("point", "mode", "state")
    """Left modes, biorthonormal to the right ones."""
    condition: Array = array("point")
    """Condition number of the matrix of right modes; 1 for a normal Jacobian."""
    sensitivity: Array = array("point", "mode")
    """Condition number |left| |right| of each eigenvalue: its largest move per change of J."""
    margin: float = 1e-6
    """Distance of a modulus from 1, or of a real part from 0, within which a mode is marginal."""
    dt: float | None = None
    """Seconds per time step, or per unit of time of a vector field, if known."""
    continuous: bool = False
    """The Jacobians are those of a vector field."""

    def __len__(self) -> int:
        return len(self.eigenvalues)

    @property
    def defective(self) -> Array:
        """Mask `[point]` of Jacobians without left modes."""
        is_missing: Array = np.isnan(self.left).any(axis=(1, 2))
        return is_missing

    @property
    def n_unstable(self) -> Array:
        """Number of growing modes `[point]`: of modulus above 1 + margin, or real part above it."""
        return n_unstable(self.eigenvalues, self.margin, self.continuous)

    @property
    def n_marginal(self) -> Array:
        """Number of eigenvalues within the margin of the border of stability, `[point]`."""
        count: Array = is_marginal(self.eigenvalues, self.margin, self.continuous).sum(axis=1)
        return count

    @property
    def kind(self) -> Array:
        """`stable`, `saddle`, `repeller` or `marginal`, `[point]`."""
        return stability_kinds(self.eigenvalues, self.margin, self.continuous)

    @property
    def time_constant(self) -> Array:
        """Time constant, `[point, mode]`; negative if growing.

        -1 / ln|eigenvalue| in steps, or -1 / real part in units of time of a vector field.
        """
        return time_constants(self.eigenvalues, self.continuous)

    @property
    def frequency(self) -> Array:
        """Frequency in cycles per step (0 to 1/2), or per unit of time, `[point, mode]`."""
        return frequencies(self.eigenvalues, self.continuous)

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

    def _size(self) -> dict[str, Array]:
        if self.continuous:
            return {"real_part": self.eigenvalues.real}
        return {"modulus": np.abs(self.eigenvalues)}

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per point and mode."""
        point, mode = np.indices(self.eigenvalues.shape)
        columns: dict[str, Any] = {
            "point": point,
            "mode": mode,
            **self._size(),
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


def modes(
    points: Any,
    dt: float | None = None,
    margin: float | None = None,
    *,
    continuous: bool | None = None,
) -> Modes:
    """Return the modes of Jacobians, or of a record that has them.

    Parameters
    ----------
    points
        Jacobians `[point, state, state]`, or a record with a field `jacobian`.
    dt
        Seconds per time step, or per unit of time of a vector field; None if unknown.
    margin
        Distance of a modulus from 1, or of a real part from 0, within which a mode is marginal.
        None: the record's, or 1e-6.
    continuous
        Whether the Jacobians are those of a vector field. None: as the record says, or False.

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
    is_field = is_continuous(points, continuous)
    values, right, left, condition = decompose_jacobians(jacobian, is_field)
    sizes = np.linalg.norm(left, axis=2) * np.linalg.norm(right, axis=2)
    return Modes(values, right, left, condition, sizes, margin, dt, is_field)


def is_continuous(points: Any, continuous: bool | None = None) -> bool:
    """Return whether points are those of a vector field, as their record says if it is None."""
    known = getattr(points, "continuous", None)
    if continuous is None:
        return bool(known)
    check_flag("continuous", continuous)
    if known is not None and known != continuous:
        raise ValueError(
            f"continuous must be {known}, as the record of the points says, got {continuous}. "
            "Leave it out."
        )
    return continuous


def wanted_continuous(points: Any, continuous: bool | None) -> bool | None:
    """Return `continuous` as a network needs it, from the record of its points if that has it."""
    if getattr(points, "continuous", None) is None:
        return continuous
    return is_continuous(points, continuous)


def require_map(points: Any, purpose: str) -> None:
    """Raise ValueError if points are those of a vector field."""
    if is_continuous(points):
        raise ValueError(
            f"points must be of a map for {purpose}, got points of a vector field. Pass the map "
            "of a step, as h + dt f(h), as the network."
        )


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
def decompose_jacobians(
    jacobian: Array, continuous: bool = False
) -> tuple[Array, Array, Array, Array]:
    """Return eigenvalues, right and left modes `[point, mode, state]` and condition `[point]`."""
    values, vectors = _over_cores(np.linalg.eig, jacobian)
    values, vectors = values.astype(np.complex128), vectors.astype(np.complex128)
    order = _order(values, continuous)
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
def eigenvalues(jacobian: Array, continuous: bool = False) -> Array:
    """Return eigenvalues `[..., mode]` of Jacobians, largest modulus or real part first."""
    (values,) = _over_cores(lambda part: (np.linalg.eigvals(part),), jacobian)
    values = values.astype(np.complex128)
    return np.take_along_axis(values, _order(values, continuous), axis=-1)


def _order(values: Array, continuous: bool) -> Array:
    size = values.real if continuous else np.abs(values)
    return np.argsort(-size, axis=-1, kind="stable")


def _over_cores(function: Callable[[Array], tuple[Array, ...]], matrices: Array) -> list[Array]:
    """Return a function of matrices `[matrix, ...]`, computed on several cores if they are many."""
    count = len(matrices) if matrices.ndim > 2 else 1
    workers = min(available_cores(), count, count * matrices.shape[-1] ** 3 // MIN_CORE_WORK)
    if workers < 2:
        return list(function(matrices))
    shares = np.array_split(matrices, workers)
    with ThreadPoolExecutor(workers) as pool:
        return [np.concatenate(parts) for parts in zip(*pool.map(function, shares), strict=True)]


def time_constants(values: Array, continuous: bool = False) -> Array:
    """Return -1 / ln|eigenvalue| in steps, or -1 / real part.

    It is negative for growing modes and infinite on the border of stability.
    """
    with np.errstate(divide="ignore"):
        rate = values.real if continuous else np.log(np.abs(values))
        return np.where(rate == 0.0, np.inf, -1.0 / rate)


def frequencies(values: Array, continuous: bool = False) -> Array:
    """Return |angle| / 2 pi of eigenvalues in cycles per step; 1/2 if a mode flips its sign.

    For a vector field it is |imaginary part| / 2 pi in cycles per unit of time.
    """
    frequency: Array = np.abs(values.imag if continuous else np.angle(values)) / (2.0 * np.pi)
    return frequency


def growth(values: Array, continuous: bool = False) -> Array:
    """Return modulus - 1, or the real part, of eigenvalues: positive for growing modes."""
    excess: Array = values.real if continuous else np.abs(values) - 1.0
    return excess


def is_marginal(values: Array, margin: float, continuous: bool = False) -> Array:
    """Return a mask of eigenvalues within the margin of the border of stability.

    The border is the unit circle, or the imaginary axis for a vector field.
    """
    is_near: Array = np.abs(growth(values, continuous)) <= margin
    return is_near


def n_unstable(values: Array, margin: float, continuous: bool = False) -> Array:
    """Return the number of eigenvalues `[..., mode]` of modulus above 1 + margin, or real part
    above the margin."""
    is_growing = values.real > margin if continuous else np.abs(values) > 1.0 + margin
    count: Array = is_growing.sum(axis=-1)
    return count


def stability_kinds(values: Array, margin: float, continuous: bool = False) -> Array:
    """Return `stable`, `saddle`, `repeller` or `marginal` for eigenvalues `[point, mode]`.

    A point with an eigenvalue within `margin` of the unit circle is marginal, whatever the others.
    For a vector field it is one within `margin` of the imaginary axis.
    """
    unstable = n_unstable(values, margin, continuous)
    marginal = is_marginal(values, margin, continuous).any(axis=1)
    every = unstable == values.shape[1]
    return np.select(
        [marginal, unstable == 0, every], ["marginal", "stable", "repeller"], default="saddle"
    )
