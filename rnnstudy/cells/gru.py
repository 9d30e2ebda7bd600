"""Gated recurrent unit, in both reset conventions."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

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
from rnnstudy.core.lazy_imports import tf


class GRU(Cell):
    """Gated recurrent unit (GRU).

    Gates are in Keras's order: update z, reset r, candidate c. The step is h' = z h + (1 - z) c.
    The candidate is c = f(W x + R (r h) + b). With `reset_after` it is
    c = f(W x + b + r (R h + b_R)), as in cuDNN.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation".

    Examples
    --------
    >>> from rnnstudy.cells.gru import GRU
    >>> GRU(units=8).weights(inputs=2)["bias"].shape
    (2, 24)
    """

    kind: ClassVar[str] = "gru"

    has_ungated_map: ClassVar[bool] = True

    standard_fields: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**Cell.standard_fields, "gate_bias": 0.0}
    )

    reset_after: bool = True
    """Apply the reset gate after the recurrent product (Keras's default), not before it."""

    gate_bias: float = 1.0
    """Initial bias of the update gate; a positive bias keeps the state."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([self.gate_bias, 0.0, 0.0], self.units)
        if self.reset_after:
            # Keras's layout: row 0 is added to the input product, row 1 to the recurrent product.
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

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return the candidate state."""
        return self.nonlinearity(self._candidate(w, drive, visible))

    def _candidate(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        _, reset_kernel, new_kernel = self._thirds(w["recurrent_kernel"])
        _, reset, new = self._thirds(drive)
        reset = reset + visible @ reset_kernel
        if not self.reset_after:
            return new + (tf.sigmoid(reset) * visible) @ new_kernel
        _, reset_bias, new_bias = self._thirds(row(w["bias"][..., 1, :]))
        return new + tf.sigmoid(reset + reset_bias) * (visible @ new_kernel + new_bias)

    def _thirds(self, values: Tensor) -> list[Tensor]:
        thirds: list[Tensor] = tf.split(values, 3, axis=-1)
        return thirds

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        kernel, update = self._thirds(w["recurrent_kernel"])[0], self._thirds(drive)[0]
        if self.reset_after:
            update = update + self._thirds(row(w["bias"][..., 1, :]))[0]
        inner, slopes = self._linear_candidate(w, drive, h)
        new, (by_update, by_inner, keep) = partials(self._mixture, update + h @ kernel, inner, h)
        by_gate = jacobian_through(by_update, kernel)
        return new, by_gate + by_inner[..., None] * slopes + tf.linalg.diag(keep)

    def _mixture(self, update: Tensor, inner: Tensor, h: Tensor) -> Tensor:
        keep = tf.sigmoid(update)
        return keep * h + (1.0 - keep) * self.nonlinearity(inner)

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        inner, slopes = self._linear_candidate(w, drive, visible)
        new, (slope,) = partials(self.nonlinearity, inner)
        return new, slope[..., None] * slopes

    def _linear_candidate(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the candidate before its nonlinearity, and its Jacobian [..., unit, state]."""
        inner = self._candidate(w, drive, visible)
        _, reset_kernel, new_kernel = self._thirds(w["recurrent_kernel"])
        reset = self._thirds(drive)[1] + visible @ reset_kernel
        if self.reset_after:
            _, reset_bias, new_bias = self._thirds(row(w["bias"][..., 1, :]))
            gate, (slope,) = partials(tf.sigmoid, reset + reset_bias)
            slope = slope * (visible @ new_kernel + new_bias)
            return inner, jacobian_through(slope, reset_kernel) + jacobian_through(gate, new_kernel)
        gate, (slope,) = partials(tf.sigmoid, reset)
        columns = tf.linalg.matrix_transpose(new_kernel)[..., None, :, :]
        by_reset = columns * (slope * visible)[..., None, :]
        # One product for all points of a member.
        rows = tf.reshape(by_reset, [*tf.unstack(tf.shape(visible)[:-2]), -1, self.units])
        product = rows @ tf.linalg.matrix_transpose(reset_kernel)
        return inner, columns * gate[..., None, :] + tf.reshape(product, tf.shape(by_reset))

    @property
    def bound(self) -> float | None:
        return ACTIVATION_BOUNDS.get(self.activation)
