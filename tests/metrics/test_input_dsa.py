"""InputDSA, against systems whose state maps and input maps are known."""

import re

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.metrics import DSA, InputDSA, UndefinedMetric
from rnnstudy.tasks.flip_flop import FlipFlop

PARTS = ["joint", "state", "input", "controllability"]
SIZE, INPUTS = 3, 2


def rotation(seed, size=SIZE):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def state_map(seed=0, radius=0.9):
    field = np.random.default_rng(seed).standard_normal((SIZE, SIZE))
    return radius * field / np.abs(np.linalg.eigvals(field)).max()


def input_map(seed=0):
    return np.random.default_rng(100 + seed).standard_normal((SIZE, INPUTS))


def drive(seed=0, trials=6, time=40, scale=(1.0, 1.0)):
    return np.random.default_rng(200 + seed).standard_normal((trials, time, INPUTS)) * scale


def driven(field, entry, inputs, seed=0, lag=0):
    """A pair (states, inputs) of x' = A x + B u, from random starts."""
    state = np.random.default_rng(300 + seed).standard_normal((len(inputs), len(field)))
    course = [state]
    for t in range(1, inputs.shape[1]):
        state = state @ field.T + inputs[:, t - lag] @ entry.T
        course.append(state)
    return np.stack(course, axis=1), inputs


def metric_of(part, **fields):
    return InputDSA(part=part, rank=SIZE, **fields)


@pytest.mark.parametrize("lag", [0, 1])
def test_the_maps_are_those_of_the_system(lag):
    """Up to an orthogonal change: the eigenvalues of A, and the products B'B and B'AB."""
    a, b = state_map(), input_map()
    states, inputs = driven(a, b, drive(), lag=lag)
    # Seven units, an offset: an orthonormal frame of three directions.
    seen = states @ rotation(1, 7)[:SIZE] + 4.0
    form = metric_of("joint", input_lag=lag).prepare((seen, inputs))
    field, entry = form["field"] * form["size"], form["entry"] * form["entry_size"]
    assert np.sort_complex(np.linalg.eigvals(field)) == pytest.approx(
        np.sort_complex(np.linalg.eigvals(a)), abs=1e-8
    )
    assert entry.T @ entry == pytest.approx(b.T @ b, abs=1e-8)
    assert entry.T @ field @ entry == pytest.approx(b.T @ a @ b, abs=1e-8)


def test_with_the_wrong_lag_they_are_not():
    a, b = state_map(), input_map()
    form = metric_of("joint", input_lag=1).prepare(driven(a, b, drive(), lag=0))
    entry = form["entry"] * form["entry_size"]
    assert np.linalg.norm(entry.T @ entry - b.T @ b) > 0.5


def test_delays_stand_for_states_that_are_not_observed():
    """One unit of a system of two: y'' has the trace and the determinant of A as coefficients."""
    angle = 0.5
    a = 0.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    states, inputs = driven(a, input_map()[:2], drive(trials=20))
    metric = InputDSA(delays=2, input_delays=2, rank=2)
    form = metric.prepare((states[..., :1], inputs))
    found = np.linalg.eigvals(form["field"] * form["size"])
    assert np.sort_complex(found) == pytest.approx(np.sort_complex(np.linalg.eigvals(a)), abs=1e-8)
    assert form["entry"].shape == (2, 2 * INPUTS)


@pytest.mark.parametrize("measure", ["angular", "euclidean"])
@pytest.mark.parametrize("part", PARTS)
def test_other_coordinates_and_other_inputs_have_distance_0(part, measure):
    a, b = state_map(), input_map()
    x = driven(a, b, drive(0))
    states, inputs = driven(a, b, drive(1, trials=4, time=50, scale=(3.0, 0.5)), seed=1)
    y = states @ rotation(2) - 3.0, inputs
    metric = metric_of(part, measure=measure)
    # A cosine is right to 12 digits, its angle to half of these.
    assert metric.distance(x, y) == pytest.approx(0.0, abs=1e-5)


