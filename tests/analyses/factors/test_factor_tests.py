"""Statistics of groups as an analysis: what is looked at, what is said, what is shown."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom
from task_inputs import compute

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.factors.evaluation import EvaluationResult
from rnnstudy.analyses.factors.factor_record import FactorTests
from rnnstudy.analyses.factors.factor_tests import FactorTestAnalysis
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.group_tests import agreement_test, separation_test
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR
from rnnstudy.comparison.statistics.variance.permanova import permanova
from rnnstudy.core.exhibit import Note, Strip, Table
from rnnstudy.core.record import Record
from rnnstudy.tasks.flip_flop import FlipFlop


def networks(seeds=4, cells=("vanilla", "gru", "lstm"), activations=("tanh", "relu"), draw=0):
    """Members of a grid, and distances in which cells differ, activations do not."""
    grid = [(c, a, s) for c in cells for a in activations for s in range(seeds)]
    members = [
        Member(f"{c}-{a}-{s}", {"task": "t", "cell": c, "activation": a, "units": 8, "seed": s})
        for c, a, s in grid
    ]
    points = np.random.default_rng(draw).standard_normal((len(grid), 4))
    points[:, 0] += [3.0 * cells.index(c) for c, _, _ in grid]
    labels = tuple(member.name for member in members)
    return members, Distances(labels, squareform(pdist(points)))


def row(result, factor, statistic):
    frame = result.to_frame()
    return frame[(frame.factor == factor) & (frame.statistic == statistic)].iloc[0]


def test_each_factor_has_the_statistics_of_its_labels():
    members, distances = networks()
    result = compute(
        FactorTestAnalysis(of="svcca", permutations=99), FlipFlop(), members, distances
    )
    assert result.factors == ("cell", "activation")
    cells = [member.fields["cell"] for member in members]
    activations = [member.fields["activation"] for member in members]
    how = {"permutations": 99, "strata": activations}
    expected = agreement_test(NEAREST_NEIGHBOUR, distances.values, cells, **how)
    found = row(result, "cell", "nearest neighbour")
    assert (found.value, found.p) == (expected.statistic, expected.p)
    assert (found.low, found.high, found.expected) == (expected.low, expected.high,
                                                       expected.expected)  # fmt: skip
    expected = separation_test(distances.values, activations, permutations=99, strata=cells)
    assert row(result, "activation", "distance ratio").value == expected.statistic
    assert row(result, "activation", "distance ratio").p == expected.p


def test_what_differs_is_found_and_what_does_not_is_seldom():
    analysis, p = FactorTestAnalysis(of="svcca", permutations=99), []
    for draw in range(40):
        members, distances = networks(draw=draw)
        p.append(compute(analysis, FlipFlop(), members, distances).to_frame())
    for statistic in ("nearest neighbour", "silhouette", "distance ratio"):
        alike = [frame[frame.statistic == statistic].set_index("factor").p for frame in p]
        assert all(each["cell"] <= 0.05 for each in alike)
        rejected = sum(each["activation"] <= 0.05 for each in alike)
        assert rejected <= binom.ppf(0.999, 40, 0.05)


def test_p_is_corrected_over_the_factors_of_a_statistic():
    members, distances = networks()
    frame = compute(
        FactorTestAnalysis(of="svcca", permutations=99), FlipFlop(), members, distances
    ).to_frame()
    for _, part in frame.groupby("statistic"):
        assert part.corrected_p.to_numpy() == pytest.approx(holm(part.p.to_numpy()))


def test_shares_are_those_of_the_analysis_of_variance():
    members, distances = networks()
    factors = {name: [m.fields[name] for m in members] for name in ("cell", "activation")}
    for sums in ("sequential", "marginal"):
        result = compute(
            FactorTestAnalysis(of="svcca", permutations=49, sums=sums),
            FlipFlop(),
            members,
            distances,
        )
        expected = permanova(distances.values, factors, sums=sums, permutations=49)
        lines = result.to_term_frame()
        assert list(lines.term) == ["cell", "activation", "cell x activation"]
        assert lines.share.to_numpy() == pytest.approx([t.share for t in expected.terms])
        assert lines.term_p.to_numpy() == pytest.approx([t.pseudo_f.p for t in expected.terms])
        assert (result.order, result.residual_freedom) == (2, 18)


def test_a_factor_that_does_not_vary_is_left_out_and_named():
    members, distances = networks()
    asked = FactorTestAnalysis(of="svcca", factors=("cell", "units", "l2"), permutations=19)
    result = compute(asked, FlipFlop(), members, distances)
    assert result.factors == ("cell",)
    assert result.left_out == {"units": "does not vary", "l2": "does not vary"}


def test_a_factor_that_nobody_knows_is_refused():
    members, distances = networks()
    with pytest.raises(ValueError, match="'cel' is no field of these networks; there are: cell, "
                       "activation, units; did you mean 'cell'"):  # fmt: skip
        compute(FactorTestAnalysis(of="svcca", factors=("cel",)), FlipFlop(), members, distances)


def test_with_one_network_each_there_are_no_interactions_and_with_fewer_nothing():
    members, distances = networks(seeds=1)
    result = compute(
        FactorTestAnalysis(of="svcca", permutations=19), FlipFlop(), members, distances
    )
    assert (result.order, result.term) == (1, ("cell", "activation"))
    members, distances = networks(seeds=1, activations=("tanh",))
    result = compute(
        FactorTestAnalysis(of="svcca", permutations=19), FlipFlop(), members, distances
    )
    assert (result.factors, result.term, len(result.value)) == ((), (), 0)
    assert "got a different label for each" in result.left_out["cell"]


def test_networks_that_have_no_distances_are_not_looked_at():
    members, distances = networks()
    some = Distances(distances.labels[:-3], distances.values[:-3, :-3])
    result = compute(FactorTestAnalysis(of="svcca", permutations=19), FlipFlop(), members, some)
    assert result.labels == some.labels
    shuffled = members[::-1]
    again = compute(FactorTestAnalysis(of="svcca", permutations=19), FlipFlop(), shuffled, some)
    assert again.value == pytest.approx(result.value)


def scored(losses):
    return [EvaluationResult(loss=np.array(v), accuracy=np.array(1.0)) for v in losses]


def test_only_networks_of_like_losses_enter():
    members, distances = networks()
    # Losses e^0 .. e^3 by seed, lstm e times as much: seeds 1 to 3, of lstm 0 to 2.
    losses = [np.exp(m.fields["seed"] + (m.fields["cell"] == "lstm")) for m in members]
    analysis = FactorTestAnalysis(of="svcca", performance="matched", permutations=19)
    assert analysis.title == "factor_tests_svcca_matched"
    result = compute(analysis, FlipFlop(), members, distances, evaluation=scored(losses))
    kept = [m.name for m, loss in zip(members, losses, strict=True) if 1 < np.log(loss) + 0.5 < 4]
    assert list(result.labels) == kept
    assert len(kept) == 18
    # The standard deviation within groups is that of 0 .. 3, sqrt(5 / 3).
    deviation = np.sqrt(5 / 3)
    assert result.matching == pytest.approx(
        {"networks": 24, "matched": 18, "ratio": np.exp(0.2 * deviation), "before": 1 / deviation,
         "after": 0.0}, abs=1e-12
    )  # fmt: skip
    section = Section(FlipFlop(), members, {}, {}, {analysis.title: result, "svcca": distances})
    note, statistics, *_ = analysis.show(section)
    assert isinstance(note, Note)
    assert note.text == (
        "Matched by loss: 18 of 24 networks, in sets whose losses agree within a factor of 1.29. "
        "Mean logarithms of the loss differ by 0.00 standard deviations between groups; before "
        "matching by 0.77."
    )
    assert isinstance(statistics, Table)
    assert "whose losses are alike" in statistics.caption


def test_a_wider_caliper_matches_more():
    members, distances = networks()
    losses = scored(np.exp(np.random.default_rng(1).standard_normal(len(members))))
    how = {"factors": ("activation",), "performance": "matched", "permutations": 19}
    counts = []
    for width in (0.02, 0.2, 2.0):
        analysis = FactorTestAnalysis(of="svcca", caliper=width, **how)
        result = compute(analysis, FlipFlop(), members, distances, evaluation=losses)
        counts.append(len(result.labels))
    assert counts == sorted(set(counts))


def test_what_is_but_a_matter_of_performance_is_gone_among_matched_networks():
    """Distances follow the loss alone, and relu networks have larger ones: as they are, activations
    are told apart; matched, at the stated rate only."""
    found = {"ignored": [], "matched": []}
    for draw in range(40):
        members, _ = networks(seeds=10, cells=("gru", "lstm"))
        generator = np.random.default_rng(draw)
        logs = generator.standard_normal(len(members))
        logs += [1.5 * (member.fields["activation"] == "relu") for member in members]
        points = np.stack([2.0 * logs, generator.standard_normal(len(members))], axis=1)
        distances = Distances(tuple(m.name for m in members), squareform(pdist(points)))
        for how, p in found.items():
            analysis = FactorTestAnalysis(
                of="x", factors=("activation",), performance=how, permutations=99
            )
            parts = {"evaluation": scored(np.exp(logs))} if how == "matched" else {}
            result = compute(analysis, FlipFlop(), members, distances, **parts)
            p.append(row(result, "activation", "distance ratio").p)
    assert np.mean(np.array(found["ignored"]) <= 0.05) > 0.8
    assert np.sum(np.array(found["matched"]) <= 0.05) <= binom.ppf(0.999, 40, 0.05)


def test_where_nothing_matches_nothing_is_compared():
    members, distances = networks()
    losses = [1.0 + (m.fields["cell"] == "lstm") for m in members]
    analysis = FactorTestAnalysis(of="svcca", performance="matched", permutations=19)
    result = compute(analysis, FlipFlop(), members, distances, evaluation=scored(losses))
    assert (result.labels, result.factors) == ((), ())
    assert "got no networks" in result.left_out["cell"]
    section = Section(FlipFlop(), members, {}, {}, {analysis.title: result, "svcca": distances})
    matching, note = analysis.show(section)
    assert isinstance(matching, Note)
    assert matching.text == ("Matched by loss: 0 of 24 networks (losses within a factor of 1.00).")
    assert isinstance(note, Note)
    assert "cell: networks must have two labels or more, got no networks" in note.text


def test_adjusted_shares_are_after_the_loss():
    members, distances = networks()
    losses = np.exp([3.0 * ("vanilla", "gru", "lstm").index(m.fields["cell"]) for m in members])
    analysis = FactorTestAnalysis(of="svcca", performance="adjusted", permutations=19)
    result = compute(analysis, FlipFlop(), members, distances, evaluation=scored(losses))
    plain = compute(FactorTestAnalysis(of="svcca", permutations=19), FlipFlop(), members, distances)
    assert result.term[:2] == ("log loss", "cell")
    # The loss has all that lies along one line of cells.
    assert result.share[0] > 0.8 * plain.share[0]
    assert result.share[1] < 0.2 * plain.share[0]


def test_what_yields_no_distances_is_refused():
    with pytest.raises(TypeError, match="'x' must yield Distances for factor_tests_x, got Record"):
        compute(FactorTestAnalysis(of="x"), FlipFlop(), [], Record())


def test_the_record_survives_storage(tmp_path):
    members, distances = networks()
    result = compute(
        FactorTestAnalysis(of="svcca", factors=("cell", "units"), permutations=19),
        FlipFlop(),
        members,
        distances,
    )
    result.save(tmp_path)
    loaded = FactorTests.load(tmp_path)
    assert loaded.left_out == {"units": "does not vary"}
    assert (loaded.factor, loaded.labels) == (result.factor, result.labels)
    assert loaded.to_frame().equals(result.to_frame())


def test_tables_and_the_strip_say_what_was_found():
    members, distances = networks()
    analysis = FactorTestAnalysis(of="svcca", permutations=19)
    result = compute(analysis, FlipFlop(), members, distances)
    section = Section(FlipFlop(), members, {}, {}, {analysis.title: result, "svcca": distances})
    statistics, shares, strip = analysis.show(section)
    assert isinstance(statistics, Table)
    assert isinstance(shares, Table)
    assert statistics.rows == 6
    assert shares.columns["term"][-1] == "residual"
    assert sum(shares.columns["share"]) == pytest.approx(1.0)
    assert isinstance(strip, Strip)
    # Four kinds of pairs, each of the 24 networks in all of them.
    assert len(strip.values) == 96
    at = strip.labels.index("gru-tanh-1")
    assert strip.categories[at] == "same cell, same activation"
    here = distances.labels.index("gru-tanh-1")
    others = [distances.labels.index(f"gru-tanh-{s}") for s in (0, 2, 3)]
    assert strip.values[at] == pytest.approx(distances.values[here, others].mean())


def test_of_three_factors_each_has_its_rows():
    members, distances = networks(seeds=8)
    members = [Member(m.name, {**m.fields, "l2": m.fields["seed"] % 2}) for m in members]
    analysis = FactorTestAnalysis(of="svcca", permutations=19)
    result = compute(analysis, FlipFlop(), members, distances)
    assert result.factors == ("cell", "activation", "l2")
    section = Section(FlipFlop(), members, {}, {}, {analysis.title: result, "svcca": distances})
    *_, strip = analysis.show(section)
    assert list(dict.fromkeys(strip.categories)) == [
        "same cell", "other cell", "same activation", "other activation", "same l2", "other l2",
    ]  # fmt: skip
