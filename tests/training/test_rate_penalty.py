"""The penalty on rates: its gradient against plain autodiff in float64, in both kernels."""

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.population.initialise import initial_population
from rnnstudy.tasks.base import Trials
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training import state as course
from rnnstudy.training import step as steps
from rnnstudy.training.batches import Program, rate_weights
from rnnstudy.training.evaluation import parameters_of
from rnnstudy.training.kernels import per_member
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

SEEDS = (1, 2)
RATE_L2 = 0.7


class Late(FlipFlop):
    """Only the last pulse but one counts, by a time step that differs between trials."""

    def sample(self, seed, trials):
        whole = super().sample(seed, trials)
        last = tf.range(trials) % self.length
        mask = tf.cast(tf.range(self.length)[None] == last[:, None], tf.float32)
        return whole._replace(mask=0.5 * mask)


TASK = Late(bits=2, length=5, pulse_probability=0.3, evaluation_trials=4)
BATCH = 7


def expected(cell, parameters, trials, rate_l2):
    """Loss and gradients of one network by plain autodiff in float64."""
    arrays = {name: tf.constant(np.asarray(w, float)) for name, w in parameters.items()}
    inputs, targets, mask = (tf.cast(part, tf.float64) for part in trials)
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        weights = {n.removeprefix("cell/"): w for n, w in arrays.items() if n.startswith("cell/")}
        state = tf.repeat(arrays["initial_state"][None], inputs.shape[0], axis=0)
        seen = []
        for t in range(inputs.shape[1]):
            state = cell.step(weights, cell.drive(weights, inputs[:, t]), state)
            seen.append(cell.visible(state))
        rates = tf.stack(seen, axis=1)
        outputs = rates @ arrays["readout/kernel"] + arrays["readout/bias"]
        error = tf.reduce_mean((outputs - targets) ** 2, axis=-1)
        loss = tf.reduce_sum(mask * error) / tf.reduce_sum(mask)
        last = [max(np.flatnonzero(row > 0), default=-1) for row in mask.numpy()]
        squares = [tf.reduce_sum(rates[i, : t + 1] ** 2) for i, t in enumerate(last)]
        loss += rate_l2 * sum(squares) / (sum(t + 1 for t in last) * cell.units)
    return float(loss), {n: g.numpy() for n, g in tape.gradient(loss, arrays).items()}


@pytest.mark.parametrize("kernel", ["per_member", "batched"])
def test_the_penalty_and_its_gradient_are_those_of_plain_autodiff(kernel):
    """The LSTM's readout sees half of its state."""
    cell = LSTM(units=3)
    population = initial_population(cell, TASK.inputs, TASK.outputs, SEEDS)
    parameters = {n: tf.constant(w) for n, w in parameters_of(population).items()}
    rates = course.vectors([Training(l2=0.0, rate_l2=r) for r in (RATE_L2, 0.0)])
    seeds = course.streams(SEEDS, Training())
    program = Program(cell, TASK, BATCH, False, kernel, penalises_rates=True)
    gradients = tf.function(steps.gradients, autograph=False)
    loss, slopes = gradients(program, parameters, rates, seeds, tf.constant(3))
    for member, rate_l2 in enumerate((RATE_L2, 0.0)):
        folded = tf.random.experimental.stateless_fold_in(seeds["trials"][member], 3)
        alone = {name: w[member] for name, w in parameters.items()}
        total, by_hand = expected(cell, alone, TASK.sample(folded, BATCH), rate_l2)
        assert float(loss[member]) == pytest.approx(total, rel=2e-6)
        for name, values in slopes.items():
            np.testing.assert_allclose(
                values[member], by_hand[name], rtol=1e-4, atol=2e-6, err_msg=name
            )


def test_the_activity_of_the_compiled_loop_in_float64():
    """Against plain autodiff to the last digits, over blocks of two steps and a rest."""
    cell = GRU(units=3)
    population = initial_population(cell, TASK.inputs, TASK.outputs, [5])
    alone = {n: np.asarray(w[0], float) for n, w in parameters_of(population).items()}
    trials = TASK.sample(tf.constant([4, 4]), BATCH)
    total, by_hand = expected(cell, alone, trials, RATE_L2)
    program = Program(cell, TASK, BATCH, False, penalises_rates=True)
    weights = tf.transpose(tf.cast(rate_weights(program, trials, trials), tf.float64))
    inputs, targets, mask = (
        tf.transpose(tf.cast(part, tf.float64), [1, 0, *range(2, len(part.shape))])
        for part in trials
    )

    @tf.function(autograph=False)
    def gradient(arrays):
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            read = per_member.outputs(cell, arrays, inputs, None, with_activity=True)
            loss = TASK.loss.value(read[..., :-1], targets, mask)
            loss += RATE_L2 * tf.reduce_sum(weights * read[..., -1])
        return loss, tape.gradient(loss, arrays)

    loss, slopes = gradient({name: tf.constant(w) for name, w in alone.items()})
    # The normalised weights are in float32.
    assert float(loss) == pytest.approx(total, rel=1e-7)
    for name, values in slopes.items():
        np.testing.assert_allclose(values, by_hand[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_weights_of_divided_batches_add_up_to_those_of_the_whole():
    whole = TASK.sample(tf.constant([4, 4]), BATCH)
    activity = np.random.default_rng(0).random((BATCH, TASK.length)).astype(np.float32)
    program = Program(GRU(), TASK, BATCH, False, penalises_rates=True)
    total = np.sum(rate_weights(program, whole, whole) * activity)
    assert np.sum(rate_weights(program, whole, whole)) == pytest.approx(1.0)
    parts, shares = [], []
    for index in range(3):
        shard = Program(GRU(), TASK, BATCH, False, data_shard=(index, 3))
        local = Trials(*(part[shard.local_trials] for part in whole))
        weights = rate_weights(shard, local, whole)
        parts.append(np.sum(weights * activity[shard.local_trials]))
        shares.append(np.sum(local.mask))
    assert np.average(parts, weights=shares) == pytest.approx(total, rel=1e-6)


@pytest.mark.slow
def test_penalised_networks_are_less_active():
    """The penalty of a network is its own: the other of the cohort is that without a penalty."""
    task = FlipFlop(bits=2, length=6, pulse_probability=0.3, evaluation_trials=8)
    training = Training(steps=40, batch=8, record_every=40, learning_rate=2e-2)
    found = train(GRU(units=5), task, [training, training.replace(rate_l2=1.0)], [3, 3])
    plain = train(GRU(units=5), task, [training], [3])
    inputs = np.asarray(task.evaluation().inputs)
    size = [float(np.mean(np.square(states))) for states in found.population.unroll(inputs)]
    assert size[1] < 0.7 * size[0]
    np.testing.assert_allclose(found.loss[0], plain.loss[0], rtol=1e-4)
    for name, values in plain.population.weights.items():
        np.testing.assert_allclose(
            found.population.weights[name][0], values[0], rtol=1e-3, atol=1e-4, err_msg=name
        )
