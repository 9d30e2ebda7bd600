"""Minimal gated recurrent unit with a nonlinear readout."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from rnnstudy.cells.base import (
    ACTIVATION_BOUNDS,
    Activation,
    Cell,
    Weight,
    Weights,
    jacobian_through,
    partials,
    row,
)
from rnnstudy.cells.initialisers import AnyInitialiser, Orthogonal
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf


class MinGRU(Cell):
    """Minimal GRU (minGRU): gate and candidate depend on the input alone, and f reads the state.

    The state is [s, y]. A step is s' = g s + (1 - g) c, then y' = f(C s' + d), which enters the
    readout. Gate and candidate are g = sigmoid(W_g x + b_g) and c = W_c x + b_c. At a constant
    input s' is affine in s. So there is one fixed point, or a continuum where gates are closed, and
    no memory by several attractors: a negative control of studies of attractors.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?".

    Examples
    --------
    >>> from rnnstudy.cells.min_gru import MinGRU
    >>> MinGRU(units=8).state_size
    16
    """

    kind: ClassVar[str] = "min_gru"

    has_ungated_map: ClassVar[bool] = True

    standard_fields: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**Cell.standard_fields, "gate_bias": 0.0}
    )

    activation: Activation = "tanh"
    """Nonlinearity of the readout's hidden units y. The recurrence is linear in its state."""

    recurrent_initializer: AnyInitialiser = Orthogonal()
    """Initialiser of the weights C from the state to the hidden units."""

    gate_bias: float = 1.0
    """Initial bias of the gate; a positive bias keeps the state."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([self.gate_bias, 0.0, 0.0], self.units)
        return {
            "kernel": Weight((inputs, 2 * self.units), self.kernel_initializer, 2),
            "hidden_kernel": Weight((self.units,) * 2, self.recurrent_initializer),
            "bias": Weight(bias.shape, values=bias),
        }

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"][..., : 2 * self.units])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        gate, candidate = tf.split(drive, 2, axis=-1)
        keep = tf.sigmoid(gate)
        memory = keep * h[..., : self.units] + (1.0 - keep) * candidate
        return tf.concat([memory, self.nonlinearity(self._hidden(w, memory))], axis=-1)

    def _hidden(self, w: Weights, memory: Tensor) -> Tensor:
        return memory @ w["hidden_kernel"] + row(w["bias"][..., 2 * self.units :])

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        new = self.step(w, drive, h)
        keep = tf.sigmoid(drive[..., : self.units])
        _, (slopes,) = partials(self.nonlinearity, self._hidden(w, new[..., : self.units]))
        hidden = jacobian_through(slopes, w["hidden_kernel"]) * keep[..., None, :]
        by_memory = tf.concat([tf.linalg.diag(keep) + tf.zeros_like(hidden), hidden], axis=-2)
        return new, tf.concat([by_memory, tf.zeros_like(by_memory)], axis=-1)

    @property
    def state_size(self) -> int:
        return 2 * self.units

    def visible(self, h: Tensor) -> Tensor:
        """Return the hidden units y."""
        return h[..., self.units :]

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return the candidate, whatever the state, and the hidden units that it gives."""
        memory = drive[..., self.units :]
        return tf.concat([memory, self.nonlinearity(self._hidden(w, memory))], axis=-1)

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        new = self.visible(self.ungated(w, drive, visible))
        return new, tf.zeros_like(new)[..., None] * tf.zeros_like(new)[..., None, :]

    @property
    def bound(self) -> float | None:
        """Bound of the hidden units; infinite for an unbounded f, since the state stays bounded."""
        return ACTIVATION_BOUNDS.get(self.activation, np.inf)

    @property
    def noise_scale(self) -> Array:
        """Noise on the recurrent state s alone, [state]."""
        return np.repeat([1.0, 0.0], self.units)
