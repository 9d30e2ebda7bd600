import numpy as np
import pytest
from reference.metrics import svcca
from sklearn.cross_decomposition import CCA

from rnnstudy.core.errors import SettingError
from rnnstudy.metrics import SVCCA

GOLDEN = 0.8780090024


def draw(seed, samples=200, widths=(12, 20)):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 4)) * [4.0, 2.0, 1.0, 0.5]
    return [
        latent @ generator.standard_normal((4, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


def centre(x):
    return x - x.mean(axis=0)


@pytest.mark.parametrize("dimensions", [1, 3, 10])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_generalised_eigenvalue_problem(dimensions, seed):
    x, y = draw(seed)
    found = SVCCA(dimensions=dimensions).similarity(x, y)
    assert found == pytest.approx(svcca(x, y, dimensions), abs=1e-9)


def test_with_all_dimensions_it_is_canonical_correlation_analysis():
    x, y = draw(2, widths=(3, 4))
    left, right = CCA(n_components=3, max_iter=10_000, tol=1e-12).fit_transform(x, y)
    expected = np.mean([np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(3)])
    by_smaller = SVCCA(dimensions=4, divide_by="smaller")
    assert by_smaller.similarity(x, y) == pytest.approx(expected, abs=1e-6)
    assert SVCCA(dimensions=4).similarity(x, y) == pytest.approx(expected * 3 / 4, abs=1e-6)


def test_any_invertible_map_of_a_whole_subspace_changes_nothing():
    x, _ = draw(3, widths=(5, 5))
    mixing = np.random.default_rng(4).standard_normal((5, 8))
    assert SVCCA(dimensions=5).distance(x, x @ mixing) == 0.0
    assert SVCCA(dimensions=2).distance(x, x @ mixing) > 0.01


def test_subspaces_of_known_angles():
    basis, _ = np.linalg.qr(np.random.default_rng(5).standard_normal((50, 5)) - 0.0)
    basis, _ = np.linalg.qr(basis - basis.mean(axis=0))
    x = basis[:, :2] * [2.0, 1.0]
    tilted = np.cos(0.3) * basis[:, 0] + np.sin(0.3) * basis[:, 2]
    y = np.stack([2.0 * tilted, basis[:, 3]], axis=1)
    assert SVCCA().similarity(x, y) == pytest.approx(np.cos(0.3) / 2)


@pytest.mark.parametrize(("divide_by", "count"), [("larger", max), ("smaller", min)])
def test_fewer_directions_than_asked_for_are_averaged_over_either_number(divide_by, count):
    x, y = draw(6, widths=(3, 20))
    metric = SVCCA(dimensions=10, divide_by=divide_by)
    assert metric.prepare(x)["rows"].shape == (3, 200)
    assert metric.similarity(x, y) == pytest.approx(svcca(x, y, 10, count), abs=1e-9)


@pytest.mark.parametrize(("divide_by", "expected"), [("larger", 3 / 5), ("smaller", 1.0)])
def test_containment_is_likeness_only_by_the_smaller_number(divide_by, expected):
    x, y = draw(6, widths=(3, 20))
    metric = SVCCA(dimensions=None, variance=1.0, divide_by=divide_by)
    assert metric.similarity(x, np.hstack([x, y[:, :2]])) == pytest.approx(expected)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_rounding_is_no_direction(precision, offset):
    """Of a rank-2 matrix stored with an offset, two directions are found in either precision."""
    generator = np.random.default_rng(7)
    x = generator.standard_normal((300, 2)) @ generator.standard_normal((2, 30)) + offset
    assert SVCCA().prepare(x.astype(precision))["rows"].shape == (2, 300)


def test_forms_are_orthonormal():
    rows = SVCCA(dimensions=6).prepare(draw(8)[0])["rows"]
    assert rows @ rows.T == pytest.approx(np.eye(6), abs=1e-12)


@pytest.mark.parametrize("ratio", [1e-1, 1e-3, 1e-5, 1e-7])
def test_small_directions_are_found_as_well_as_large_ones(ratio):
    """Standard deviations fall by `ratio` over five directions: by way of the covariance at first,
    by singular vectors where its eigenvectors would lose too many digits."""
    generator = np.random.default_rng(10)
    directions, _ = np.linalg.qr(centre(generator.standard_normal((300, 5))))
    mixing, _ = np.linalg.qr(generator.standard_normal((9, 5)))
    x = (directions * np.geomspace(1.0, ratio, 5)) @ mixing.T
    rows = SVCCA(dimensions=5).prepare(x)["rows"]
    assert rows @ rows.T == pytest.approx(np.eye(5), abs=1e-13)
    overlap = np.abs(rows @ directions)
    # Errors of directions are rounding errors over their size.
    assert overlap == pytest.approx(np.eye(5), abs=1e-15 / ratio + 1e-10)


@pytest.mark.parametrize(("share", "kept"), [(0.5, 1), (0.7, 1), (0.71, 2), (0.95, 3), (1.0, 4)])
def test_directions_can_be_kept_by_their_share_of_the_variance(share, kept):
    """Variances 0.7, 0.2, 0.08 and 0.02."""
    directions, _ = np.linalg.qr(centre(np.random.default_rng(11).standard_normal((60, 4))))
    x = directions * np.sqrt([0.7, 0.2, 0.08, 0.02]) @ np.eye(4, 7)
    assert SVCCA(dimensions=None, variance=share).prepare(x)["rows"].shape == (kept, 60)
    assert SVCCA(dimensions=2, variance=share).prepare(x)["rows"].shape == (min(kept, 2), 60)


def test_dimensions_below_1_are_refused():
    with pytest.raises(SettingError, match="dimensions"):
        SVCCA(dimensions=0)


def test_the_numbers_of_version_2():
    """Those of version 1 too, since both have four directions."""
    x, y = draw(9)
    assert SVCCA.version == 2
    assert SVCCA(dimensions=4).similarity(x, y) == pytest.approx(GOLDEN, abs=1e-9)
