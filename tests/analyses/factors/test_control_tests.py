"""Trained networks among controls: what is compared, what is said, what is shown."""

import numpy as np
import pytest
from claims.populations import controlled, population
from scipy.stats import binom
from task_inputs import compute

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, ControlDistances, Controls
from rnnstudy.analyses.factors.control_record import ControlTests
from rnnstudy.analyses.factors.control_tests import ControlTestAnalysis
from rnnstudy.analyses.factors.evaluation import EvaluationResult
from rnnstudy.analyses.factors.reference_groups import nearness_to_controls, other_value, same_kind
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.group_tests import agreement_test
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR
from rnnstudy.core.exhibit import Note, Scatter, Strip, Table
from rnnstudy.tasks.flip_flop import FlipFlop

SHUFFLES = 300
LIMIT = int(binom.ppf(0.999, SHUFFLES, 0.05))


def twins(found, members, losses=None, **fields):
    analysis = ControlTestAnalysis(of="svcca_controls", permutations=99, **fields)
    records = [EvaluationResult(loss=np.array(v), accuracy=np.array(1.0)) for v in losses or []]
    unlisted = {"evaluation": records} if losses else {}
    return compute(analysis, FlipFlop(), members, found, **unlisted)


def row(result, factor, control):
    at = [
        i
        for i, pair in enumerate(zip(result.factor, result.control, strict=True))
        if pair == (factor, control)
    ]
    return {name: float(values[at[0]]) for name, values in result.rows("row").items()}


def test_each_network_is_compared_with_those_of_its_kind_and_no_twin():
    members = population(3)
    found = controlled(members, 0)
    names = np.array(found.labels)
    at = found.labels.index("gru-relu-1")
    own, another = same_kind(found, UNTRAINED)[at], other_value(found, "activation")[at]
    assert names[own].tolist() == ["gru-relu-0 untrained", "gru-relu-2 untrained"]
    assert names[another].tolist() == [f"gru-tanh-{s}" for s in range(3)]
    elsewhere = same_kind(found, "trained on other")[at]
    assert names[elsewhere].tolist() == [f"other-gru-relu-{s}" for s in range(3)]
    cells = names[other_value(found, "cell")[at]]
    assert [n.split("-")[1:] for n in cells] == [
        ["relu", str(s)] for _ in range(3) for s in range(3)
    ]


def test_mean_distances_are_those_of_the_matrix():
    members = population(3)
    found = controlled(members, 1)
    result = twins(found, members)
    frame = result.to_frame()
    assert list(frame.columns) == [
        "same kind", "itself, untrained", "untrained", "trained on other",
        "other cell", "other activation",
    ]  # fmt: skip
    place = {label: i for i, label in enumerate(found.labels)}
    here = found.values[place["ugrnn-tanh-2"]]
    mean = {
        "itself, untrained": here[place["ugrnn-tanh-2 untrained"]],
        "same kind": np.mean([here[place[f"ugrnn-tanh-{s}"]] for s in (0, 1)]),
        "untrained": np.mean([here[place[f"ugrnn-tanh-{s} untrained"]] for s in (0, 1)]),
        "other activation": np.mean([here[place[f"ugrnn-relu-{s}"]] for s in range(3)]),
    }
    for name, expected in mean.items():
        assert frame.loc["ugrnn-tanh-2", name] == pytest.approx(expected)


def test_where_activations_lie_far_apart_the_untrained_are_nearer():
    members = population(3)
    result = twins(controlled(members, 2, activation=6.0, other_task=20.0), members)
    near, elsewhere = (row(result, "activation", c) for c in ("untrained", "trained on other"))
    assert near["low"] > 0.1
    assert near["corrected_p"] < 0.01
    assert (near["share"], near["networks"]) == (1.0, 24.0)
    assert elsewhere["high"] < 0 < near["statistic"]
    assert elsewhere["share"] == 0.0


def test_each_level_of_a_factor_has_a_row():
    members = population(3)
    found = controlled(members, 2, activation=3.0)
    result = twins(found, members, factors=("activation",))
    assert result.level == ("all", "tanh", "relu") * 2
    assert result.control == ("untrained",) * 3 + ("trained on other",) * 3
    for i, (control, level) in enumerate(zip(result.control, result.level, strict=True)):
        one = None if level == "all" else level
        near, _ = nearness_to_controls(found, control, "activation", one)
        assert (result.statistic[i], result.p[i]) == (near.statistic, near.p)


