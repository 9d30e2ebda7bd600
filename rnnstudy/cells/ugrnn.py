"""The update-gate recurrent network."""

from typing import ClassVar

import numpy as np

from rnnstudy.cells.base import LARGEST, Cell, Weight, Weights, partials, row, through
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf


class UGRNN(Cell):
    """Update-gate RNN: one gate, one candidate (Collins, Sohl-Dickstein & Sussillo 2017).

    g = sigmoid(W_g x + R_g h + b_g), c = f(W_c x + R_c h + b_c), h' = g h + (1 - g) c.
    """

    kind: ClassVar[str] = "ugrnn"

    rests: ClassVar[bool] = True

    gate_bias: float = 1.0
    """Initial bias of the update gate; positive keeps the old state."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([self.gate_bias, 0.0], self.units)
        return self.kernels(inputs, blocks=2) | {"bias": Weight((2 * self.units,), values=bias)}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        return self._moved(drive + h @ w["recurrent_kernel"], h)

    def _moved(self, product: Tensor, h: Tensor) -> Tensor:
        gate, new = tf.split(product, 2, axis=-1)
        keep = tf.sigmoid(gate)
        return keep * h + (1.0 - keep) * self.nonlinearity(new)

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        product = drive + h @ w["recurrent_kernel"]
        moved, (slopes, kept) = partials(self._moved, product, h)
        return moved, through(slopes, w["recurrent_kernel"], 2) + tf.linalg.diag(kept)

    def rest(self, w: Weights, drive: Tensor, seen: Tensor) -> Tensor:
        """The candidate."""
        return self.nonlinearity(self._candidate(w, drive, seen))

    def linearise_rest(self, w: Weights, drive: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        new, (slope,) = partials(self.nonlinearity, self._candidate(w, drive, seen))
        return new, through(slope, w["recurrent_kernel"][..., self.units :])

    def _candidate(self, w: Weights, drive: Tensor, seen: Tensor) -> Tensor:
        return drive[..., self.units :] + seen @ w["recurrent_kernel"][..., self.units :]

    @property
    def bound(self) -> float | None:
        return LARGEST.get(self.activation)
