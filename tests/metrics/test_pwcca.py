import numpy as np
import pytest
from reference.metrics import pwcca

from rnnstudy.metrics import CCA, PWCCA


def draw(seed, samples=200, widths=(5, 8)):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 3))
    return [
        latent @ generator.standard_normal((3, width))
        + 0.5 * generator.standard_normal((samples, width)) * np.geomspace(1.0, 0.1, width)
        for width in widths
    ]


@pytest.mark.parametrize("widths", [(5, 8), (8, 5), (1, 6), (7, 7)])
def test_it_is_the_mean_of_both_projection_weighted_means(widths):
    x, y = draw(1, widths=widths)
    expected = (pwcca(x, y) + pwcca(y, x)) / 2
    assert PWCCA().similarity(x, y) == pytest.approx(expected, abs=1e-9)


def test_the_two_views_differ():
    x, y = draw(1)
    assert abs(pwcca(x, y) - pwcca(y, x)) > 1e-3


def test_directions_of_little_variance_count_little():
    """Two shared signals, and one of a hundredth of their size that is not shared."""
    basis = np.linalg.qr(np.random.default_rng(2).standard_normal((80, 4)))[0]
    basis = np.linalg.qr(basis - basis.mean(axis=0))[0]
    x, y = basis[:, [0, 1, 2]] * [1, 1, 0.01], basis[:, [0, 1, 3]] * [1, 1, 0.01]
    assert CCA().similarity(x, y) == pytest.approx(2 / 3)
    assert PWCCA().similarity(x, y) > 0.98


def test_weights_by_hand():
    """Correlations 1 and cos 0.5 of directions with 2 and 1 (seen from x), 1 and 1 (from y)."""
    basis = np.linalg.qr(np.random.default_rng(3).standard_normal((80, 3)))[0]
    basis = np.linalg.qr(basis - basis.mean(axis=0))[0]
    tilted = np.cos(0.5) * basis[:, 1] + np.sin(0.5) * basis[:, 2]
    x = np.stack([2.0 * basis[:, 0], basis[:, 1]], axis=1)
    y = np.stack([basis[:, 0], tilted], axis=1)
    expected = ((2 + np.cos(0.5)) / 3 + (1 + np.cos(0.5)) / 2) / 2
    assert PWCCA().similarity(x, y) == pytest.approx(expected, abs=1e-11)


def test_containment_counts_as_likeness():
    x, y = draw(4)
    assert PWCCA().similarity(x, np.hstack([x, y])) == pytest.approx(1.0)
    assert CCA().similarity(x, np.hstack([x, y])) == pytest.approx(5 / 13)
