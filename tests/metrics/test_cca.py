import numpy as np
import pytest
from reference.metrics import svcca
from sklearn import cross_decomposition

from rnnstudy.metrics import CCA, SVCCA


def draw(seed, samples=200, widths=(5, 8)):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 3))
    return [
        latent @ generator.standard_normal((3, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_mean_correlation_of_canonical_variates(seed):
    x, y = draw(seed, widths=(3, 4))
    left, right = cross_decomposition.CCA(n_components=3, max_iter=10_000, tol=1e-12).fit_transform(
        x, y
    )
    expected = np.mean([np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(3)])
    assert CCA(divide_by="smaller").similarity(x, y) == pytest.approx(expected, abs=1e-6)
    assert CCA().similarity(x, y) == pytest.approx(expected * 3 / 4, abs=1e-6)


def test_it_is_the_generalised_eigenvalue_problem():
    x, y = draw(2)
    assert CCA().similarity(x, y) == pytest.approx(svcca(x, y, 8), abs=1e-9)


def test_any_invertible_map_changes_nothing_however_ill_conditioned():
    x, y = draw(3)
    mixing = np.random.default_rng(4).standard_normal((8, 8)) @ np.diag(np.geomspace(1, 1e-5, 8))
    assert CCA().distance(y, y @ mixing) == pytest.approx(0.0, abs=1e-9)
    assert CCA().similarity(x, y @ mixing) == pytest.approx(CCA().similarity(x, y), abs=1e-7)


def test_rounding_in_either_precision_is_no_direction():
    x, y = draw(5)
    mixing = np.random.default_rng(6).standard_normal((5, 20))
    wide = (x @ mixing + 10.0).astype(np.float32)
    assert CCA().prepare(wide)["rank"] == 5
    assert CCA().similarity(wide, y) == pytest.approx(CCA().similarity(x, y), abs=1e-5)


def test_of_few_directions_it_is_svcca_with_as_many():
    x, y = draw(7)
    assert CCA().similarity(x, y) == SVCCA(dimensions=8).similarity(x, y)
