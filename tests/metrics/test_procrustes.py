import numpy as np
import pytest
import scipy.linalg
import scipy.spatial

from rnnstudy.metrics import CCA, Procrustes

VARIANTS = {
    "angular": Procrustes(),
    "half": Procrustes(alpha=0.5),
    "whitened": Procrustes(alpha=0.0),
    "euclidean": Procrustes(measure="euclidean"),
    "sizes": Procrustes(measure="euclidean", scaled=False, alpha=0.7),
}


def draw(seed, widths=(6, 6), samples=50):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 3))
    return [
        latent @ generator.standard_normal((3, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


def centre(x):
    return x - x.mean(axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_its_cosine_is_that_of_procrustes_analysis(seed):
    x, y = draw(seed)
    _, _, disparity = scipy.spatial.procrustes(x, y)
    assert Procrustes().similarity(x, y) ** 2 == pytest.approx(1.0 - disparity, abs=1e-10)
    assert Procrustes().distance(x, y) == pytest.approx(np.arccos(np.sqrt(1.0 - disparity)))


def test_euclidean_it_is_what_the_best_rotation_leaves():
    x, y = (centre(z) for z in draw(3))
    rotation, _ = scipy.linalg.orthogonal_procrustes(x, y)
    metric = Procrustes(measure="euclidean", scaled=False)
    assert metric.distance(x, y) == pytest.approx(np.linalg.norm(x @ rotation - y), abs=1e-9)
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    metric = Procrustes(measure="euclidean")
    assert metric.distance(5 * x, 3 * y) == pytest.approx(
        np.linalg.norm(x @ scipy.linalg.orthogonal_procrustes(x, y)[0] - y), abs=1e-9
    )


def test_a_narrower_shape_is_filled_up_with_still_units():
    x, y = (centre(z) for z in draw(4, widths=(3, 7)))
    full = np.pad(x, [(0, 0), (0, 4)])
    rotation, _ = scipy.linalg.orthogonal_procrustes(full, y)
    metric = Procrustes(measure="euclidean", scaled=False)
    assert metric.distance(x, y) == pytest.approx(np.linalg.norm(full @ rotation - y), abs=1e-9)


def test_sizes_count_if_they_should():
    x, _ = draw(5)
    metric = VARIANTS["sizes"]
    grown = metric.distance(x, 3.0 * x)
    assert grown == pytest.approx(2.0 * metric.distance(x, np.zeros_like(x)))
    assert metric.distance(10 * x, 30 * x) == pytest.approx(10 * grown)
    assert metric.distance(x, x) == 0.0


def test_whitened_it_is_canonical_correlation_analysis():
    x, y = draw(6)
    assert Procrustes(alpha=0.0).similarity(x, y) == pytest.approx(CCA().similarity(x, y), abs=1e-9)


def test_whitened_in_part_singular_values_are_mixed_with_their_root_mean_square():
    x = centre(draw(7)[0])
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    mixed = 0.25 * sizes + 0.75 * np.sqrt((sizes**2).mean())
    form = Procrustes(alpha=0.25).prepare(x)
    found = np.linalg.svd(form["rows"], compute_uv=False)
    assert found == pytest.approx(mixed / np.linalg.norm(mixed), abs=1e-12)
    assert np.linalg.norm(form["rows"] @ left, axis=0) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_scale_changes_nothing_for_any_mixture(alpha):
    x, y = draw(8)
    metric = Procrustes(alpha=alpha)
    assert metric.similarity(1e3 * x, y) == pytest.approx(metric.similarity(x, y), abs=1e-11)


def test_more_units_than_samples():
    x, y = draw(9, widths=(80, 5), samples=20)
    _, _, disparity = scipy.spatial.procrustes(x, np.pad(y, [(0, 0), (0, 75)]))
    assert Procrustes().prepare(x)["rows"].shape == (20, 20)
    assert Procrustes().similarity(x, y) ** 2 == pytest.approx(1.0 - disparity, abs=1e-10)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_a_metric(variant, seed):
    """The direct way is no longer than the one past a third, however the third is placed."""
    x, y, z = draw(seed, widths=(2, 3, 4), samples=8)
    y = np.hstack([x, 0.1 * y]) if seed % 2 else y
    d = VARIANTS[variant].distance
    for a, b, c in [(x, y, z), (y, z, x), (z, x, y)]:
        assert d(a, c) <= d(a, b) + d(b, c) + 1e-9
