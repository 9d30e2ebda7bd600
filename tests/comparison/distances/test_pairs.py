import re

import numpy as np
import pytest
from reference.metrics import cka, svcca

import rnnstudy
from rnnstudy.comparison.distances.pairs import (
    Distances,
    pairwise,
    pairwise_distances,
)
from rnnstudy.comparison.distances.tiles import PAIR_BLOCK_BYTES, _block_side, form_bytes
from rnnstudy.metrics import CKA, METRICS, SVCCA

WIDTHS = (4, 9, 4, 33, 2, 9, 50)


def representations(seed=0, samples=40, widths=WIDTHS):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 3))
    return [
        latent @ generator.standard_normal((3, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


@pytest.mark.parametrize(
    ("metric", "slow"),
    [(SVCCA(dimensions=4), lambda x, y: svcca(x, y, 4)), (CKA(), cka)],
    ids=["svcca", "cka"],
)
def test_all_pairs_are_each_pair_by_its_definition(metric, slow):
    states = representations()
    expected = np.array([[1.0 - slow(x, y) for y in states] for x in states])
    assert pairwise(states, metric).to_numpy() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", sorted(METRICS))
def test_the_size_of_blocks_does_not_matter(kind):
    metric = METRICS[kind](**({"delays": 3, "rank": 3} if kind.endswith("dsa") else {}))
    # More samples than units of any two, lest correlations be 1 and weights of pwcca undetermined.
    states = representations(samples=120)
    states = [x.reshape(4, 30, -1) if metric.trajectories else x for x in states]
    inputs = np.random.default_rng(1).standard_normal((4, 30, 2))
    states = [(x, inputs) for x in states] if metric.driven else states
    forms = [metric.prepare(x) for x in states]
    whole = pairwise_distances(forms, metric, block=100).values
    for block in (1, 2, 3, 7):
        assert pairwise_distances(forms, metric, block=block).values == pytest.approx(
            whole, abs=1e-9
        )
    assert whole[1, 3] == pytest.approx(metric.distance(states[1], states[3]), abs=1e-9)


@pytest.mark.parametrize("metric", [SVCCA(dimensions=4), CKA()], ids=["svcca", "cka"])
def test_the_number_of_cores_does_not_matter(metric, monkeypatch):
    many = pairwise(representations(), metric).to_numpy()
    monkeypatch.setattr("rnnstudy.comparison.distances.tiles.available_cores", lambda: 1)
    assert np.array_equal(pairwise(representations(), metric).to_numpy(), many)


def test_blocks_shrink_where_forms_are_large():
    def form(rows, samples):
        return {"rows": np.broadcast_to(0.0, (rows, samples)), "rank": np.array(1.0)}

    small, large = form(10, 1000), form(10, 6400)
    for forms in ([small], [large], [small, large], [form(64, 6400)]):
        side = _side_of(forms)
        assert _bytes(side, forms) <= PAIR_BLOCK_BYTES < _bytes(side + 1, forms)
    assert _side_of([form(4096, 10**6)]) == 1


def _side_of(forms):
    return _block_side(max(map(form_bytes, forms)), max(map(SVCCA().pair_bytes, forms)))


def _bytes(side, forms):
    """Two stacks of forms, and four copies of the products of all their pairs, in float64."""
    rows, samples = (max(form["rows"].shape[axis] for form in forms) for axis in (0, 1))
    return 8 * (2 * side * (rows * samples + 1) + 4 * (side * rows) ** 2)


def test_the_matrix_is_exactly_symmetric_with_a_zero_diagonal():
    values = pairwise(representations(), SVCCA()).to_numpy()
    assert np.array_equal(values, values.T)
    assert np.array_equal(np.diag(values), np.zeros(7))


def test_labels_stand_on_both_sides():
    frame = rnnstudy.pairwise(representations(widths=(2, 3)), CKA(), labels=["one", "two"])
    assert list(frame.index) == list(frame.columns) == ["one", "two"]
    assert frame.loc["one", "two"] == frame.loc["two", "one"] > 0.0
    assert list(pairwise(representations(widths=(2, 3)), CKA()).index) == ["0", "1"]


def test_a_single_network_is_an_empty_comparison():
    assert pairwise(representations(widths=(3,)), SVCCA()).to_numpy().tolist() == [[0.0]]


@pytest.mark.parametrize("metric", [SVCCA(), "svcca"])
def test_a_metric_is_an_object_or_a_name(metric):
    x, y = representations(widths=(3, 4))
    assert pairwise([x, y], metric).loc["0", "1"] == SVCCA().distance(x, y)


def test_keys_of_a_dict_are_the_labels():
    x, y, z = representations(widths=(2, 3, 4))
    table = pairwise({"x": x, "y": y, "z": z}, CKA())
    assert table.equals(pairwise([x, y, z], CKA(), ["x", "y", "z"]))


@pytest.mark.parametrize("metric", [SVCCA(dimensions=4), CKA()], ids=["svcca", "cka"])
def test_two_groups_have_the_distances_of_a_part_of_the_whole_matrix(metric):
    states = representations()
    names = list("abcdefg")
    whole = pairwise(states, metric, names)
    part = pairwise(
        states[:3], metric, names[:3], others=dict(zip(names[3:], states[3:], strict=True))
    )
    assert part.to_numpy() == pytest.approx(whole.loc[list("abc"), list("defg")].to_numpy())
    assert (list(part.index), list(part.columns)) == (list("abc"), list("defg"))
    numbered = pairwise(states[:2], metric, others=states[2:], other_labels=names[2:])
    assert (list(numbered.index), list(numbered.columns)) == (["0", "1"], list("cdefg"))


def test_one_network_against_all():
    x, *others = representations()
    row = pairwise(x, CKA(), ["mine"], others=others)
    assert row.shape == (1, 6)
    assert row.loc["mine", "2"] == pytest.approx(CKA().distance(x, others[2]))
    column = pairwise(others, CKA(), others=x)
    assert column.to_numpy() == pytest.approx(row.to_numpy().T)


def test_one_network_of_trajectories_or_with_inputs_against_all():
    trials = np.random.default_rng(0).standard_normal((3, 4, 20, 3)).cumsum(axis=2)
    inputs = np.diff(trials, axis=2, prepend=0.0)
    metric = METRICS["dsa"](delays=2, rank=3)
    assert pairwise(trials[0], metric, others=list(trials)).iloc[0, 0] == 0.0
    driven = [(x, u) for x, u in zip(trials, inputs, strict=True)]
    metric = METRICS["input_dsa"](rank=3)
    table = pairwise(driven[0], metric, others=driven)
    assert table.shape == (1, 3)
    assert table.iloc[0, 0] == 0.0
    assert pairwise(driven[:2], metric).shape == (2, 2)


class _Undefined(CKA):
    """CKA whose similarities are not defined."""

    def from_products(self, products, a, b):
        return np.full(products.shape[:-2], np.nan)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"others": [], "states": [0, 1]}, "others must have at least one array, got an empty"),
        ({"others": 3, "states": [0, 1]}, "others must be a list of arrays"),
        ({"states": {"a": 0, "b": 1}, "labels": ["a", "b"]},
         "labels must not be given for a dict of states, got 2 labels. Its keys are the labels"),
        ({"states": [0, 1], "other_labels": ["a"]},
         "other_labels must name others, got 1 labels and no others"),
        ({"states": [0], "others": [0, 1], "other_labels": ["a", "a"]},
         "labels must differ, got 'a' for more than one item"),
        ({"states": [0], "others": [2]}, "same samples, got 39 samples of '0' and 40 of '0'"),
        ({"states": [0], "others": [1], "metric": _Undefined()},
         "the distance of '0' and '0' must be finite, got nan. Leave"),
    ],
)  # fmt: skip
def test_groups_that_do_not_fit_are_refused(arguments, message):
    given = [*representations(widths=(2, 3)), np.ones((39, 2))]

    def filled(value):
        if isinstance(value, dict):
            return {key: given[i] for key, i in value.items()}
        return [given[i] for i in value] if isinstance(value, list) else value

    whole = {"metric": CKA(), **arguments}
    whole |= {key: filled(whole[key]) for key in ("states", "others") if key in whole}
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        pairwise(**whole)


