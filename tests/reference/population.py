"""Slow truth for populations: one network, one trial, one time step at a time."""

import numpy as np
from reference.cells import step, visible

OPTIONS = ("reset_after", "clip", "dt", "tau", "inhibition")


def next_state(cell, w, x, h):
    """The next state [state] of one network at input x [input] and state h [state]."""
    options = {name: getattr(cell, name) for name in OPTIONS if hasattr(cell, name)}
    return step(cell.kind, w, x[None], h[None], activation=cell.activation, **options)[0]


def states_of_one(cell, w, inputs, start, noise=None):
    """States [time, state] of one network in one trial: inputs [time, input], start [state]."""
    state, found = start, []
    for t, x in enumerate(inputs):
        state = next_state(cell, w, x, state)
        if noise is not None:
            state = state + noise[t]
        found.append(state)
    return np.array(found)


def unroll(cell, weights, inputs, start, noise=None):
    """States [member, trial, time, state] of every member and trial, one after the other.

    weights: each [member, ...], inputs [member, trial, time, input], start [member, trial, state],
    noise [member, trial, time, state] or None.
    """
    return np.array(
        [
            [
                states_of_one(
                    cell,
                    {name: w[m] for name, w in weights.items()},
                    inputs[m, k],
                    start[m, k],
                    None if noise is None else noise[m, k],
                )
                for k in range(inputs.shape[1])
            ]
            for m in range(inputs.shape[0])
        ]
    )


def outputs(cell, readout, states):
    """Readout [member, trial, time, output] of states [member, trial, time, state]."""
    return np.array(
        [
            [[visible(cell, h) @ kernel + bias for h in trial] for trial in member]
            for member, kernel, bias in zip(states, readout["kernel"], readout["bias"], strict=True)
        ]
    )


def loss(found, targets, mask):
    """Mean squared error [member] over the time steps that the mask counts, one by one."""
    losses = []
    for member in range(len(found)):
        errors = [
            np.mean((found[member, k, t] - targets[member, k, t]) ** 2)
            for k in range(found.shape[1])
            for t in range(found.shape[2])
            if mask[member, k, t]
        ]
        losses.append(np.mean(errors))
    return np.array(losses)


def slope(function, at, step=1e-6):
    """Gradient of a scalar function of an array, by central differences of every entry."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        for sign in (1.0, -1.0):
            moved = at.copy()
            moved[place] += sign * step
            found[place] += sign * function(moved) / (2.0 * step)
    return found
