import re

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from rnnstudy.metrics import DSA, SVCCA

TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


def spiral(modulus, angle):
    return modulus * (np.cos(angle) * np.eye(2) + np.sin(angle) * TURN)


def trajectories(field, seed=0, trials=20, time=30, noise=0.0):
    """States [trial, time, unit] of x' = A x + noise from random starts."""
    generator = np.random.default_rng(seed)
    state = generator.standard_normal((trials, len(field)))
    course = [state]
    for _ in range(time - 1):
        course.append(course[-1] @ field.T + noise * generator.standard_normal(state.shape))
    return np.stack(course, axis=1)


def seen_by(states, units, seed):
    """The same states through random weights, in many units."""
    return states @ np.random.default_rng(seed).standard_normal((states.shape[-1], units))


@pytest.mark.parametrize("modulus", [0.9, 0.99])
def test_the_map_has_the_eigenvalues_of_the_dynamics(modulus):
    """Without delays, on a linear system whose trials balance around 0."""
    field = spiral(modulus, 0.4)
    states = trajectories(field, trials=200)
    states = np.concatenate([states, -states])
    form = DSA(delays=1, rank=2).prepare(seen_by(states, 7, 1))
    found = np.linalg.eigvals(form["field"] * form["size"])
    assert np.sort_complex(found) == pytest.approx(np.sort_complex(np.linalg.eigvals(field)))


def test_delays_show_what_a_single_unit_hides():
    """Of a spiral only one coordinate is seen: two delays make up for the other (Takens 1981)."""
    states = trajectories(spiral(0.95, 0.4), trials=100)[..., :1]
    states = np.concatenate([states, -states])
    hidden = DSA(delays=1, rank=1).prepare(states)
    assert np.linalg.eigvals(hidden["field"] * hidden["size"]).imag == 0.0
    form = DSA(delays=2, rank=2).prepare(states)
    found = np.linalg.eigvals(form["field"] * form["size"])
    assert np.abs(found) == pytest.approx(np.full(2, 0.95), abs=1e-9)
    assert np.abs(np.angle(found)) == pytest.approx(np.full(2, 0.4), abs=1e-9)


def test_dynamics_count_and_geometry_does_not():
    """One spiral seen by two sets of units from other starts, and a faster one by the first set."""
    slow, other = (seen_by(trajectories(spiral(0.97, 0.2), seed, 60, noise=0.05), 12, seed)
                   for seed in (0, 1))  # fmt: skip
    fast = seen_by(trajectories(spiral(0.97, 0.9), 0, 60, noise=0.05), 12, 0)
    metric = DSA(delays=3, rank=2)
    assert metric.distance(slow, other) < 0.1 * metric.distance(slow, fast)
    samples = [x.reshape(-1, 12) for x in (slow, other, fast)]
    geometry = SVCCA(dimensions=2)
    assert geometry.distance(samples[0], samples[1]) > 0.5


def test_euclidean_it_is_the_smallest_difference_of_the_maps():
    """Two spirals in the plane: rotations commute with them, and what is left is by hand."""
    metric = DSA(delays=1, rank=2, measure="euclidean")
    one, two = (
        np.concatenate([x, -x])
        for x in (trajectories(spiral(0.9, w), trials=400, seed=1) for w in (0.3, 0.8))
    )
    a, b = (metric.prepare(x) for x in (one, two))
    a, b = a["field"] * a["size"], b["field"] * b["size"]
    angle = np.linspace(0, 2 * np.pi, 2001)[:, None, None]
    turn = np.cos(angle) * np.eye(2) + np.sin(angle) * TURN
    every = np.concatenate([turn, turn @ np.diag([1.0, -1.0])])
    expected = np.linalg.norm(a - every @ b @ every.swapaxes(-1, -2), axis=(-2, -1)).min()
    assert metric.distance(one, two) == pytest.approx(expected, abs=1e-5)


def test_representations_may_differ_in_trials_and_times():
    x = trajectories(spiral(0.9, 0.4), trials=30, time=25)
    y = trajectories(spiral(0.9, 0.4), trials=50, time=40, seed=2)
    metric = DSA(delays=2, rank=2)
    assert metric.distance(x, y) < 0.1


def test_a_rank_beyond_what_varies_is_filled_up():
    x = seen_by(trajectories(spiral(0.9, 0.4)), 5, 0)
    form = DSA(delays=1, rank=6).prepare(x)
    assert not form["field"][2:].any()
    assert not form["field"][:, 2:].any()
    assert np.linalg.norm(form["field"]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (np.ones((20, 4)), "states must be [trial, time, unit], got shape (20, 4)"),
        (np.ones((3, 0, 4)), "states must be [trial, time, unit], got shape (3, 0, 4)"),
        (np.ones((3, 10, 4)),
         "trials for dsa with 10 delays must have at least 11 time steps, got 10"),
        (np.full((2, 12, 1), np.nan), "24 of 24 values that are not (first at trial 0, time 0, "),
    ],
)  # fmt: skip
def test_unusable_states_are_refused(states, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        DSA().prepare(states)


def block_field(*blocks):
    """Field of several planes, each with a modulus and an angle."""
    field = np.zeros((2 * len(blocks), 2 * len(blocks)))
    for k, (modulus, angle) in enumerate(blocks):
        field[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = spiral(modulus, angle)
    return field


def balanced_trajectories(field, time=12):
    """Trials from each end of each axis: their mean is 0, and no plane has a preferred direction.

    Coordinates of equal variance then only scale the planes, which a normal field does not notice.
    """
    state = np.concatenate([np.eye(len(field)), -np.eye(len(field))])
    course = [state]
    for _ in range(time - 1):
        course.append(course[-1] @ field.T)
    return np.stack(course, axis=1)


@pytest.mark.parametrize("measure", ["angular", "euclidean"])
def test_the_distance_of_normal_systems_is_that_of_their_spectra(measure):
    """Hoffman & Wielandt (1953): the best change of coordinates pairs the eigenvalues.

    An independent truth: spectra, an assignment, and no trajectories. Blocks of conjugate pairs are
    assigned as wholes, since a reflection turns a rotation of one sense into one of the other.
    """
    systems = [(0.95, 0.2), (0.8, 1.3)], [(0.9, 0.5), (0.7, 2.0)]
    spectra = [np.array([m * np.exp(1j * w) for m, w in each]) for each in systems]
    gain = np.real(spectra[0][:, None] * np.conj(spectra[1])[None])
    rows, columns = linear_sum_assignment(-gain)
    overlap = 2.0 * gain[rows, columns].sum()
    squares = [2.0 * (np.abs(each) ** 2).sum() for each in spectra]
    expected = (
        np.arccos(overlap / np.sqrt(squares[0] * squares[1]))
        if measure == "angular"
        else np.sqrt(sum(squares) - 2.0 * overlap)
    )
    metric = DSA(delays=1, rank=4, measure=measure)
    states = [seen_by(balanced_trajectories(block_field(*each)), 7, k)
              for k, each in enumerate(systems)]  # fmt: skip
    # Weights of units that are no rotation are undone by coordinates of equal variance.
    assert metric.distance(*states) == pytest.approx(expected, abs=1e-6)
