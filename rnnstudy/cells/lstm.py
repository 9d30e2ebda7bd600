"""The long short-term memory."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.cells.base import Cell, Tensor, Weight, Weights, row
from rnnstudy.lazy import tf


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with forget gate), state [h, c].

    Gates in Keras's order: input i, forget f, candidate j, output o.
    c' = sigmoid(f) c + sigmoid(i) act(j), h' = sigmoid(o) act(c').
    """

    kind: ClassVar[str] = "lstm"

    rests: ClassVar[bool] = True

    gate_bias: float = 1.0
    """Initial bias of the forget gate; positive keeps the old cell state."""

    clip: Annotated[float, Field(gt=0)] | None = None
    """Bound on the cell state: |c| <= clip; None for no bound. A relu LSTM explodes without one."""

    def weights(self, inputs: int) -> dict[str, Weight]:
        bias = np.repeat([0.0, self.gate_bias, 0.0, 0.0], self.units)
        return self.kernels(inputs, blocks=4) | {"bias": Weight((4 * self.units,), values=bias)}

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        hidden, memory = tf.split(h, 2, axis=-1)
        product = drive + hidden @ w["recurrent_kernel"]
        write, keep, new, show = tf.split(product, 4, axis=-1)
        memory = tf.sigmoid(keep) * memory + tf.sigmoid(write) * self.nonlinearity(new)
        if self.clip is not None:
            memory = tf.clip_by_value(memory, -self.clip, self.clip)
        return tf.concat([tf.sigmoid(show) * self.nonlinearity(memory), memory], axis=-1)

    def rest(self, w: Weights, drive: Tensor, seen: Tensor) -> Tensor:
        """The memory c = i act(j) / (1 - f), within its bound, and what it shows."""
        product = drive + seen @ w["recurrent_kernel"]
        write, keep, new, show = tf.split(product, 4, axis=-1)
        memory = tf.sigmoid(write) * self.nonlinearity(new) / tf.sigmoid(-keep)
        if self.clip is not None:
            memory = tf.clip_by_value(memory, -self.clip, self.clip)
        return tf.concat([tf.sigmoid(show) * self.nonlinearity(memory), memory], axis=-1)

    @property
    def state_size(self) -> int:
        return 2 * self.units

    @property
    def bound(self) -> float | None:
        return 1.0 if self.activation == "tanh" else None
