"""Every analysis of the catalogue keeps the contract; none is missing from it."""

import doctest
import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from task_inputs import compute

from rnnstudy import analyses
from rnnstudy.analyses import ANALYSES, Analysis, MemberAnalysis, TaskAnalysis, base
from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.all_pairs import AllPairs
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.record_distances import RecordControls, RecordDistances
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.analyses.factors.factor_analysis import FactorAnalysis
from rnnstudy.analyses.recordings.pairs import RecordingPairs
from rnnstudy.analyses.recordings.states import StatesInConditions
from rnnstudy.cells import CELLS
from rnnstudy.claims.geometry_depends_on import GeometryDependsOn
from rnnstudy.claims.multiverse import Multiverse
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.exhibit import Exhibit, Matrix, Scatter
from rnnstudy.core.record import Record
from rnnstudy.metrics import CKA, SVCCA
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

TASK = FlipFlop(bits=1, length=10, probe_length=8, probe_trials=4)
OWN_TASKS: dict[str, Task] = {
    "oscillations": Sine(frequencies=4, static_cues=3, probe_trials=4, evaluation_trials=4),
    "line_attractor": Integration(length=10, probe_trials=8),
}
"""Analyses of one task, and that task."""
REQUIRED: dict[str, dict[str, Any]] = {
    "pairs": {"metric": "cka"},
    "embedding": {"of": "cka"},
    "point_geometry": {"of": "oscillations"},
    "point_geometry_controls": {"of": "oscillations"},
    "factor_tests": {"of": "cka"},
    "geometry_against_topology": {"of": ("cka",)},
    "multiverse": {
        "claim": GeometryDependsOn(of="cka", factor="cell"),
        "choices": {"by": ("silhouette",)},
    },
    "controls": {"metric": "cka"},
    "control_tests": {"of": "cka_controls"},
}


def inputs_of(
    analysis: MemberAnalysis, population: Population, task: Task
) -> dict[str, Sequence[Record]]:
    """Return the records that an analysis reads."""
    others = [ANALYSES[need]() for need in analysis.needs()]
    return {
        other.title: other.run(population, task)
        for other in others
        if isinstance(other, MemberAnalysis)
    }


def test_the_example_of_the_contract_runs() -> None:
    for block in doctest.DocTestFinder().find(base, "base"):
        assert doctest.DocTestRunner().run(block).failed == 0, block.name


def everything() -> list[type]:
    found: list[type] = []
    for module in pkgutil.walk_packages(analyses.__path__, "rnnstudy.analyses."):
        names = vars(importlib.import_module(module.name)).values()
        found += [c for c in names if isinstance(c, type) and issubclass(c, Analysis)]
    return found


def test_no_analysis_is_missing_from_the_catalogue() -> None:
    abstract = {Analysis, MemberAnalysis, TaskAnalysis, AllPairs, FactorAnalysis}
    abstract |= {RecordDistances, RecordControls}
    # The field `data` of a study makes these.
    abstract |= {RecordingPairs, StatesInConditions}
    # A multiverse is built on claims, and therefore is defined above analyses.
    assert set(everything()) - abstract | {Multiverse} == set(ANALYSES.values())


@pytest.mark.parametrize("kind", ANALYSES)
def test_an_entry_has_its_kind_a_title_and_survives_its_own_fields(kind: str) -> None:
    analysis = ANALYSES[kind](**REQUIRED.get(kind, {}))
    assert ANALYSES[kind].kind == kind
    assert analysis.title.isidentifier()
    assert analysis.replace(name="other").title == "other"
    assert analysis.replace(name="other").key() == analysis.key()


