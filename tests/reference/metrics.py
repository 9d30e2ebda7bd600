"""Similarities by the definitions, one pair at a time, along other ways than the package's."""

import numpy as np
import scipy.linalg
import scipy.stats


def svcca(x, y, dimensions, divide_by=max):
    """Canonical correlations as a generalised eigenvalue problem of principal components."""
    x, y = _components(x, dimensions), _components(y, dimensions)
    within_x, within_y, between = x.T @ x, y.T @ y, x.T @ y
    squares = scipy.linalg.eigh(
        between @ np.linalg.solve(within_y, between.T), within_x, eigvals_only=True
    )
    widths = x.shape[1], y.shape[1]
    correlations = np.sqrt(np.clip(np.sort(squares)[::-1][: min(widths)], 0.0, 1.0))
    return float(correlations.sum() / divide_by(widths))


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


def debiased_cka(x, y):
    """The same with the unbiased estimator, as U-centred Gram matrices (Szekely & Rizzo 2014)."""
    grams = [_u_centred(z @ z.T) for z in (x, y)]
    sizes = [np.linalg.norm(gram) for gram in grams]
    return float((grams[0] * grams[1]).sum() / (sizes[0] * sizes[1]))


def _u_centred(gram):
    samples = len(gram)
    gram = gram.copy()
    np.fill_diagonal(gram, 0.0)
    rows = gram.sum(axis=1)
    centred = gram - (rows[:, None] + rows[None]) / (samples - 2)
    centred += gram.sum() / ((samples - 1) * (samples - 2))
    np.fill_diagonal(centred, 0.0)
    return centred


def pwcca(x, y):
    """Correlations of canonical variates of x, found by whitening, weighted by its units."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    white = [np.linalg.inv(scipy.linalg.sqrtm(z.T @ z)) for z in (x, y)]
    left, correlations, _ = np.linalg.svd(white[0] @ x.T @ y @ white[1], full_matrices=False)
    variates = x @ white[0] @ left
    weights = [sum(abs(h @ unit) for unit in x.T) for h in variates.T]
    return float(np.average(correlations, weights=weights))


def rsa(x, y, correlation):
    """Correlation of distances, pair by pair of samples."""
    distances = [
        [np.linalg.norm(z[i] - z[j]) for i in range(len(z)) for j in range(i)] for z in (x, y)
    ]
    measure = {"spearman": scipy.stats.spearmanr, "pearson": scipy.stats.pearsonr}[correlation]
    return float(measure(*distances).statistic)
