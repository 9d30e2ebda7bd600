"""Networks that compute in 16 bits between arrays in 32."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

Parameters = Mapping[str, Tensor]
Outputs = Callable[[Parameters, Tensor, Tensor | None], Tensor]

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]

LARGEST_SUM = 4096.0
"""What the gradients by a member's outputs may add up to in float16, whose largest number is 65504:
the rest is room for them to grow on their way back through time."""


def lowered(outputs_of: Outputs, precision: Precision, leading: int) -> Outputs:
    """The same outputs of (parameters, inputs, noise), computed in the 16 bits of `precision`.

    Parameters, inputs and noise are rounded on the way in; outputs, and gradients by the
    parameters, come out in float32. For float16, whose smallest number is 6e-8, the gradient that
    comes in is scaled by a power of two, anew at each step and for each member (of so many
    `leading` axes), and the scale is taken out again where gradients leave (loss scaling,
    Micikevicius et al. 2018, "Mixed precision training", without a state to keep). A gradient that
    still overflows is not finite, as if the network had diverged.
    """
    if precision == "float32":
        return outputs_of
    dtype = tf.as_dtype(precision.removeprefix("mixed_"))

    def outputs(parameters: Parameters, inputs: Tensor, noise: Tensor | None) -> Tensor:
        names = list(parameters)
        fixed = tf.cast(inputs, dtype), None if noise is None else tf.cast(noise, dtype)

        @tf.custom_gradient
        def region(*arrays: Tensor) -> tuple[Tensor, Any]:
            low = [tf.cast(array, dtype) for array in arrays]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(low)
                found = outputs_of(dict(zip(names, low, strict=True)), *fixed)

            def backward(upstream: Tensor) -> list[Tensor]:
                scale = _scale(upstream, leading) if dtype == tf.float16 else tf.constant(1.0)
                scaled = tf.cast(_along(scale, upstream) * upstream, dtype)
                zero = tf.UnconnectedGradients.ZERO
                grads = tape.gradient(found, low, scaled, unconnected_gradients=zero)
                wide = [tf.cast(grad, tf.float32) for grad in grads]
                return [grad / _along(scale, grad) for grad in wide]

            return tf.cast(found, tf.float32), backward

        found: Tensor = region(*parameters.values())
        return found

    return outputs


def _scale(upstream: Tensor, leading: int) -> Tensor:
    """A power of two for each member, by which its gradient fits into float16."""
    axes = list(range(leading, len(upstream.shape)))
    total = tf.reduce_sum(tf.abs(upstream), axis=axes)
    usable = tf.math.is_finite(total) & (total > 0.0)
    exponent = tf.math.log(LARGEST_SUM / tf.where(usable, total, 1.0)) / tf.math.log(2.0)
    # At most 1, so that no single number is large; never beyond what float32 can hold either.
    peak = tf.reduce_max(tf.abs(upstream), axis=axes)
    highest = -tf.math.log(tf.where(usable, peak, 1.0)) / tf.math.log(2.0)
    bounded = tf.clip_by_value(tf.floor(tf.minimum(exponent, highest)), -100.0, 100.0)
    return tf.where(usable, tf.pow(2.0, bounded), 1.0)


def _along(scale: Tensor, array: Tensor) -> Tensor:
    """A scale [] or [member], shaped to broadcast over an array [...] or [member, ...]."""
    return tf.reshape(scale, [*scale.shape, *[1] * (len(array.shape) - len(scale.shape))])


@contextmanager
def tensor_float_32(allowed: bool) -> Iterator[None]:
    """Let GPUs round the factors of float32 products to 10 bits, or not, while this lasts.

    TensorFlow has one switch for the whole process; processors other than recent GPUs ignore it.
    """
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(allowed)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