def test_equal_state_maps_and_other_input_maps():
    x = driven(state_map(), input_map(0), drive(0))
    y = driven(state_map(), input_map(1), drive(1), seed=1)
    distances = {part: metric_of(part).distance(x, y) for part in PARTS}
    assert distances["state"] == pytest.approx(0.0, abs=1e-5)
    assert min(distances[part] for part in ("input", "joint", "controllability")) > 0.1


def test_equal_input_maps_and_other_state_maps():
    x = driven(state_map(0), input_map(), drive(0))
    y = driven(state_map(1), input_map(), drive(1), seed=1)
    distances = {part: metric_of(part).distance(x, y) for part in PARTS}
    assert distances["input"] == pytest.approx(0.0, abs=1e-5)
    assert min(distances[part] for part in ("state", "joint", "controllability")) > 0.1


def test_where_inputs_enter_is_seen_by_one_common_change_of_coordinates_alone():
    """B' = Q B: each map has its own best rotation, and there is none for both."""
    x = driven(state_map(), input_map(), drive(0))
    y = driven(state_map(), rotation(5) @ input_map(), drive(0))
    distances = {part: metric_of(part).distance(x, y) for part in PARTS}
    assert distances["state"] == pytest.approx(0.0, abs=1e-5)
    assert distances["input"] == pytest.approx(0.0, abs=1e-5)
    assert min(distances["joint"], distances["controllability"]) > 0.1


def test_dsa_takes_inputs_for_dynamics():
    """One system under slow inputs in one direction and fast ones in the other."""
    a, b = state_map(), input_map()
    slow = drive(0, trials=20).cumsum(axis=1) * (1.0, 0.02)
    fast = drive(1, trials=20) * (0.02, 1.0)
    pairs = driven(a, b, slow), driven(a, b, fast, seed=1)
    assert metric_of("joint").distance(*pairs) == pytest.approx(0.0, abs=1e-4)
    assert DSA(delays=1, rank=SIZE).distance(pairs[0][0], pairs[1][0]) > 0.1


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_joint_distance_is_the_smallest_over_all_rotations_of_the_plane(weight):
    """By trying all: A and B in two dimensions, with maps of different norms."""
    generator = np.random.default_rng(4)
    maps = []
    for k in range(2):
        field = generator.standard_normal((2, 2))
        field *= 0.8 / np.abs(np.linalg.eigvals(field)).max()
        maps.append((field, (1.0 + k) * generator.standard_normal((2, INPUTS))))
    pairs = [driven(*each, drive(k)) for k, each in enumerate(maps)]
    angle = np.linspace(0.0, 2.0 * np.pi, 20_001)[:, None, None]
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    turns = np.cos(angle) * np.eye(2) + np.sin(angle) * turn
    every = np.concatenate([turns, turns @ np.diag([1.0, -1.0])])
    (a, g), (b, h) = maps
    squares = weight * ((a - every @ b @ every.swapaxes(-1, -2)) ** 2).sum(axis=(-2, -1))
    squares += (1.0 - weight) * ((g - every @ h) ** 2).sum(axis=(-2, -1))
    metric = InputDSA(rank=2, state_weight=weight, measure="euclidean")
    assert metric.distance(*pairs) == pytest.approx(np.sqrt(squares.min()), abs=1e-4)


def test_weights_of_0_and_1_are_the_parts():
    x = driven(state_map(0), input_map(0), drive(0))
    y = driven(state_map(1), input_map(1), drive(1))
    for weight, part in ((1.0, "state"), (0.0, "input")):
        joint = metric_of("joint", state_weight=weight)
        assert joint.distance(x, y) == pytest.approx(metric_of(part).distance(x, y), abs=1e-6)


