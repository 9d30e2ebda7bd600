import numpy as np
import pytest
from reference.metrics import rsa
from scipy.stats import spearmanr

from rnnstudy.metrics import RSA, UndefinedMetric


def draw(seed, samples=30, widths=(4, 7)):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 3))
    return [
        latent @ generator.standard_normal((3, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


@pytest.mark.parametrize("correlation", ["spearman", "pearson"])
def test_it_is_the_correlation_of_distances_over_all_pairs_of_samples(correlation):
    x, y = draw(1)
    found = RSA(correlation=correlation).similarity(x, y)
    assert found == pytest.approx(rsa(x, y, correlation), abs=1e-9)


def test_ranks_of_equal_distances_are_shared():
    """On a grid many distances are equal: spearmanr gives them their mean rank, too."""
    x = np.stack(np.meshgrid(range(4), range(4)), axis=-1).reshape(16, 2).astype(float)
    _, y = draw(2, samples=16)
    distances = [[np.linalg.norm(z[i] - z[j]) for i in range(16) for j in range(i)] for z in (x, y)]
    expected = spearmanr(np.round(distances[0], 9), distances[1]).statistic
    assert RSA().similarity(x, y) == pytest.approx(expected, abs=1e-9)


def test_ranks_do_not_change_under_what_keeps_the_order_of_distances():
    """Along a line, x -> x has the order of distances of |x| ** 3 from one end."""
    points = np.array([0.0, 1.0, 3.0, 7.0, 15.0])[:, None]
    stretched = np.array([0.0, 2.0, 7.0, 20.0, 60.0])[:, None]
    assert RSA().similarity(points, stretched) == 1.0
    assert RSA(correlation="pearson").similarity(points, stretched) < 1.0


def test_opposed_distances_are_below_0():
    """Three points: the pair that is near in one is far in the other."""
    x, y = np.array([[0.0], [1.0], [10.0]]), np.array([[0.0], [10.0], [5.0]])
    expected = rsa(x, y, "spearman")
    assert expected < 0.0
    assert RSA().similarity(x, y) == pytest.approx(expected)


def test_of_many_samples_the_same_ones_are_drawn_for_all():
    x, y = draw(3, samples=200)
    metric = RSA(samples=50, seed=4)
    assert metric.prepare(x)["rows"].shape == (1, 50 * 49 // 2)
    assert metric.similarity(x, y) == pytest.approx(RSA().similarity(x, y), abs=0.1)
    assert metric.distance(x, x) == 0.0
    assert metric.similarity(x, y) != RSA(samples=50, seed=5).similarity(x, y)


def test_equal_distances_tell_nothing():
    """The corners of a simplex. Their correlation with other distances is 0 / 0."""
    with pytest.raises(UndefinedMetric, match="must differ, got 15 that are all equal"):
        RSA().prepare(np.eye(6))