def test_different_samples_are_refused_by_name():
    states = [np.ones((40, 2)), np.ones((40, 2)), np.ones((39, 2))]
    message = "must be of the same samples, got 39 samples of 'c' and 40 of 'a'"
    with pytest.raises(ValueError, match=message):
        pairwise(states, CKA(), labels=["a", "b", "c"])


def test_broken_states_are_refused_by_name():
    states = representations(widths=(2, 3))
    states[1][4, 2] = np.nan
    with pytest.raises(
        ValueError, match=r"'1': states must be finite, got 1 of 120 values that are not"
    ):
        pairwise(states, CKA())


def test_the_wrong_number_of_labels_is_refused():
    with pytest.raises(ValueError, match="labels must be 2, one for each representation, got 1"):
        pairwise(representations(widths=(2, 3)), CKA(), labels=["a"])


@pytest.mark.parametrize(
    ("labels", "values", "message"),
    [
        (("a",), np.zeros((2, 2)), "one for each item, got 1 labels for 2 items"),
        (("a", "a"), np.zeros((2, 2)), "labels must differ, got 'a' for more than one item"),
        (("a", "b"), np.zeros((2, 3)), "along 'item'"),
        (("a", "b"), np.array([[0, np.nan], [0, 0]]),
         "the distance of 'a' and 'b' must be finite, got nan"),
        (("a", "b"), np.array([[0, 1], [2, 0]]),
         "the distance of 'a' and 'b' must be equal to its mirror image, got 1"),
        (("a", "b"), np.array([[0, -1], [-1, 0]]),
         "the distance of 'a' and 'b' must be 0 or more, got -1"),
        (("a", "b"), np.array([[0, 1], [1, 3]]),
         "the distance of 'b' and 'b' must be 0 on the diagonal, got 3"),
    ],
)  # fmt: skip
def test_what_is_no_distance_matrix_is_refused(labels, values, message):
    with pytest.raises(ValueError, match=message):
        Distances(labels, values.astype(float))


def test_distances_survive_storage(tmp_path):
    found = pairwise_distances([CKA().prepare(x) for x in representations()], CKA())
    found.save(tmp_path)
    loaded = Distances.load(tmp_path)
    assert loaded.labels == found.labels == ("0", "1", "2", "3", "4", "5", "6")
    assert np.array_equal(loaded.values, found.values)
