"""Distances between graphs: by hand, by brute force over all names, by theory, by networkx."""

import itertools

import networkx as nx
import numpy as np
import pytest

from rnnstudy.comparison.distances.graphs import (
    cube_symmetries,
    isomorphic_distances,
    labelled_distances,
    spectral_distances,
)

BITS = 2
WORDS = list(itertools.product((-1, 0, 1), repeat=BITS))


def given(weights, place=0):
    """Links of {(source word, target word): weight}."""
    labels = np.array(list(weights), int).reshape(len(weights), 2, -1)
    values = np.array(list(weights.values()), float)
    return labels, values, np.full(len(weights), place)


def randomly(generator, links=9):
    """A graph of random links between words of two bits, weights from a few values so that graphs
    coincide now and then."""
    pairs = list(itertools.product(WORDS, WORDS))
    chosen = generator.choice(len(pairs), links, replace=False)
    return {pairs[i]: float(generator.choice([0.25, 0.5, 1.0])) for i in chosen}


def renamed(weights, order, sign):
    """The graph under a permutation and flips of the bits of all its words."""

    def name(word):
        return tuple(sign[i] * word[order[i]] for i in range(len(word)))

    return {(name(a), name(b)): weight for (a, b), weight in weights.items()}


def gap(first, second):
    """Frobenius norm, link by link."""
    keys = first.keys() | second.keys()
    return np.sqrt(sum((first.get(k, 0.0) - second.get(k, 0.0)) ** 2 for k in keys))


def dense(weights):
    matrix = np.zeros((len(WORDS), len(WORDS)))
    for (a, b), weight in weights.items():
        matrix[WORDS.index(a), WORDS.index(b)] = weight
    return matrix


def names(graphs):
    return [f"g{i}" for i in range(len(graphs))]


@pytest.fixture(scope="module")
def graphs():
    generator = np.random.default_rng(3)
    found = [randomly(generator, 3 + i) for i in range(6)]
    return [*found, renamed(found[2], (1, 0), (1, -1)), {}]


def test_labelled_is_the_norm_of_the_difference(graphs):
    found = labelled_distances([given(g) for g in graphs if g], names(graphs[:-1]))
    want = [[gap(a, b) for b in graphs[:-1]] for a in graphs[:-1]]
    np.testing.assert_allclose(found.values, want, atol=1e-12)
    assert found.labels == ("g0", "g1", "g2", "g3", "g4", "g5", "g6")


def test_an_absent_graph_is_as_far_as_the_other_is_large(graphs):
    nothing = (np.zeros((0, 2, 2), int), np.zeros(0), np.zeros(0, int))
    found = labelled_distances([nothing, given(graphs[0])], ["nothing", "g"])
    assert found.values[0, 1] == pytest.approx(gap(graphs[0], {}))


def test_places_do_not_match():
    link = {((1, 1), (1, 1)): 1.0}
    found = labelled_distances([given(link, 0), given(link, 1)], ["a", "b"])
    assert found.values[0, 1] == pytest.approx(np.sqrt(2.0))


def test_symmetries_are_those_of_the_cube():
    for bits, count in ((1, 2), (2, 8), (3, 48), (4, 384)):
        matrices = {
            tuple((np.eye(bits, dtype=int)[order] * sign[:, None]).ravel())
            for order, sign in cube_symmetries(bits)
        }
        # Signed permutation matrices, all different: 2^b b! of them.
        assert len(matrices) == count
        for matrix in matrices:
            square = np.array(matrix).reshape(bits, bits)
            assert (square @ square.T == np.eye(bits)).all()


def test_up_to_isomorphism_is_the_least_over_all_names(graphs):
    kept = graphs[:-1]
    found = isomorphic_distances([given(g) for g in kept], names(kept))
    group = [
        (order, sign)
        for order in itertools.permutations(range(BITS))
        for sign in itertools.product((1, -1), repeat=BITS)
    ]
    want = [[min(gap(a, renamed(b, *g)) for g in group) for b in kept] for a in kept]
    np.testing.assert_allclose(found.values, want, atol=1e-12)
    assert found.values[2, 6] == 0.0
    assert labelled_distances([given(g) for g in kept], names(kept)).values[2, 6] > 0.5


