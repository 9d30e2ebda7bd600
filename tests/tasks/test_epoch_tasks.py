"""Tasks with epochs: targets against a restatement in loops, and the course of a trial."""

import numpy as np
import pytest
from reference.tasks import (
    delayed_match_targets,
    go_no_go_targets,
    multi_task_response,
    parametric_memory_targets,
    peaks,
    ring_memory_targets,
)

from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.epochs.angles import within_tolerance
from rnnstudy.tasks.epochs.base import during
from rnnstudy.tasks.epochs.delayed_match import DelayedMatch
from rnnstudy.tasks.epochs.go_no_go import GoNoGo
from rnnstudy.tasks.epochs.multi_task import RULES, MultiTask
from rnnstudy.tasks.epochs.parametric_memory import ParametricMemory
from rnnstudy.tasks.epochs.ring_memory import RingMemory

SEED = (11, 12)
RING = 64
TASKS = [GoNoGo(), DelayedMatch(stimuli=3), ParametricMemory(), RingMemory(), MultiTask(ring=RING)]
EXPECTED = {
    "go_no_go": go_no_go_targets,
    "delayed_match": delayed_match_targets,
    "parametric_memory": parametric_memory_targets,
    "ring_memory": ring_memory_targets,
}


def drawn(task, trials=64):
    quiet = task.replace(input_noise=0.0)
    return [np.asarray(part) for part in quiet.sample(tf.constant(SEED), trials)]


