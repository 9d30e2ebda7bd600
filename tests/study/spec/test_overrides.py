"""Overrides: what they change, which one wins, and the message of every mistake in them."""

import pytest

from rnnstudy.cells import CELLS
from rnnstudy.cells.initialisers import Identity
from rnnstudy.study.spec.study import load_study, study_of
from rnnstudy.study.spec_text.document import SpecError

HEAD = """\
study: s
tasks: [flip_flop]
networks: {cells: [vanilla, gru, lstm], activations: [tanh, relu], seeds: 2}
"""
TWO_GRUS = """\
study: s
tasks: [flip_flop]
networks:
  cells: [{kind: gru, reset_after: true}, {kind: gru, reset_after: false}, lstm]
  l2: [0, 1]
"""
TRAINING_KEYS = (
    "steps, batch, data, learning_rate, final_rate, clip_norm, l2, rate_l2, state_noise, "
    "train_initial_state, record_every, precision, tf32, data_parallel, stop, solved_for, retry"
)


def override(fields: str) -> str:
    return f"{HEAD}overrides:\n  - {{{fields}}}\n"


MISTAKES = {
    "override of an unknown field": (
        override("where: {cel: gru, l2: 1}, set: {cell: {gate_bias: 2}}"),
        (
            "5:14: overrides[0].where.cel is not a known key; known keys: task, cell, activation, "
            "units, seed; did you mean 'cell'?"
        ),
        (
            "5:24: overrides[0].where.l2 is not a known key; known keys: task, cell, activation, "
            "units, seed"
        ),
    ),
    "override of values that are not there": (
        override("where: {cell: gur, units: true, seed: [0, 7]}, set: {cell: {gate_bias: 2}}"),
        (
            "5:20: overrides[0].where.cell is 'gur', which no network has; in the grid: vanilla, "
            "gru, lstm; did you mean 'gru'?"
        ),
        "5:32: overrides[0].where.units is true, which no network has; in the grid: 32",
        "5:48: overrides[0].where.seed[1] is 7, which no network has; in the grid: 0, 1",
    ),
    "override that matches nothing": (
        TWO_GRUS + "overrides:\n  - where: {cell: lstm, reset_after: true}\n"
        "    set: {training: {steps: 2}}\n",
        "7:12: overrides[0].where matches no network: no point of the grid has all these values",
    ),
    "override that sets unknown fields": (
        override("where: {cell: gru}, set: {cell: {gate_bais: 2}}"),
        (
            "5:39: overrides[0].set.cell.gate_bais is not a known key; known keys: "
            "kernel_initializer, recurrent_initializer, reset_after, gate_bias; "
            "did you mean 'gate_bias'?"
        ),
    ),
    "override that sets unknown training fields": (
        override("set: {training: {step: 3, batch: x}, cells: 3}"),
        (
            "5:23: overrides[0].set.training.step is not a known key; "
            f"known keys: {TRAINING_KEYS}; did you mean 'steps'?"
        ),
        "5:39: overrides[0].set.training.batch is 'x', a text; it should be an integer",
        (
            "5:43: overrides[0].set.cells is not a known key; known keys: cell, training; "
            "did you mean 'cell'?"
        ),
    ),
    "override that sets a field of some cells": (
        override("where: {activation: relu}, set: {cell: {clip: 2}}"),
        (
            "5:46: overrides[0].set.cell.clip is not a field of vanilla, gru, which 'where' also "
            "matches; add 'cell: [lstm]' to it"
        ),
    ),
    "override that sets axes of the grid": (
        TWO_GRUS + "overrides:\n  - where: {cell: gru}\n    set:\n      training: {l2: 2}\n"
        "      cell: {reset_after: true, units: 2, activation: relu}\n",
        "9:18: overrides[0].set.training.l2 is an axis of the grid; change networks.l2",
        "10:14: overrides[0].set.cell.reset_after is an axis of the grid; change networks.cells",
        "10:33: overrides[0].set.cell.units is an axis of the grid; change networks.units",
        (
            "10:43: overrides[0].set.cell.activation is an axis of the grid; "
            "change networks.activations"
        ),
    ),
    "override that sets bad values": (
        override("where: {cell: lstm}, set: {cell: {clip: -1, recurrent_initializer: orthonal}}"),
        "5:46: overrides[0].set.cell.clip is -1; it should be above 0",
        (
            "5:73: overrides[0].set.cell.recurrent_initializer is 'orthonal'; known initialisers: "
            "glorot_uniform, identity, normal, orthogonal; did you mean 'orthogonal'?"
        ),
    ),
    "override that sets nothing": (
        override("where: {cell: lstm}, set: {}"),
        "5:32: overrides[0].set changes nothing; give it 'cell' or 'training'",
    ),
    "override without set": (override("where: {cell: lstm}"), "5:5: overrides[0].set is missing"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_its_message(name, tmp_path, monkeypatch):
    text, *expected = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        load_study("a.yaml")
    assert str(caught.value).split("\n") == [f"a.yaml:{line}" for line in expected]


def as_networks(*overrides, **networks):
    """Name -> network of a small study with these overrides."""
    grid = {"cells": ["vanilla", "gru", "lstm"], "activations": ["tanh", "relu"], "seeds": 2}
    data = {"study": "s", "tasks": ["flip_flop", "sine"], "networks": grid | networks}
    expanded = study_of(data | {"overrides": list(overrides)}).expand()
    return {member.name: network for member, network in expanded}


def test_an_override_changes_what_it_matches_and_nothing_else():
    plain = as_networks()
    changed = as_networks(
        {"where": {"cell": "lstm", "activation": "relu"}, "set": {"cell": {"clip": 10}}}
    )
    assert list(plain) == list(changed)
    for name, network in changed.items():
        if "-lstm-relu-" in name:
            assert network == plain[name].replace(cell=plain[name].cell.replace(clip=10.0))
        else:
            assert network == plain[name]


def test_where_takes_lists_and_every_field_of_the_grid():
    where = {
        "task": ["sine"],
        "cell": ["gru", "lstm"],
        "activation": "tanh",
        "units": 32,
        "l2": [0],
        "seed": [0, 1],
    }
    changed = as_networks({"where": where, "set": {"training": {"steps": 7}}}, l2=[0, 1e-3])
    assert [name for name, network in changed.items() if network.training.steps == 7] == [
        f"sine-{cell}-tanh-32-l2=0.0-s00{seed}" for cell in ("gru", "lstm") for seed in (0, 1)
    ]


def test_no_where_is_everywhere():
    changed = as_networks({"set": {"cell": {"recurrent_initializer": "identity"}}})
    assert {network.cell.recurrent_initializer for network in changed.values()} == {Identity()}


def test_later_overrides_win_field_by_field():
    changed = as_networks(
        {"set": {"training": {"steps": 1, "batch": 2}}},
        {"where": {"seed": 1}, "set": {"training": {"steps": 3}}},
    )
    assert {(n.seed, n.training.steps, n.training.batch) for n in changed.values()} == {
        (0, 1, 2),
        (1, 3, 2),
    }


def test_two_cells_of_a_kind_are_told_apart_by_what_differs():
    both = [{"kind": "gru"}, {"kind": "gru", "reset_after": False}, "vanilla"]
    changed = as_networks(
        {"where": {"reset_after": False}, "set": {"cell": {"gate_bias": 2}}}, cells=both
    )
    biased = [name for name, n in changed.items() if getattr(n.cell, "gate_bias", 0) == 2.0]
    assert biased
    assert all("-reset_after=false-" in name for name in biased)


def test_an_override_keeps_the_class_of_the_cell():
    changed = as_networks({"where": {"cell": "gru"}, "set": {"cell": {"gate_bias": 3}}})
    assert {type(n.cell) for name, n in changed.items() if "-gru-" in name} == {CELLS["gru"]}