def test_where_training_moves_far_the_untrained_are_not():
    members = population(3)
    near = row(twins(controlled(members, 2, training=6.0), members), "activation", "untrained")
    assert near["high"] < -0.1
    assert (near["share"], near["p"] < 0.01) == (0.0, True)


@pytest.mark.parametrize("factor", ["activation", "cell"])
def test_with_exchanged_labels_the_test_rejects_at_its_level(factor):
    """Whether an item is trained, and which activation it has, dealt out anew within each cell."""
    members = population(3)
    found = controlled(members, 3, activation=3.0, training=2.0, cell=2.0, guests=False)
    cells, rejected = np.array([fields["cell"] for fields in found.fields]), 0
    for seed in range(SHUFFLES):
        order, generator = np.arange(len(found.labels)), np.random.default_rng(seed)
        for cell in np.unique(cells):
            here = np.flatnonzero((cells == cell) | (factor == "cell"))
            order[here] = generator.permutation(order[here])
        dealt = ControlDistances(
            labels=found.labels,
            values=found.values[np.ix_(order, order)],
            learnt=found.learnt,
            fields=found.fields,
        )
        rejected += nearness_to_controls(dealt, "untrained", factor)[0].p < 0.05
    assert rejected <= LIMIT


def test_what_distances_tell_with_and_without_training():
    members = population(3)
    found = controlled(members, 4, cell=4.0)
    result = twins(found, members, factors=("cell",))
    assert result.line_factor == ("cell",)
    for learnt, value, p in (
        (TRAINED, result.trained, result.trained_p),
        (UNTRAINED, result.untrained, result.untrained_p),
    ):
        cells = [m.fields["cell"] for m in members]
        strata = [m.fields["activation"] for m in members]
        alone = agreement_test(
            NEAREST_NEIGHBOUR, found.among(found.at(learnt)), cells, permutations=99, strata=strata
        )
        assert (value[0], p[0]) == (alone.statistic, alone.p)
        assert p[0] == 0.01
    assert result.gain[0] == pytest.approx(result.trained[0] - result.untrained[0])
    assert result.gain_low[0] <= 0 <= result.gain_high[0]


def test_what_training_adds_is_found():
    members = population(4)
    found = controlled(members, 5, cell=6.0)
    before = found.at(UNTRAINED)
    blurred = found.values.copy()
    blurred[np.ix_(before, before)] = found.among(np.random.default_rng(0).permutation(before))
    found = ControlDistances(
        labels=found.labels, values=blurred, learnt=found.learnt, fields=found.fields
    )
    result = twins(found, members, factors=("cell",))
    assert result.gain_low[0] > 0.2
    assert result.gain_p[0] < 0.001
    assert result.untrained_p[0] > 0.05


def test_p_is_corrected_over_the_rows_of_each_table():
    result = twins(controlled(population(3), 6, activation=1.0), population(3))
    assert result.corrected_p.tolist() == holm(result.p).tolist()
    assert result.corrected_gain_p.tolist() == holm(result.gain_p).tolist()
    # One row for all levels, four cells, two activations; two kinds of controls.
    assert len(result.p) == 2 * (1 + 4) + 2 * (1 + 2)
    assert len(result.gain_p) == 2


def test_only_networks_that_do_equally_well_enter_where_that_is_asked():
    members = population(4)
    losses = [np.exp(m.fields["seed"] + (m.fields["cell"] == "lstm")) for m in members]
    found = controlled(members, 7, activation=4.0)
    result = twins(found, members, losses, performance="matched")
    kept = [m.name for m, loss in zip(members, losses, strict=True) if 1 < np.log(loss) + 0.5 < 4]
    assert list(result.labels) == kept
    assert len(kept) == 24
    assert result.matching["matched"] == 24
    place = {label: i for i, label in enumerate(found.labels)}
    # Of lstm the seeds 0 to 2 are kept, of other cells 1 to 3.
    here = [found.values[place["lstm-tanh-0"], place[f"lstm-relu-{s}"]] for s in (0, 1, 2)]
    assert result.to_frame().loc["lstm-tanh-0", "other activation"] == pytest.approx(np.mean(here))


