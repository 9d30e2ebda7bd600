"""Training: a member is itself in any company, each number acts on its own member only."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from reference import population as truth

from rnnstudy.cells import CELLS
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.record import Record
from rnnstudy.population import unroll as loop
from rnnstudy.population.initialise import generator, initial_population, stream
from rnnstudy.tasks import StaticInputs, Task, Trials
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine
from rnnstudy.training import evaluation
from rnnstudy.training import state as course
from rnnstudy.training import step as steps
from rnnstudy.training import train as training
from rnnstudy.training.batches import normal_of, trials, trials_each
from rnnstudy.training.evaluation import evaluate
from rnnstudy.training.kernels import per_member
from rnnstudy.training.programs import PROGRAMS
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

LENGTH = 7
MEMORY = FlipFlop(bits=2, length=LENGTH, pulse_probability=0.3, evaluation_trials=16)
TASKS = {
    "flip_flop": MEMORY,
    "sine": Sine(frequencies=6, lowest_frequency=0.05, highest_frequency=0.2, length=LENGTH),
    "integration": Integration(length=LENGTH, evaluation_trials=16),
}
UNITS = 5
"""Of most cells here, so that tests share programs, whose compilation is what takes time."""
CELL = GRU(units=UNITS)
PROTOCOL = Training(
    steps=60, batch=6, record_every=20, learning_rate=2e-2, l2=1e-4, state_noise=0.05
)
SEEDS = (11, 12, 13)
SLOW = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def short_blocks():
    """Blocks of 2 steps: 7 steps run through three blocks and a rest, and programs compile fast."""
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


def cohort(*changes, seeds=SEEDS, cell=CELL, task=MEMORY, **common):
    """A cohort by `PROTOCOL`; `changes` are fields of single members, None for no change."""
    changes = changes or [None] * len(seeds)
    shared = PROTOCOL.replace(**common)
    protocols = [shared.replace(**(change or {})) for change in changes]
    return train(cell, task, protocols, seeds)


@pytest.fixture(scope="module")
def base():
    return cohort()


def arrays(record):
    """Every array of a record by its name."""
    found = {name: values for name, _, _, values in record._arrays()}
    for name in record.__dataclass_fields__:
        if isinstance(getattr(record, name), Record):
            found |= {f"{name}.{n}": v for n, v in arrays(getattr(record, name)).items()}
    return found


def assert_same_bits(first, second):
    second = arrays(second)
    for name, values in arrays(first).items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


def moved(first, second):
    """Largest difference of any weight of two populations of one member."""
    a, b = arrays(first.population), arrays(second.population)
    return max(float(np.max(np.abs(a[name] - b[name]))) for name in a)


def one(trained, member):
    return trained.select("member", [member])


# A member is the same network in any company


def test_a_member_trained_alone_is_the_member_of_a_cohort_bit_for_bit(base):
    assert_same_bits(cohort(seeds=SEEDS[1:2]), one(base, 1))


def test_a_member_is_the_same_in_any_place_bit_for_bit(base):
    order = [2, 0, 1]
    assert_same_bits(cohort(seeds=[SEEDS[i] for i in order]), base.select("member", order))


@pytest.mark.parametrize("kind", ["vanilla", pytest.param("lstm", marks=SLOW)])
def test_200_steps_alone_and_among_seven_give_the_same_bits(kind):
    options = {"cell": CELLS[kind](units=UNITS), "steps": 200, "record_every": 100}
    many = cohort(seeds=range(7), **options)
    assert_same_bits(cohort(seeds=[4], **options), one(many, 4))


@pytest.mark.slow
def test_members_that_share_their_trials_see_those_of_none_of_them(base):
    shared = cohort(data="shared")
    assert shared.loss[0, 0] != base.loss[0, 0]
    twin = cohort({"learning_rate": 1e-3}, None, seeds=[11, 12], data="shared")
    assert_same_bits(one(twin, 1), one(shared, 1))


def test_shared_trials_are_the_same_for_all():
    """Networks that differ by their stream of trials alone: equal weights give equal losses."""
    protocol = PROTOCOL.replace(data="shared", state_noise=0.0, steps=1, record_every=1)
    streams = course.streams([1, 2], protocol)["trials"].numpy()
    np.testing.assert_array_equal(streams[0], streams[1])
    program = steps.Program(CELL, MEMORY, 4, False, "per_member", True)
    seeds = {"trials": tf.constant(streams), "noise": tf.constant(streams)}
    together = trials(program, seeds, tf.constant(0)).inputs.numpy()
    np.testing.assert_array_equal(together[0], together[1])
    each = trials_each(program, seeds, tf.constant(0))({}).inputs.numpy()
    np.testing.assert_array_equal(each, together[0])


@pytest.mark.parametrize(
    ("kind", "length"), [*((kind, 5) for kind in CELLS), ("gru", 2), ("gru", 6)]
)
def test_both_kernels_give_the_same_gradients(kind, length):
    """Rounding alone may differ: float32, sums over 6 steps; in one block of time steps, in two
    and a rest, and in three."""
    cell, task = CELLS[kind](units=3), MEMORY.replace(length=length)
    population = untrained(cell, task, [1, 2, 3])
    parameters = {n: tf.constant(w) for n, w in evaluation.parameters_of(population).items()}
    rates = course.vectors([PROTOCOL.replace(state_noise=0.3)] * 3)
    seeds = course.streams([1, 2, 3], PROTOCOL)
    found = []
    for kernel in ("per_member", "batched"):
        program = steps.Program(cell, task, 4, True, kernel)
        gradients = getattr(steps, f"_gradients_{kernel}")
        found.append(tf.function(gradients)(program, parameters, rates, seeds, tf.constant(3)))
    (loss, each), (expected, together) = found
    np.testing.assert_allclose(loss, expected, rtol=2e-6)
    for name, values in each.items():
        np.testing.assert_allclose(values, together[name], rtol=1e-4, atol=2e-6, err_msg=name)


def test_the_same_training_twice_gives_the_same_bits(base):
    assert_same_bits(cohort(), base)


def test_members_with_other_seeds_are_others(base):
    assert moved(one(base, 0), one(base, 1)) > 0.1
    assert len({tuple(loss) for loss in base.loss}) == len(SEEDS)


def test_a_members_streams_are_functions_of_its_seed_alone():
    """Literals: whoever changes them changes every network of every study."""
    assert stream(7, "trials") == (7, 756_826_216)
    assert stream(7, "noise") != stream(7, "trials") != stream(8, "trials")
    assert generator(7, "kernel").standard_normal() == pytest.approx(FIRST_DRAW, rel=1e-12)


FIRST_DRAW = 1.5392969430260028


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 1e-3},
        {"final_rate": 1.0},
        {"clip_norm": 1e-7},
        {"l2": 0.1},
        {"state_noise": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_members_own_number_acts_on_that_member_only(base, change):
    assert set(change) <= Training.per_member
    changed = cohort(None, change, None)
    assert_same_bits(one(changed, 0), one(base, 0))
    assert_same_bits(one(changed, 2), one(base, 2))
    assert moved(one(changed, 1), one(base, 1)) > 1e-3


def test_a_members_penalty_on_rates_acts_on_that_member_only():
    penalised = cohort(rate_l2=1e-3)
    changed = cohort(None, {"rate_l2": 0.1}, None, rate_l2=1e-3)
    assert_same_bits(one(changed, 0), one(penalised, 0))
    assert_same_bits(one(changed, 2), one(penalised, 2))
    assert moved(one(changed, 1), one(penalised, 1)) > 1e-3


def test_every_per_member_field_is_a_field():
    assert set(Training.model_fields) > Training.per_member


def test_noise_of_zero_in_a_noisy_cohort_is_no_noise():
    quiet = cohort({"state_noise": 0.0}, None, None)
    without = cohort(state_noise=0.0)
    expected = arrays(one(without, 0))
    # Another program, whose products may add in another order.
    for name, values in arrays(one(quiet, 0)).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=3e-6, err_msg=name)


# Divergence


def test_a_member_that_diverges_is_frozen_and_leaves_the_others_alone(base):
    changed = cohort(None, {"learning_rate": 1e30}, None)
    assert changed.status == ("trained", "diverged", "trained")
    assert changed.diverged_at.tolist() == [-1, 1, -1]
    assert_same_bits(one(changed, 0), one(base, 0))
    assert_same_bits(one(changed, 2), one(base, 2))
    for name, values in arrays(changed.population).items():
        assert np.isfinite(values).all(), name
    assert not changed.solved[1]


def test_a_frozen_member_keeps_the_weights_before_its_fatal_step():
    """Weights at the end are those after as many steps as it lived."""
    changed = cohort(None, {"learning_rate": 1e30}, None)
    short = cohort(None, {"learning_rate": 1e30}, None, steps=1)
    assert short.diverged_at.tolist() == [-1, -1, -1]
    assert_same_bits(one(changed, 1).population, one(short, 1).population)


def test_a_relu_lstm_without_a_bound_may_explode_and_is_reported():
    long, cell = MEMORY.replace(length=200), LSTM(units=5, activation="relu")
    found = cohort(cell=cell, task=long, learning_rate=0.2, state_noise=0.0)
    assert (found.diverged_at >= 0).any()
    assert found.status == tuple(
        "diverged" if at >= 0 else "trained" for at in found.diverged_at.tolist()
    )
    for name, values in arrays(found.population).items():
        assert np.isfinite(values).all(), name
    assert not found.solved.any()


# Learning

FAST_TASK = {
    "vanilla": "sine",
    "ugrnn": "integration",
    "gru": "flip_flop",
    "lstm": "flip_flop",
    "rate": "flip_flop",
}


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        # Each cell once, on some task; the other combinations are slow.
        pytest.param(kind, task, marks=[] if FAST_TASK[kind] == task else SLOW)
        for kind in ("vanilla", "ugrnn", "gru", "lstm", "rate")
        for task in TASKS
    ],
)
def test_the_loss_goes_down_for_every_cell_on_every_task(kind, task):
    cell = CELLS[kind](units=UNITS)
    found = cohort(cell=cell, task=TASKS[task], seeds=(1, 2), steps=80)
    before, _ = evaluate(TASKS[task], untrained(cell, TASKS[task], (1, 2)))
    assert (found.evaluation_loss < 0.8 * before).all()
    assert found.status == ("trained", "trained")


def untrained(cell, task, seeds):
    return initial_population(cell, task.inputs, task.outputs, seeds)


@pytest.mark.slow
def test_the_untrained_twin_is_rebuilt_from_the_seed():
    start = cohort(steps=1, learning_rate=1e-38).population
    assert_same_bits(start, untrained(CELL, MEMORY, SEEDS))
    assert_same_bits(untrained(CELL, MEMORY, SEEDS[2:]), start.select("member", [2]))
    again = train(CELL, MEMORY, [PROTOCOL.replace(steps=1)] * 3, SEEDS, attempt=1)
    assert_same_bits(again.untrained(), untrained(CELL, MEMORY, again.seed.tolist()))
    assert not set(again.seed.tolist()) & set(SEEDS)


def test_nobody_knows_how_a_network_began_that_was_trained_elsewhere(base):
    foreign = replace(base, seed=np.array([3, -1, 4]))
    for ask in (foreign.untrained, lambda: foreign.with_input_channels(MEMORY.inputs + 1)):
        with pytest.raises(ValueError, match="must have seeds, got an imported network"):
            ask()
    assert foreign.with_input_channels(MEMORY.inputs) is foreign.population


def test_networks_that_take_more_inputs_have_new_input_weights_alone(base):
    wide = base.with_input_channels(MEMORY.inputs + 2)
    assert wide.inputs == MEMORY.inputs + 2
    for name, weights in base.population.weights.items():
        if name != "kernel":
            np.testing.assert_array_equal(wide.weights[name], weights)
    expected = initial_population(CELL, MEMORY.inputs + 2, 1, SEEDS).weights["kernel"]
    np.testing.assert_array_equal(wide.weights["kernel"], expected)


def test_initial_weights_are_what_the_cell_declares():
    found = untrained(CELL, MEMORY, SEEDS)
    for member, seed in enumerate(SEEDS):
        for name, weight in CELL.weights(MEMORY.inputs).items():
            expected = weight.draw(generator(seed, name)).astype("float32")
            np.testing.assert_array_equal(found.weights[name][member], expected)
    assert found.readout["bias"].any() == found.initial_state.any() == False  # noqa: E712
    assert found.readout["kernel"].std() == pytest.approx(1 / CELL.units, rel=0.5)


def test_the_initial_state_stays_zero_unless_it_is_trained(base):
    assert not base.population.initial_state.any()
    found = cohort(train_initial_state=True)
    assert (np.abs(found.population.initial_state) > 1e-3).any(axis=1).all()


def test_each_member_of_a_cohort_may_or_may_not_train_its_initial_state(base):
    found = cohort(None, {"train_initial_state": True}, None)
    initial = found.population.initial_state
    assert (np.abs(initial[1]) > 1e-3).any()
    assert not initial[[0, 2]].any()
    assert_same_bits(found.select("member", [0]), base.select("member", [0]))


class Silence(Task):
    """Nothing comes in and nothing is wanted: only a penalty can move weights."""

    inputs: int = 2
    outputs: int = 2
    length: int = 5

    def sample(self, seed, trials):
        nothing = tf.zeros([trials, self.length, 2])
        return Trials(nothing, nothing, tf.ones([trials, self.length]))

    def static_inputs(self):
        return StaticInputs(np.zeros((1, 2)), ("no input",))


@pytest.mark.slow
def test_the_penalty_moves_kernels_and_leaves_biases():
    """In silence the data's gradient is 0 and Adam's first step is in closed form, g = 2 l2 w."""
    penalties, rate = np.array([1e-2, 0.0, 1e-8], "float32"), 1e-3
    found = cohort(
        *({"l2": float(l2)} for l2 in penalties), task=Silence(), steps=1, learning_rate=rate,
        state_noise=0.0, clip_norm=1e9,
    )  # fmt: skip
    before, after = arrays(untrained(CELL, Silence(), SEEDS)), arrays(found.population)
    for name, values in before.items():
        gradient = 2.0 * values * penalties.reshape(-1, *[1] * (values.ndim - 1))
        gradient = np.zeros_like(values) if "bias" in name or "state" in name else gradient
        expected = values - rate * gradient / (np.abs(gradient) + 1e-8)
        np.testing.assert_allclose(after[name], expected, rtol=1e-5, atol=1e-8, err_msg=name)
    assert (found.loss == 0.0).all()


# What is recorded


def first_trials(seed, step, task=MEMORY, batch=PROTOCOL.batch):
    """A member's batch of one step, from its stream."""
    folded = tf.random.experimental.stateless_fold_in(
        tf.constant(stream(seed, "trials"), tf.int32), step
    )
    return [part.numpy() for part in task.sample(folded, batch)]


