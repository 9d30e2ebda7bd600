"""The time loop against plain loops, and its gradients against two independent derivatives."""

import numpy as np
import pytest
import tensorflow as tf
from reference import population as truth

from rnnstudy.cells import CELLS
from rnnstudy.cells.dale import Dale
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.low_rank import LowRank
from rnnstudy.cells.lru import LRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.min_gru import MinGRU
from rnnstudy.cells.rate import Rate
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.population import unroll as module
from rnnstudy.population.unroll import STEPS_PER_TURN, time_first, time_inside, unroll

NETWORKS = [
    Vanilla(units=3),
    Vanilla(units=2, activation="relu"),
    UGRNN(units=3, activation="softsign"),
    GRU(units=2),
    GRU(units=3, reset_after=False, activation="relu"),
    LSTM(units=2),
    LSTM(units=3, activation="relu", clip=0.7),
    Rate(units=3),
    LowRank(units=3, rank=2, readout="currents"),
    Dale(units=3, inhibition=0.4),
    MinGRU(units=2),
    LRU(units=2),
]


def name(cell):
    options = [cell.kind, cell.activation, *(["before"] if cell == NETWORKS[4] else [])]
    return "-".join(options)


every_cell = pytest.mark.parametrize("cell", NETWORKS, ids=name)

MEMBERS, TRIALS, INPUTS = 2, 3, 2


def problem(cell, time, lead=(MEMBERS,), trials=TRIALS, seed=0):
    """Random weights, inputs, start and noise in float64; biases too are random."""
    rng = np.random.default_rng(seed)
    weights = {
        weight: rng.standard_normal((*lead, *declared.shape)) * 0.8
        for weight, declared in cell.weights(INPUTS).items()
    }
    inputs = rng.standard_normal((*lead, trials, time, INPUTS))
    start = rng.standard_normal((*lead, trials, cell.state_size)) * 0.5
    noise = rng.standard_normal((*lead, trials, time, cell.state_size)) * 0.1
    return weights, inputs, start, noise


def found(cell, weights, inputs, start, noise=None):
    """Our states as [..., trial, time, state]."""
    drawn = None if noise is None else time_first(tf.constant(noise))
    weights = {n: tf.constant(w) for n, w in weights.items()}
    states = unroll(cell, weights, tf.constant(inputs), tf.constant(start), drawn)
    return time_inside(states).numpy()


def test_every_shipped_cell_is_tried():
    assert {cell.kind for cell in NETWORKS} == set(CELLS)


@every_cell
@pytest.mark.parametrize(
    "time", [1, STEPS_PER_TURN - 1, STEPS_PER_TURN, 2 * STEPS_PER_TURN, 2 * STEPS_PER_TURN + 3]
)
def test_states_equal_the_plain_loop(cell, time):
    weights, inputs, start, noise = problem(cell, time)
    # Both in float64; relu states may grow over the steps, hence a relative tolerance.
    np.testing.assert_allclose(
        found(cell, weights, inputs, start),
        truth.unroll(cell, weights, inputs, start),
        rtol=1e-10,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        found(cell, weights, inputs, start, noise),
        truth.unroll(cell, weights, inputs, start, noise),
        rtol=1e-10,
        atol=1e-12,
    )


@pytest.fixture
def short_blocks(monkeypatch):
    """Blocks of 3 steps, so that a few steps run through whole blocks and a rest."""
    monkeypatch.setattr(module, "STEPS_PER_TURN", 3)


def goal_of(states, weight_of_state):
    return tf.reduce_sum(tf.sin(states) * weight_of_state)


def ours(cell, weights, inputs, start, noise, upstream):
    """Value and gradients of a scalar of all states, through our time loop."""
    given = {**weights, "inputs": inputs, "start": start}
    given = {n: tf.constant(v) for n, v in given.items()}
    drawn = None if noise is None else time_first(tf.constant(noise))
    with tf.GradientTape() as tape:
        tape.watch(given)
        kernels = {n: given[n] for n in weights}
        states = time_inside(unroll(cell, kernels, given["inputs"], given["start"], drawn))
        goal = goal_of(states, upstream)
    return goal.numpy(), {n: g.numpy() for n, g in tape.gradient(goal, given).items()}


