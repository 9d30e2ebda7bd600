import numpy as np
import pytest
import scipy.linalg

from rnnstudy.metrics import PrincipalAngles


def draw(seed, widths, samples=60):
    generator = np.random.default_rng(seed)
    found = [generator.standard_normal((samples, width)) for width in widths]
    return [x - x.mean(axis=0) for x in found]


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_length_of_the_vector_of_principal_angles(seed):
    x, y = draw(seed, (4, 4))
    expected = np.linalg.norm(scipy.linalg.subspace_angles(x, y))
    assert PrincipalAngles().distance(x, y) == pytest.approx(expected, abs=1e-10)


def test_a_direction_that_one_lacks_is_a_right_angle_off():
    x, y = draw(5, (3, 7))
    angles = scipy.linalg.subspace_angles(x, y)
    assert len(angles) == 3
    expected = np.sqrt((angles**2).sum() + 4 * (np.pi / 2) ** 2)
    assert PrincipalAngles().distance(x, y) == pytest.approx(expected, abs=1e-10)


def test_the_similarity_of_subspaces_without_anything_in_common_is_0():
    basis = np.linalg.qr(draw(6, (8,))[0])[0]
    metric = PrincipalAngles(dimensions=4)
    assert metric.similarity(basis[:, :4], basis[:, 4:]) == pytest.approx(0.0, abs=1e-11)
    assert metric.distance(basis[:, :4], basis[:, 4:]) == pytest.approx(np.pi)


def test_a_tilt_by_a_known_angle():
    basis = np.linalg.qr(draw(7, (3,))[0])[0]
    tilted = np.cos(0.3) * basis[:, 0] + np.sin(0.3) * basis[:, 2]
    x, y = basis[:, :2] * [2, 1], np.stack([tilted * 2, basis[:, 1]], axis=1)
    assert PrincipalAngles().distance(x, y) == pytest.approx(0.3, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_a_metric(seed):
    """The direct way is no longer than the one past a third, for subspaces of several ranks."""
    widths = np.random.default_rng(seed).integers(1, 6, 3)
    x, y, z = (x @ np.eye(x.shape[1]) for x in draw(seed, widths, samples=12))
    z = x[:, :1] + y[:, :1] if seed % 2 else z
    d = PrincipalAngles().distance
    assert d(x, z) <= d(x, y) + d(y, z) + 1e-9
    assert d(x, y) <= d(x, z) + d(z, y) + 1e-9
    assert d(y, z) <= d(y, x) + d(x, z) + 1e-9
