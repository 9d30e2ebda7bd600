"""Steps of others are taken only if they are deterministic, separate, exact and differentiable."""

import numpy as np
import pytest

from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.checks import check_step
from rnnstudy.dynamics.networks.function_step import FunctionStep
from rnnstudy.dynamics.networks.state_map import StateMap, TiledJacobian, run_compiled

STATES = np.random.default_rng(0).uniform(-1.0, 1.0, (1, 6, 3))


def tried(function):
    step_function = FunctionStep(function)
    return check_step("it", StateMap(step_function, {}, tf.zeros([1, 6, 0], tf.float64)), STATES)


def test_smooth_kinked_constant_and_partly_undefined_steps_are_fine():
    for step in (tf.tanh, tf.nn.relu, tf.round, lambda h: 0.0 * h, tf.math.log):
        assert isinstance(tried(lambda x, h, step=step: step(h)), FunctionStep)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            lambda h: tf.random.normal(tf.shape(h), dtype=h.dtype),
            "it must give the same state each time",
        ),
        (lambda h: h - tf.reduce_mean(h, axis=0), "it must compute each row of a batch alone"),
        (lambda h: tf.cast(tf.cast(h, tf.float32), tf.float64), "Compute all of it in float64"),
        (lambda h: tf.stop_gradient(h), "the gradients of it must be its derivatives"),
        (lambda h: h + tf.stop_gradient(tf.round(h) - h), "the gradients of it must be its"),
        (
            lambda h: np.tanh(h),
            "it must be callable on float64 tensors of TensorFlow or PyTorch, got: ",
        ),
        (
            lambda h: tf.cast(h, tf.float32),
            r"its result must be float64 .*, got float32 of shape \(.*, 3\)",
        ),
        (
            lambda h: h[:, :2],
            r"must be float64 of shape \(rows, 3\), got float64 of shape \(.*, 2\)",
        ),
    ],
)
def test_others_are_refused(step, message):
    with pytest.raises(ValueError, match=message):
        tried(lambda x, h: step(h))


def test_a_derivative_that_cannot_be_vectorised_is_tiled():
    @tf.custom_gradient
    def opaque(h):
        image = tf.tanh(h)

        def backward(upstream):
            slope = tf.numpy_function(lambda y: 1.0 - y**2, [image], tf.float64)
            return tf.ensure_shape(slope, h.shape) * tf.numpy_function(
                lambda u: u, [upstream], tf.float64
            )

        return image, backward

    step_function = tried(lambda x, h: opaque(h))
    assert isinstance(step_function, TiledJacobian)
    state_map = StateMap(step_function, {}, tf.zeros([1, 6, 0], tf.float64))
    jacobian = run_compiled(StateMap.linearise, state_map, STATES)[1].numpy()
    expected = (1.0 - np.tanh(STATES) ** 2)[..., None] * np.eye(3)
    np.testing.assert_allclose(jacobian, expected, atol=1e-15)