@pytest.mark.usefixtures("short_blocks")
@every_cell
@pytest.mark.parametrize(("time", "noisy"), [(2, False), (8, True)])
def test_gradients_equal_finite_differences(cell, time, noisy):
    """Every weight, input (so the drive) and start, by central differences of the plain loop."""
    weights, inputs, start, noise = problem(cell, time, lead=(1,), trials=2)
    noise = noise if noisy else None
    upstream = np.random.default_rng(5).standard_normal((1, 2, time, cell.state_size))
    given = {**weights, "inputs": inputs, "start": start}

    def goal(moved_name, moved):
        values = {**given, moved_name: moved}
        kernels = {n: values[n] for n in weights}
        states = truth.unroll(cell, kernels, values["inputs"], values["start"], noise)
        return float(np.sum(np.sin(states) * upstream))

    value, gradients = ours(cell, weights, inputs, start, noise, upstream)
    assert value == pytest.approx(goal("start", start), rel=1e-12)
    for part, at in given.items():
        expected = truth.slope(lambda moved, part=part: goal(part, moved), at)
        # Central differences of step 1e-6 in float64 are good to about 1e-8.
        np.testing.assert_allclose(gradients[part], expected, rtol=1e-6, atol=2e-8, err_msg=part)


def by_autodiff(cell, weights, inputs, start, noise, upstream):
    """The same by TensorFlow's own derivative of a loop written out in Python."""
    given = {**weights, "inputs": inputs, "start": start}
    given = {n: tf.constant(v) for n, v in given.items()}
    with tf.GradientTape() as tape:
        tape.watch(given)
        kernels = {n: given[n] for n in weights}
        state, states = given["start"], []
        for t in range(inputs.shape[-2]):
            drive = cell.drive(kernels, given["inputs"][..., t, :])
            state = cell.step(kernels, drive, state) + noise[..., t, :]
            states.append(state)
        goal = goal_of(tf.stack(states, axis=-2), upstream)
    return goal.numpy(), {n: g.numpy() for n, g in tape.gradient(goal, given).items()}


@every_cell
@pytest.mark.parametrize("lead", [(), (2,), (2, 3)], ids=["one", "member", "two axes"])
def test_gradients_equal_plain_autodiff_with_any_leading_axes(cell, lead):
    time = STEPS_PER_TURN + 4
    weights, inputs, start, noise = problem(cell, time, lead, seed=len(lead))
    upstream = np.random.default_rng(6).standard_normal(noise.shape)
    value, gradients = ours(cell, weights, inputs, start, noise, upstream)
    expected_value, expected = by_autodiff(cell, weights, inputs, start, noise, upstream)
    assert value == pytest.approx(expected_value, rel=1e-12)
    for part, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[part], rtol=1e-9, atol=1e-10, err_msg=part)


def test_states_do_not_mix_along_leading_axes():
    cell = GRU(units=3)
    weights, inputs, start, noise = problem(cell, STEPS_PER_TURN + 1, (2, 3))
    every = found(cell, weights, inputs, start, noise)
    for place in np.ndindex(2, 3):
        one = {n: w[place] for n, w in weights.items()}
        alone = found(cell, one, inputs[place], start[place], noise[place])
        # Matrix products of another size may add in another order.
        np.testing.assert_allclose(every[place], alone, rtol=1e-12, atol=1e-13)


def test_gradients_are_the_same_compiled():
    cell, time = UGRNN(units=2), STEPS_PER_TURN + 2
    weights, inputs, start, noise = problem(cell, time)
    upstream = np.ones(noise.shape)
    _, eager = ours(cell, weights, inputs, start, noise, upstream)

    @tf.function
    def compiled(given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            kernels = {n: given[n] for n in weights}
            states = unroll(
                cell, kernels, given["inputs"], given["start"], time_first(tf.constant(noise))
            )
            goal = goal_of(time_inside(states), upstream)
        return tape.gradient(goal, given)

    given = {**weights, "inputs": inputs, "start": start}
    for part, gradient in compiled({n: tf.constant(v) for n, v in given.items()}).items():
        np.testing.assert_allclose(gradient, eager[part], rtol=1e-12, atol=1e-13, err_msg=part)


def test_a_weight_that_does_not_matter_has_gradient_zero():
    """A linear vanilla network without recurrent weights: known in closed form."""
    cell, time = Vanilla(units=2, activation="linear"), STEPS_PER_TURN
    weights, inputs, start, _ = problem(cell, time, lead=())
    weights["recurrent_kernel"] = np.zeros((2, 2))
    given = {n: tf.constant(w) for n, w in weights.items()}
    start = tf.constant(start)
    with tf.GradientTape() as tape:
        tape.watch([given, start])
        goal = tf.reduce_sum(unroll(cell, given, tf.constant(inputs), start)[-1])
    gradients, to_start = tape.gradient(goal, [given, start])
    np.testing.assert_array_equal(to_start, np.zeros(start.shape))
    np.testing.assert_allclose(gradients["bias"], [TRIALS, TRIALS], rtol=1e-12)
    expected = np.repeat(inputs[:, -1].sum(axis=0)[:, None], 2, axis=1)
    np.testing.assert_allclose(gradients["kernel"], expected, rtol=1e-12)


def test_time_goes_first_and_back():
    values = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    first = time_first(tf.constant(values))
    np.testing.assert_array_equal(first, np.moveaxis(values, 2, 0))
    np.testing.assert_array_equal(time_inside(first), values)
