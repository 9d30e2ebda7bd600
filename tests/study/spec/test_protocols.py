"""Protocols as a factor of the grid, and grids that are no full product."""

from typing import Any

import pytest

from rnnstudy.cells.initialisers import GlorotUniform, Identity, Orthogonal
from rnnstudy.study.spec.study import Study, load_study, resolve_study, study_of
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.training.protocol import Training

STANDARD = {
    "flip_flop": {"learning_rate": 1e-2, "steps": 1500, "batch": 32},
    "sine": {"learning_rate": 3e-3, "steps": 2000, "batch": 51},
    "integration": {"learning_rate": 1e-2, "steps": 2000, "batch": 64},
}


def spec(**sections: Any) -> dict[str, Any]:
    grid = {"cells": ["vanilla", "gru"]}
    return {"study": "s", "tasks": ["flip_flop"], "networks": grid, **sections}


def networks(data: dict[str, Any]) -> dict[str, Any]:
    return {member.name: network for member, network in study_of(data).expand()}


def test_a_protocol_is_a_factor_of_the_grid() -> None:
    quiet, noisy = {"name": "quiet"}, {"name": "noisy", "training": {"state_noise": 0.1}}
    grid = study_of(spec(protocols=[quiet, noisy])).expand()
    assert [member.name for member, _ in grid] == [
        f"flip_flop-{cell}-tanh-32-{protocol}-s000"
        for cell in ("vanilla", "gru")
        for protocol in ("quiet", "noisy")
    ]
    member, network = grid[1]
    fields = ["task", "cell", "activation", "units", "protocol", "seed"]
    assert list(member.fields) == fields
    assert member.fields["protocol"] == "noisy"
    assert member.combination == "vanilla tanh noisy"
    assert network.training == Training(state_noise=0.1)


def test_without_protocols_names_and_addresses_stay() -> None:
    plain = study_of(spec()).expand()
    named = study_of(spec(protocols=[{"name": "same"}])).expand()
    assert [m.name for m, _ in plain] == ["flip_flop-vanilla-tanh-32-s000",
                                          "flip_flop-gru-tanh-32-s000"]  # fmt: skip
    assert [m.combination for m, _ in plain] == ["vanilla tanh", "gru tanh"]
    # A protocol's name is a label: its networks are those without it.
    assert [n.key() for _, n in plain] == [n.key() for _, n in named]


def test_more_special_fields_win() -> None:
    found = networks(
        spec(
            training={"steps": 1, "batch": 7},
            overrides=[
                {"where": {"cell": "gru"}, "set": {"training": {"steps": 2, "l2": 0.5}}},
                {"where": {"protocol": "b"}, "set": {"training": {"clip_norm": 9.0}}},
            ],
            protocols=[
                {"name": "a"},
                {
                    "name": "b",
                    "training": {"steps": 3, "clip_norm": 8.0},
                    "cell": {"gate_bias": 4},
                    "overrides": [{"where": {"cell": "gru"}, "set": {"training": {"batch": 5}}}],
                },
            ],
        )
    )

    def training(cell: str, protocol: str) -> Training:
        return found[f"flip_flop-{cell}-tanh-32-{protocol}-s000"].training

    assert training("vanilla", "a") == Training(steps=1, batch=7)
    assert training("gru", "a") == Training(steps=2, batch=7, l2=0.5)
    assert training("vanilla", "b") == Training(steps=3, batch=7, clip_norm=9.0)
    assert training("gru", "b") == Training(steps=3, batch=5, l2=0.5, clip_norm=9.0)
    # Cells without the field stay as they are.
    assert found["flip_flop-gru-tanh-32-b-s000"].cell.gate_bias == 4
    assert found["flip_flop-gru-tanh-32-a-s000"].cell.gate_bias == 1


