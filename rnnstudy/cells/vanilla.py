"""The vanilla recurrent network."""

from typing import ClassVar

from rnnstudy.cells.base import LARGEST, Cell, Weight, Weights, partials, row, through
from rnnstudy.core.arrays import Tensor


class Vanilla(Cell):
    """h' = f(W x + R h + b) (Elman 1990)."""

    kind: ClassVar[str] = "vanilla"

    def weights(self, inputs: int) -> dict[str, Weight]:
        return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        return self.nonlinearity(drive + h @ w["recurrent_kernel"])

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        new, (slope,) = partials(self.nonlinearity, drive + h @ w["recurrent_kernel"])
        return new, through(slope, w["recurrent_kernel"])

    @property
    def bound(self) -> float | None:
        return LARGEST.get(self.activation)
