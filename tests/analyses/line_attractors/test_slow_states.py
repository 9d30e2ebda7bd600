"""Where linear networks settle, what pulses do to them, and what their slowest mode selects."""

import numpy as np
import pytest
from reference.dynamics import population

from rnnstudy.analyses.line_attractors.slow_states import (
    first_slow_states,
    line_alignment,
    pulse_response,
    selection,
    slow_gain,
)
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.linearisation.modes import modes
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem

GENERATOR = np.random.default_rng(4)
KERNEL = GENERATOR.standard_normal((2, 3))
RECURRENT = np.diag([1.0, 0.6, 0.5])
HELD = np.array([0.0, 0.0])


def linear(recurrent=RECURRENT):
    """h' = R' h + K' x, by rows."""
    weights = {"recurrent_kernel": recurrent, "kernel": KERNEL}
    members = population(Vanilla(units=3, activation="linear"), [weights], 2)
    return AutonomousSystem(as_networks(members, None, 3, 2), 0, HELD)


def test_states_settle_on_the_line_when_the_fast_modes_have_died_away():
    starts = GENERATOR.standard_normal((20, 3))
    found = first_slow_states(linear(), starts, 0.01, 100)
    assert found.is_slow.all()
    spread = np.sqrt(np.mean(np.sum((starts - starts.mean(axis=0)) ** 2, axis=1)))
    np.testing.assert_allclose(found.state[:, 0], starts[:, 0], atol=1e-12)
    for start, state, speed, time in zip(starts, found.state, found.speed, found.time, strict=True):
        expected = start * np.diag(RECURRENT) ** time
        np.testing.assert_allclose(state, expected, atol=1e-12)
        step = np.linalg.norm(expected * (np.diag(RECURRENT) - 1.0)) / spread
        assert speed == pytest.approx(step)
        assert step <= 0.01
        if time:  # and not earlier
            before = start * np.diag(RECURRENT) ** (time - 1)
            assert np.linalg.norm(before * (np.diag(RECURRENT) - 1.0)) / spread > 0.01


def test_what_turns_or_explodes_does_not_settle():
    turning = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.5]])
    found = first_slow_states(linear(turning), GENERATOR.standard_normal((4, 3)), 0.01, 50)
    assert not found.is_slow.any()
    assert found.time.tolist() == [49] * 4
    blown = first_slow_states(linear(1e9 * np.eye(3)), GENERATOR.standard_normal((4, 3)), 0.01, 50)
    assert not blown.is_slow.any()


def test_nothing_settles_nowhere():
    found = first_slow_states(linear(), np.zeros((0, 3)), 0.01, 10)
    assert found.state.shape == (0, 3)
    assert found.is_slow.shape == (0,)


def test_the_effect_of_inputs_is_the_kernel_and_a_pulse_decays_by_powers():
    states = GENERATOR.standard_normal((5, 3))
    effect = linear().input_jacobian(states)
    np.testing.assert_allclose(effect, np.broadcast_to(KERNEL.T, (5, 3, 2)), atol=1e-12)
    response = pulse_response(linear(), states, np.array([0.0, 2.0]), 6)
    powers = np.diag(RECURRENT) ** np.arange(6)[:, None]
    np.testing.assert_allclose(response, np.tile(2.0 * KERNEL[1] * powers, (5, 1, 1)), atol=1e-12)
    assert linear().input_jacobian(states[:0]).shape == (0, 3, 2)


def test_the_slowest_left_mode_selects_and_its_right_mode_is_read_out():
    basis = np.eye(3) + 0.3 * GENERATOR.standard_normal((3, 3))
    jacobian = basis @ np.diag([0.99, 0.5, -0.2]) @ np.linalg.inv(basis)
    left, right = np.linalg.inv(basis)[0], basis[:, 0]
    effect, readout = GENERATOR.standard_normal((1, 3, 2)), GENERATOR.standard_normal(3)
    found = modes(jacobian[None])
    cosine = left @ effect[0] / np.linalg.norm(left) / np.linalg.norm(effect[0], axis=0)
    np.testing.assert_allclose(np.abs(selection(found, effect)[0]), np.abs(cosine), rtol=1e-9)
    expected = (left @ effect[0]) * (right @ readout)
    np.testing.assert_allclose(slow_gain(found, effect, readout)[0], expected, rtol=1e-9)


def test_a_slowest_pair_selects_its_plane():
    turn = 0.99 * np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0] * 3])
    found = modes((turn + np.diag([0, 0, 0.5]))[None])
    effect = np.array([[[1.0, 0.0, 1.0], [2.0, 0.0, 0.0], [0.0, 1.0, 1.0]]])
    np.testing.assert_allclose(selection(found, effect)[0], [1.0, 0.0, np.sqrt(0.5)], atol=1e-12)
    # At once, before it turns or decays, the pair is all that is in its plane.
    seen = np.array([1.0, 3.0, 7.0])
    np.testing.assert_allclose(slow_gain(found, effect, seen)[0], [7.0, 0.0, 1.0], atol=1e-12)


def test_what_cannot_be_told_is_nan():
    defective = np.array([[[0.5, 1.0], [0.0, 0.5]], [[0.9, 0.0], [0.0, 0.1]]])
    found = modes(defective)
    effect = np.ones((2, 2, 2))
    effect[1, :, 1] = 0.0
    cosine = selection(found, effect)
    assert np.isnan(cosine[0]).all()
    assert np.abs(cosine[1, 0]) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(cosine[1, 1])


def test_a_line_is_aligned_with_the_slowest_mode_or_not():
    basis = np.eye(3) + 0.3 * GENERATOR.standard_normal((3, 3))
    jacobian = basis @ np.diag([0.99, 0.5, -0.2]) @ np.linalg.inv(basis)
    found = modes(np.repeat(jacobian[None], 9, axis=0))
    places = np.linspace(-1.0, 1.0, 9)[:, None] ** 3
    np.testing.assert_allclose(line_alignment(found, places * basis[:, 0]), 1.0, atol=1e-12)
    cosine = np.abs(basis[:, 0] @ basis[:, 1]) / np.linalg.norm(basis, axis=0)[:2].prod()
    np.testing.assert_allclose(line_alignment(found, places * basis[:, 1]), cosine, atol=1e-9)
    assert np.isnan(line_alignment(found, np.zeros((9, 3)))).all()
    few = modes(jacobian[None].repeat(6, axis=0))
    assert np.isnan(line_alignment(few, places[:6] * basis[:, 0])).all()


def test_a_line_in_the_plane_of_a_slowest_pair_is_aligned():
    turn = 0.99 * np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0] * 3])
    found = modes((turn + np.diag([0, 0, 0.5]))[None].repeat(7, axis=0))
    places = np.arange(7.0)[:, None]
    np.testing.assert_allclose(line_alignment(found, places * [1.0, 2.0, 0.0]), 1.0, atol=1e-12)
    np.testing.assert_allclose(line_alignment(found, places * [3.0, 0.0, 4.0]), 0.6, atol=1e-12)
