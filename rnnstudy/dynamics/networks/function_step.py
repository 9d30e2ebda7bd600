"""Plain functions as step functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.keras_bridge.cell_dynamics import _led


@dataclass(frozen=True, eq=False)
class FunctionStep:
    """A plain function (inputs [row, input], states [row, state]) -> states, in float64.

    Each is new to the compiler, even of the same function: what that closes over may have changed.
    """

    function: Callable[[Tensor, Tensor], Tensor]

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The inputs as they are."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state."""
        size, lead = h.shape[-1], tf.shape(h)[:-1]
        count = tf.reduce_prod(lead)
        inputs = tf.reshape(drive, [count, drive.shape[-1]])
        new = tf.convert_to_tensor(self.function(inputs, tf.reshape(h, [count, size])))
        if new.dtype != h.dtype or len(new.shape) != 2 or new.shape[-1] != size:
            raise ValueError(
                f"it returns {new.dtype.name} of shape {tuple(new.shape)}, "
                f"not float64 of shape (rows, {size})"
            )
        return _led(new, lead)
