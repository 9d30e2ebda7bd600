"""Similarities by the definitions, one pair at a time, along other ways than the package's."""

import numpy as np
import scipy.linalg


def svcca(x, y, dimensions):
    """Canonical correlations as a generalised eigenvalue problem of principal components."""
    x, y = _components(x, dimensions), _components(y, dimensions)
    within_x, within_y, between = x.T @ x, y.T @ y, x.T @ y
    squares = scipy.linalg.eigh(
        between @ np.linalg.solve(within_y, between.T), within_x, eigvals_only=True
    )
    shared = min(x.shape[1], y.shape[1])
    return float(np.sqrt(np.clip(np.sort(squares)[::-1][:shared], 0.0, 1.0)).mean())


def _components(x, dimensions):
    covariance = np.cov(x, rowvar=False, dtype=np.float64)
    values, vectors = np.linalg.eigh(covariance)
    leading = np.argsort(values)[::-1][:dimensions]
    return (x - x.mean(axis=0)) @ vectors[:, leading]


def cka(x, y):
    """Hilbert-Schmidt independence criterion of the centred Gram matrices, normalised."""
    return _hsic(x, y) / np.sqrt(_hsic(x, x) * _hsic(y, y))


def _hsic(x, y):
    samples = len(x)
    centring = np.eye(samples) - np.ones((samples, samples)) / samples
    return float(np.trace(x @ x.T @ centring @ y @ y.T @ centring))