@pytest.mark.parametrize("named", ["standard", {"kind": "standard"}])
def test_the_standard_protocol_is_that_of_the_field_whatever_else_is_tuned(named: Any) -> None:
    data = spec(
        tasks=list(STANDARD),
        networks={"cells": ["vanilla", "ugrnn", "gru", "lstm"], "activations": ["tanh", "relu"]},
        training={"state_noise": 0.05, "train_initial_state": True, "learning_rate": 0.5},
        overrides=[
            {"where": {"cell": "lstm"}, "set": {"cell": {"clip": 10, "gate_bias": 3}}},
            {
                "where": {"cell": "vanilla"},
                "set": {"cell": {"recurrent_initializer": "identity"}, "training": {"l2": 0.1}},
            },
        ],
        protocols=[{"name": "tuned"}, named],
    )
    for member, network in study_of(data).expand():
        cell, task = network.cell, member.fields["task"]
        if member.fields["protocol"] == "standard":
            assert network.training == Training(**STANDARD[task])
            assert cell.kernel_initializer == GlorotUniform()
            assert cell.recurrent_initializer == Orthogonal()
            assert getattr(cell, "gate_bias", 0.0) == 0.0
            assert getattr(cell, "clip", None) is None
            assert cell == cell.standard()
        elif member.fields["cell"] == "vanilla":
            assert cell.recurrent_initializer == Identity()
            assert network.training.learning_rate == 0.5


def test_fields_of_the_spec_come_after_those_of_the_standard_protocol() -> None:
    mine = {
        "kind": "standard",
        "name": "short",
        "training": {"steps": 9},
        "overrides": [{"where": {"cell": "gru"}, "set": {"cell": {"gate_bias": 2}}}],
    }
    found = networks(spec(protocols=[mine]))
    assert {n.training.steps for n in found.values()} == {9}
    assert found["flip_flop-gru-tanh-32-short-s000"].cell.gate_bias == 2


def test_axes_of_the_grid_win_over_the_standard_protocol() -> None:
    cells = [{"kind": "gru", "gate_bias": 0}, {"kind": "gru", "gate_bias": 2}]
    found = networks(spec(networks={"cells": cells, "l2": [0, 0.1]}, protocols=["standard"]))
    assert [(n.cell.gate_bias, n.training.l2) for n in found.values()] == [
        (0, 0), (0, 0.1), (2, 0), (2, 0.1)
    ]  # fmt: skip
    assert {n.training.batch for n in found.values()} == {32}


def test_a_selection_leaves_what_a_protocol_sets() -> None:
    data = spec(selection={"learning_rate": [0.1, 0.01]}, protocols=[{"name": "free"}, "standard"])
    pending = {name: getattr(n, "pending_fields", ()) for name, n in networks(data).items()}
    assert pending["flip_flop-gru-tanh-32-free-s000"] == ("learning_rate",)
    assert pending["flip_flop-gru-tanh-32-standard-s000"] == ()


def test_combinations_are_left_out_or_listed() -> None:
    grid = {"cells": ["vanilla", "gru", "lstm"], "activations": ["tanh", "relu"]}
    left = [{"cell": "lstm", "activation": "relu"}, {"cell": ["gru"], "activation": "tanh"}]
    names = [f"flip_flop-{each}-32-s000" for each in
             ("vanilla-tanh", "vanilla-relu", "gru-relu", "lstm-tanh")]  # fmt: skip
    assert list(networks(spec(networks={**grid, "exclude": left}))) == names
    listed = [{"cell": "vanilla"}, {"cell": "gru", "activation": "relu"},
              {"cell": "lstm", "activation": "tanh"}]  # fmt: skip
    assert list(networks(spec(networks={**grid, "include": listed}))) == names


def test_a_combination_is_left_out_of_one_protocol() -> None:
    grid = {"cells": ["vanilla", "lstm"], "exclude": [{"cell": "lstm", "protocol": "standard"}]}
    found = study_of(spec(networks=grid, protocols=[{"name": "tuned"}, "standard"]))
    assert [member.combination for member, _ in found.expand()] == [
        "vanilla tanh tuned", "vanilla tanh standard", "lstm tanh tuned"
    ]  # fmt: skip
    assert reread(found) == found


