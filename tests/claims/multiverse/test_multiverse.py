"""Multiverses: combinations of choices, effects, the joint permutation test, and their spec."""

from itertools import product

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.analyses.distances.controls import ControlDistances
from rnnstudy.claims import CLAIMS
from rnnstudy.claims.evidence.measurements import values_of
from rnnstudy.claims.multiverse import Multiverse
from rnnstudy.claims.multiverse.specifications import derived_title
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.exhibit import SpecificationCurve, Table
from rnnstudy.study.spec.study import SpecError, study_of
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration

CELLS, PROTOCOLS, SEEDS = ("gru", "vanilla"), ("tuned", "standard"), 10
MEMBERS = [
    Member(f"{cell}-{protocol}-{seed}", {"cell": cell, "protocol": protocol, "seed": seed})
    for cell, protocol, seed in product(CELLS, PROTOCOLS, range(SEEDS))
]
NAMES = tuple(member.name for member in MEMBERS)
COUNT = len(MEMBERS)


def claim(**fields):
    return CLAIMS["geometry_depends_on"](
        of="svcca", factor="cell", permutations=99, min_networks=3, **fields
    )


def distances(shift, seed):
    """Trained networks whose cells differ by a shift, and untrained twins far away."""
    points = np.random.default_rng(seed).standard_normal((2 * COUNT, 4))
    is_gru = np.array([member.fields["cell"] == "gru" for member in MEMBERS])
    points[:COUNT, 0] += shift * is_gru
    points[COUNT:, 1] += 8.0
    values = squareform(pdist(points))
    controls = ControlDistances(
        labels=(*NAMES, *(f"{name} untrained" for name in NAMES)),
        values=values,
        learnt=("trained",) * COUNT + ("untrained",) * COUNT,
        fields=tuple(dict(member.fields) for member in (*MEMBERS, *MEMBERS)),
    )
    return Distances(NAMES, values[:COUNT, :COUNT]), controls


def inputs(shift, seed=0):
    (svcca, svcca_controls), (cka, cka_controls) = (
        distances(shift, seed),
        distances(shift, seed + 1),
    )
    controls = {"svcca": svcca_controls, "cka": cka_controls}
    return Inputs(MEMBERS, control_distances=controls, svcca=svcca, cka=cka)


CHOICES = {
    "of": ("svcca", "cka"),
    "by": ("nearest_neighbour", "silhouette"),
    "where.protocol": PROTOCOLS,
}


def run(shift, seed=0, choices=CHOICES, shuffles=19):
    multiverse = Multiverse(claim=claim(), choices=choices, shuffles=shuffles)
    return multiverse, multiverse.run(FlipFlop(), inputs(shift, seed))


def test_specifications_are_all_combinations():
    multiverse, result = run(3.0)
    expected = [
        {"of": of, "by": by, "where.protocol": protocol}
        for of, by, protocol in product(*CHOICES.values())
    ]
    assert [dict(each.choices) for each in multiverse.specifications] == expected
    assert list(result.choices) == expected


def test_effects_are_those_of_the_claim_on_these_networks():
    _, result = run(1.0)
    for i, choices in enumerate(result.choices):
        rows = [
            k for k, m in enumerate(MEMBERS) if m.fields["protocol"] == choices["where.protocol"]
        ]
        values = inputs(1.0)[choices["of"]].values[np.ix_(rows, rows)]
        alone = claim(by=choices["by"]).replace(of=choices["of"])
        among = [MEMBERS[k] for k in rows]
        labels = tuple(member.name for member in among)
        record = Inputs(among, **{choices["of"]: Distances(labels, values)})
        evidence = alone.test(alone.measure(FlipFlop(), record))
        assert (result.effect[i], result.p[i]) == (evidence.effect, evidence.p)
        assert (result.low[i], result.high[i]) == (evidence.low, evidence.high)
    assert result.median == np.median(result.effect)


def test_a_real_effect_is_supported_by_all():
    _, result = run(6.0)
    assert result.supports.all()
    assert result.share == 1.0
    assert result.median_p == 1 / 20
    assert set(result.reasons) == {""}


def test_without_controls_nothing_is_supported():
    multiverse = Multiverse(claim=claim(), choices={"of": ("svcca",)}, shuffles=19)
    alone = Inputs(MEMBERS, svcca=distances(6.0, 0)[0])
    result = multiverse.run(FlipFlop(), alone)
    assert result.reasons == ("uninformative",)
    assert not result.supports.any()


def test_the_joint_test_keeps_its_level():
    """Distances without an effect: of 12 studies, not more than chance have a p of 1 in 20."""
    p = [run(0.0, seed, {"of": ("svcca", "cka")})[1].median_p for seed in range(0, 24, 2)]
    assert binom.sf(sum(one <= 0.05 for one in p) - 1, len(p), 0.05) > 1e-3
    assert np.median(p) > 0.2


