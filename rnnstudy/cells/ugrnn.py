"""Update-gate recurrent network."""

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


class UGRNN(Cell):
    """Update-gate RNN (UGRNN): one gate and one candidate.

    g = sigmoid(W_g x + R_g h + b_g), c = f(W_c x + R_c h + b_c), h' = g h + (1 - g) c.

    References
    ----------
    Collins, Sohl-Dickstein & Sussillo (2017), "Capacity and trainability in recurrent neural
    networks".

    Examples
    --------
    >>> from rnnstudy.cells.ugrnn import UGRNN
    >>> UGRNN(units=8).weights(inputs=2)["kernel"].shape
    (2, 16)
    """

    kind: ClassVar[str] = "ugrnn"

    has_ungated_map: ClassVar[bool] = True

    standard_fields: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**Cell.standard_fields, "gate_bias": 0.0}
    )

    gate_bias: float = 1.0
    """Initial bias of the update gate; a positive bias keeps the state."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([self.gate_bias, 0.0], self.units)
        return self.kernels(inputs, blocks=2) | {"bias": Weight((2 * self.units,), values=bias)}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        return self._update(drive + h @ w["recurrent_kernel"], h)

    def _update(self, product: Tensor, h: Tensor) -> Tensor:
        gate, new = tf.split(product, 2, axis=-1)
        keep = tf.sigmoid(gate)
        return keep * h + (1.0 - keep) * self.nonlinearity(new)

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        product = drive + h @ w["recurrent_kernel"]
        new, (slopes, keep) = partials(self._update, product, h)
        return new, jacobian_through(slopes, w["recurrent_kernel"], 2) + tf.linalg.diag(keep)

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return the candidate state."""
        return self.nonlinearity(self._candidate(w, drive, visible))

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        new, (slope,) = partials(self.nonlinearity, self._candidate(w, drive, visible))
        return new, jacobian_through(slope, w["recurrent_kernel"][..., self.units :])

    def _candidate(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        return drive[..., self.units :] + visible @ w["recurrent_kernel"][..., self.units :]

    @property
    def bound(self) -> float | None:
        return ACTIVATION_BOUNDS.get(self.activation)
