"""Integrators whose modes are known, and their responses, in plain NumPy."""

import numpy as np

SLOW = (0.99, 0.98, 0.97, 0.96, 0.95)
FAST = (0.3, 0.299, 0.2, 0.1)
BASES = ("normal", "non-normal")


def integrator(count, cancelling, basis, slow=SLOW, seed=0):
    """Jacobian, pulse and readout of y_t = sum_i weight_i value_i^t, with `count` slow modes.

    Each slow mode has weight 1. Cancelling fast modes have weights of 50 and -50, and give at most
    0.05 together; otherwise fast modes have weight 0. The basis of the modes is orthogonal, or has
    a condition number of 1000."""
    values = np.array([*slow[:count], *FAST])
    weights = np.array([*np.ones(count), *((50.0, -50.0) if cancelling else (0.0, 0.0)), 0.0, 0.0])
    generator = np.random.default_rng(seed)
    left, right = (np.linalg.qr(generator.standard_normal((len(values),) * 2))[0] for _ in "ab")
    vectors = left
    if basis == "non-normal":
        vectors = left @ np.diag(np.geomspace(1.0, 1e3, len(values))) @ right
    inverse = np.linalg.inv(vectors)
    return vectors @ np.diag(values) @ inverse, vectors @ weights, inverse.T @ np.ones(len(values))


def outputs(jacobian, pulse, readout, steps):
    """Response y_0, y_1, ... by steps of the linear network."""
    state, response = pulse, []
    for _ in range(steps):
        response.append(state @ readout)
        state = jacobian @ state
    return np.array(response)


def modes_in_turn(jacobian, pulse, readout, steps):
    """R2 of the response and relative error of its mean, with the first 1, 2, ... real modes."""
    values, vectors = np.linalg.eig(jacobian)
    order = np.argsort(-np.abs(values))
    values, vectors = values[order].real, vectors[:, order].real
    amplitudes = np.linalg.solve(vectors, pulse) * (readout @ vectors)
    full, share, error = outputs(jacobian, pulse, readout, steps), [], []
    for count in range(1, len(values) + 1):
        part = [np.sum(amplitudes[:count] * values[:count] ** time) for time in range(steps)]
        share.append(1.0 - np.sum((full - part) ** 2) / np.sum(full**2))
        error.append(abs(np.mean(part) - np.mean(full)) / abs(np.mean(full)))
    return np.array(share), np.array(error)


def hankel_by_gramians(jacobian, effect, readout, steps):
    """Square roots of the eigenvalues of the product of both Gramians over so many steps.

    effect [state, input]; readout [state, output]."""
    reachable, observable = np.zeros_like(jacobian), np.zeros_like(jacobian)
    power = np.eye(len(jacobian))
    for _ in range(steps):
        reachable += power @ effect @ effect.T @ power.T
        observable += power.T @ readout @ readout.T @ power
        power = jacobian @ power
    squares = np.linalg.eigvals(reachable @ observable).real
    return np.sqrt(np.maximum(np.sort(squares)[::-1], 0.0))