def test_shuffles_are_joint():
    """Twice the same distances: the median of both is that of one, in each permutation."""
    one = Multiverse(claim=claim(), choices={"of": ("svcca",)}, shuffles=19)
    two = Multiverse(claim=claim(), choices={"of": ("svcca", "cka")}, shuffles=19)
    distance, controls = distances(0.4, 0)
    both = Inputs(
        MEMBERS,
        control_distances={"svcca": controls, "cka": controls},
        svcca=distance,
        cka=distance,
    )
    assert one.run(FlipFlop(), both).median_p == two.run(FlipFlop(), both).median_p


def modes(difference, seed=0):
    """Numbers of modes of two cells that differ by so many, and of untrained twins far above."""
    generator = np.random.default_rng(seed)
    counts = 4.0 + generator.integers(0, 3, COUNT)
    counts += difference * np.array([m.fields["cell"] == "gru" for m in MEMBERS])
    return {
        "trained": dict(zip(MEMBERS, counts, strict=True)),
        "untrained": dict(zip(MEMBERS, counts[::-1] + 20.0, strict=True)),
    }


def run_modes(monkeypatch, difference, seed=0):
    several = CLAIMS["one_mode_or_several"](cell="gru", expected="several", permutations=99)
    numbers = modes(difference, seed)
    monkeypatch.setattr(
        type(several),
        "measure",
        lambda *_: values_of(numbers["trained"], {"untrained": numbers["untrained"]}),
    )
    choices = {"where.protocol": PROTOCOLS}
    multiverse = Multiverse(claim=several, choices=choices, shuffles=99)
    return multiverse.run(Integration(), Inputs(MEMBERS, line_attractor=numbers))


def test_a_claim_about_cells_exchanges_cells(monkeypatch):
    """Training changes the number of modes, which cells differ in only in the first study."""
    assert run_modes(monkeypatch, 4.0).median_p == 1 / 100
    p = [run_modes(monkeypatch, 0.0, seed).median_p for seed in range(8)]
    assert binom.sf(sum(one <= 0.05 for one in p) - 1, len(p), 0.05) > 1e-3
    assert 0.1 < np.median(p) < 0.9
    curve, _ = run_modes(monkeypatch, 0.0).exhibits()
    assert "in which cells are exchanged" in curve.caption


def test_too_few_networks_are_no_effect():
    few = {"where.protocol": ("tuned",), "min_networks": (3, 11)}
    _, result = run(6.0, choices=few)
    assert np.isfinite(result.effect).tolist() == [True, False]
    assert result.reasons[1].startswith("not enough networks")
    assert result.share == 1.0


def test_a_curve_and_a_table_are_shown():
    _, result = run(3.0)
    curve, table = result.exhibits()
    assert isinstance(curve, SpecificationCurve)
    assert isinstance(table, Table)
    assert table.rows == len(curve.effects) == 8
    assert len(result.to_frame()) == 8


SPEC = {
    "study": "a",
    "tasks": ["flip_flop"],
    "networks": {"cells": ["gru", "vanilla"], "units": 8, "seeds": 3},
}


def spec(choices):
    pairs = [{"kind": "pairs", "metric": metric} for metric in ("svcca", "cka")]
    entry = {
        "kind": "multiverse",
        "claim": {"kind": "geometry_depends_on", "of": "svcca", "factor": "cell"},
        "choices": choices,
    }
    return study_of({**SPEC, "analyses": [*pairs, entry]})


def test_a_spec_lists_choices_of_analyses_once():
    study = spec({"of": ["svcca", "cka"], "svcca.metric.dimensions": [2, 3]})
    by_title = {analysis.title: analysis for analysis in study.analyses}
    (multiverse,) = (each for each in study.analyses if isinstance(each, Multiverse))
    assert multiverse.needs() == ("svcca_dimensions_2", "svcca_dimensions_3", "cka")
    assert [by_title[f"svcca_dimensions_{n}"].metric.dimensions for n in (2, 3)] == [2, 3]
    again = study_of(study.model_dump(mode="json", exclude_none=True))
    assert [a.title for a in again.analyses] == [a.title for a in study.analyses]


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ({"metric": [1]}, "got 'metric'"),
        ({"svcca.metric.size": [1]}, "has no 'size'"),
        ({"dsa.metric.delays": [1]}, "got 'dsa'"),
        ({"by": []}, "got none for 'by'"),
        ({"factor": ["cell"]}, "about one factor"),
        ({"of": ["procrustes"]}, "procrustes"),
    ],
)
def test_wrong_choices_are_named(choices, text):
    with pytest.raises(SpecError, match=text):
        spec(choices)


def test_names_of_derived_analyses_are_identifiers():
    assert derived_title("svcca", {"svcca.metric.dimensions": 0.5}) == "svcca_dimensions_0_5"
