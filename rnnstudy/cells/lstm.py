"""The long short-term memory."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.cells.base import LARGEST, Cell, Weight, Weights, partials, row, through
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf


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
        return tf.concat(self._moved(drive + hidden @ w["recurrent_kernel"], memory), axis=-1)

    def _moved(self, product: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        write, keep, new, show = tf.split(product, 4, axis=-1)
        memory = tf.sigmoid(keep) * memory + tf.sigmoid(write) * self.nonlinearity(new)
        return self._shown(memory, show)

    def _shown(self, memory: Tensor, show: Tensor) -> tuple[Tensor, Tensor]:
        if self.clip is not None:
            memory = tf.clip_by_value(memory, -self.clip, self.clip)
        return tf.sigmoid(show) * self.nonlinearity(memory), memory

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        hidden, memory = tf.split(h, 2, axis=-1)
        product = drive + hidden @ w["recurrent_kernel"]
        parts = [
            partials(lambda *given, part=part: self._moved(*given)[part], product, memory)
            for part in (0, 1)
        ]
        rows = [
            tf.concat([through(slopes, w["recurrent_kernel"], 4), tf.linalg.diag(kept)], axis=-1)
            for _, (slopes, kept) in parts
        ]
        return tf.concat([moved for moved, _ in parts], axis=-1), tf.concat(rows, axis=-2)

    def rest(self, w: Weights, drive: Tensor, seen: Tensor) -> Tensor:
        """The memory c = i act(j) / (1 - f), within its bound, and what it shows."""
        return tf.concat(self._rested(drive + seen @ w["recurrent_kernel"]), axis=-1)

    def _rested(self, product: Tensor) -> tuple[Tensor, Tensor]:
        write, keep, new, show = tf.split(product, 4, axis=-1)
        return self._shown(tf.sigmoid(write) * self.nonlinearity(new) / tf.sigmoid(-keep), show)

    def linearise_rest(self, w: Weights, drive: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        product = drive + seen @ w["recurrent_kernel"]
        shown, (slopes,) = partials(lambda given: self._rested(given)[0], product)
        return shown, through(slopes, w["recurrent_kernel"], 4)

    @property
    def state_size(self) -> int:
        return 2 * self.units

    @property
    def bound(self) -> float | None:
        """Of h: the most that the activation gives, or gives within the clip of c.

        Over [-clip, clip] every activation is largest in modulus at one of the ends.
        """
        if self.clip is None or self.activation in LARGEST:
            return LARGEST.get(self.activation)
        ends = self.nonlinearity(tf.constant([-self.clip, self.clip], tf.float64))
        most = float(tf.reduce_max(tf.abs(ends)))
        return most if np.isfinite(most) else None
