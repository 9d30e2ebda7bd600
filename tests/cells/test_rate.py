"""The leaky rate network against its differential equation, SciPy's roots, and the field's laws."""

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError
from reference.dynamics import population, roots
from scipy.integrate import solve_ivp

from rnnstudy.cells import CELLS, AnyCell
from rnnstudy.cells.lru import LRU
from rnnstudy.cells.rate import Rate
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.component import Component
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.population.initialise import initial_population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.batches import Program, noise_of

DRAW = np.random.default_rng(8)
UNITS, INPUTS = 3, 2
WEIGHTS = {
    "kernel": DRAW.normal(size=(INPUTS, UNITS)),
    "recurrent_kernel": 1.8 * DRAW.normal(size=(UNITS, UNITS)),
    "bias": 0.3 * DRAW.normal(size=UNITS),
}
X = np.array([0.4, -0.2])
QUICK = FixedPointSearch(candidates=64)


class Holder(Component):
    """A field that takes a cell, as a spec has it."""

    cell: AnyCell


def current(h):
    """W f(h) + B x + b."""
    return np.tanh(h) @ WEIGHTS["recurrent_kernel"] + X @ WEIGHTS["kernel"] + WEIGHTS["bias"]


def simulated(dt, tau, time):
    """The state after some ms, in steps of the cell."""
    cell = Rate(units=UNITS, dt=dt, tau=tau)
    w = {name: tf.constant(values) for name, values in WEIGHTS.items()}
    drive, h = cell.drive(w, tf.constant(X[None])), tf.fill([1, UNITS], tf.constant(0.5, "float64"))
    for _ in range(round(time / dt)):
        h = cell.step(w, drive, h)
    return h.numpy()[0]


def test_short_steps_reach_the_solution_of_the_differential_equation():
    tau, time = 50.0, 80.0
    exact = solve_ivp(
        lambda _, h: (current(h) - h) / tau,
        (0.0, time),
        np.full(UNITS, 0.5),
        rtol=1e-11,
        atol=1e-12,
    ).y[:, -1]
    errors = [np.abs(simulated(dt, tau, time) - exact).max() for dt in (0.8, 0.4, 0.2)]
    # Euler's method: half the step, half the error.
    for longer, shorter in pairwise(errors):
        assert longer / shorter == pytest.approx(2.0, rel=0.1)
    assert errors[-1] < 0.01


@pytest.mark.parametrize(("dt", "readout"), [(20.0, "rates"), (5.0, "currents")])
def test_the_fixed_points_are_those_of_the_equation_whatever_the_step(dt, readout):
    cell = Rate(units=UNITS, dt=dt, readout=readout)
    points = find_fixed_points(population(cell, [WEIGHTS], INPUTS), X[None], search=QUICK)
    expected = roots(current, 6.0 * DRAW.uniform(-1, 1, (200, UNITS)))
    assert len(points) == len(expected)
    for state in points.state:
        assert np.abs(expected - state).max(axis=1).min() < 1e-9
    assert points.certificate["verdict"].tolist() == ["consistent"]
    slopes = 1.0 - np.tanh(points.state) ** 2
    share = dt / cell.tau
    truth = share * WEIGHTS["recurrent_kernel"].T * slopes[:, None, :]
    truth += (1.0 - share) * np.eye(UNITS)
    np.testing.assert_allclose(points.jacobian, truth, atol=1e-9)


@pytest.mark.parametrize("readout", ["rates", "currents"])
def test_uncoupled_units_have_all_their_points(readout):
    """Units h = 2 tanh(h) have three points each."""
    networks = population(Rate(units=4, readout=readout), [{"recurrent_kernel": 2.0 * np.eye(4)}])
    points = find_fixed_points(networks)
    assert len(points) == 3**4
    assert (points.n_unstable == 0).sum() == 2**4
    assert points.certificate["verdict"].tolist() == ["consistent"]


def test_unbounded_rates_have_no_certificate():
    networks = population(Rate(units=2, activation="relu"), [{"recurrent_kernel": 0.5 * np.eye(2)}])
    points = find_fixed_points(networks, search=QUICK)
    assert points.certificate["verdict"].tolist() == ["not applicable"]


def noise(cell):
    program = Program(cell, FlipFlop(bits=1, length=5), 3, True)
    return noise_of(program, {"noise": tf.constant([1, 2])}, tf.constant(4)).numpy()


@pytest.mark.parametrize("dt", [1.0, 20.0])
def test_noise_gives_a_leaking_current_the_standard_deviation_of_the_protocol(dt):
    cell = Rate(units=4, dt=dt)
    ratio = noise(cell) / noise(Vanilla(units=4))
    np.testing.assert_allclose(ratio, np.sqrt(2.0 * dt / cell.tau), rtol=1e-6)
    # A process h' = (1 - a) h + s z has this variance when it is stationary.
    variance = cell.noise_scale**2 / (1.0 - (1.0 - cell.share) ** 2)
    assert variance == pytest.approx(1.0 / (1.0 - 0.5 * cell.share))


def test_what_reads_a_linear_state_is_free_of_noise():
    drawn = noise(LRU(units=4))
    assert (drawn[..., :8] != 0.0).all()
    assert not drawn[..., 8:].any()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "rate", "dt": 30, "tau": 20}, "dt must be at most tau, got 30 and 20"),
        ({"kind": "rate", "dt": 0}, "dt must be above 0, got 0"),
        ({"kind": "rate", "readout": "spikes"}, "readout must be one of rates, currents"),
        ({"kind": "low_rank", "units": 2, "rank": 3}, "rank must be at most units, got 3 and 2"),
        (
            {"kind": "dale", "activation": "tanh"},
            "activation of a dale network must be one of relu",
        ),
        ({"kind": "dale", "inhibition": 1.5}, "inhibition must be at most 1, got 1.5"),
        ({"kind": "lru", "min_radius": 0.9, "max_radius": 0.5}, "max_radius must be above min_rad"),
    ],
)
def test_a_field_out_of_range_is_refused_in_one_sentence(fields, message):
    with pytest.raises((ValidationError, ValueError), match=message):
        Holder(cell=fields)


@pytest.mark.parametrize("kind", ["rate", "low_rank", "dale", "min_gru", "lru"])
def test_a_network_depends_on_its_own_seed_alone(kind):
    cell = CELLS[kind](units=5)
    alone, among = (initial_population(cell, 2, 1, seeds) for seeds in ([3], [1, 3]))
    for name, values in alone.weights.items():
        np.testing.assert_array_equal(values[0], among.weights[name][1])
        constant = name == "bias"
        assert constant == np.array_equal(among.weights[name][0], among.weights[name][1])
