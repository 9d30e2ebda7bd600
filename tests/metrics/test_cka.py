import numpy as np
import pytest
from reference.metrics import cka, debiased_cka

from rnnstudy.metrics import CKA

GOLDEN = 0.6788893416


def draw(seed, samples=80, widths=(12, 20)):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 4))
    return [
        latent @ generator.standard_normal((4, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


@pytest.mark.parametrize("widths", [(12, 20), (1, 5), (120, 7), (90, 200)])
def test_it_is_the_alignment_of_centred_gram_matrices(widths):
    x, y = draw(1, widths=widths)
    assert CKA().similarity(x, y) == pytest.approx(cka(x, y), abs=1e-10)


def test_of_single_units_it_is_the_squared_correlation():
    x, y = draw(2, widths=(1, 1))
    assert CKA().similarity(x, y) == pytest.approx(np.corrcoef(x.T, y.T)[0, 1] ** 2)


def test_signals_shared_among_orthogonal_ones():
    basis, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((40, 5)))
    basis, _ = np.linalg.qr(basis - basis.mean(axis=0))
    x, y = basis[:, [0, 1]], basis[:, [1, 2]]
    assert CKA().similarity(x, y) == pytest.approx(0.5)
    assert CKA().similarity(x, basis[:, [3, 4]]) == 0.0


def test_stretching_one_unit_changes_it():
    x, _ = draw(4)
    stretched = x * np.where(np.arange(12) == 0, 10.0, 1.0)
    assert CKA().distance(x, stretched) > 0.1


def test_magnitude_does_not_matter_even_where_fourth_powers_would_overflow():
    x, y = draw(5)
    expected = CKA().similarity(x, y)
    assert CKA().similarity(1e120 * x, 1e-120 * y) == pytest.approx(expected, abs=1e-11)


def test_a_form_has_no_more_rows_than_samples():
    assert CKA().prepare(draw(6, samples=10, widths=(50,))[0])["rows"].shape == (10, 10)


@pytest.mark.parametrize("widths", [(12, 20), (1, 5), (120, 7), (90, 200)])
def test_debiased_it_is_the_sums_over_grams_without_diagonal(widths):
    x, y = draw(7, samples=40, widths=widths)
    found = CKA(debiased=True).similarity(x + 3.0, y - 1.0)
    assert found == pytest.approx(debiased_cka(x, y), abs=1e-10)


def test_debiased_it_is_0_in_the_mean_where_nothing_is_shared():
    """The biased estimate is near 1 / (1 + samples / units) there: 16 units, 20 samples."""
    generator = np.random.default_rng(8)
    pairs = generator.standard_normal((300, 2, 20, 16))
    biased = np.array([CKA().similarity(x, y) for x, y in pairs])
    found = np.array([CKA(debiased=True).similarity(x, y) for x, y in pairs])
    assert biased.min() > 0.3
    assert (found < 0.0).any()
    assert abs(found.mean()) < 4.0 * found.std() / np.sqrt(len(found))


def test_debiased_it_needs_four_samples():
    with pytest.raises(ValueError, match="debiased CKA must have at least 4 samples, got 3"):
        CKA(debiased=True).prepare(np.eye(3))


def test_the_numbers_of_version_1():
    x, y = draw(9)
    assert CKA.version == 1
    assert CKA().similarity(x, y) == pytest.approx(GOLDEN, abs=1e-9)
