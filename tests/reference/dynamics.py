"""Fixed points the slow way: plain NumPy steps of one network, roots by SciPy from many starts."""

import numpy as np
from scipy.optimize import root

from rnnstudy.population.population import Population


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def step(kind, weights, h, x=None, activation=np.tanh, reset_after=True):
    """The next state of one network from its state h [state]; no input if x is None."""
    recurrent, bias = weights["recurrent_kernel"], weights["bias"]
    n = len(recurrent)
    outer = np.zeros(recurrent.shape[1]) if x is None else x @ weights["kernel"]
    if kind == "vanilla":
        return activation(outer + h @ recurrent + bias)
    if kind == "ugrnn":
        z = outer + h @ recurrent + bias
        keep = sigmoid(z[:n])
        return keep * h + (1 - keep) * activation(z[n:])
    if kind == "gru":
        first, second = bias if reset_after else (bias, np.zeros_like(bias))
        gates = sigmoid((outer + first + second + h @ recurrent)[: 2 * n])
        keep, reset = gates[:n], gates[n:]
        own = recurrent[:, 2 * n :]
        inner = reset * (h @ own + second[2 * n :]) if reset_after else (reset * h) @ own
        return keep * h + (1 - keep) * activation((outer + first)[2 * n :] + inner)
    z = outer + h[:n] @ recurrent + bias
    memory = sigmoid(z[n : 2 * n]) * h[n:] + sigmoid(z[:n]) * activation(z[2 * n : 3 * n])
    return np.concatenate([sigmoid(z[3 * n :]) * activation(memory), memory])


def roots(function, starts, radius=1e-6):
    """Distinct roots of function(h) - h that SciPy's hybrid method reaches from the starts."""
    found = []
    for start in starts:
        result = root(lambda h: function(h) - h, start, tol=1e-13)
        close = np.abs(function(result.x) - result.x).max() < 1e-11
        if close and all(np.abs(result.x - other).max() > radius for other in found):
            found.append(result.x)
    return np.array(found)


def population(cell, members, inputs=1):
    """A population from each member's weights by name; what is not given is zero."""
    shapes = {name: weight.shape for name, weight in cell.weights(inputs).items()}
    weights = {
        name: np.stack([np.broadcast_to(m.get(name, 0.0), shape) for m in members]).astype(float)
        for name, shape in shapes.items()
    }
    count = len(members)
    return Population(
        cell=cell,
        weights=weights,
        readout={"kernel": np.zeros((count, cell.units, 1)), "bias": np.zeros((count, 1))},
        initial_state=np.zeros((count, cell.state_size)),
    )


def random_weights(cell, generator, gain, inputs=1):
    """Normal weights of standard deviation gain / sqrt(unit), biases a quarter of it."""
    scale = gain / np.sqrt(cell.units)
    return {
        name: generator.standard_normal(weight.shape) * scale * (0.25 if name == "bias" else 1.0)
        for name, weight in cell.weights(inputs).items()
    }
