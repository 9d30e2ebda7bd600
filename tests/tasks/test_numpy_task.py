"""Tasks whose trials NumPy draws: seeded, the same in every program, trained like others."""

import gc
import threading

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.cells.gru import GRU
from rnnstudy.tasks import NumpyTask, Trials
from rnnstudy.tasks.base import check_trials
from rnnstudy.training.programs import PROGRAMS
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train


class Echo(NumpyTask):
    """Repeat noise, as far as the mask counts."""

    inputs: int = 2
    outputs: int = 1
    length: int = 5
    evaluation_trials: int = 8
    wrong: str = ""

    def draw(self, generator, trials):
        if self.wrong == "global":
            generator = np.random.default_rng()
        inputs = generator.standard_normal((trials, self.length, 2))
        mask = (generator.random((trials, self.length)) < 0.7).astype(int)
        if self.wrong == "four":
            return inputs, inputs, mask, mask
        return (
            (inputs, inputs[..., :1]) if self.wrong == "none" else (inputs, inputs[..., :1], mask)
        )


def test_arrays_are_those_of_a_generator_from_the_seed():
    found = Echo().sample((3, -4), 6)
    generator = np.random.default_rng([3, 2**32 - 4])
    inputs = generator.standard_normal((6, 5, 2))
    np.testing.assert_array_equal(found.inputs, inputs.astype(np.float32))
    np.testing.assert_array_equal(found.targets, inputs[..., :1].astype(np.float32))
    np.testing.assert_array_equal(found.mask, generator.random((6, 5)) < 0.7)
    assert {part.dtype for part in found} == {tf.float32}


def test_without_a_mask_all_time_steps_count():
    assert np.array_equal(Echo(wrong="none").sample((1, 2), 3).mask, np.ones((3, 5)))


def test_trials_are_the_same_in_compiled_programs():
    task, seeds = Echo(), tf.constant([[0, 1], [5, 6]])
    signature = Trials(*[tf.float32] * 3)
    many = tf.function(
        lambda s: tf.map_fn(lambda one: task.sample(one, 4), s, fn_output_signature=signature)
    )
    for compiled, eager in zip(many(seeds), task.sample((5, 6), 4), strict=True):
        np.testing.assert_array_equal(compiled[1], eager)


def test_promises_are_checked():
    check_trials(Echo())
    with pytest.raises(ValueError, match=r"got other inputs .* Draw from the generator alone"):
        check_trials(Echo(wrong="global"))
    with pytest.raises(ValueError, match=r"must return inputs, targets and .*, got 4 arrays"):
        check_trials(Echo(wrong="four"))


def test_fixed_points_are_without_input():
    static = Echo().static_inputs()
    assert static.values.tolist() == [[0.0, 0.0]]


@pytest.mark.slow
def test_networks_learn_from_threads_that_are_gone():
    """A program outlives the thread that compiled it."""
    PROGRAMS.clear()
    found, protocol = [], Training(steps=80, batch=16, record_every=40, learning_rate=3e-2)
    for _ in range(2):
        thread = threading.Thread(
            target=lambda: found.append(train(GRU(units=4), Echo(), [protocol], [3]))
        )
        thread.start()
        thread.join()
        gc.collect()
    first, second = found
    assert first.loss[0, -1] < 0.5 * first.loss[0, 0]
    np.testing.assert_array_equal(first.loss, second.loss)
    for name, weights in first.population.weights.items():
        np.testing.assert_array_equal(weights, second.population.weights[name], err_msg=name)