def test_order_of_the_three_and_triangles(graphs):
    kept = graphs[:-1]
    spectral = spectral_distances([dense(g) for g in kept], names(kept)).values
    isomorphic = isomorphic_distances([given(g) for g in kept], names(kept)).values
    labelled = labelled_distances([given(g) for g in kept], names(kept)).values
    # Mirsky: singular values differ by no more than the matrices under any names.
    assert (spectral <= isomorphic + 1e-9).all()
    assert (isomorphic <= labelled + 1e-9).all()
    assert (spectral[np.triu_indices(7, 1)] > 0).sum() == 20  # all but the renamed pair
    for values in (spectral, isomorphic, labelled):
        through = (values[:, :, None] + values[None]).min(axis=1)
        assert (values <= through + 1e-9).all()


def test_no_distance_means_isomorphic_and_conversely():
    generator = np.random.default_rng(0)
    some = [randomly(generator, 4) for _ in range(5)]
    pool = [*some, *(renamed(g, (1, 0), (-1, 1)) for g in some)]
    found = isomorphic_distances([given(g) for g in pool], names(pool)).values
    graphs = [nx.from_numpy_array(dense(g), create_using=nx.DiGraph) for g in pool]
    for i, j in itertools.combinations(range(len(pool)), 2):
        same = nx.is_isomorphic(graphs[i], graphs[j], edge_match=lambda a, b: a == b)
        # networkx may use names that no symmetry of the square gives, but never the other way.
        assert same or found[i, j] > 1e-9
        assert (found[i, j] < 1e-9) == (j - i == 5)


def test_pulses_are_renamed_with_the_words():
    """A link from pulse, source and target: the memory that a pulse sets."""

    def memory(bits):
        rows = []
        for word in itertools.product((-1, 1), repeat=3):
            for bit, sign in itertools.product(range(3), (-2.0, 2.0)):
                pulse, end = np.zeros(3), list(word)
                # One that swaps its bits is the same memory under other names; one that swaps
                # them at its output alone is another.
                pulse[bits[bit]] = sign
                end[bit] = np.sign(sign)
                rows.append([pulse, word, end])
        return np.array(rows), np.ones(len(rows)), np.zeros(len(rows), int)

    graphs = [memory((0, 1, 2)), memory((1, 0, 2))]
    found = isomorphic_distances(graphs, ["a", "b"]).values
    # Of the 8 words, a pulse on one of two channels should end at another word unless both bits
    # have its sign already: 6 links, for each of two signs and channels, missed in both.
    missed = np.sqrt(2 * 6 * 2 * 2)
    assert labelled_distances(graphs, ["a", "b"]).values[0, 1] == pytest.approx(missed)
    assert found[0, 1] == pytest.approx(missed)
    flipped = [(labels * [-1, 1, 1], weight, place) for labels, weight, place in graphs]
    assert isomorphic_distances([graphs[0], flipped[0]], "ab").values[0, 1] < 1e-12


@pytest.mark.parametrize("measure", [labelled_distances, isomorphic_distances])
def test_none_and_one(measure):
    assert measure([], []).values.shape == (0, 0)
    assert measure([given({((1,), (1,)): 1.0})], ["a"]).values.tolist() == [[0.0]]


def test_spectra_of_different_sizes_are_filled_with_zeros():
    found = spectral_distances([np.diag([3.0, 4.0]), np.diag([4.0]), np.zeros((2, 3))], "abc")
    np.testing.assert_allclose(found.values, [[0, 3, 5], [3, 0, 4], [5, 4, 0]], atol=1e-12)
    assert spectral_distances([], []).values.shape == (0, 0)


def test_what_cannot_be_compared_is_refused():
    one, two = given({((1,), (1,)): 1.0}), given({((1, 1), (1, 1)): 1.0})
    with pytest.raises(ValueError, match=r"labels must be \[end, bit\] of one size, got"):
        labelled_distances([one, two], ["a", "b"])
    many = given({((1,) * 6, (1,) * 6): 1.0})
    with pytest.raises(ValueError, match="must have at most 5 bits, got 6"):
        isomorphic_distances([many], ["a"])
