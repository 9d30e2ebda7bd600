"""Maps of networks, and networks that are placed on the map of others."""

from typing import Any

import numpy as np
import pytest
from claims.populations import apart, controlled, population
from task_inputs import compute

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.distances.controls import TRAINED
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.comparison.distances.embedding import Coordinates, classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.exhibit import Scatter
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.tasks.flip_flop import FlipFlop

MEMBERS = population(3)


def shown(analysis: Embedding, found: Distances) -> tuple[Coordinates, Scatter]:
    result = compute(analysis, FlipFlop(), MEMBERS, found)
    section = Section(FlipFlop(), MEMBERS, {}, {}, {analysis.title: result, "x": found})
    (scatter,) = analysis.show(section)
    assert isinstance(scatter, Scatter)
    return result, scatter


@pytest.mark.parametrize("method", ["classical", "stress"])
def test_networks_that_join_do_not_move_the_map(method: str) -> None:
    found = apart(MEMBERS, "cell", 3.0, 0)
    analysis = Embedding(of="x", method=method, fit={"seed": [0, 1]})
    whole = compute(analysis, FlipFlop(), MEMBERS, found)
    old = [i for i, member in enumerate(MEMBERS) if member.fields["seed"] < 2]
    some = Distances(tuple(found.labels[i] for i in old), found.values[np.ix_(old, old)])
    before = compute(Embedding(of="x", method=method), FlipFlop(), [MEMBERS[i] for i in old], some)
    np.testing.assert_allclose(whole.points[old], before.points, atol=1e-9)
    assert whole.out_of_sample.tolist() == [member.fields["seed"] == 2 for member in MEMBERS]
    # Cells lie far apart: the nearest on the map is of a placed network's own cell.
    for i in np.flatnonzero(whole.out_of_sample):
        near = old[np.linalg.norm(whole.points[old] - whole.points[i], axis=1).argmin()]
        assert MEMBERS[near].fields["cell"] == MEMBERS[i].fields["cell"]


def test_without_a_choice_all_make_the_map() -> None:
    found = apart(MEMBERS, "cell", 3.0, 1)
    result, scatter = shown(Embedding(of="x"), found)
    np.testing.assert_array_equal(result.points, classical_mds(found).points)
    assert not result.out_of_sample.any()
    assert list(scatter.groups) == ["cell", "activation"]
    alone = Distances(("a",), np.zeros((1, 1)))
    assert compute(Embedding(of="x"), FlipFlop(), [], alone).points.tolist() == [[0.0, 0.0]]


def test_controls_are_placed_on_the_map_of_trained_networks() -> None:
    found = controlled(MEMBERS, 2, activation=4.0)
    result, scatter = shown(Embedding(of="x", fit={"learnt": TRAINED}), found)
    assert result.out_of_sample.sum() == 48
    trained = found.at(TRAINED)
    alone = Distances(tuple(found.labels[i] for i in trained), found.among(trained))
    np.testing.assert_allclose(result.points[trained], classical_mds(alone).points, atol=1e-9)
    assert list(scatter.groups) == ["part in the map", "learnt", "cell", "activation"]
    assert set(scatter.groups["learnt"]) == {"trained", "untrained", "trained on other"}
    assert "48 of 72 networks placed on the map of the others" in scatter.caption


@pytest.mark.parametrize(
    ("fit", "sentence"),
    [
        ({"sed": 0}, "'sed' is no field of these networks; .*units, seed; did you mean 'seed'?"),
        ({"learnt": "trained"}, "'learnt' is no field of these networks"),
        ({"cell": "gru", "seed": 2, "activation": "relu"},
         "a map must have at least 3 networks, got 1 of 24 with these values"),
    ],
)  # fmt: skip
def test_a_map_of_nobody_is_refused(fit: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^fit: {sentence}".replace("?", r"\?")):
        compute(Embedding(of="x", fit=fit), FlipFlop(), MEMBERS, apart(MEMBERS, "cell", 3.0, 3))


@pytest.mark.parametrize(
    ("analysis", "sentence"),
    [
        ({"kind": "embedding", "fit": {"cel": "gru"}},
         "fit: 'cel' is no field of these networks; .* seed, learnt; did you mean 'cell'?"),
        ({"kind": "embedding", "fit": {"seed": [0, 5]}},
         "fit: seed is 5, which no network has"),
        ({"kind": "embedding", "fit": {"learnt": "untraned"}},
         "fit: learnt is 'untraned', which no network has"),
        ({"kind": "factor_tests", "factors": ["cell", "unit"]},
         "'unit' is no field of these networks; .*, units; did you mean 'units'?"),
    ],
)  # fmt: skip
def test_a_spec_that_asks_for_fields_that_there_are_not_is_refused(
    analysis: dict[str, Any], sentence: str
) -> None:
    title = rf"\({analysis['kind']}_svcca\)"
    with pytest.raises(SpecError, match=f"{title} {sentence}".replace("?", r"\?")):
        study_of(
            {"study": "s", "tasks": ["flip_flop"], "networks": {"cells": "gru", "units": 8},
             "analyses": [{"kind": "pairs", "metric": "svcca"}, {**analysis, "of": "svcca"}]}
        )  # fmt: skip
