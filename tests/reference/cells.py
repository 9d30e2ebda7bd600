"""The cells as slow loops over trials and units, in plain NumPy, written from the papers' formulas.

Weights have Keras's layout: the gates' blocks [row, unit] side by side.
"""

import cmath
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


def connection(kind, w, j, i, units, inhibition):
    """The weight of the connection from unit j to unit i of a rate network."""
    if kind == "low_rank":
        pairs = zip(w["selection_vectors"][j], w["output_vectors"][i], strict=True)
        return sum(n * m for n, m in pairs) / units
    if kind == "dale":
        sign = 1.0 if j < units - round(inhibition * units) else -1.0
        return 0.0 if i == j else sign * abs(w["recurrent_kernel"][j][i])
    return w["recurrent_kernel"][j][i]


def rate_trial(kind, w, x, h, f, dt, tau, inhibition):
    """One Euler step of tau dh/dt = -h + W f(h) + B x + b."""
    units = len(w["bias"])
    new = []
    for i in range(units):
        current = product(x, w["kernel"], 0, i, units) + w["bias"][i]
        current += sum(f(h[j]) * connection(kind, w, j, i, units, inhibition) for j in range(units))
        new.append(h[i] + dt / tau * (current - h[i]))
    return new


def linear_trial(kind, w, x, h, f):
    """One step of a linear recurrence whose state f reads: a minimal GRU or a linear unit."""
    units = w["hidden_kernel"].shape[1]
    if kind == "min_gru":
        keep, memory = [], []
        for n in range(units):
            keep.append(sigmoid(product(x, w["kernel"], 0, n, units) + w["bias"][n]))
            candidate = product(x, w["kernel"], 1, n, units) + w["bias"][units + n]
            memory.append(keep[n] * h[n] + (1.0 - keep[n]) * candidate)
        outside = w["bias"][2 * units :]
    else:
        states = []
        for n in range(units):
            value = cmath.exp(-math.exp(w["log_decay"][n]) + 1j * math.exp(w["log_phase"][n]))
            pushed = product(x, w["kernel"], 0, n, units) + 1j * product(
                x, w["kernel"], 1, n, units
            )
            gain = math.sqrt(1.0 - abs(value) ** 2)
            states.append(value * complex(h[n], h[units + n]) + gain * pushed)
        memory = [z.real for z in states] + [z.imag for z in states]
        outside = [product(x, w["kernel"], 2, n, units) + w["bias"][n] for n in range(units)]
    hidden = [product(memory, w["hidden_kernel"], 0, n, units) + outside[n] for n in range(units)]
    return memory + [f(z) for z in hidden]


def visible(cell, h):
    """What the readout reads of a state [state]."""
    if cell.kind in ("min_gru", "lru"):
        return h[-cell.units :]
    if getattr(cell, "readout", "currents") == "rates":
        return np.array([ACTIVATIONS[cell.activation](z) for z in h])
    return h[: cell.units]


def step(
    kind, w, x, h, *, activation="tanh", reset_after=True, clip=None, dt=20.0, tau=100.0,
    inhibition=0.2,
):  # fmt: skip
    """The next states [trial, state] of one network: x [trial, input], h [trial, state]."""
    f = ACTIVATIONS[activation]
    if kind in ("rate", "low_rank", "dale"):
        pairs = zip(x, h, strict=True)
        return np.array([rate_trial(kind, w, *pair, f, dt, tau, inhibition) for pair in pairs])
    if kind in ("min_gru", "lru"):
        return np.array([linear_trial(kind, w, *pair, f) for pair in zip(x, h, strict=True)])
    units = len(w["recurrent_kernel"])
    trials = [
        one_trial(kind, w, x[trial], h[trial], f, units, reset_after, clip)
        for trial in range(len(x))
    ]
    return np.array(trials)