@pytest.mark.parametrize("task", TASKS[:4], ids=lambda task: task.kind)
def test_targets_are_those_of_a_restatement(task):
    inputs, targets, _ = drawn(task)
    np.testing.assert_allclose(EXPECTED[task.kind](inputs), targets, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_responses_of_the_six_rules_are_those_of_a_restatement(rule):
    task = MultiTask(rules=(rule,), ring=RING)
    inputs, targets, _ = drawn(task, 32)
    response = during(task.epochs, "response") == 1.0
    fixated = 0
    for trial, target in zip(inputs, targets, strict=True):
        angle = multi_task_response(rule, trial, RING)
        assert np.array_equal(target[~response], np.eye(1, 3).repeat((~response).sum(), 0))
        fixated += angle is None
        expected = (1.0, 0.0, 0.0) if angle is None else (0.0, np.cos(angle), np.sin(angle))
        # A bump beside another is off by its tail.
        assert np.abs(target[response] - expected).max() < 0.06
    assert (0 < fixated < 32) == (rule == "match")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_fixation_ends_with_the_response_and_weighs_less_before_it(task):
    inputs, _, mask = drawn(task, 8)
    response = during(task.epochs, "response")
    assert np.array_equal(inputs[..., 0], np.tile(1.0 - response, (8, 1)))
    expected = np.where(response == 1.0, 1.0, np.float32(task.fixation_weight))
    assert np.array_equal(mask, np.tile(expected, (8, 1)))
    assert task.length == len(response) == sum(task.epochs.values())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_noise_is_on_the_stimuli_alone(task):
    quiet, loud = (
        drawn(task),
        np.asarray(task.replace(input_noise=0.5).sample(tf.constant(SEED), 64)[0]),
    )
    noise = loud - quiet[0]
    rules = len(task.rules) if isinstance(task, MultiTask) else 0
    stimuli = slice(1, noise.shape[-1] - rules)
    assert np.abs(noise[..., 0]).max() == 0.0
    assert noise[..., stimuli].std() == pytest.approx(0.5, rel=0.06)
    assert not noise[..., stimuli.stop :].any()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_static_inputs_are_inputs_of_trials(task):
    """Each constant input, but for stimuli between those of a trial, is that of some time step."""
    steps = drawn(task, 400)[0].reshape(-1, task.inputs)
    static = task.static_inputs()
    assert "response" in static.labels[-1]
    for label, values in zip(static.labels, static.values, strict=True):
        if "degrees" not in label:
            assert np.abs(steps - values).max(axis=1).min() < 1e-6, label


def test_a_stimulus_that_stays_is_absent_before_it_alone():
    """The delay of `go` and `anti` has a stimulus; their static input is that of the fixation."""
    task = MultiTask(rules=("go",))
    inputs = drawn(task, 4)[0][..., 1:-1]
    before = during(task.epochs, "fixation") == 1.0
    assert not inputs[:, before].any()
    assert inputs[:, ~before].any(axis=-1).all()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_longer_delays_only_lengthen_trials(task):
    shift = next(shift for shift in task.shifts() if shift.name == "delay")
    assert shift.trained in shift.values
    usual, longer = (shift.sample(factor, 8) for factor in (1.0, 3.0))
    assert longer.inputs.shape[1] == usual.inputs.shape[1] + 2 * task.delay
    last = task.response
    np.testing.assert_array_equal(longer.targets[:, -last:], usual.targets[:, -last:])


def test_half_of_the_trials_match_and_stimuli_are_balanced():
    task = DelayedMatch(stimuli=4)
    inputs, targets, _ = drawn(task, 2000)
    # Five standard errors of a half among 2000.
    assert abs(targets[:, -1, 1].mean() - 0.5) < 0.056
    first = inputs[:, task.fixation, 1:]
    assert np.abs(first.mean(axis=0) - 0.25).max() < 0.05
    second = inputs[:, -task.response - 1, 1:][targets[:, -1, 2] == 1.0]
    assert np.abs(second.mean(axis=0) - 0.25).max() < 0.07


def test_the_first_frequency_says_nothing_about_the_second():
    task = ParametricMemory()
    inputs, targets, _ = drawn(task, 2000)
    first = inputs[:, task.fixation, 1] * 42.0
    known = np.unique(first.round(4))
    assert known.tolist() == task.first_frequencies().tolist()
    for frequency in known:
        higher = targets[np.isclose(first, frequency), -1, 2]
        assert abs(higher.mean() - 0.5) < 5 * 0.5 / np.sqrt(len(higher))


def test_unseen_frequencies_lie_between_those_of_training():
    shift = ParametricMemory(frequencies=3, input_noise=0.0).shifts()[1]
    assert shift.values == (16.0, 28.0)
    inputs = np.asarray(shift.sample(16.0, 4).inputs)
    np.testing.assert_allclose(inputs[:, 5, 1] * 42.0, 16.0, rtol=1e-6)


def test_angles_are_uniform():
    targets = drawn(RingMemory(), 2000)[1][:, -1]
    # The mean of 2000 unit vectors is within 5 / sqrt(2000).
    assert np.abs(targets.mean(axis=0)).max() < 5 / np.sqrt(2000)
    np.testing.assert_allclose((targets**2).sum(axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("task", [RingMemory(tolerance=30.0), MultiTask(rules=("go",))])
def test_directions_are_correct_within_the_tolerance(task):
    _, targets, mask = drawn(task, 8)
    limit = 30.0 if isinstance(task, RingMemory) else 36.0
    for degrees, expected in ((limit - 1, 1.0), (limit + 1, 0.0), (1 - limit, 1.0)):
        turn = np.deg2rad(degrees)
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        outputs = targets.copy()
        outputs[..., -2:] = 0.4 * targets[..., -2:] @ matrix
        assert float(task.accuracy(outputs, targets, mask)) == expected


def test_a_network_that_fixates_is_right_where_nothing_matches_alone():
    task = MultiTask(rules=("match",))
    _, targets, mask = drawn(task, 64)
    outputs = np.zeros_like(targets) + np.eye(1, 3)
    expected = (targets[:, -1, 0] == 1.0).mean()
    assert 0.2 < expected < 0.8
    accuracy = task.accuracy(outputs.astype(np.float32), targets, mask)
    assert float(accuracy) == pytest.approx(expected)


def test_rules_are_shown_all_the_time_and_equally_often():
    task = MultiTask()
    shown = drawn(task, 1800)[0][..., -6:]
    assert np.ptp(shown, axis=1).max() == 0.0
    assert np.array_equal(shown.sum(axis=-1), np.ones(shown.shape[:2]))
    assert np.abs(shown[:, 0].mean(axis=0) - 1 / 6).max() < 0.05


def test_two_stimuli_have_the_strengths_of_yang():
    trial = drawn(MultiTask(rules=("context_decision",), ring=RING), 16)[0]
    for step in trial[:, 6]:
        for ring in (step[1 : 1 + RING], step[1 + RING : 1 + 2 * RING]):
            (_, strong), (_, weak) = peaks(ring)[:2]
            ratios = [(1 + c) / (1 - c) for c in (0.08, 0.16, 0.32)]
            assert np.abs(strong / weak / np.array(ratios) - 1.0).min() < 0.05


def test_points_without_an_angle_are_wrong():
    target = np.array([[1.0, 0.0]] * 4)
    points = np.array([[0.0, 0.0], [np.nan, 1.0], [np.inf, 0.0], [0.1, 0.0]])
    assert within_tolerance(points, target, 180.0).numpy().tolist() == [False, False, False, True]


def test_parts_of_a_trial_have_names():
    with pytest.raises(KeyError, match="must be of delay, response, got dely"):
        during({"delay": 2, "response": 1}, "dely")