def test_the_history_holds_loss_and_accuracy_before_its_steps():
    """Without decay a shorter training is the start of a longer one; the loss by plain loops."""
    options = {"final_rate": 1.0, "record_every": 25}
    long = cohort(steps=60, **options)
    assert long.step.tolist() == [0, 25, 50]
    assert long.loss.shape == long.accuracy.shape == (3, 3)
    populations = [untrained(CELL, MEMORY, SEEDS), cohort(steps=25, **options).population]
    for sample, population in enumerate(populations):
        drawn = [first_trials(seed, 25 * sample) for seed in SEEDS]
        inputs, targets, mask = (np.stack(part) for part in zip(*drawn, strict=True))
        start = np.zeros((3, PROTOCOL.batch, CELL.state_size))
        states = truth.unroll(CELL, population.weights, inputs, start)
        outputs = truth.outputs(CELL, population.readout, states)
        expected = truth.loss(outputs, targets, mask)
        np.testing.assert_allclose(long.loss[:, sample], expected, rtol=1e-5)
        right = np.sign(outputs) == targets
        heard = targets != 0
        shares = [right[m][heard[m]].mean() for m in range(3)]
        np.testing.assert_allclose(long.accuracy[:, sample], shares, rtol=1e-6)


def test_the_evaluation_is_of_the_final_networks_on_the_tasks_trials(base):
    trials = [part.numpy() for part in MEMORY.evaluation()]
    states = base.population.unroll(trials[0])
    outputs = base.population.outputs_of(states)
    targets, mask = (np.repeat(part[None], 3, axis=0) for part in trials[1:])
    expected = truth.loss(outputs, targets, mask)
    np.testing.assert_allclose(base.evaluation_loss, expected, rtol=1e-5)
    solved = (base.evaluation_loss < 0.01) & (base.evaluation_accuracy > 0.99)
    np.testing.assert_array_equal(base.solved, solved)


