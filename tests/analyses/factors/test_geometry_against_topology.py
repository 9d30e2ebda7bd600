"""Explained shares of several distances side by side: numbers, figure and table."""

import numpy as np
from scipy.spatial.distance import pdist, squareform

from rnnstudy.analyses.base import Inputs, Member, Section
from rnnstudy.analyses.factors.fields import strata_of
from rnnstudy.analyses.factors.geometry_against_topology import GeometryAgainstTopology
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.variance.dispersion import dispersion_test
from rnnstudy.comparison.statistics.variance.explained_shares import explained_shares
from rnnstudy.core.exhibit import Intervals, Table
from rnnstudy.tasks.flip_flop import FlipFlop

GRID = [(c, a, s) for c in ("vanilla", "gru") for a in ("tanh", "relu") for s in range(6)]
MEMBERS = [
    Member(f"{c}-{a}-{s}", {"task": "t", "cell": c, "activation": a, "seed": s}) for c, a, s in GRID
]
LABELS = tuple(member.name for member in MEMBERS)
FACTORS = {"cell": [c for c, _, _ in GRID], "activation": [a for _, a, _ in GRID]}


def geometry():
    points = np.random.default_rng(0).standard_normal((len(GRID), 4))
    points[:, 0] += [4.0 * (c == "gru") for c, _, _ in GRID]
    return Distances(LABELS, squareform(pdist(points)))


def topology(order=slice(None)):
    """Classes that differ between activations; the networks come in another order."""
    classes = np.array([int(a == "relu" and s > 1) for _, a, s in GRID])[order]
    return Distances(LABELS[order], (classes[:, None] != classes).astype(float))


def analyse(**fields):
    analysis = GeometryAgainstTopology(of=("svcca", "classes"), permutations=99, **fields)
    inputs = Inputs(MEMBERS, svcca=geometry(), classes=topology(slice(None, None, -1)))
    return analysis, analysis.compute(FlipFlop(), inputs)


def test_shares_are_those_of_each_distance():
    _, record = analyse()
    assert record.distances == ("svcca",) * 3 + ("classes",) * 3
    assert record.factor == ("cell", "activation", "cell x activation") * 2
    for name, distances in (("svcca", geometry()), ("classes", topology())):
        rows = [i for i, each in enumerate(record.distances) if each == name]
        expected = explained_shares(distances.values, FACTORS, permutations=0)
        np.testing.assert_allclose(record.share[rows], [e.share for e in expected], atol=1e-9)
        np.testing.assert_allclose(record.low[rows], [e.low for e in expected], atol=1e-4)


def test_cell_is_in_geometry_and_activation_in_topology():
    _, record = analyse()
    found = record.to_frame().set_index(["distances", "factor"])
    assert found.loc[("svcca", "cell"), "low"] > 0.0 >= found.loc[("svcca", "activation"), "low"]
    assert (
        found.loc[("classes", "activation"), "low"] > 0.0 >= found.loc[("classes", "cell"), "low"]
    )


def test_dispersions_are_those_of_the_levels():
    _, record = analyse()
    strata = strata_of("activation", MEMBERS)
    expected = dispersion_test(topology().values, FACTORS["activation"], strata, permutations=0)
    assert record.dispersion[4] == expected.ratio
    assert np.isnan(record.dispersion[[2, 5]]).all()


def test_factors_may_be_named():
    _, record = analyse(factors=("cell",))
    assert record.factor == ("cell", "cell")


def test_a_figure_and_a_table_are_shown():
    analysis, record = analyse()
    shown = Section(FlipFlop(), MEMBERS, {}, {}, {analysis.title: record})
    figure, table = analysis.show(shown)
    assert isinstance(figure, Intervals)
    assert list(dict.fromkeys(figure.panels)) == ["cell", "activation", "cell x activation"]
    assert isinstance(table, Table)
    assert table.columns["dispersion"][2] is None
