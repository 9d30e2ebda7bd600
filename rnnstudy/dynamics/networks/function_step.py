"""Plain functions as step functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.keras_bridge.cell_dynamics import restore_leading_axes


@dataclass(frozen=True, eq=False)
class FunctionStep:
    """Step of a plain function (inputs `[row, input]`, states `[row, state]`) -> states in float64.

    Each instance is compiled anew, since a function may close over values that have changed.
    """

    function: Callable[[Tensor, Tensor], Tensor]

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the inputs unchanged."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state."""
        size, lead = h.shape[-1], tf.shape(h)[:-1]
        count = tf.reduce_prod(lead)
        inputs = tf.reshape(drive, [count, drive.shape[-1]])
        new = tf.convert_to_tensor(self.function(inputs, tf.reshape(h, [count, size])))
        if new.dtype != h.dtype or len(new.shape) != 2 or new.shape[-1] != size:
            raise ValueError(
                f"its result must be float64 of shape (rows, {size}), got {new.dtype.name} of "
                f"shape {tuple(new.shape)}"
            )
        return restore_leading_axes(new, lead)