def test_a_cell_has_an_activation_and_units_of_its_own() -> None:
    cells = ["gru", {"kind": "lstm", "activation": "relu"}, {"kind": "vanilla", "units": 5}]
    found = study_of(spec(networks={"cells": cells, "units": [8]}))
    assert [m.name for m, _ in found.expand()] == [
        "flip_flop-gru-tanh-8-s000",
        "flip_flop-lstm-relu-8-s000",
        "flip_flop-vanilla-tanh-5-s000",
    ]
    assert found.networks is not None
    assert found.networks.size == 3
    assert reread(found) == found
    both = [{"kind": "gru", "activation": "relu"}, {"kind": "gru", "activation": "tanh"}]
    assert list(networks(spec(networks={"cells": both}))) == [
        "flip_flop-gru-relu-32-s000", "flip_flop-gru-tanh-32-s000"
    ]  # fmt: skip
    alone = study_of(spec(networks={"cells": ["gru", both[1]], "activations": "relu"}))
    assert [m.combination for m, _ in alone.expand()] == ["gru relu", "gru tanh"]
    assert reread(alone) == alone


def reread(study: Study) -> Study:
    """Return the study that is read from the resolved spec of another."""
    return study_of(parse_document(resolve_study(study), "resolved.yaml").data)


def test_a_resolved_study_writes_the_standard_protocol_out() -> None:
    found = study_of(spec(protocols=[{"name": "tuned", "cell": {"gate_bias": 2}}, "standard"]))
    text = resolve_study(found)
    assert "kind: standard" not in text
    again = reread(found)
    assert again == found
    assert [n.key() for _, n in again.expand()] == [n.key() for _, n in found.expand()]


CLAIM = {"kind": "geometry_depends_on", "of": "cka", "factor": "cell"}


def test_a_claim_is_judged_under_each_protocol() -> None:
    pairs = [{"kind": "pairs", "metric": "cka"}]
    protocols = [{"name": "tuned"}, "standard"]
    claims = [{**CLAIM, "per": "protocol"}, CLAIM]
    found = study_of(spec(protocols=protocols, analyses=pairs, claims=claims))
    assert [(claim.title, claim.where) for claim in found.claims] == [
        ("cka_depends_on_cell_tuned", {"protocol": "tuned"}),
        ("cka_depends_on_cell_standard", {"protocol": "standard"}),
        ("cka_depends_on_cell", {}),
    ]
    assert len({claim.key() for claim in found.claims}) == 1
    assert reread(found) == found


HEAD = "study: s\ntasks: [flip_flop, sine]\n"
GRID = f"{HEAD}networks: {{cells: [gru, lstm]}}\n"

