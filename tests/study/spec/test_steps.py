"""Lengths of steps and durations in specs."""

import pytest

from rnnstudy.study.spec.study import load_study
from rnnstudy.study.spec_text.document import SpecError

SPEC = """study: steps
tasks: [{{kind: flip_flop, dt: {task}, length: {length}}}]
networks: {{cells: [gru, {{kind: rate, dt: {cell}, tau: 0.1s}}]}}
"""


def study_of(tmp_path, **values):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(**{"task": 20, "length": "2s", "cell": "20ms"} | values))
    return load_study(path)


def test_durations_of_a_spec_have_units(tmp_path):
    study = study_of(tmp_path)
    assert study.tasks[0].length == 100
    cell = study.networks.cells[1]
    assert (cell.dt, cell.tau) == (20.0, 100.0)


def test_task_and_cell_have_steps_of_one_length(tmp_path):
    with pytest.raises(SpecError, match=r"has steps of 10 ms, but task flip_flop of 20 ms; give b"):
        study_of(tmp_path, cell="10ms")


def test_a_duration_of_broken_steps_is_located(tmp_path):
    message = r"spec.yaml:2:\d+.*tasks\[0\].length is '1.99s', which is 99.5 steps of 20 ms"
    with pytest.raises(SpecError, match=message):
        study_of(tmp_path, length="1.99s")
