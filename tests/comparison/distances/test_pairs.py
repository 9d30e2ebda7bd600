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
    metric = METRICS[kind](**({"delays": 3, "rank": 3} if kind == "dsa" else {}))
    # More samples than units of any two, lest correlations be 1 and weights of pwcca undetermined.
    states = representations(samples=120)
    states = [x.reshape(4, 30, -1) if metric.trajectories else x for x in states]
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
    monkeypatch.setattr("os.cpu_count", lambda: 1)
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