@pytest.mark.parametrize("guests", [True, False])
def test_where_nothing_matches_nothing_is_compared(guests):
    members = population(3)
    losses = [1.0 + (m.fields["cell"] == "lstm") for m in members]
    result = twins(controlled(members, 8, guests=guests), members, losses, performance="matched")
    assert (result.labels, result.others, len(result.p), len(result.gain)) == ((), (), 0, 0)
    assert set(result.left_out) == {"cell", "activation"}
    assert "got no networks" in result.left_out["cell"]
    analysis = ControlTestAnalysis(of="svcca_controls", performance="matched")
    matching, note = analysis.show(Section(FlipFlop(), members, {}, {}, {analysis.title: result}))
    assert isinstance(matching, Note)
    assert "0 of 24 networks" in matching.text
    assert isinstance(note, Note)
    assert "whose losses are alike" in note.text


def test_a_factor_of_one_value_is_left_out_and_an_unknown_one_refused():
    members = population(3)
    result = twins(controlled(members, 9), members, factors=("units", "cell"))
    assert result.left_out == {"units": "does not vary"}
    with pytest.raises(ValueError, match="'cel' is no field of these networks"):
        twins(controlled(members, 9), members, factors=("cel",))


def test_what_is_no_controls_is_refused():
    alone = Distances(("a",), np.zeros((1, 1)))
    with pytest.raises(
        TypeError, match="must yield ControlDistances for control_tests_svcca_controls, got Dist"
    ):
        twins(alone, population(1))


def test_the_record_survives_storage(tmp_path):
    members = population(3)
    found = controlled(members, 10)
    for each in (found, twins(found, members)):
        folder = tmp_path / type(each).__name__
        folder.mkdir()
        each.save(folder)
    result = twins(found, members)
    loaded, matrix = (
        ControlTests.load(tmp_path / "ControlTests"),
        ControlDistances.load(tmp_path / "ControlDistances"),
    )
    assert loaded.to_frame().equals(result.to_frame())
    assert (loaded.left_out, loaded.control) == (result.left_out, result.control)
    assert (matrix.fields, matrix.learnt, matrix.networks) == (
        found.fields, found.learnt, found.networks
    )  # fmt: skip


def test_the_strip_and_the_tables_say_what_was_found():
    members = population(3)
    found = controlled(members, 11, activation=5.0)
    analysis = ControlTestAnalysis(of="svcca_controls", permutations=19)
    result = compute(analysis, FlipFlop(), members, found)
    own = Member("mine", {"task": "t", "cell": "LSTM", "activation": "tanh", "seed": None})
    section = Section(FlipFlop(), [*members, own], {}, {}, {analysis.title: result})
    note, strip, near, told = analysis.show(section)
    assert isinstance(note, Note)
    assert "Imported, so without untrained twins: mine." in note.text
    assert isinstance(strip, Strip)
    assert len(strip.values) == 24 * 6
    # The nearest kind first; far away lie those of the other activation.
    assert strip.categories[-1] == "other activation"
    at = strip.labels.index("gru-tanh-1")
    assert strip.values[at] == pytest.approx(
        result.to_frame().loc["gru-tanh-1", strip.categories[at]]
    )
    assert isinstance(near, Table)
    assert near.columns["control"] == tuple(
        kind for levels in (4, 2) for kind in ("untrained", "trained on other")
        for _ in range(1 + levels)
    )  # fmt: skip
    assert isinstance(told, Table)
    assert told.columns["factor"] == ("cell", "activation")


def test_controls_are_drawn_by_what_they_have_learnt():
    members = population(2)
    found = controlled(members, 12)
    analysis = Controls(metric="cka")
    (scatter,) = analysis.show(Section(FlipFlop(), members, {}, {}, {"cka_controls": found}))
    assert isinstance(scatter, Scatter)
    assert set(scatter.groups["training"]) == {"trained", "untrained", "trained on other"}
    assert scatter.points.shape == (48, 2)
