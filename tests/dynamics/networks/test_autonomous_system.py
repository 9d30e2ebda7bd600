"""One network at one constant input, against its weights."""

import numpy as np
from reference.dynamics import population

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core import batches
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import (
    AutonomousSystem,
    joint_map,
    simulate_systems,
    systems_of,
)
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled

GENERATOR = np.random.default_rng(0)
MEMBERS = [
    {"recurrent_kernel": GENERATOR.standard_normal((3, 3)), "kernel": np.ones((1, 3)) * scale}
    for scale in (1.0, 2.0)
]
INPUTS = np.array([[0.0], [0.5]])
STATES = GENERATOR.standard_normal((7, 3))


def systems():
    networks = as_networks(population(Vanilla(units=3), MEMBERS), None, 3, 1)
    return [system for system, _ in systems_of(networks, INPUTS, STATES)]


def step(member, x, states):
    weights = MEMBERS[member]
    return np.tanh(states @ weights["recurrent_kernel"] + x @ weights["kernel"])


def test_steps_and_derivatives_are_those_of_the_network_at_its_input(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_BYTES", 3 * 8 * 4 * 9)
    for system in systems():
        expected = step(system.member, system.constant_input, STATES)
        np.testing.assert_allclose(system.step(STATES), expected, atol=1e-14)
        image, jacobian = system.linearise(STATES)
        np.testing.assert_allclose(image, expected, atol=1e-14)
        slope = 1.0 - expected**2
        weights = MEMBERS[system.member]
        by_state = slope[:, :, None] * weights["recurrent_kernel"].T
        np.testing.assert_allclose(jacobian, by_state, atol=1e-13)
        by_input = slope[:, :, None] * weights["kernel"].T
        np.testing.assert_allclose(system.input_jacobian(STATES), by_input, atol=1e-13)


def test_no_states_have_no_derivatives():
    image, jacobian = systems()[0].linearise(STATES[:0])
    assert image.shape == (0, 3)
    assert jacobian.shape == (0, 3, 3)
    assert systems()[0].input_jacobian(STATES[:0]).shape == (0, 3, 1)


def test_several_systems_share_a_map_and_a_simulation():
    every = systems()
    assert [(s.member, s.input_index) for s in every] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    starts = np.broadcast_to(STATES, (4, *STATES.shape))
    image = run_compiled(StateMap.__call__, joint_map(every, len(STATES)), starts).numpy()
    paths = simulate_systems(every, starts, 1, 3)
    for system, states, path in zip(every, image, paths, strict=True):
        np.testing.assert_allclose(states, system.step(STATES), atol=1e-14)
        np.testing.assert_allclose(path, system.simulate(STATES, 1, 3), atol=1e-12)
        np.testing.assert_allclose(path[:, 0], states, atol=1e-14)


def test_the_scale_is_that_of_the_starts_or_of_visited_states():
    assert {s.scale for s in systems()} == {float(np.median(np.sqrt(np.mean(STATES**2, axis=1))))}
    networks = as_networks(population(Vanilla(units=3), MEMBERS), None, 3, 1)
    for system, visited in systems_of(networks, INPUTS, None):
        assert visited.shape[1] == 3
        assert isinstance(system, AutonomousSystem)
        assert 0.0 < system.scale < 1.0
