"""Networks in 16 bits: gradients survive the small range, training stays near that in 32."""

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.cells.gru import GRU
from rnnstudy.population import unroll as loop
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training import state as course
from rnnstudy.training import step as steps
from rnnstudy.training import train as training
from rnnstudy.training.kernels import per_member
from rnnstudy.training.kernels.precision import in_low_precision, tensor_float_32
from rnnstudy.training.programs import PROGRAMS
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

MEMORY = FlipFlop(bits=2, length=6, pulse_probability=0.3, evaluation_trials=16)
PROTOCOL = Training(steps=60, batch=6, record_every=20, learning_rate=2e-2, state_noise=0.05)
LOW = ["mixed_float16", "mixed_bfloat16"]


@pytest.fixture(scope="module", autouse=True)
def short_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "STEPS_PER_TURN", 2)
        patch.setattr(per_member, "BLOCK_STEPS", 2)
        forget_programs()
        yield
    forget_programs()


def forget_programs():
    for name in ("compiled_chunk", "evaluator", "_member_outputs", "_member_gradient"):
        getattr(steps, name).cache_clear()
    PROGRAMS.clear()


def product(parameters, inputs, noise):
    """Outputs [member, trial, output] of inputs [member, trial, input]."""
    return inputs @ parameters["w"] + (0.0 if noise is None else noise)


def gradient(precision, upstream):
    """By w [member, input, output], of outputs that are weighed by `upstream`."""
    weights = tf.random.stateless_normal([2, 3, 4], [1, 2])
    inputs = tf.random.stateless_normal([2, 5, 3], [3, 4])
    with tf.GradientTape() as tape:
        tape.watch(weights)
        found = in_low_precision(product, precision, 1)({"w": weights}, inputs, None)
        total = tf.reduce_sum(found * upstream)
    return found.numpy(), tape.gradient(total, weights).numpy()


def test_float32_is_left_alone():
    assert in_low_precision(product, "float32", 1) is product


@pytest.mark.parametrize("size", [1e-30, 1e-9, 1.0, 1e9, 1e30])
@pytest.mark.parametrize(("precision", "bits"), [("mixed_float16", 11), ("mixed_bfloat16", 8)])
def test_gradients_of_any_size_come_back(precision, bits, size):
    """Each member has a scale of its own; errors are those of a few roundings to so many bits."""
    upstream = tf.random.stateless_normal([2, 5, 4], [5, 6]) * tf.constant([[[size]], [[1.0]]])
    outputs, found = gradient(precision, upstream)
    expected_outputs, expected = gradient("float32", upstream)
    tolerance = 4.0 * 2.0**-bits
    np.testing.assert_allclose(outputs, expected_outputs, rtol=0, atol=4 * tolerance)
    for member in range(2):
        peak = np.abs(expected[member]).max()
        np.testing.assert_allclose(found[member], expected[member], rtol=0, atol=tolerance * peak)
    assert (outputs != expected_outputs).any()
    assert found.dtype == outputs.dtype == np.float32


def test_no_gradient_is_no_gradient():
    _, found = gradient("mixed_float16", tf.zeros([2, 5, 4]))
    assert not found.any()


def test_a_gradient_that_is_not_finite_stays_so_and_with_its_member():
    upstream = tf.tensor_scatter_nd_update(tf.ones([2, 5, 4]), [[0, 0, 0]], [np.inf])
    _, found = gradient("mixed_float16", upstream)
    assert not np.isfinite(found[0]).all()
    np.testing.assert_allclose(found[1], gradient("float32", upstream)[1][1], rtol=5e-3, atol=1e-2)


def cohort(kernel, precision):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "kernel_for", lambda *_: kernel)
        protocols = [PROTOCOL.replace(precision=precision)] * 2
        return train(GRU(units=5), MEMORY, protocols, (11, 12))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["per_member", "batched"])
def test_mixed_networks_learn_almost_what_they_learn_in_float32(kernel):
    """Weights to 0.1 after 60 steps of at most 0.02 each, curves to 5 %."""
    base = cohort(kernel, "float32")
    assert (base.loss[:, -1] < 0.7 * base.loss[:, 0]).all()
    for precision in LOW:
        found = cohort(kernel, precision)
        assert found.status == ("trained", "trained")
        np.testing.assert_allclose(found.loss, base.loss, rtol=0.05, err_msg=precision)
        for name, weights in base.population.weights.items():
            other = found.population.weights[name]
            assert other.dtype == np.float32
            assert (other != weights).any(), f"{name}, {precision}"
            np.testing.assert_allclose(other, weights, rtol=0, atol=0.1, err_msg=precision)


@pytest.mark.parametrize("allowed", [False, True])
def test_tensor_float_32_is_as_asked_while_networks_learn_and_as_before_after(allowed):
    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    before, seen = enabled(), []
    real = course.run_chunk

    def watched(*given):
        seen.append(enabled())
        return real(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "run_chunk", watched)
        train(GRU(units=5), MEMORY, [PROTOCOL.replace(steps=40, tf32=allowed)] * 2, (1, 2))
    assert len(seen) >= 2
    assert set(seen) == {allowed}
    assert enabled() == before
    with pytest.raises(KeyError, match="left"), tensor_float_32(not before):
        raise KeyError("left")
    assert enabled() == before
