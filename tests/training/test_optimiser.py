"""Adam and clipping per member, against Keras's own optimiser run on each member alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.training import optimiser

SHAPES = {"kernel": (4, 6), "bias": (6,), "gain": ()}
STEPS = 25


def random(members, rng, scale=1.0):
    """Parameters or gradients [member, ...]; each member's gradients have a size of their own."""
    sizes = scale * 10.0 ** np.arange(-members + 1, 1)
    return {
        name: (rng.standard_normal((members, *shape)).T * sizes).T.astype("float32")
        for name, shape in SHAPES.items()
    }


def tensors(arrays):
    return {name: tf.constant(value) for name, value in arrays.items()}


def ours(parameters, gradients, rates, largest):
    """All steps of all members at once: one dict of arrays [member, ...] per step."""
    values, found = tensors(parameters), []
    moments = optimiser.initial_moments(values)
    for step, each in enumerate(gradients):
        each = tensors(each)
        clipped = optimiser.clip_gradients(each, optimiser.norms(each), tf.constant(largest))
        rate = tf.constant(rates[step])
        values, moments = optimiser.adam_step(values, clipped, moments, tf.constant(step), rate)
        found.append({name: value.numpy() for name, value in values.items()})
    return found


def keras_alone(parameters, gradients, rates, largest, member):
    """The same member by `keras.optimizers.Adam`, its rate set before each step.

    Keras adds epsilon to the root of the uncorrected second moment (the paper's epsilon hat), so
    the value that means our epsilon is set before each step as well.
    """
    variables = {name: keras.Variable(value[member]) for name, value in parameters.items()}
    adam = keras.optimizers.Adam(1.0, global_clipnorm=float(largest[member]))
    found = []
    for step, each in enumerate(gradients):
        adam.learning_rate = float(rates[step][member])
        adam.epsilon = 1e-8 * np.sqrt(1.0 - 0.999 ** (step + 1))
        adam.apply_gradients([(each[name][member], variables[name]) for name in variables])
        found.append({name: variable.numpy() for name, variable in variables.items()})
    return found


@pytest.mark.parametrize("members", [1, 3])
def test_each_member_moves_as_by_keras_adam(members):
    rng = np.random.default_rng(0)
    parameters = random(members, rng)
    gradients = [random(members, rng) for _ in range(STEPS)]
    first = np.array([1e-2, 3e-3, 0.1], "float32")[:members]
    rates = [(first * 0.9**step).astype("float32") for step in range(STEPS)]
    largest = np.array([1.0, 0.5, 1e6], "float32")[:members]
    found = ours(parameters, gradients, rates, largest)
    for member in range(members):
        expected = keras_alone(parameters, gradients, rates, largest, member)
        for step in range(STEPS):
            for name in SHAPES:
                # Float32 rounding of 25 steps.
                np.testing.assert_allclose(
                    found[step][name][member],
                    expected[step][name],
                    rtol=2e-5,
                    atol=2e-6 * float(first[member]) / 1e-2,
                    err_msg=f"{name} of member {member} at step {step}",
                )


def test_the_first_step_is_known_in_closed_form():
    """With bias correction, Adam's first step is rate * g / (|g| + epsilon), whatever the size."""
    gradient = np.array([[2.0, -3e-3, 1e-8, 0.0]], "float32")
    parameters = {"w": tf.zeros([1, 4])}
    moved, _ = optimiser.adam_step(
        parameters,
        {"w": tf.constant(gradient)},
        optimiser.initial_moments(parameters),
        tf.constant(0),
        tf.constant([0.1]),
    )
    expected = -0.1 * gradient / (np.abs(gradient) + 1e-8)
    np.testing.assert_allclose(moved["w"].numpy(), expected, rtol=1e-5)


def test_norms_count_all_of_a_members_gradient_and_nothing_else():
    gradients = random(3, np.random.default_rng(1))
    flat = [np.concatenate([g[m].ravel() for g in gradients.values()]) for m in range(3)]
    expected = [np.linalg.norm(each) for each in flat]
    np.testing.assert_allclose(optimiser.norms(tensors(gradients)), expected, rtol=1e-6)


def test_clipping_shortens_only_members_that_are_too_long():
    gradients = tensors(random(3, np.random.default_rng(2)))
    norms = optimiser.norms(gradients).numpy()
    largest = norms * np.array([0.5, 2.0, 1.0], "float32")
    clipped = optimiser.clip_gradients(gradients, tf.constant(norms), tf.constant(largest))
    np.testing.assert_allclose(optimiser.norms(clipped), norms * [0.5, 1.0, 1.0], rtol=1e-6)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(clipped[name][0], 0.5 * gradient[0], rtol=1e-6)
        np.testing.assert_array_equal(clipped[name][1], gradient[1])


def test_clipping_leaves_a_gradient_of_zero_at_zero():
    gradients = {"w": tf.zeros([2, 3])}
    clipped = optimiser.clip_gradients(
        gradients, optimiser.norms(gradients), tf.constant([1.0, 1e-3])
    )
    np.testing.assert_array_equal(clipped["w"], np.zeros((2, 3)))


def test_members_that_are_not_alive_keep_every_bit():
    rng = np.random.default_rng(3)
    old, new = tensors(random(3, rng)), random(3, rng)
    for value in new.values():
        value[1] = np.nan
    kept = optimiser.replace_where(tf.constant([True, False, True]), tensors(new), old)
    for name in SHAPES:
        np.testing.assert_array_equal(kept[name][1], old[name][1])
        np.testing.assert_array_equal(kept[name][0], new[name][0])
        np.testing.assert_array_equal(kept[name][2], new[name][2])
