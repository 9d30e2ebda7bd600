"""Equation of a branch, and points of a branch."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.continuation.input_path import InputPath
from rnnstudy.dynamics.linearisation.modes import eigenvalues, growth

Query = tuple[Array, Array]
"""A state `[state]` and an input `[input]`."""

Linearisation = tuple[Array, Array, Array]
"""F `[state]`, dF/dh `[state, state]` and dF/dx `[state, input]` at a query."""

Linearise = Callable[[Array, Array], Linearisation]
"""States `[point, state]` and inputs `[point, input]` -> their linearisations, `[point, ...]`."""


@dataclass(frozen=True, eq=False)
class ContinuationPoint:
    """A point of a branch.

    Parameters
    ----------
    v
        Unknown (h / scale, s), `[state + 1]`.
    tangent
        Unit tangent, `[state + 1]`.
    eigenvalues
        Eigenvalues of dF/dh, `[mode]`; of dF/dh - I for a vector field.
    determinant
        Sign of det(dF/dh - I).
    matrices
        dF/dh and dF/dx, None where they are not needed.
    continuous
        The point is one of a vector field.
    """

    v: Array
    tangent: Array
    eigenvalues: Array
    determinant: float
    matrices: tuple[Array, Array] | None = None
    continuous: bool = False

    @property
    def growth(self) -> Array:
        """Modulus - 1, or real part, of each eigenvalue `[mode]`: positive for growing modes."""
        return growth(self.eigenvalues, self.continuous)

    @property
    def s(self) -> float:
        """Arclength on the path of inputs."""
        return float(self.v[-1])

    @property
    def without_matrices(self) -> "ContinuationPoint":
        """The same point without its matrices."""
        return replace(self, matrices=None)


@dataclass(frozen=True, eq=False)
class ContinuationProblem:
    """Equation F(h; x(s)) = h along a path of inputs.

    For a vector field, F(h) = h + time_unit f(h). Its eigenvalues are those of time_unit df/dh.

    Parameters
    ----------
    path
        Path of inputs.
    size
        Length of the state vector.
    scale
        Unit of states: root mean square times the square root of their number.
    continuous
        The branch is one of a vector field.
    """

    path: InputPath
    size: int
    scale: float
    continuous: bool = False

    def point(
        self, v: Array, tangent: Array, determinant: float, by_state: Array, by_input: Array
    ) -> ContinuationPoint:
        """Return the point at v with the eigenvalues of dF/dh, or of dF/dh - I."""
        matrix = by_state - np.eye(len(by_state)) if self.continuous else by_state
        values = eigenvalues(matrix, self.continuous)
        matrices = (by_state, by_input)
        return ContinuationPoint(v, tangent, values, determinant, matrices, self.continuous)

    def query(self, v: Array, segment: int) -> Query:
        """Return state and input at v."""
        return v[:-1] * self.scale, self.path.inputs_at(v[-1], segment)

    def derivative(self, by_state: Array, by_input: Array, segment: int) -> Array:
        """Return the derivative of F(h; x(s)) - h by v, `[state, state + 1]`."""
        square = (by_state - np.eye(len(by_state))) * self.scale
        return np.column_stack([square, by_input @ self.path.slope(segment)])
