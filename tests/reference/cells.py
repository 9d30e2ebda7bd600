"""The cells as slow loops over trials and units, in plain NumPy, written from the papers' formulas.

Weights have Keras's layout: the gates' blocks [row, unit] side by side.
"""

import math

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


ACTIVATIONS = {
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "softsign": lambda z: z / (1.0 + abs(z)),
    "mish": lambda z: z * math.tanh(math.log1p(math.exp(z))),
}


def product(vector, matrix, block, unit, units):
    """Entry `unit` of vector times the block of a matrix [row, block x unit]."""
    return sum(vector[i] * matrix[i][block * units + unit] for i in range(len(vector)))


def one_trial(kind, w, x, h, f, units, reset_after, clip):
    kernel, recurrent, bias = w["kernel"], w["recurrent_kernel"], w["bias"]

    def z(block, unit, state=h, b=bias):
        return (
            product(x, kernel, block, unit, units)
            + product(state[:units], recurrent, block, unit, units)
            + b[block * units + unit]
        )

    if kind == "vanilla":
        return [f(z(0, n)) for n in range(units)]
    if kind == "ugrnn":
        keep = [sigmoid(z(0, n)) for n in range(units)]
        return [keep[n] * h[n] + (1.0 - keep[n]) * f(z(1, n)) for n in range(units)]
    if kind == "gru" and reset_after:
        total = [bias[0][i] + bias[1][i] for i in range(3 * units)]
        new = []
        for n in range(units):
            keep, reset = sigmoid(z(0, n, b=total)), sigmoid(z(1, n, b=total))
            inner = product(h, recurrent, 2, n, units) + bias[1][2 * units + n]
            outer = product(x, kernel, 2, n, units) + bias[0][2 * units + n]
            new.append(keep * h[n] + (1.0 - keep) * f(outer + reset * inner))
        return new
    if kind == "gru":
        held = [sigmoid(z(1, n)) * h[n] for n in range(units)]
        keep = [sigmoid(z(0, n)) for n in range(units)]
        return [keep[n] * h[n] + (1.0 - keep[n]) * f(z(2, n, held)) for n in range(units)]
    memory = [sigmoid(z(1, n)) * h[units + n] + sigmoid(z(0, n)) * f(z(2, n)) for n in range(units)]
    if clip is not None:
        memory = [min(max(c, -clip), clip) for c in memory]
    return [sigmoid(z(3, n)) * f(memory[n]) for n in range(units)] + memory


def step(kind, w, x, h, *, activation="tanh", reset_after=True, clip=None):
    """The next states [trial, state] of one network: x [trial, input], h [trial, state]."""
    units = len(w["recurrent_kernel"])
    f = ACTIVATIONS[activation]
    trials = [
        one_trial(kind, w, x[trial], h[trial], f, units, reset_after, clip)
        for trial in range(len(x))
    ]
    return np.array(trials)