def test_evaluation_in_blocks_equals_evaluation_at_once(monkeypatch):
    population = untrained(CELL, MEMORY, range(5))
    at_once = evaluate(MEMORY, population)
    monkeypatch.setattr(evaluation, "EVALUATION_BLOCK", 2)
    for once, parts in zip(at_once, evaluate(MEMORY, population), strict=True):
        assert parts.shape == (5,)
        np.testing.assert_allclose(parts, once, rtol=1e-5)


def test_networks_in_double_precision_fare_as_in_single():
    population = untrained(CELL, MEMORY, range(3))
    # Float32 over the steps of a trial.
    for once, twice in zip(
        evaluate(MEMORY, population), evaluate(MEMORY, population.as_float64()), strict=True
    ):
        np.testing.assert_allclose(twice, once, rtol=1e-4)


def test_progress_is_told_the_steps_done_and_the_losses(base):
    told = []
    found = train(CELL, MEMORY, [PROTOCOL.replace(steps=50)] * 3, SEEDS, lambda *a: told.append(a))
    assert [step for step, _ in told] == [20, 40, 50]
    np.testing.assert_array_equal(np.stack([loss for _, loss in told], axis=1), found.loss)


def test_progress_may_stop_training_by_raising():
    told = []

    def stop(step, loss):
        told.append(step)
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        train(CELL, MEMORY, [PROTOCOL] * 3, SEEDS, stop)
    assert told == [20]


