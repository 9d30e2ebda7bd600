"""The JSON Schema for editors: shipped specs satisfy it, mistakes do not, it is up to date."""

import json
from pathlib import Path

import pytest

from rnnstudy.study.spec.schema import schema
from rnnstudy.study.spec_text.reader import parse_document, read_document
from rnnstudy.tasks import TASKS
from rnnstudy.training.protocol import Training

jsonschema = pytest.importorskip("jsonschema")

SPECS = Path(__file__).parents[3] / "specs"
HEAD = "study: s\ntasks: [flip_flop]\n"


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def problems(validator, text):
    return [error.json_path for error in validator.iter_errors(parse_document(text, "a").data)]


def test_the_committed_schema_is_the_current_one():
    committed = json.loads((SPECS / "schema.json").read_text())
    assert committed == schema(), "run: rnnstudy schema > specs/schema.json"


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_spec_satisfies_the_schema_that_it_names(path, validator):
    assert list(validator.iter_errors(read_document(path).data)) == []
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    "networks",
    [
        "{cells: gru}",
        "{cells: [gru, {kind: gru, reset_after: false}, 'own:Leaky', {kind: 'own:Cell', a: 1}]}",
        "{cells: [lstm], activations: relu, units: 8, seeds: 3, l2: [0, 1e-3], steps: 10}",
        "{cells: [gru, {kind: lstm, activation: relu, units: 3}], exclude: [{cell: gru, l2: 0}]}",
    ],
)
def test_what_a_spec_may_say_satisfies_the_schema(networks, validator):
    assert problems(validator, f"{HEAD}networks: {networks}\n") == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("networks: {cells: gru, unit: 3}\n", "$.networks"),
        ("networks: {cells: gruu}\n", "$.networks.cells"),
        ("networks: {cells: [{kind: gru, units: x}]}\n", "$.networks.cells"),
        ("networks: {cells: gru, exclude: [{units: x}]}\n", "$.networks.exclude[0].units"),
        ("networks: {cells: gru}\nprotocols: [tuned]\n", "$.protocols[0]"),
        ("networks: {cells: gru, l2: [0, -1]}\n", "$.networks.l2"),
        ("networks: {cells: gru, l2: []}\n", "$.networks.l2"),
        ("networks: {cells: gru}\ntraining: {steps: 0}\n", "$.training.steps"),
        (
            "networks: {cells: gru}\noverrides: [{set: {training: {step: 1}}}]\n",
            "$.overrides[0].set.training",
        ),
        (
            "networks: {cells: gru}\noverrides: [{set: {cell: {clip: x}}}]\n",
            "$.overrides[0].set.cell.clip",
        ),
    ],
)
def test_what_a_spec_may_not_say_does_not(text, path, validator):
    assert problems(validator, HEAD + text) == [path]


def test_fields_come_with_their_descriptions():
    found = schema()
    training = found["$defs"]["Training"]["properties"]
    assert all(training[name]["description"] for name in Training.model_fields)
    networks = found["$defs"]["Networks"]["properties"]
    assert networks["l2"]["description"].startswith(Training.model_fields["l2"].description)
    assert all(field["description"] for field in found["properties"].values())


def test_every_entry_of_a_catalogue_is_offered_by_name_and_by_kind():
    items = schema()["properties"]["tasks"]["items"]["anyOf"]
    assert list(TASKS) in [item.get("enum") for item in items]
    kinds = [item.get("properties", {}).get("kind", {}).get("const") for item in items]
    assert set(TASKS) <= set(kinds)
