"""The gated recurrent unit, in both reset conventions."""

from typing import ClassVar

import numpy as np

from rnnstudy.cells.base import Cell, Tensor, Weight, Weights, row
from rnnstudy.lazy import tf


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014).

    Gates in Keras's order: update z, reset r, candidate c.
    h' = z h + (1 - z) c, with c = f(W x + R (r h) + b), or, with `reset_after`,
    c = f(W x + b + r (R h + b_R)), which is Keras's default and cuDNN's form.
    """

    kind: ClassVar[str] = "gru"

    rests: ClassVar[bool] = True

    reset_after: bool = True
    """Apply the reset gate after the recurrent product (Keras's default) instead of before it."""

    gate_bias: float = 1.0
    """Initial bias of the update gate; positive keeps the old state."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([self.gate_bias, 0.0, 0.0], self.units)
        if self.reset_after:
            # Keras's layout: row 0 is added to the input product, row 1 to the recurrent one.
            bias = np.stack([bias, np.zeros_like(bias)])
        return self.kernels(inputs, blocks=3) | {"bias": Weight(bias.shape, values=bias)}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        bias = w["bias"][..., 0, :] if self.reset_after else w["bias"]
        return x @ w["kernel"] + row(bias)

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        return (self._after if self.reset_after else self._before)(w, drive, h)

    def _after(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        product = h @ w["recurrent_kernel"] + row(w["bias"][..., 1, :])
        gates, new = tf.split(drive, [2 * self.units, self.units], axis=-1)
        recurrent_gates, recurrent_new = tf.split(product, [2 * self.units, self.units], axis=-1)
        keep, reset = tf.split(tf.sigmoid(gates + recurrent_gates), 2, axis=-1)
        return keep * h + (1.0 - keep) * self.nonlinearity(new + reset * recurrent_new)

    def _before(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        sizes = [2 * self.units, self.units]
        gate_kernel, new_kernel = tf.split(w["recurrent_kernel"], sizes, axis=-1)
        gates, new = tf.split(drive, sizes, axis=-1)
        keep, reset = tf.split(tf.sigmoid(gates + h @ gate_kernel), 2, axis=-1)
        return keep * h + (1.0 - keep) * self.nonlinearity(new + (reset * h) @ new_kernel)

    def rest(self, w: Weights, drive: Tensor, seen: Tensor) -> Tensor:
        """The candidate."""
        sizes = [self.units] * 3
        _, reset_kernel, new_kernel = tf.split(w["recurrent_kernel"], sizes, axis=-1)
        _, reset, new = tf.split(drive, sizes, axis=-1)
        reset = reset + seen @ reset_kernel
        if not self.reset_after:
            return self.nonlinearity(new + (tf.sigmoid(reset) * seen) @ new_kernel)
        _, reset_bias, new_bias = tf.split(row(w["bias"][..., 1, :]), sizes, axis=-1)
        inner = seen @ new_kernel + new_bias
        return self.nonlinearity(new + tf.sigmoid(reset + reset_bias) * inner)

    @property
    def bound(self) -> float | None:
        return 1.0 if self.activation == "tanh" else None