# By hand


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_steps_equal_steps_by_hand(kind, noise):
    """Three steps by plain autodiff through a Python loop and Keras's Adam, one member."""
    cell, steps, seed = CELLS[kind](units=UNITS), 3, 21
    protocol = Training(
        steps=steps, batch=PROTOCOL.batch, learning_rate=3e-2, final_rate=0.3, clip_norm=0.05,
        l2=1e-2, state_noise=noise, train_initial_state=True,
    )  # fmt: skip
    found = train(cell, MEMORY, [protocol], [seed]).population
    start = untrained(cell, MEMORY, [seed])
    weights = {n: keras.Variable(w[0]) for n, w in start.weights.items()}
    readout = {n: keras.Variable(w[0]) for n, w in start.readout.items()}
    initial = keras.Variable(start.initial_state[0])
    variables = [*weights.values(), *readout.values(), initial]
    adam = keras.optimizers.Adam(1.0, global_clipnorm=protocol.clip_norm)
    for step in range(steps):
        inputs, targets, _ = first_trials(seed, step, batch=protocol.batch)
        folded = tf.random.experimental.stateless_fold_in(
            tf.constant(stream(seed, "noise"), tf.int32), step
        )
        shape = (LENGTH, protocol.batch, cell.state_size)
        drawn = normal_of(shape)(folded)
        with tf.GradientTape() as tape:
            plain = {n: v.value for n, v in weights.items()}
            state, outputs = tf.repeat(initial.value[None], protocol.batch, axis=0), []
            for t in range(LENGTH):
                state = cell.step(plain, cell.drive(plain, inputs[:, t]), state)
                state = state + noise * drawn[t]
                seen = state[:, : cell.units]
                outputs.append(seen @ readout["kernel"].value + readout["bias"].value)
            loss = tf.reduce_mean((tf.stack(outputs, axis=1) - targets) ** 2)
            kernels = [plain["kernel"], plain["recurrent_kernel"], readout["kernel"].value]
            total = loss + protocol.l2 * sum(tf.reduce_sum(k**2) for k in kernels)
        gradients = tape.gradient(total, [v.value for v in variables])
        adam.learning_rate = 3e-2 * 0.3 ** (step / (steps - 1))
        # Keras's epsilon is the paper's epsilon hat.
        adam.epsilon = 1e-8 * np.sqrt(1.0 - 0.999 ** (step + 1))
        adam.apply_gradients(list(zip(gradients, variables, strict=True)))
    for ours, expected in (
        *((found.weights[n][0], v) for n, v in weights.items()),
        *((found.readout[n][0], v) for n, v in readout.items()),
        (found.initial_state[0], initial),
    ):
        np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-5, atol=1e-6)