MISTAKES = {
    "a name that is no protocol": (
        f"{GRID}protocols: [standrad]\n",
        (
            "4:13: protocols[0] is 'standrad'; protocols of this package: standard; did you mean "
            "'standard'?; write one of your own as {name: standrad, ...}"
        ),
    ),
    "a protocol without a name": (
        f"{GRID}protocols: [{{training: {{steps: 3}}}}]\n",
        "4:13: protocols[0].name is missing",
    ),
    "an unknown field of training": (
        f"{GRID}protocols: [{{name: a, training: {{step: 3}}}}]\n",
        "4:34: protocols[0].training.step is not a known key; known keys: "
        + ", ".join(Training.model_fields)
        + "; did you mean 'steps'?",
    ),
    "two of one name": (
        f"{GRID}protocols: [standard, {{name: standard}}]\n",
        "4:30: protocols[1].name is a second protocol called 'standard'",
    ),
    "a field that no cell has": (
        f"{GRID}protocols: [{{name: a, cell: {{gate_bia: 3}}}}]\n",
        (
            "4:30: protocols[0].cell.gate_bia is not a known key; known keys: kernel_initializer, "
            "recurrent_initializer, reset_after, gate_bias, clip; did you mean 'gate_bias'?"
        ),
    ),
    "an axis of the grid": (
        (HEAD + "networks: {cells: gru, l2: [0, 1]}\nprotocols: [{name: a, training: {l2: 0}}]\n"),
        "4:34: protocols[0].training.l2 is an axis of the grid; change networks.l2",
    ),
    "a bad value": (
        f"{GRID}protocols: [{{name: a, cell: {{clip: -1}}}}]\n",
        "4:36: protocols[0].cell.clip is -1; it should be above 0",
    ),
    "an override that matches nothing": (
        (
            f"{GRID}protocols:\n"
            "  - {name: a, overrides: [{where: {cell: gruu}, set: {training: {steps: 3}}}]}\n"
        ),
        (
            "5:42: protocols[0].overrides[0].where.cell is 'gruu', which no network has; in the "
            "grid: gru, lstm; did you mean 'gru'?"
        ),
    ),
    "protocols without a grid": (
        "study: s\ntasks: [flip_flop]\nprotocols: [standard]\nnetworks: null\n",
        "4:11: networks is missing, and there are no models; a study is of one or the other",
    ),
    "an unknown field of exclude": (
        f"{HEAD}networks: {{cells: gru, exclude: [{{cel: gru}}]}}\n",
        (
            "3:35: networks.exclude[0].cel is not a known key; known keys: task, cell, activation, "
            "units; did you mean 'cell'?"
        ),
    ),
    "a value that no network has": (
        f"{HEAD}networks: {{cells: gru, include: [{{cell: [gru, lstm]}}]}}\n",
        "3:47: networks.include[0].cell[1] is 'lstm', which no network has; in the grid: gru",
    ),
    "values that no network has together": (
        (
            f"{HEAD}networks: {{cells: [gru, {{kind: lstm, activation: relu}}],"
            " exclude: [{cell: gru, activation: relu}]}\n"
        ),
        "3:68: networks.exclude[0] matches no network: no point of the grid has all these values",
    ),
    "a protocol that is not there": (
        f"{HEAD}networks: {{cells: gru, exclude: [{{protocol: b}}]}}\nprotocols: [{{name: a}}]\n",
        "3:45: networks.exclude[0].protocol is 'b', which no network has; in the grid: a",
    ),
    "nothing left": (
        f"{HEAD}networks: {{cells: gru, exclude: [{{cell: gru}}]}}\n",
        "3:11: networks have no combination left: include and exclude leave out all of them",
    ),
    "a protocol without a network": (
        (
            HEAD + "networks: {cells: gru, exclude: [{protocol: a}]}\n"
            "protocols: [{name: a}, standard]\n"
        ),
        "4:13: protocols[0] has no network: the grid leaves out all of its combinations",
    ),
    "a claim for each value of no field": (
        (
            f"{GRID}analyses: [{{kind: pairs, metric: cka}}]\n"
            "claims: [{kind: geometry_depends_on, of: cka, factor: cell, per: protocol}]\n"
        ),
        "5:66: claims[0].per is 'protocol'; fields of this grid: cell, activation, units",
    ),
    "a claim for each protocol, one of which is wrong": (
        (
            f"{GRID}analyses: [{{kind: pairs, metric: cka}}]\n"
            "protocols: [{name: a, cell: {clip: -1}}, standard]\n"
            "claims: [{kind: geometry_depends_on, of: cka, factor: cell, per: protocol}]\n"
        ),
        "5:36: protocols[0].cell.clip is -1; it should be above 0",
    ),
    "a claim of a name that another gets for a value": (
        (
            f"{GRID}analyses: [{{kind: pairs, metric: cka}}]\n"
            "claims:\n- {kind: geometry_depends_on, of: cka, factor: units, per: cell}\n"
            "- {kind: geometry_depends_on, of: cka, factor: cell, name: cka_depends_on_units_gru}\n"
        ),
        (
            "7:3: claims[1] is a second claim called 'cka_depends_on_units_gru'; give one of them "
            "a 'name'"
        ),
    ),
    "a claim about no network": (
        (
            f"{GRID}analyses: [{{kind: pairs, metric: cka}}]\n"
            "claims: [{kind: geometry_depends_on, of: cka, factor: cell, where: {cell: ugrnn}}]\n"
        ),
        "5:68: claims[0].where cannot be met: cell is 'ugrnn', which no network has",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_its_message(name: str, tmp_path, monkeypatch) -> None:
    text, *expected = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        load_study("a.yaml")
    assert str(caught.value).split("\n") == [f"a.yaml:{line}" for line in expected]