@pytest.mark.parametrize("steps", [1, 4])
def test_controllability_is_procrustes_analysis_of_its_matrices(steps):
    systems = [(state_map(k), input_map(k)) for k in range(2)]
    pairs = [driven(*each, drive(k)) for k, each in enumerate(systems)]
    first, second = (
        np.hstack([np.linalg.matrix_power(a, i) @ b for i in range(steps)]) for a, b in systems
    )
    turn, overlap = orthogonal_procrustes(second.T, first.T)
    found = metric_of("controllability", steps=steps, measure="euclidean").distance(*pairs)
    assert found == pytest.approx(np.linalg.norm(first - turn.T @ second), abs=1e-7)
    angle = np.arccos(overlap / np.linalg.norm(first) / np.linalg.norm(second))
    assert metric_of("controllability", steps=steps).distance(*pairs) == pytest.approx(angle)


@pytest.mark.parametrize("measure", ["angular", "euclidean"])
@pytest.mark.parametrize("part", PARTS)
def test_triangles_and_symmetry(part, measure):
    metric = metric_of(part, measure=measure)
    pairs = [driven(state_map(k), input_map(k), drive(k)) for k in range(4)]
    forms = [metric.prepare(pair) for pair in pairs]
    d = np.array([[metric.to_distance(metric.compare(a, b), a, b) for b in forms] for a in forms])
    assert d == pytest.approx(d.T, abs=1e-9)
    assert (d[:, None] <= d[:, :, None] + d[None] + 1e-6).all()


def test_an_input_that_one_system_lacks_counts_as_0():
    x = driven(state_map(), input_map(), drive())
    states, inputs = driven(state_map(), input_map() * (1.0, 0.0), drive())
    less, padded = (states, inputs[..., :1]), (states, inputs)
    metric = metric_of("joint", measure="euclidean")
    assert metric.distance(x, less) == pytest.approx(metric.distance(x, padded), abs=1e-6)
    assert metric.distance(x, less) > 0.1


def test_a_rank_beyond_what_varies_is_filled_up():
    x, y = (driven(state_map(k), input_map(k), drive(k)) for k in range(2))
    metric = InputDSA(rank=6)
    form = metric.prepare(x)
    assert not form["field"][SIZE:].any()
    assert not form["entry"][SIZE:].any()
    assert metric.distance(x, x) == 0.0
    # Directions in which nothing happens give room to rotations, which can only bring nearer.
    assert metric.distance(x, y) <= metric_of("joint").distance(x, y) + 1e-6


def test_inputs_that_do_not_vary_have_no_map():
    states, inputs = driven(state_map(), input_map(), drive())
    constant = states, np.full_like(inputs, 0.3)
    for part in ("joint", "input", "controllability"):
        with pytest.raises(UndefinedMetric, match="inputs must vary, got 2 inputs that do not"):
            metric_of(part).prepare(constant)
    assert metric_of("state").prepare(constant)["entry_size"] == 0.0


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((np.ones((2, 9, 3)), np.full((2, 9, 1), np.nan)), "inputs must be finite, got 18 of 18"),
        ((np.ones((2, 9, 3)), np.ones((2, 9))), "inputs must be [trial, time, input] for states"),
        ((np.ones((9, 3)), np.ones((9, 1))), "states must be [trial, time, unit], got shape"),
    ],
)
def test_unusable_pairs_are_refused(pair, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        InputDSA().prepare(pair)


def test_a_study_gives_the_inputs_of_the_probe():
    states, inputs = driven(state_map(), input_map(), drive())
    other = np.zeros((*states.shape[:2], 1))
    activity = Activity(inputs=inputs, targets=other, outputs=other, states=states)
    analysis = Pairs(metric={"kind": "input_dsa", "rank": SIZE})
    given = analysis.states(FlipFlop(), activity)
    assert [part.shape for part in given] == [states.shape, inputs.shape]
    assert analysis.metric.distance(given, (states, inputs)) == 0.0