# What is refused


def test_protocols_that_cannot_share_a_cohort_are_refused():
    protocols = [PROTOCOL, PROTOCOL.replace(batch=7, steps=5), PROTOCOL.replace(l2=1.0)]
    with pytest.raises(
        ValueError, match=r"must be equal but for .*, got different batch, steps\. Train"
    ):
        train(CELL, MEMORY, protocols, SEEDS)


def test_protocols_and_seeds_must_be_as_many():
    with pytest.raises(ValueError, match="got 2 protocols and 3 seeds"):
        train(CELL, MEMORY, [PROTOCOL] * 2, SEEDS)
    with pytest.raises(ValueError, match="got 0 protocols and 0 seeds"):
        train(CELL, MEMORY, [], [])


def test_training_shapes():
    """One member, one step, the shortest of all: every array has its axes."""
    found = train(UGRNN(units=4), MEMORY, [Training(steps=1, batch=1)], [0])
    assert (len(found.population), found.size("sample"), found.size("member")) == (1, 1, 1)


def test_a_cohort_larger_than_tensorflows_idea_of_a_cpu_trains_on():
    """Its memory optimiser takes a CPU for 256 MB and would break the second call."""
    cell, task = Vanilla(units=32), MEMORY.replace(length=100, evaluation_trials=2)
    protocol = Training(steps=3, batch=500, record_every=1)
    assert train(cell, task, [protocol] * 6, range(6)).size("sample") == 3


