"""Departure from normality and transient growth against formulas and brute force."""

import numpy as np
import pytest

from rnnstudy.dynamics.linearisation.non_normality import (
    henrici,
    kreiss,
    non_normality,
    transient_growth,
)


def maps(seed=0, size=6, count=12, radius=0.95):
    generator = np.random.default_rng(seed)
    jacobian = generator.standard_normal((count, size, size))
    jacobian += 3 * np.triu(generator.standard_normal((count, size, size)), 1)
    largest = np.abs(np.linalg.eigvals(jacobian)).max(axis=1)
    return jacobian * (radius / largest)[:, None, None]


def brute(jacobian, steps=600):
    power, best = np.eye(len(jacobian)), (1.0, 0)
    for k in range(1, steps):
        power = power @ jacobian
        norm = np.linalg.norm(power, 2)
        best = max(best, (norm, k), key=lambda pair: pair[0])
    return best


def test_henrici_is_zero_for_normal_maps_alone():
    generator = np.random.default_rng(1)
    turn = np.linalg.qr(generator.standard_normal((5, 5)))[0]
    symmetric = generator.standard_normal((5, 5))
    normal = np.stack([turn, symmetric + symmetric.T, symmetric - symmetric.T, np.zeros((5, 5))])
    departure, relative = henrici(normal)
    np.testing.assert_allclose(departure, 0.0, atol=1e-13)
    np.testing.assert_allclose(relative, 0.0, atol=1e-13)


def test_henrici_is_the_published_difference_of_norms():
    jacobian = maps()
    departure, relative = henrici(jacobian)
    size = np.linalg.norm(jacobian, axis=(1, 2))
    eigenvalues = np.linalg.eigvals(jacobian)
    truth = np.sqrt(size**2 - (np.abs(eigenvalues) ** 2).sum(axis=1))
    np.testing.assert_allclose(departure, truth, rtol=1e-9)
    np.testing.assert_allclose(relative, truth / size, rtol=1e-9)
    np.testing.assert_allclose(henrici(np.array([[[0.5, 3.0], [0.0, 0.2]]]))[0], 3.0, rtol=1e-14)


def test_transient_growth_is_that_of_all_powers():
    jacobian = np.concatenate([maps(), 0.5 * maps(1), 0.02 * maps(2)])
    growth, step, settled = transient_growth(jacobian, 2000, 1e-6)
    assert settled.all()
    for one, best, at in zip(jacobian, growth, step, strict=True):
        truth, k = brute(one)
        np.testing.assert_allclose(best, truth, rtol=1e-12)
        assert at == k
    assert (step[-12:] == 0).any()


def test_transient_growth_of_a_jordan_block_by_hand():
    jordan = np.array([[0.9, 1.0], [0.0, 0.9]])[None]
    found = non_normality(jordan)
    powers = [np.array([[0.9**k, k * 0.9 ** (k - 1)], [0.0, 0.9**k]]) for k in range(60)]
    norms = [np.linalg.norm(power, 2) for power in powers]
    assert found.step.tolist() == [int(np.argmax(norms))]
    np.testing.assert_allclose(found.growth, max(norms), rtol=1e-12)


def test_nothing_grows_under_a_contraction_or_a_turn():
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    found = non_normality(np.stack([turn, 0.999999 * turn, np.zeros((4, 4))]))
    np.testing.assert_allclose(found.growth, 1.0, rtol=1e-12)
    assert found.step.tolist() == [0, 0, 0]
    assert found.settled.all()


def test_what_is_unstable_grows_without_end_and_what_is_cut_off_is_said():
    unstable = np.diag([1.1, 0.5])
    creeping = np.array([[1.0, 0.1], [0.0, 1.0]])  # marginal and defective: |J^k| ~ k / 10
    found = non_normality(np.stack([unstable, creeping]), limit=50)
    assert found.growth[0] == np.inf
    assert found.step.tolist() == [-1, 50]
    assert found.settled.tolist() == [True, False]
    np.testing.assert_allclose(found.growth[1], np.linalg.norm([[1, 5], [0, 1]], 2), rtol=1e-12)


def test_kreiss_constants_bound_the_growth_from_below_and_above():
    jacobian = maps(3, size=4)
    growth, _, _ = transient_growth(jacobian, 2000, 1e-6)
    bound = kreiss(jacobian)
    assert (bound <= growth * (1 + 1e-9)).all()
    assert (growth <= np.e * 4 * bound).all()
    assert bound.max() > 1.5
    # A normal map's is 1, as |z| goes to infinity.
    assert kreiss(0.9 * np.eye(3)[None])[0] == pytest.approx(1.0, abs=0.02)
    assert kreiss(1.1 * np.eye(3)[None])[0] == np.inf


def test_no_points():
    found = non_normality(np.empty((0, 3, 3)))
    assert len(found.to_frame()) == 0


def test_what_is_no_jacobian_is_refused():
    with pytest.raises(ValueError, match="must be finite"):
        non_normality(np.full((1, 2, 2), np.inf))
