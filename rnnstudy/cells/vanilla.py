"""Vanilla recurrent network."""

from typing import ClassVar

from rnnstudy.cells.base import (
    ACTIVATION_BOUNDS,
    Cell,
    Weight,
    Weights,
    jacobian_through,
    partials,
    row,
)
from rnnstudy.core.arrays import Tensor


class Vanilla(Cell):
    """Vanilla recurrent network: h' = f(W x + R h + b).

    References
    ----------
    Elman (1990), "Finding structure in time".

    Examples
    --------
    >>> from rnnstudy.cells.vanilla import Vanilla
    >>> Vanilla(units=8, activation="tanh").bound
    1.0
    """

    kind: ClassVar[str] = "vanilla"

    def weights(self, inputs: int) -> dict[str, Weight]:
        return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        return self.nonlinearity(drive + h @ w["recurrent_kernel"])

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        new, (slope,) = partials(self.nonlinearity, drive + h @ w["recurrent_kernel"])
        return new, jacobian_through(slope, w["recurrent_kernel"])

    @property
    def bound(self) -> float | None:
        return ACTIVATION_BOUNDS.get(self.activation)
