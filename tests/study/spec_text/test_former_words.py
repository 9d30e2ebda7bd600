"""Former words of a spec are accepted, and reported where they stand."""

import pytest

from rnnstudy.core import deprecations
from rnnstudy.study.spec.study import SpecError, load_study, study_of
from rnnstudy.training.protocol import Training

SPEC = """\
study: former
tasks: [{kind: flipflop, bits: 2}, flipflop]
networks:
  cells: [gru]
  pace: [1e-2, 1e-3]
training:
  batch: 4
  length: 30
overrides:
  - where: {cell: gru}
    set: {training: {group: 8}}
"""


@pytest.fixture
def former(monkeypatch):
    monkeypatch.setitem(deprecations.KINDS, "task", {"flipflop": "flip_flop"})
    words = {"length": "steps", "pace": "learning_rate", "group": "batch"}
    monkeypatch.setattr(Training, "former_fields", words)
    from rnnstudy.study.spec.networks import Networks

    monkeypatch.setattr(Networks, "former_fields", words)


def messages(load):
    with pytest.warns(FutureWarning) as caught:
        study = load()
    return study, [str(each.message) for each in caught]


@pytest.mark.usefixtures("former")
def test_each_former_word_is_reported_once_at_its_place(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("flipflop]", "{kind: flipflop, name: second}]"))
    study, lines = messages(lambda: load_study(path, ["training.length=20"]))
    end = "The next version refuses the former name."
    assert sorted(lines) == [
        f"--set training.length=20: training.length: 'length' was renamed to 'steps'. {end}",
        f"{path}:11:22: overrides[0].set.training.group: 'group' was renamed to 'batch'. {end}",
        f"{path}:2:16: tasks[0].kind: 'flipflop' was renamed to 'flip_flop'. {end}",
        f"{path}:2:43: tasks[1].kind: 'flipflop' was renamed to 'flip_flop'. {end}",
        f"{path}:5:3: networks.pace: 'pace' was renamed to 'learning_rate'. {end}",
    ]
    assert study.training.steps == 20
    assert [task.kind for task in study.tasks] == ["flip_flop", "flip_flop"]
    assert study.networks.learning_rate == (1e-2, 1e-3)
    assert study.expand()[0][1].training.batch == 8


@pytest.mark.usefixtures("former")
def test_a_kind_without_a_mapping_is_replaced():
    data = {"study": "a", "tasks": ["flipflop"], "networks": {"cells": "gru"}}
    study, lines = messages(lambda: study_of(data))
    (line,) = lines
    assert line.startswith("study: tasks[0]: 'flipflop' was renamed to 'flip_flop'. The next")
    assert study.tasks[0].kind == "flip_flop"
    assert data["tasks"] == ["flipflop"], "the caller's data are not changed"


@pytest.mark.usefixtures("former")
def test_errors_are_located_after_a_former_word_was_replaced(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(
        "study: a\ntasks: [flip_flop]\nnetworks: {cells: gru}\ntraining:\n  length: many\n"
    )
    with (
        pytest.warns(FutureWarning, match="length"),
        pytest.raises(SpecError, match=r"spec\.yaml:5:11: training\.steps is 'many'"),
    ):
        load_study(path)


@pytest.mark.usefixtures("former")
def test_a_field_under_both_names_is_an_error(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(
        "study: a\ntasks: [flip_flop]\nnetworks: {cells: gru}\ntraining: {length: 3, steps: 4}\n"
    )
    message = r"spec\.yaml:4:12: training\.length is the former name of steps, which is also set\."
    with pytest.raises(SpecError, match=message):
        load_study(path)