@pytest.mark.parametrize(
    "kind", [kind for kind, entry in ANALYSES.items() if issubclass(entry, MemberAnalysis)]
)
def test_member_analyses_find_the_same_alone_and_in_company(kind: str) -> None:
    analysis = ANALYSES[kind]()
    assert isinstance(analysis, MemberAnalysis)
    task = OWN_TASKS.get(kind, TASK)
    population = initial_population(CELLS["gru"](units=3), task.inputs, 1, [0, 1, 2])
    inputs = inputs_of(analysis, population, task)
    together = analysis.compute(population, task, inputs)
    second = {name: [records[1]] for name, records in inputs.items()}
    (alone,) = analysis.compute(population.select("member", [1]), task, second)
    assert len(together) == 3
    for (name, _, _, ours), (_, _, _, theirs) in zip(
        together[1]._arrays(), alone._arrays(), strict=True
    ):
        # Batched products sum in another order than single ones; float32 for the states.
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("kind", OWN_TASKS)
def test_an_analysis_of_one_task_says_so(kind: str) -> None:
    analysis = ANALYSES[kind]()
    assert isinstance(analysis, MemberAnalysis)
    assert analysis.applies(OWN_TASKS[kind])
    assert not analysis.applies(TASK)
    population = initial_population(CELLS["gru"](units=3), 1, 1, [0])
    with pytest.raises(ValueError, match=rf"the task of {kind} must be \w+, got flip_flop\."):
        analysis.run(population, TASK)


@pytest.fixture(scope="module")
def compared() -> tuple[list[Member], list[Record], Distances]:
    members, records = [], []
    for cell in ("vanilla", "gru"):
        population = initial_population(CELLS[cell](units=4), 1, 1, [0, 1])
        records += Representations().run(population, TASK)
        members += [
            Member(f"{cell}-{seed}", {"cell": cell, "activation": "tanh"}) for seed in (0, 1)
        ]
    found = compute(Pairs(metric=SVCCA(dimensions=2)), TASK, members, representations=records)
    return members, records, found


def test_pairs_are_the_metric_of_the_probe_states(
    compared: tuple[list[Member], list[Any], Distances],
) -> None:
    members, records, found = compared
    assert found.labels == tuple(member.name for member in members)
    expected = SVCCA(dimensions=2).distance(records[1].samples, records[3].samples)
    assert found.values[1, 3] == pytest.approx(expected, abs=1e-12)


def test_a_network_that_cannot_be_compared_is_left_out_and_named(
    compared: tuple[list[Member], list[Any], Distances],
) -> None:
    members, records, _ = compared
    broken = type(records[0])(**{
        **{f: getattr(records[2], f) for f in ("inputs", "targets", "outputs")},
        "states": np.full_like(records[2].states, np.nan),
    })  # fmt: skip
    found = compute(
        Pairs(metric=CKA()),
        TASK,
        members,
        representations=[*records[:2], broken, records[3]],
    )
    assert isinstance(found, Distances)
    assert found.left_out == {"gru-0": "the activity on the probe trials is not finite"}
    assert found.labels == tuple(member.name for member in members if member.name != "gru-0")


def test_pairs_and_embedding_show_themselves(
    compared: tuple[list[Member], list[Any], Distances],
) -> None:
    members, _, found = compared
    pairs, embedding = Pairs(metric=SVCCA(dimensions=2)), Embedding(of="svcca")
    points = compute(embedding, TASK, members, found)
    section = Section(TASK, members, {}, {}, {"svcca": found, "embedding_svcca": points})
    shown: list[Exhibit] = [*pairs.show(section), *embedding.show(section)]
    matrix, scatter = shown
    assert isinstance(matrix, Matrix)
    assert isinstance(scatter, Scatter)
    assert matrix.groups["cell"] == ["vanilla", "vanilla", "gru", "gru"]
    assert scatter.points.shape == (4, 2)


def test_an_embedding_of_what_has_no_distances_is_refused(
    compared: tuple[list[Member], list[Any], Distances],
) -> None:
    members, records, _ = compared
    with pytest.raises(TypeError, match="must yield Distances for embedding_representations, got"):
        compute(Embedding(of="representations"), TASK, members, records[0])
