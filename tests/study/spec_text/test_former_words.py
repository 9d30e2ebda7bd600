"""Former words of a spec are accepted, and reported where they stand."""

import pytest

from rnnstudy.analyses import ANALYSES
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


def test_former_kinds_of_analyses_and_the_titles_that_they_gave_are_replaced(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("""\
study: former
tasks: [flip_flop, sine]
networks: {cells: [gru, lstm], seeds: 3}
analyses:
  - fixed_points
  - topology
  - {kind: graphs, weighted: false}
  - {kind: embedding, of: graphs_topology_unweighted}
  - oscillations
  - {kind: arrangement, of: oscillations}
  - {kind: groups, of: arrangement_oscillations}
  - {kind: controls, metric: cka}
  - {kind: twins, of: cka_controls}
claims:
  - {kind: geometry_depends_on, of: graphs_topology_unweighted, factor: cell}
  - {kind: frequency_follows, found: 0.9}
""")
    study, lines = messages(lambda: load_study(path))
    assert [line.removeprefix(str(path)).partition(" The next")[0] for line in sorted(lines)] == [
        ":10:12: analyses[5].kind: 'arrangement' was renamed to 'point_geometry'.",
        ":11:12: analyses[6].kind: 'groups' was renamed to 'factor_tests'.",
        (
            ":11:24: analyses[6].of: 'arrangement_oscillations' was renamed to "
            "'point_geometry_oscillations'."
        ),
        ":13:12: analyses[8].kind: 'twins' was renamed to 'control_tests'.",
        (
            ":15:37: claims[0].of: 'graphs_topology_unweighted' was renamed to "
            "'graph_distances_topology_unweighted'."
        ),
        ":16:31: claims[1].found: 'found' was renamed to 'min_share'.",
        ":7:12: analyses[2].kind: 'graphs' was renamed to 'graph_distances'.",
        (
            ":8:27: analyses[3].of: 'graphs_topology_unweighted' was renamed to "
            "'graph_distances_topology_unweighted'."
        ),
    ]
    titles = [analysis.title for analysis in study.analyses]
    assert titles[2:4] == [
        "graph_distances_topology_unweighted",
        "embedding_graph_distances_topology_unweighted",
    ]
    assert titles[5:7] == [
        "point_geometry_oscillations",
        "factor_tests_point_geometry_oscillations",
    ]
    assert titles[8] == "control_tests_cka_controls"
    assert study.claims[1].min_share == 0.9


def test_a_recipe_of_format_1_has_the_former_titles():
    embedding = ANALYSES["embedding"](of="graph_distances_topology")
    assert embedding._recipe_in_format_1["class"] == "rnnstudy.analyses.embedding:Embedding"
    assert embedding._recipe_in_format_1["fields"]["of"] == "graphs_topology"
    plain = ANALYSES["embedding"](of="svcca", fit={"cell": "gru"})._recipe_in_format_1["fields"]
    assert (plain["of"], plain["fit"]) == ("svcca", {"cell": "gru"})
