"""Settings `path.to.key=value`: what they change, and the message of every mistake in them."""

import pytest

from rnnstudy.study.spec.study import load_study, study_of
from rnnstudy.study.spec_text.cli_overrides import apply_settings
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.study.spec_text.reader import parse_document

TEXT = """\
study: s
tasks: [flip_flop, {kind: sine, length: 50}]
networks: {cells: [gru], seeds: 2}
training: {steps: 0}
"""
STUDY = {"study": "s", "tasks": ["flip_flop"], "networks": {"cells": "gru"}}


def after(*settings):
    return apply_settings(parse_document(TEXT, "a.yaml"), settings).data


def test_a_setting_replaces_or_adds_a_value():
    assert after("training.steps=10")["training"] == {"steps": 10}
    assert after("training.batch=8")["training"] == {"steps": 0, "batch": 8}
    assert after("report.title=A title")["report"] == {"title": "A title"}


@pytest.mark.parametrize("setting", ["tasks.1.length=20", "tasks[1].length=20"])
def test_list_positions_are_numbers(setting):
    assert after(setting)["tasks"] == ["flip_flop", {"kind": "sine", "length": 20}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("on", "on"),
        ("'3'", "3"),
        ("[1, 2]", [1, 2]),
        ("{kind: gru}", {"kind": "gru"}),
        ("null", None),
        ("", None),
        ("a=b", "a=b"),
    ],
)
def test_values_are_yaml(text, value):
    assert after(f"x.y={text}")["x"] == {"y": value}


def test_later_settings_see_what_earlier_ones_did():
    assert after("tasks=[sine]", "tasks.0={kind: sine}", "tasks.0.length=9")["tasks"] == [
        {"kind": "sine", "length": 9}
    ]


def test_a_setting_takes_a_mistake_of_the_file_away(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(TEXT.replace("steps: 0", "steps: .nan"))
    assert load_study(path, ["training.steps=5"]).training.steps == 5


def test_settings_work_on_plain_data_and_leave_it_alone():
    assert study_of(STUDY, ["networks.seeds=3"]).networks.seeds == (0, 1, 2)
    assert STUDY["networks"] == {"cells": "gru"}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("training.steps=abc", "training.steps is 'abc', a text; it should be an integer"),
        ("training.steps=", "training.steps is empty (null); it should be an integer"),
        (
            "training.stpes=3",
            ("training.stpes is not a known key; known keys: steps, batch, data, learning_rate, "
            "final_rate, clip_norm, l2, rate_l2, state_noise, train_initial_state, record_every, "
            "precision, tf32, data_parallel, stop, solved_for, retry; did you mean 'steps'?"),
        ),
        ("tasks.1.length=0", "tasks[1].length is 0; it should be at least 2"),
        ("networks.units=[1, .nan]", "networks.units[1] is .nan; numbers here are finite"),
        ("training", "should read path.to.key=value, like training.steps=100"),
        ("=3", "should read path.to.key=value, like training.steps=100"),
        ("a..b=3", "should read path.to.key=value, like training.steps=100"),
        ("a b=3", "should read path.to.key=value, like training.steps=100"),
        (
            "tasks.2=sine",
            "tasks is a list, '2' is not a position in it; it has 2 values, counted from 0",
        ),
        (
            "tasks.x=sine",
            "tasks is a list, 'x' is not a position in it; it has 2 values, counted from 0",
        ),
        (
            "tasks[0].bits=2",
            ("tasks[0] is 'flip_flop' and has no key 'bits'; "
            "set tasks[0] to a whole mapping first"),
        ),
        ("study.x.y=2", "study is 's' and has no key 'x'; set study to a whole mapping first"),
        ("training.steps.x=2", "training.steps is 1 and has no key 'x'"),
        ("training.steps=[1", ("is not YAML: while parsing a flow sequence that begins at line 1, "
         "column 1: expected ',' or ']', but got '<stream end>'")),
        ("training.steps=!x 3", "training.steps has the tag !x; write the value without it"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_setting(setting, expected, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(TEXT.replace("steps: 0", "steps: 1"))
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        load_study(path, [setting])
    assert str(caught.value) == f"--set {setting}: {expected}"


def test_all_settings_are_looked_at_before_any_is_refused():
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        after("a", "training.batch=3", "tasks.9=sine")
    assert [line.partition(": ")[0] for line in str(caught.value).split("\n")] == [
        "--set a",
        "--set tasks.9=sine",
    ]


def test_a_spec_that_is_no_mapping_takes_no_setting():
    with pytest.raises(SpecError, match=r"^--set a=1: the spec is a list, not a mapping$"):
        apply_settings(parse_document("- a\n", "a.yaml"), ["a=1"])
