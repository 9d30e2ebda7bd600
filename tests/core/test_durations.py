"""Durations with units in settings, converted by the length of a step."""

import re
from typing import Annotated

import pytest
from pydantic import Field

from rnnstudy.core.arguments.durations import (
    MILLISECONDS,
    STEPS,
    Steps,
    as_milliseconds,
    seconds_per_step,
)
from rnnstudy.core.component import Component
from rnnstudy.core.errors import SettingError
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration


class Trial(Component):
    dt: Annotated[float, Field(gt=0), MILLISECONDS] | None = None
    delay: Steps = 10
    length: Annotated[int, Field(ge=2, le=100), STEPS] = 20
    tau: Annotated[float, Field(gt=0), MILLISECONDS] = 100.0


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("80ms", 80.0), ("0.08s", 80.0), ("80 ms", 80.0), ("1e-1s", 100.0), (".5s", 500.0)],
)
def test_a_text_with_a_unit_is_a_duration(text, milliseconds):
    assert as_milliseconds(text) == pytest.approx(milliseconds, rel=1e-15)


@pytest.mark.parametrize("value", ["80", "ms", "80us", "-80ms", "80 steps", "", 80, None])
def test_anything_else_is_none(value):
    assert as_milliseconds(value) is None


def test_durations_are_converted_by_the_step():
    trial = Trial(dt=20, delay="80ms", length="0.2s", tau="0.05s")
    assert (trial.dt, trial.delay, trial.length, trial.tau) == (20.0, 4, 10, 50.0)
    assert Trial(dt="0.02s") == Trial(dt=20.0)
    assert Trial(dt=0.1, delay="0.3ms").delay == 3  # 0.3 / 0.1 is not 3 in floating point.
    assert Trial(delay=7).delay == 7


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"delay": "80ms"}, "Trial.delay is '80ms', but the length of a step is not known; add"),
        ({"dt": 20, "delay": "50ms"}, "is '50ms', which is 2.5 steps of 20 ms; it should be a mul"),
        ({"dt": 20, "length": "20ms"}, "Trial.length must be at least 2, got"),
        ({"delay": "80 parsecs"}, "Trial.delay must be an integer, got '80 parsecs'"),
        ({"dt": "0ms"}, "Trial.dt must be"),
    ],
)
def test_a_wrong_duration_is_one_sentence(fields, message):
    with pytest.raises(SettingError, match=re.escape(message)):
        Trial(**fields)


def test_the_schema_takes_both():
    alternatives = Trial.model_json_schema()["properties"]["length"]["anyOf"]
    assert [part["type"] for part in alternatives] == ["integer", "string"]
    assert alternatives[0]["minimum"] == 2


def test_lengths_of_tasks_are_durations():
    task = FlipFlop(dt=10, length="1s", probe_length="600ms")
    assert (task.length, task.probe_length) == (100, 60)
    assert seconds_per_step(task) == 0.01
    # Without dt the address is the one of before.
    assert "dt" not in FlipFlop().recipe()["fields"]
    assert FlipFlop(dt=10).recipe()["fields"]["dt"] == 10.0


def test_task_and_cell_have_one_step():
    assert seconds_per_step(FlipFlop(), Trial(dt=5)) == 0.005
    assert seconds_per_step(FlipFlop()) is None
    with pytest.raises(ValueError, match="dt must be the same in task and cell, got 10 ms of Int"):
        seconds_per_step(Integration(dt=10), Trial(dt=5))
