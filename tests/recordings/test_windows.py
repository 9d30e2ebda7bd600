"""Windows between parts of a trial and between times."""

import re

import pytest

from rnnstudy.recordings.windows import onset_of, steps_within, window_of
from rnnstudy.tasks.epochs.go_no_go import GoNoGo
from rnnstudy.tasks.flip_flop import FlipFlop

TASK = GoNoGo(fixation=5, stimulus=10, delay=15, response=10)


@pytest.mark.parametrize(
    ("between", "steps"),
    [
        (("fixation", "response"), slice(0, 40)),
        (("stimulus", "delay"), slice(5, 30)),
        (("delay", "delay"), slice(15, 30)),
        ((7, 12), slice(7, 12)),
        (("stimulus", 20), slice(5, 20)),
        ((30, 90), slice(30, 40)),
        (None, slice(0, 40)),
    ],
)
def test_a_window_ends_with_its_last_part(between, steps):
    assert steps_within(between, TASK) == steps


def test_times_need_the_length_of_a_step():
    timed = TASK.replace(dt=20.0)
    assert window_of(("100ms", "0.3s"), timed) == (5.0, 15.0)
    assert steps_within(("90ms", "310ms"), timed) == slice(5, 16)
    with pytest.raises(ValueError, match="must have a 'dt', the milliseconds of a time step"):
        window_of(("100ms", "0.3s"), TASK)


def test_the_probe_of_a_task_may_be_shorter_than_its_trials():
    assert steps_within((10, 90), FlipFlop(length=100, probe_length=60)) == slice(10, 60)


@pytest.mark.parametrize(
    ("between", "sentence"),
    [
        (("delay", "stimulus"), "between must begin before it ends"),
        (("stimulos", "delay"), "must have the part 'stimulos', got a task whose parts are:"),
        (("stimulos", "delay"), "did you mean 'stimulus'?"),
        ((3, 4), "must hold at least 2 time steps of go_no_go, got 1 of 40"),
        ((90, 95), "got 0 of 40"),
        ((None, 4), "between must have names of parts or times, got None"),
    ],
)
def test_a_wrong_window_is_named(between, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        steps_within(between, TASK)


def test_a_part_begins_after_those_before_it():
    assert [onset_of(TASK, part) for part in TASK.epochs] == [0, 5, 15, 30]
    with pytest.raises(ValueError, match="whose parts are: none"):
        onset_of(FlipFlop(), "stimulus")
