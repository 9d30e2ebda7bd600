"""Eigenvalues and modes in order, biorthonormal, and what they say of a point."""

import numpy as np
import pytest
from scipy.linalg import block_diag, eig

from rnnstudy.dynamics.linearisation import modes as module
from rnnstudy.dynamics.linearisation.modes import (
    Modes,
    eigenvalues,
    frequencies,
    modes,
    n_unstable,
    stability_kinds,
    time_constants,
)


def rotation(radius, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return radius * turn


def random_maps(count, size, seed=0):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((count, size, size)) / np.sqrt(size)


def test_eigenvalues_of_known_matrices_largest_first():
    matrix = np.zeros((1, 3, 3))
    matrix[0, :2, :2], matrix[0, 2, 2] = rotation(0.9, 0.3), -1.5
    found = eigenvalues(matrix)[0]
    np.testing.assert_allclose(np.abs(found), [1.5, 0.9, 0.9], rtol=1e-14)
    np.testing.assert_allclose(np.abs(np.angle(found)), [np.pi, 0.3, 0.3], rtol=1e-14)


def test_time_constants():
    values = np.array([np.exp(-1 / 7.0), 1.0, 0.0, np.exp(1 / 3.0), 1j * np.exp(-0.5)])
    np.testing.assert_allclose(time_constants(values), [7.0, np.inf, 0.0, -3.0, 2.0], rtol=1e-12)


def test_frequencies():
    values = np.array([0.5, -0.5, 1j, 2 * np.exp(-0.2j * np.pi)])
    np.testing.assert_allclose(frequencies(values), [0.0, 0.5, 0.25, 0.1], rtol=1e-14)


def test_kinds():
    values = np.array([[0.5, 0.2], [1.5, 0.2], [2.0, 1.5], [1.5, 1.0], [1.0 + 1e-9, 0.1]], complex)
    assert stability_kinds(values, 1e-6).tolist() == [
        "stable",
        "saddle",
        "repeller",
        "marginal",
        "marginal",
    ]
    assert stability_kinds(values, 0.0).tolist()[-1] == "saddle"
    assert stability_kinds(np.empty((0, 2), complex), 1e-6).tolist() == []
    assert n_unstable(values, 1e-6).tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_modes_are_biorthonormal_and_make_up_the_map(size):
    jacobian = random_maps(20, size)
    found = modes(jacobian)
    assert not found.defective.any()
    product = np.einsum("pis,pjs->pij", found.left, found.right)
    error = np.abs(product - np.eye(size)).max(axis=(1, 2))
    # Rounding, amplified by the condition of the modes: some hundreds here.
    assert error.max() < 1e-10
    rebuilt = np.einsum("pm,pms,pmt->pst", found.eigenvalues, found.right, found.left)
    np.testing.assert_allclose(rebuilt, jacobian, atol=1e-10)
    np.testing.assert_allclose(
        found.right @ jacobian.swapaxes(1, 2),
        found.eigenvalues[..., None] * found.right,
        atol=1e-10,
    )
    np.testing.assert_allclose(
        found.left @ jacobian, found.eigenvalues[..., None] * found.left, atol=1e-9
    )
    assert (np.diff(np.abs(found.eigenvalues), axis=1) <= 0).all()
    np.testing.assert_allclose(np.linalg.norm(found.right, axis=2), 1.0, rtol=1e-13)


def test_sensitivities_are_those_of_scipys_left_and_right_vectors():
    jacobian = random_maps(1, 12, seed=3)
    values, left, right = eig(jacobian[0], left=True, right=True)
    # For unit vectors the condition number of an eigenvalue is 1 / |y* x| (Wilkinson 1965).
    truth = 1.0 / np.abs(np.einsum("sm,sm->m", left.conj(), right))
    found = modes(jacobian)
    place = np.abs(found.eigenvalues[0][:, None] - values).argmin(axis=1)
    np.testing.assert_allclose(found.eigenvalues[0], values[place], atol=1e-12)
    np.testing.assert_allclose(found.sensitivity[0], truth[place], rtol=1e-9)
    assert found.condition[0] >= found.sensitivity.max() * (1 - 1e-12)


def test_normal_maps_have_condition_one_however_often_an_eigenvalue_repeats():
    matrices = np.stack(
        [np.eye(4), block_diag(rotation(0.9, 1.0), rotation(0.9, 1.0)), np.zeros((4, 4))]
    )
    found = modes(matrices)
    np.testing.assert_allclose(found.condition, 1.0, atol=1e-12)
    assert not found.defective.any()
    assert found.n_marginal.tolist() == [4, 0, 0]


def test_a_jordan_block_is_reported_and_has_no_left_modes():
    jordan = np.array([[0.5, 1.0], [0.0, 0.5]])
    found = modes(np.stack([jordan, np.diag([0.5, 0.4])]))
    assert found.defective.tolist() == [True, False]
    assert found.condition[0] > 1e12
    assert np.isnan(found.left[0]).all()
    assert np.isfinite(found.left[1]).all()
    np.testing.assert_allclose(found.eigenvalues[0], 0.5, atol=1e-7)
    assert "1 defective" in repr(found)


def test_seconds_and_hertz_need_a_time_step():
    matrix = rotation(np.exp(-1 / 20), 2 * np.pi / 8)[None]
    found = modes(matrix, dt=0.01)
    np.testing.assert_allclose(found.time_constant, 20.0, rtol=1e-12)
    np.testing.assert_allclose(found.seconds, 0.2, rtol=1e-12)
    np.testing.assert_allclose(found.frequency, 1 / 8, rtol=1e-12)
    np.testing.assert_allclose(found.hertz, 12.5, rtol=1e-12)
    assert {"seconds", "hertz"} <= set(found.to_frame())
    with pytest.raises(ValueError, match="dt must be known for seconds"):
        _ = modes(matrix).seconds


def test_conjugate_modes_lie_side_by_side():
    found = modes(rotation(0.9, 0.4)[None])
    assert found.eigenvalues[0, 0].imag > 0
    np.testing.assert_array_equal(found.right[0, 0], found.right[0, 1].conj())


def test_cores_share_matrices_without_changing_them(monkeypatch):
    jacobian = random_maps(130, 5)
    monkeypatch.setattr(module, "available_cores", lambda: 2)
    shared = modes(jacobian)
    monkeypatch.setattr(module, "available_cores", lambda: 1)
    alone = modes(jacobian)
    np.testing.assert_array_equal(shared.eigenvalues, alone.eigenvalues)
    np.testing.assert_array_equal(shared.left, alone.left)
    np.testing.assert_allclose(eigenvalues(jacobian), alone.eigenvalues, atol=1e-13)


def test_saved_and_loaded(tmp_path):
    found = modes(random_maps(3, 4), dt=0.1)
    found.save(tmp_path)
    loaded = Modes.load(tmp_path)
    np.testing.assert_array_equal(loaded.left, found.left)
    assert loaded.dt == 0.1
    assert len(found.to_frame()) == 12


def test_no_points_have_no_modes():
    found = modes(np.empty((0, 3, 3)))
    assert len(found) == 0
    assert found.kind.tolist() == []
    assert len(found.to_frame()) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.eye(3), r"must be \[point, state, state\], got shape \(3, 3\)"),
        (np.zeros((2, 3, 4)), r"got shape \(2, 3, 4\)"),
        (np.full((2, 2, 2), np.nan), "must be finite, got 2 of 2 that are not"),
    ],
)
def test_what_is_no_jacobian_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        modes(given)


def test_a_time_step_is_positive():
    for dt in (0, "0", np.inf):
        with pytest.raises(ValueError, match=r"dt must be .*number of seconds of a time step"):
            modes(np.eye(2)[None], dt=dt)
