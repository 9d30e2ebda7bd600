"""Mixed precision: computation in 16 bits between arrays in 32 bits."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import custom_gradient

Parameters = Mapping[str, Tensor]
Outputs = Callable[[Parameters, Tensor, Tensor | None], Tensor]

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]

LARGEST_SUM = 4096.0
"""Largest sum of the gradients by a member's outputs in float16, whose largest number is 65504. The
margin allows gradients to grow in backpropagation through time."""


def in_low_precision(outputs_of: Outputs, precision: Precision, leading: int) -> Outputs:
    """Return a function to the same outputs, computed in the 16 bits of `precision`.

    The function takes (parameters, inputs, noise) and rounds them. Outputs, and gradients by the
    parameters, are in float32. For float16 the gradient by the outputs is scaled by a power of two,
    and unscaled at the parameters. Each step and member (`leading` axes) has its own power. This is
    loss scaling (Micikevicius et al. 2018, "Mixed precision training") without a running scale. A
    gradient that overflows is not finite, so that the network counts as diverged.
    """
    if precision == "float32":
        return outputs_of
    dtype = tf.as_dtype(precision.removeprefix("mixed_"))

    def outputs(parameters: Parameters, inputs: Tensor, noise: Tensor | None) -> Tensor:
        names = list(parameters)
        fixed = tf.cast(inputs, dtype), None if noise is None else tf.cast(noise, dtype)

        @custom_gradient
        def region(*arrays: Tensor) -> tuple[Tensor, Any]:
            low = [tf.cast(array, dtype) for array in arrays]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(low)
                low_outputs = outputs_of(dict(zip(names, low, strict=True)), *fixed)

            def backward(upstream: Tensor) -> list[Tensor]:
                scale = _scale(upstream, leading) if dtype == tf.float16 else tf.constant(1.0)
                scaled = tf.cast(_along(scale, upstream) * upstream, dtype)
                zero = tf.UnconnectedGradients.ZERO
                grads = tape.gradient(low_outputs, low, scaled, unconnected_gradients=zero)
                wide = [tf.cast(grad, tf.float32) for grad in grads]
                return [grad / _along(scale, grad) for grad in wide]

            return tf.cast(low_outputs, tf.float32), backward

        wide_outputs: Tensor = region(*parameters.values())
        return wide_outputs

    return outputs


def _scale(upstream: Tensor, leading: int) -> Tensor:
    """Return a power of two for each member that scales its gradient into float16."""
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
    """Return a scale [] or [member] shaped to broadcast over an array [...] or [member, ...]."""
    return tf.reshape(scale, [*scale.shape, *[1] * (len(array.shape) - len(scale.shape))])


@contextmanager
def tensor_float_32(allowed: bool) -> Iterator[None]:
    """Allow or forbid GPUs to round the factors of float32 products to 10 bits, in this context.

    TensorFlow has one switch for the whole process. It affects recent GPUs only.
    """
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(allowed)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