STOPPING = Training(
    steps=400,
    batch=8,
    record_every=10,
    learning_rate=3e-2,
    stop="solved",
    solved_for=2,
    state_noise=0.0,
)
EASY = FlipFlop(bits=1, length=LENGTH, pulse_probability=0.3, evaluation_trials=16,
                solved_loss=0.05, solved_accuracy=0.9)  # fmt: skip


@pytest.fixture(scope="module")
def stopped():
    """Networks of 8 units on batches of 8, which stop at different steps."""
    return train(CELLS["gru"](units=8), EASY, [STOPPING] * 3, SEEDS)


def test_a_network_stops_once_it_has_held_its_task(stopped):
    assert (stopped.steps < 400).all()
    assert len(set(stopped.steps)) > 1
    for member, taken in enumerate(stopped.steps):
        marks = taken // 10
        met = EASY.is_solved(stopped.loss[member], stopped.accuracy[member])
        assert met[marks - 2 : marks].all()
        # It went on at every earlier record, since two in a row were not yet met.
        assert not (met[: marks - 2] & met[1 : marks - 1]).any()
        assert np.isnan(stopped.loss[member, marks:]).all()
        assert np.isfinite(stopped.loss[member, :marks]).all()


def test_a_stopped_network_is_what_it_was_at_its_last_step(stopped):
    courses = []
    budget = STOPPING.replace(stop="budget")
    train(CELLS["gru"](units=8), EASY, [budget] * 3, SEEDS, checkpoint=courses.append)
    for member, taken in enumerate(stopped.steps):
        then = next(course for course in courses if course.done == taken)
        for name, weights in stopped.population.weights.items():
            # Widths of 3 and 2 members: bit for bit at sizes that fill the processor's vectors.
            np.testing.assert_allclose(
                weights[member], then.parameters[f"cell/{name}"][member], rtol=0, atol=1e-6
            )


def test_when_a_network_stops_does_not_depend_on_its_company(stopped):
    for member, seed in enumerate(SEEDS):
        alone = train(CELLS["gru"](units=8), EASY, [STOPPING], [seed])
        assert alone.steps[0] == stopped.steps[member]
        np.testing.assert_allclose(
            alone.evaluation_loss[0], stopped.evaluation_loss[member], rtol=1e-4
        )


def test_training_resumes_bit_for_bit(tmp_path, stopped):
    courses = []
    train(CELLS["gru"](units=8), EASY, [STOPPING] * 3, SEEDS, checkpoint=courses.append)
    halfway = courses[len(courses) // 2]
    halfway.save(tmp_path)
    resumed = train(
        CELLS["gru"](units=8),
        EASY,
        [STOPPING] * 3,
        SEEDS,
        resume=course.TrainingState.load(tmp_path),
    )
    assert_same_bits(resumed, stopped)


def test_pieces_move_no_result(base, stopped, monkeypatch):
    """A pause after each step: kept there, training goes on to the same bits."""
    monkeypatch.setattr(training, "PIECE", 0.0)
    courses = []
    protocols = [PROTOCOL] * 3
    paused = train(CELL, MEMORY, protocols, SEEDS, checkpoint=courses.append)
    assert_same_bits(paused, base)
    assert [kept.done for kept in courses] == list(range(1, PROTOCOL.steps + 1))
    monkeypatch.setattr(training, "PIECE", 10.0)
    assert_same_bits(train(CELL, MEMORY, protocols, SEEDS, resume=courses[26]), base)
    monkeypatch.setattr(training, "PIECE", 0.0)
    assert_same_bits(train(CELLS["gru"](units=8), EASY, [STOPPING] * 3, SEEDS), stopped)


def test_pieces_grow_until_they_take_some_seconds():
    assert [training._piece_steps(1, seconds, 50) for seconds in (60.0, 5.0, 0.1)] == [1, 2, 50]
    assert training._piece_steps(40, 100.0, 50) == 4
