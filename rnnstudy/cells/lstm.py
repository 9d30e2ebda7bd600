"""Long short-term memory."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

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


class LSTM(Cell):
    """Long short-term memory (LSTM) with forget gate; the state is [h, c].

    Gates are in Keras's order: input i, forget f, candidate j, output o. The step is
    c' = sigmoid(f) c + sigmoid(i) act(j), h' = sigmoid(o) act(c').

    References
    ----------
    Hochreiter & Schmidhuber (1997), "Long short-term memory".
    Gers, Schmidhuber & Cummins (2000), "Learning to forget".

    Examples
    --------
    >>> from rnnstudy.cells.lstm import LSTM
    >>> LSTM(units=8).state_size
    16
    """

    kind: ClassVar[str] = "lstm"

    has_ungated_map: ClassVar[bool] = True

    standard_fields: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**Cell.standard_fields, "gate_bias": 0.0, "clip": None}
    )

    gate_bias: float = 1.0
    """Initial bias of the forget gate; a positive bias keeps the cell state."""

    clip: Annotated[float, Field(gt=0)] | None = None
    """Bound of the cell state, |c| <= clip; None for no bound. A relu LSTM needs one."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([0.0, self.gate_bias, 0.0, 0.0], self.units)
        return self.kernels(inputs, blocks=4) | {"bias": Weight((4 * self.units,), values=bias)}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        hidden, memory = tf.split(h, 2, axis=-1)
        return tf.concat(self._update(drive + hidden @ w["recurrent_kernel"], memory), axis=-1)

    def _update(self, product: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        write, keep, new, show = tf.split(product, 4, axis=-1)
        memory = tf.sigmoid(keep) * memory + tf.sigmoid(write) * self.nonlinearity(new)
        return self._output(memory, show)

    def _output(self, memory: Tensor, show: Tensor) -> tuple[Tensor, Tensor]:
        if self.clip is not None:
            memory = tf.clip_by_value(memory, -self.clip, self.clip)
        return tf.sigmoid(show) * self.nonlinearity(memory), memory

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        hidden, memory = tf.split(h, 2, axis=-1)
        product = drive + hidden @ w["recurrent_kernel"]
        parts = [
            partials(lambda p, m, part=part: self._update(p, m)[part], product, memory)
            for part in (0, 1)
        ]
        rows = [
            tf.concat(
                [jacobian_through(slopes, w["recurrent_kernel"], 4), tf.linalg.diag(keep)], axis=-1
            )
            for _, (slopes, keep) in parts
        ]
        return tf.concat([value for value, _ in parts], axis=-1), tf.concat(rows, axis=-2)

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return [h, c] with the cell state c = i act(j) / (1 - f), within its bound."""
        return tf.concat(self._ungated(drive + visible @ w["recurrent_kernel"]), axis=-1)

    def _ungated(self, product: Tensor) -> tuple[Tensor, Tensor]:
        write, keep, new, show = tf.split(product, 4, axis=-1)
        return self._output(tf.sigmoid(write) * self.nonlinearity(new) / tf.sigmoid(-keep), show)

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        product = drive + visible @ w["recurrent_kernel"]
        hidden, (slopes,) = partials(lambda p: self._ungated(p)[0], product)
        return hidden, jacobian_through(slopes, w["recurrent_kernel"], 4)

    @property
    def state_size(self) -> int:
        return 2 * self.units

    @property
    def bound(self) -> float | None:
        """Bound of h: that of the activation, or that of the activation within the clip of c.

        Over [-clip, clip] the modulus of every activation is largest at an end.
        """
        if self.clip is None or self.activation in ACTIVATION_BOUNDS:
            return ACTIVATION_BOUNDS.get(self.activation)
        ends = self.nonlinearity(tf.constant([-self.clip, self.clip], tf.float64))
        most = float(tf.reduce_max(tf.abs(ends)))
        return most if np.isfinite(most) else None
