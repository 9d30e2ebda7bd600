"""PyTorch functions as networks: the same points and Jacobians as in TensorFlow, or a refusal."""

import numpy as np
import pytest
import tensorflow as tf

import rnnstudy
from rnnstudy.dynamics.networks.torch_step import TorchStep, _differentiable

torch = pytest.importorskip("torch")

WEIGHTS = np.random.default_rng(0).standard_normal((3, 3))
KERNEL = np.random.default_rng(1).standard_normal((2, 3))
SEARCH = rnnstudy.FixedPointSearch(rounds=1, candidates=16)


class Rate(torch.nn.Module):
    """h' = h / 2 + tanh(W x + R h) / 2, which is no recurrent layer of PyTorch."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(KERNEL, dtype=torch.float32))
        self.r = torch.nn.Parameter(torch.tensor(2.0 * WEIGHTS, dtype=torch.float32))

    def forward(self, x, h):
        return (h + torch.tanh(x @ self.w + h @ self.r)) / 2


def sorted_states(points):
    return points.state[np.lexsort(points.state.round(6).T)]


def test_a_module_that_is_a_step_has_the_points_of_tensorflow():
    network = Rate()
    w, r = (values.detach().double().numpy() for values in (network.w, network.r))
    x = np.array([[0.1, -0.3]])
    starts = np.random.default_rng(2).uniform(-1, 1, (20, 3))

    def same(inputs, states):
        return (states + tf.tanh(inputs @ tf.constant(w) + states @ tf.constant(r))) / 2

    options = {"inputs": x, "starts": starts, "search": SEARCH}
    points = rnnstudy.find_fixed_points(network, **options)
    expected = rnnstudy.find_fixed_points(same, **options)
    assert len(points.state) == len(expected.state) > 1
    np.testing.assert_allclose(sorted_states(points), sorted_states(expected), atol=1e-10)
    np.testing.assert_allclose(
        np.sort(np.abs(points.eigenvalues).ravel()),
        np.sort(np.abs(expected.eigenvalues).ravel()),
        atol=1e-8,
    )
    by_input = rnnstudy.input_jacobian(network, points)
    slope = (1 - np.tanh(x @ w + points.state @ r) ** 2) / 2
    np.testing.assert_allclose(by_input, slope[..., None] * w.T, atol=1e-10)


def test_a_function_is_differentiated_by_pytorch():
    weights = torch.tensor(WEIGHTS)
    points = rnnstudy.find_fixed_points(
        lambda x, h: torch.tanh(h @ weights), starts=np.zeros((1, 3)), search=SEARCH
    )
    at_zero = np.abs(points.state).max(axis=1).argmin()
    np.testing.assert_allclose(points.jacobian[at_zero], WEIGHTS.T, atol=1e-9)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, h: torch.tanh(h.float()), "must be float64 of shape"),
        (lambda x, h: torch.tanh(h)[:, :1], "must be float64 of shape"),
        (
            lambda x, h: torch.nn.functional.linear(h, torch.ones((3, 3))),
            "called without inputs, must be callable on PyTorch's float64 tensors, got: .* dtype",
        ),
        (lambda x, h: torch.rand_like(h), "must give the same state each time"),
        (lambda x, h: torch.tanh(h.detach()), "the gradients of .* must be its derivatives"),
    ],
)
def test_other_functions_are_refused_in_a_sentence(function, message):
    with pytest.raises(ValueError, match=message):
        rnnstudy.find_fixed_points(function, starts=np.ones((4, 3)))


def test_a_second_derivative_is_refused_not_zero():
    step = _differentiable(TorchStep(lambda x, h: torch.tanh(h)))
    h = tf.constant(np.ones((2, 3)))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(h)
        with tf.GradientTape() as inner:
            inner.watch(h)
            total = tf.reduce_sum(step(tf.zeros((2, 0), tf.float64), h))
        first = inner.gradient(total, h)
    np.testing.assert_allclose(first, 1 - np.tanh(1.0) ** 2, rtol=1e-12)
    with pytest.raises(ValueError, match="must be differentiated once"):
        outer.gradient(first, h)


def test_a_refused_module_names_its_reason():
    module = torch.nn.GRU(2, 3, bidirectional=True)
    with pytest.raises(ValueError, match="must read its inputs in one direction"):
        rnnstudy.find_fixed_points(module, starts=np.zeros((1, 6)))
