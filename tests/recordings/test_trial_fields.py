"""Fields of trials, against the numbers that the trials are made of."""

import numpy as np
import pytest

from rnnstudy.tasks.epochs.delayed_match import DelayedMatch
from rnnstudy.tasks.epochs.go_no_go import GoNoGo
from rnnstudy.tasks.epochs.multi_task import MultiTask
from rnnstudy.tasks.epochs.parametric_memory import ParametricMemory
from rnnstudy.tasks.epochs.ring_memory import RingMemory
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

TRIALS = 24


def sampled(task):
    trials = task.sample((3, 4), TRIALS)
    return trials, task.trial_fields(trials)


def test_context_and_choice_of_an_integration():
    trials, fields = sampled(Integration(streams=2, length=10))
    context = fields["context"]
    inputs = np.asarray(trials.inputs)
    assert (inputs[np.arange(TRIALS), 0, 1 + context] == 1.0).all()
    assert set(context) == {1, 2}
    followed = inputs[np.arange(TRIALS), :, context - 1].sum(axis=1)
    np.testing.assert_array_equal(fields["choice"], np.sign(followed))


def test_cues_of_a_sine():
    _, fields = sampled(Sine(frequencies=4, length=5))
    np.testing.assert_allclose(np.unique(fields["cue"]), [0.0, 1 / 3, 2 / 3, 1.0], atol=1e-6)


def test_flip_flops_have_no_conditions():
    assert sampled(FlipFlop(bits=1, length=5))[1] == {}


def test_stimuli_of_a_match_decide_the_choice():
    _, fields = sampled(DelayedMatch(stimuli=3))
    same = fields["sample"] == fields["test"]
    np.testing.assert_array_equal(fields["choice"], np.where(same, 1, 2))
    assert set(fields["sample"]) == {1, 2, 3}


def test_first_frequencies_are_those_of_the_task():
    trials, fields = sampled(ParametricMemory(input_noise=0.0))
    shown = np.asarray(trials.inputs)[:, 5, 1]
    np.testing.assert_allclose(ParametricMemory().amplitude(fields["first"]), shown, atol=1e-6)
    assert set(fields["choice"]) == {1, 2}


def test_go_and_no_go():
    trials, fields = sampled(GoNoGo(input_noise=0.0))
    np.testing.assert_array_equal(fields["choice"], np.asarray(trials.inputs)[:, 6, 1])


def test_angles_are_rounded_to_those_that_are_static():
    trials, fields = sampled(RingMemory(static_angles=8))
    points = np.asarray(trials.targets)[:, -1]
    exact = np.rad2deg(np.arctan2(points[:, 1], points[:, 0]))
    gap = (fields["angle"] - exact + 180.0) % 360.0 - 180.0
    assert np.abs(gap).max() <= 22.5 + 1e-3
    assert set(fields["angle"]) <= set(45.0 * np.arange(8))


@pytest.mark.parametrize("rules", [("go", "match"), ("anti", "decision")])
def test_rules_and_directions(rules):
    trials, fields = sampled(MultiTask(rules=rules))
    assert set(fields["rule"]) == set(rules)
    fixates = np.asarray(trials.targets)[:, -1, 0] > 0.5
    np.testing.assert_array_equal(fields["direction"] == -1, fixates)
