"""The flow agrees with single steps, and its Jacobians with differences and complex steps."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights

from rnnstudy.cells.base import Activation
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks import state_map as flows
from rnnstudy.dynamics.networks.state_map import (
    StateMap,
    TiledJacobian,
    population_state_map,
    run_compiled,
    step_with_jacobian,
)
from rnnstudy.dynamics.root_finding.ungated import ungated_map

CELLS = [
    Vanilla(units=4),
    UGRNN(units=4),
    GRU(units=4, reset_after=True),
    GRU(units=4, reset_after=False),
    LSTM(units=4),
    LSTM(units=4, clip=0.2),
]


def flow_and_states(cell, members=2, points=5, gain=1.5):
    generator = np.random.default_rng(3)
    networks = population(
        cell, [random_weights(cell, generator, gain, inputs=2) for _ in range(members)], inputs=2
    )
    inputs = generator.standard_normal((members, points, 2))
    h = generator.uniform(-0.8, 0.8, (members, points, cell.state_size))
    return (
        networks,
        inputs,
        population_state_map(networks, np.arange(members), inputs),
        tf.constant(h),
    )


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_each_point_has_its_own_input(cell):
    networks, inputs, state_map, h = flow_and_states(cell)
    image = state_map(h).numpy()
    for member in range(2):
        for point in range(5):
            one = networks.select("member", [member])
            expected = one.unroll(inputs[member, point][None, None], h[member, point][None, None])
            # The same operations in another order of summation.
            np.testing.assert_allclose(image[member, point], expected[0, 0, 0], atol=1e-14)


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_jacobians_equal_complex_steps(cell):
    if isinstance(cell, LSTM) and cell.clip is not None:
        pytest.skip("clipping compares numbers, complex ones have no order")
    _, _, state_map, h = flow_and_states(cell)
    _, jacobian = run_compiled(StateMap.linearise, state_map, h)
    complexly = StateMap(
        cell,
        {name: tf.cast(w, tf.complex128) for name, w in state_map.weights.items()},
        tf.cast(state_map.drive, tf.complex128),
    )
    for column in range(cell.state_size):
        shift = 1e-30j * np.eye(cell.state_size)[column]
        derivative = complexly(tf.constant(h.numpy() + shift)).numpy().imag / 1e-30
        # A complex step has no cancellation: agreement to rounding.
        np.testing.assert_allclose(jacobian.numpy()[..., column], derivative, atol=1e-14)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_jacobians_equal_central_differences(cell, activation):
    _, _, state_map, h = flow_and_states(cell.replace(activation=activation))
    _, jacobian = run_compiled(StateMap.linearise, state_map, h)
    step = 1e-6
    for column in range(cell.state_size):
        shift = step * np.eye(cell.state_size)[column]
        difference = (state_map(h + shift) - state_map(h - shift)).numpy() / (2 * step)
        # Error of a central difference: step^2 from curvature plus 1e-16 / step from rounding.
        np.testing.assert_allclose(jacobian.numpy()[..., column], difference, atol=1e-9)


@pytest.mark.parametrize("activation", Activation.__args__)
def test_every_activation_has_vectorised_jacobians(activation):
    cell = Vanilla(units=3, activation=activation)
    _, _, state_map, h = flow_and_states(cell, members=1, points=2)
    image, jacobian = run_compiled(StateMap.linearise, state_map, h)
    assert image.shape == (1, 2, 3)
    step = 1e-6
    shift = step * np.eye(3)[1]
    difference = (state_map(h + shift) - state_map(h - shift)).numpy() / (2 * step)
    np.testing.assert_allclose(jacobian.numpy()[..., 1], difference, atol=1e-8)


def test_an_operation_that_cannot_be_vectorised_is_refused():
    @tf.custom_gradient
    def opaque(h):
        return tf.tanh(h), lambda up: tf.numpy_function(lambda u: u, [up], tf.float64)

    class Opaque:
        def step(self, w, drive, h):
            return opaque(h) + drive

    zeros = tf.zeros([1, 2, 3], tf.float64)
    with pytest.raises(ValueError, match="No pfor vectorization defined for PyFunc"):
        run_compiled(StateMap.linearise, StateMap(Opaque(), {}, zeros), zeros)


def test_a_program_is_traced_once_for_all_batch_sizes():
    traces = []

    def counted(state_map, h):
        traces.append(h.shape)
        return state_map(h)

    for members, points in [(1, 1), (2, 5), (3, 4)]:
        _, _, state_map, h = flow_and_states(Vanilla(units=4), members, points)
        assert run_compiled(counted, state_map, h).shape == (members, points, 4)
    assert len(traces) == 1


def test_taking_and_repeating_points():
    _, _, state_map, h = flow_and_states(GRU(units=4))
    image, rows, columns = state_map(h).numpy(), np.array([1]), np.array([[4, 0]])
    part = state_map.take(rows, columns)(tf.gather(tf.gather(h, rows), columns, batch_dims=1))
    np.testing.assert_array_equal(part.numpy()[0], image[1, [4, 0]])
    twice = state_map.repeat(2)(tf.repeat(h, 2, axis=1)).numpy()
    np.testing.assert_allclose(twice, np.repeat(image, 2, axis=1), atol=1e-15)


def test_speed_is_half_the_squared_displacement():
    _, _, state_map, h = flow_and_states(UGRNN(units=4))
    expected = 0.5 * ((state_map(h) - h).numpy() ** 2).sum(axis=-1)
    np.testing.assert_allclose(state_map.speed(h).numpy(), expected, rtol=1e-14)


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_derivatives_by_the_input_equal_central_differences(cell):
    networks, inputs, state_map, h = flow_and_states(cell)
    by_input = run_compiled(StateMap.by_input, state_map, h).numpy()
    step = 1e-6
    for channel in range(2):
        shift = step * np.eye(2)[channel]
        ahead, behind = (
            population_state_map(networks, np.arange(2), inputs + s * shift) for s in (1, -1)
        )
        difference = (ahead(h) - behind(h)).numpy() / (2 * step)
        # As above: step^2 from curvature plus 1e-16 / step from rounding.
        np.testing.assert_allclose(by_input[..., channel], difference, atol=1e-9)


def test_chosen_and_repeated_points_keep_their_inputs():
    _, _, state_map, h = flow_and_states(Vanilla(units=4))
    whole = state_map.by_input(h).numpy()
    rows, columns = np.array([1]), np.array([[4, 0]])
    part = state_map.take(rows, columns)
    chosen = tf.gather(tf.gather(h, rows), columns, batch_dims=1)
    np.testing.assert_array_equal(part.by_input(chosen).numpy()[0], whole[1, [4, 0]])
    twice = state_map.repeat(2).by_input(tf.repeat(h, 2, axis=1)).numpy()
    np.testing.assert_allclose(twice, np.repeat(whole, 2, axis=1), atol=1e-15)


def test_a_flow_that_knows_only_what_inputs_add_has_no_derivative_by_them():
    state_map = StateMap(
        Vanilla(units=2), {"recurrent_kernel": tf.eye(2)[None]}, tf.zeros([1, 1, 2])
    )
    with pytest.raises(ValueError, match="inputs of this map must be known"):
        state_map.by_input(tf.zeros([1, 1, 2]))


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_tiled_dynamics_have_the_same_derivatives(cell):
    _, _, state_map, h = flow_and_states(cell)
    tiled = StateMap(TiledJacobian(cell), state_map.weights, state_map.drive, state_map.inputs)
    image, jacobian = run_compiled(StateMap.linearise, tiled, h)
    np.testing.assert_allclose(image, state_map(h), atol=1e-15)
    np.testing.assert_allclose(
        jacobian, run_compiled(StateMap.linearise, state_map, h)[1], atol=1e-14
    )
    by_input = run_compiled(StateMap.by_input, tiled, h)
    np.testing.assert_allclose(by_input, run_compiled(StateMap.by_input, state_map, h), atol=1e-14)


def test_only_so_many_programs_are_kept(monkeypatch):
    monkeypatch.setattr(flows, "_PROGRAMS", {})
    monkeypatch.setattr(flows, "MAX_PROGRAMS", 2)
    _, _, state_map, h = flow_and_states(Vanilla(units=4))
    functions = [lambda state_map, h, k=k: state_map(h) + k for k in range(3)]
    for function in (functions[0], functions[1], functions[0], functions[2]):
        run_compiled(function, state_map, h)
    assert [key[0] for key in flows._PROGRAMS] == [functions[0], functions[2]]


OWN = [
    Vanilla(units=4),
    UGRNN(units=4, activation="softplus"),
    GRU(units=4),
    GRU(units=4, reset_after=False),
    LSTM(units=4, clip=0.3),
]


@pytest.mark.parametrize("cell", OWN, ids=repr)
def test_a_cells_own_jacobian_is_the_derived_one(cell):
    generator = np.random.default_rng(2)
    networks = population(cell, [random_weights(cell, generator, 2.0) for _ in range(2)])
    h = tf.constant(generator.uniform(-1, 1, (2, 3, cell.state_size)))
    state_map = population_state_map(networks, np.arange(2), generator.standard_normal((2, 3, 1)))
    assert step_with_jacobian(cell) is not None
    image, jacobian = state_map.linearise(h)
    np.testing.assert_allclose(image, state_map(h), atol=1e-14)
    derived = StateMap(Derived(cell), state_map.weights, state_map.drive).linearise(h)[1]
    np.testing.assert_allclose(jacobian, derived, atol=1e-13)
    shorter = ungated_map(state_map)
    if shorter is not None:
        seen = h[..., :4]
        image, jacobian = shorter.linearise(seen)
        np.testing.assert_allclose(image, shorter(seen), atol=1e-14)
        derived = StateMap(
            Derived(shorter.step_function), state_map.weights, state_map.drive
        ).linearise(seen)[1]
        np.testing.assert_allclose(jacobian, derived, atol=1e-13)


class Derived:
    """Another's step and nothing else, so that its Jacobian is derived."""

    def __init__(self, step_function):
        self.step = step_function.step


def test_the_jacobian_of_a_step_that_was_overridden_is_not_used():
    class Halved(UGRNN):
        """Half a step of another cell, whose Jacobian it inherits."""

        kind = "halved"

        def step(self, w, drive, h):
            return 0.5 * super().step(w, drive, h)

    assert step_with_jacobian(Halved(units=4)) is None
    generator = np.random.default_rng(0)
    weights = random_weights(UGRNN(units=4), generator, 2.0)
    h = tf.constant(generator.uniform(-1, 1, (1, 2, 4)))
    half, whole = (
        population_state_map(
            population(cell, [weights]), np.array([0]), np.zeros((1, 2, 1))
        ).linearise(h)[1]
        for cell in (Halved(units=4), UGRNN(units=4))
    )
    np.testing.assert_allclose(half, 0.5 * whole, atol=1e-14)
