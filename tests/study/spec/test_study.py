"""Whole studies: from YAML and plain data, with defaults filled in, and nothing but SpecError."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnstudy.study.spec.study import (
    Report,
    Study,
    build_study,
    load_study,
    resolve_study,
    study_of,
)
from rnnstudy.study.spec_text.cli_overrides import apply_settings
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.study.spec_text.reader import parse_document

SPECS = Path(__file__).parents[3] / "specs"
RICH = """\
study: rich
tasks: [{kind: flip_flop, bits: 2, name: two}, sine]
networks:
  cells: [vanilla, {kind: gru, reset_after: false}, {kind: lstm, clip: 10}]
  activations: relu
  units: [4, 8]
  l2: [0, 1e-6]
  seeds: [3, 1]
training: {steps: 5}
overrides:
  - where: {task: two, seed: [1]}
    set: {cell: {recurrent_initializer: {kind: identity, gain: 0.9}}, training: {batch: 2}}
analyses:
  - {kind: pairs, metric: {kind: svcca, dimensions: 2}}
  - {kind: embedding, of: svcca}
report: {title: 'on', formats: svg, models: ['two-*', '*-s003']}
runtime: {workers: 2, memory: 1.5, store: /tmp/shared}
"""
SMALL = {"study": "s", "tasks": ["sine"], "networks": {"cells": ["gru"]}}


def study(text):
    return build_study(parse_document(text, "a.yaml"))


def test_lists_are_tuples_and_integers_floats_where_the_field_says_so():
    found = study(RICH)
    assert found.networks.units == (4, 8)
    assert found.networks.l2 == (0.0, 1e-6)
    assert type(found.networks.l2[0]) is float
    assert found.report == Report(title="on", formats=("svg",), models=("two-*", "*-s003"))


def test_a_study_is_made_of_plain_data_too():
    assert study_of(SMALL) == Study.model_validate(SMALL)
    with pytest.raises(SpecError, match=r"^study: runtime is 3, an integer; it should be a map"):
        study_of({**SMALL, "runtime": 3})


def test_what_is_left_out_is_the_default():
    found = study_of(SMALL)
    assert found.training.steps == 1500
    assert found.overrides == found.analyses == ()
    assert found.runtime.store is None


def test_models_are_chosen_by_pattern():
    report = study(RICH).report
    assert report.wants_model("two-gru-relu-4-l2=0.0-s001")
    assert report.wants_model("sine-gru-relu-4-l2=0.0-s003")
    assert not report.wants_model("sine-gru-relu-4-l2=0.0-s001")
    assert not Report().wants_model("two-gru-relu-4-l2=0.0-s001")


# Resolved


@pytest.mark.parametrize("text", [RICH, yaml.dump(SMALL)])
def test_a_resolved_study_reads_back_equal(text):
    first = study(text)
    second = study(resolve_study(first))
    assert second == first
    assert resolve_study(second) == resolve_study(first)
    assert [n.key() for _, n in second.expand()] == [n.key() for _, n in first.expand()]


def test_a_resolved_study_holds_every_default_in_the_order_of_the_fields():
    data = yaml.safe_load(resolve_study(study_of(SMALL)))
    # Without recordings, the file is that of versions without them.
    assert list(data) == [name for name in Study.model_fields if name != "data"]
    assert data["training"]["steps"] == 1500
    assert data["tasks"][0]["frequencies"] == 51
    assert data["networks"]["cells"][0]["recurrent_initializer"] == {
        "kind": "orthogonal",
        "gain": 1.0,
    }
    assert data["networks"]["activations"] == ["tanh"]


def test_a_study_is_loaded_from_plain_data_too():
    assert load_study(SMALL, ["training.steps=7"]) == study_of(SMALL, ["training.steps=7"])


@pytest.mark.usefixtures("plugins")
def test_a_resolved_study_names_outside_classes_by_their_path(tmp_path, monkeypatch):
    (tmp_path / "own_task.py").write_text(
        "from typing import ClassVar\n"
        "from rnnstudy.tasks.sine import Sine\n"
        "class Own(Sine):\n    kind: ClassVar[str] = 'own'\n    phase: float = 0.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = study_of({**SMALL, "tasks": [{"kind": "own_task:Own", "phase": 1}]})
    assert found.expand()[0][0].name == "own-gru-tanh-32-s000"
    assert study(resolve_study(found)) == found


OWN_CELL = """\
from rnnstudy.cells import Cell, Weight


class Own(Cell):
    bad: str = "name"

    def weights(self, inputs):
        if self.bad == "raise":
            return {"kernel": self.missing}
        found = self.kernels(inputs, blocks=1)
        return list(found) if self.bad == "list" else {"w": found["kernel"]} if self.bad else found

    def drive(self, w, x):
        return x @ w["kernel"]

    def step(self, w, drive, h):
        return drive
