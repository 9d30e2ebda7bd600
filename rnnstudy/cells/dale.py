"""Rate network of excitatory and inhibitory units: Dale's law."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.cells.base import Activation, Weight, Weights, row
from rnnstudy.cells.rate import Rate
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf

POSITIVE_ACTIVATIONS = (
    "relu", "relu6", "sigmoid", "hard_sigmoid", "sparse_sigmoid", "softplus", "squareplus",
    "sparse_plus", "exponential",
)  # fmt: skip
"""Activations that are never negative, as rates are."""

FREE_START = 1e-3
"""Initial size of a connection that is absent but free to grow, as a share of the others."""


class DaleInitialiser:
    """Sizes of the connections of a Dale network, balanced and of a given spectral radius."""

    def __init__(self, cell: "Dale") -> None:
        self.cell = cell

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        """Return sizes [row, column] in float64; exactly 0 where there is no connection."""
        cell, signs = self.cell, self.cell.signs
        sizes = np.abs(cell.recurrent_initializer.draw(generator, rows, columns))
        excitatory, inhibitory = (signs > 0).sum(), (signs < 0).sum()
        if excitatory and inhibitory:  # They cancel on average.
            sizes[signs < 0] *= excitatory / inhibitory
        absent = generator.random((rows, columns)) >= cell.density
        sizes[absent] *= 0.0 if cell.sparsity == "fixed" else FREE_START
        sizes *= cell.mask
        radius = np.abs(np.linalg.eigvals(signs[:, None] * sizes)).max()
        return sizes * (cell.spectral_radius / radius if radius > 0.0 else 1.0)


class Dale(Rate):
    """Leaky rate network in which each unit either excites or inhibits all others.

    The first units are excitatory, the last inhibitory. A connection is the size |V| of a trained
    weight V, with the sign of the unit that it comes from. So signs stay through training. Where V
    is 0 its gradient is 0, too: connections that are absent from the start stay absent. Rates must
    not be negative.

    References
    ----------
    Song, Yang & Wang (2016), "Training excitatory-inhibitory recurrent neural networks for
    cognitive tasks". Their rectified weights are sizes here, so that no connection gets stuck.
    Yang & Wang (2020), "Artificial neural networks for neuroscientists: a primer", box 4.

    Examples
    --------
    >>> from rnnstudy.cells.dale import Dale
    >>> Dale(units=5, inhibition=0.4).signs.tolist()
    [1.0, 1.0, 1.0, -1.0, -1.0]
    """

    kind: ClassVar[str] = "dale"

    activation: Activation = "relu"
    """Nonlinearity of the rates; one that is never negative."""

    inhibition: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Share of inhibitory units, rounded to whole units."""

    density: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the possible connections that are present at the start."""

    sparsity: Literal["fixed", "free"] = "fixed"
    """Absent connections: absent for ever (`fixed`), or free to grow from nearly 0 (`free`)."""

    self_connections: bool = False
    """Connect units to themselves."""

    excitatory_inputs: bool = False
    """Inputs excite only: their weights count by their size."""

    spectral_radius: Annotated[float, Field(gt=0)] = 1.5
    """Largest modulus of the eigenvalues of the connections at the start."""

    @model_validator(mode="after")
    def _rates_are_positive(self) -> Self:
        if self.activation not in POSITIVE_ACTIVATIONS:
            raise ValueError(
                f"activation of a dale network must be one of {', '.join(POSITIVE_ACTIVATIONS)}, "
                f"got '{self.activation}'. Give the cell its own: {{kind: dale, activation: relu}}"
            )
        return self

    @property
    def signs(self) -> Array:
        """Sign of the connections from each unit, [unit]: 1 or -1."""
        inhibitory = round(self.inhibition * self.units)
        return np.repeat([1.0, -1.0], [self.units - inhibitory, inhibitory])

    @property
    def mask(self) -> Array:
        """1 for possible connections [unit, unit], 0 for others."""
        return np.ones((self.units,) * 2) - (0.0 if self.self_connections else np.eye(self.units))

    def weights(self, inputs: int) -> dict[str, Weight]:
        connections = Weight((self.units, self.units), DaleInitialiser(self))
        return super().weights(inputs) | {"recurrent_kernel": connections}

    def connectivity(self, w: Weights) -> Tensor:
        sizes = tf.abs(w["recurrent_kernel"])
        return sizes * tf.constant(self.signs[:, None] * self.mask, sizes.dtype)

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        kernel = tf.abs(w["kernel"]) if self.excitatory_inputs else w["kernel"]
        return x @ kernel + row(w["bias"])
