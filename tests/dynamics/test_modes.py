"""Eigenvalues in order, time constants, and the kind of a point."""

import numpy as np

from rnnstudy.dynamics.modes import eigenvalues, kinds, time_constants


def test_eigenvalues_of_known_matrices_largest_first():
    rotation = 0.9 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    matrix = np.zeros((1, 3, 3))
    matrix[0, :2, :2], matrix[0, 2, 2] = rotation, -1.5
    found = eigenvalues(matrix)[0]
    np.testing.assert_allclose(np.abs(found), [1.5, 0.9, 0.9], rtol=1e-14)
    np.testing.assert_allclose(np.abs(np.angle(found)), [np.pi, 0.3, 0.3], rtol=1e-14)


def test_time_constants():
    values = np.array([np.exp(-1 / 7.0), 1.0, 0.0, np.exp(1 / 3.0), 1j * np.exp(-0.5)])
    np.testing.assert_allclose(time_constants(values), [7.0, np.inf, 0.0, -3.0, 2.0], rtol=1e-12)


def test_kinds():
    values = np.array([[0.5, 0.2], [1.5, 0.2], [2.0, 1.5], [1.5, 1.0], [1.0 + 1e-9, 0.1]], complex)
    assert kinds(values, 1e-6).tolist() == ["stable", "saddle", "repeller", "marginal", "marginal"]
    assert kinds(values, 0.0).tolist()[-1] == "saddle"
    assert kinds(np.empty((0, 2), complex), 1e-6).tolist() == []