"""


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("name", "Own.weights must have 'kernel' [input, ...], got w"),
        ("list", "Own.weights must return a dict of names and Weight, got a list"),
        (
            "raise",
            "Own.weights and state_size must be computable, got AttributeError: 'Own' object",
        ),
    ],
)
def test_a_cell_of_ones_own_is_asked_for_its_weights_at_once(tmp_path, monkeypatch, bad, sentence):
    (tmp_path / "weightless.py").write_text(OWN_CELL)
    monkeypatch.syspath_prepend(tmp_path)
    own = {"kind": "weightless:Own", "bad": bad}
    place = r"study: networks.cells\[1\] cannot be used: "
    with pytest.raises(SpecError, match=f"^{place}{re.escape(sentence)}"):
        study_of({**SMALL, "networks": {"cells": ["gru", own], "units": [2, 3]}})
    # An override may spoil what the grid has right.
    spoilt = {"set": {"cell": {"bad": bad}}}
    right = {"cells": [{"kind": "weightless:Own", "bad": ""}], "units": [2, 3]}
    place = r"study: overrides\[0\].set.cell makes a cell that cannot be used: "
    with pytest.raises(SpecError, match=f"^{place}{re.escape(sentence)}"):
        study_of({**SMALL, "networks": right, "overrides": [spoilt]})


# Shipped


SHIPPED = [("quickstart", 24), ("universality-small", 144), ("universality", 2880)]


@pytest.mark.parametrize(("name", "networks"), SHIPPED)
def test_a_shipped_spec_loads(name, networks):
    found = load_study(SPECS / f"{name}.yaml")
    assert found.study == name
    grid = found.expand()
    assert len(grid) == len({network.key() for _, network in grid}) == networks
    assert study(resolve_study(found)) == found
    assert all(n.cell.reset_after is False for _, n in grid if n.cell.kind == "gru")
    bounded = {
        n.cell.clip for _, n in grid if n.cell.kind == "lstm" and n.cell.activation == "relu"
    }
    assert bounded == {10.0}


def test_the_small_population_is_asked_what_the_full_one_is():
    full, small = (load_study(SPECS / f"universality{size}.yaml") for size in ("", "-small"))
    for field in ("tasks", "overrides", "analyses", "claims"):
        assert getattr(full, field) == getattr(small, field), field
    for field in ("cells", "activations"):
        assert getattr(full.networks, field) == getattr(small.networks, field), field
    assert set(small.networks.units) < set(full.networks.units)


def test_every_shipped_spec_loads():
    # The files that these two read are made first: see tests of own models and of the field.
    special = {SPECS / "own-model.yaml", SPECS / "field.yaml"}
    for path in sorted({*SPECS.glob("*.yaml")} - special):
        assert load_study(path).expand(), path


# Robustness

lines = st.lists(
    st.sampled_from([*RICH.splitlines(), "", "  - x", "  cells: []", "? [", "a: &a [*a]", "- 1"]),
    max_size=25,
)


@given(lines)
@settings(max_examples=150, deadline=None)
def test_lines_of_specs_in_any_order_are_read_or_refused(chosen):
    refused_or_read("\n".join(chosen))


@given(st.integers(0, len(RICH)), st.integers(0, 12), st.text(max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_damaged_spec_is_read_or_refused(start, length, noise):
    refused_or_read(RICH[:start] + noise + RICH[start + length :])


scalars = st.sampled_from([None, True, 0, 1, -1, 2.5, "", "gru", "sine", "x:y", "*", [], {}, [1]])
paths = st.sampled_from(
    ["study", "tasks", "tasks.0", "tasks.0.bits", "networks", "networks.cells", "networks.cells.1",
     "networks.units", "networks.l2", "networks.seeds", "training", "training.steps", "overrides",
     "overrides.0", "overrides.0.where", "overrides.0.where.seed", "overrides.0.set",
     "overrides.0.set.cell", "overrides.0.set.training", "overrides.0.set.cell.gate_bias",
     "analyses", "analyses.0", "analyses.0.metric", "analyses.1.of", "report.models", "runtime"]
)  # fmt: skip


@given(st.dictionaries(paths, scalars, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_value_anywhere_is_read_or_refused(changes):
    refused_or_read(RICH, [f"{path}={yaml.dump(v, default_flow_style=True).partition('...')[0]}"
                           for path, v in changes.items()])  # fmt: skip


def refused_or_read(text, sets=()):
    try:
        found = build_study(apply_settings(parse_document(text, "a.yaml"), sets))
    except SpecError as error:
        places = [problem.location.text for problem in error.problems]
    else:
        places = ["a.yaml"]
        assert len({member.name for member, _ in found.expand()}) == len(found.expand())
        assert study(resolve_study(found)) == found
    assert places
    assert all(place.startswith(("a.yaml", "--set ")) for place in places)


def test_reading_a_study_imports_nothing_heavy():
    code = (
        "import sys; from rnnstudy.study.spec.study import load_study; "
        f"load_study({str(SPECS / 'quickstart.yaml')!r}).expand(); "
        "heavy = {'tensorflow', 'keras', 'pandas', 'sklearn', 'matplotlib', 'scipy', 'xarray'}; "
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
