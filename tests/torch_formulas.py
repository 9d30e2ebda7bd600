"""PyTorch's recurrent layers by the formulas of its documentation, in NumPy, and random weights."""

import numpy as np

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def random_layers(kind, inputs, units, layers=1, seed=0, bias=True, dtype="float64", scale=0.8):
    """Weights `weight_ih_l0` .. of a module, as in its state dict."""
    draw = np.random.default_rng(seed)
    rows, state = GATES[kind] * units, {}
    for i in range(layers):
        shapes = {"weight_ih": (rows, units if i else inputs), "weight_hh": (rows, units)}
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
        for part, shape in shapes.items():
            state[f"{part}_l{i}"] = (scale * draw.standard_normal(shape)).astype(dtype)
    return state


def layer_step(kind, w, x, state, activation=np.tanh):
    """Next state (h, or h and c end to end) of one layer; w: weight_ih .. bias_hh."""
    zero = np.zeros(len(w["weight_ih"]))
    units = w["weight_hh"].shape[1]
    h = state[..., :units]
    by_input = x @ w["weight_ih"].T + w.get("bias_ih", zero)
    by_state = h @ w["weight_hh"].T + w.get("bias_hh", zero)
    if kind == "rnn":
        return activation(by_input + by_state)
    if kind == "gru":
        (i_r, i_z, i_n), (h_r, h_z, h_n) = (np.split(a, 3, axis=-1) for a in (by_input, by_state))
        r, z = sigmoid(i_r + h_r), sigmoid(i_z + h_z)
        return (1.0 - z) * np.tanh(i_n + r * h_n) + z * h
    i, f, g, o = np.split(by_input + by_state, 4, axis=-1)
    c = sigmoid(f) * state[..., units:] + sigmoid(i) * np.tanh(g)
    return np.concatenate([sigmoid(o) * np.tanh(c), c], axis=-1)


def step(kind, weights, x, state, activation=np.tanh):
    """Next state of a stack, its layers end to end; weights as of `random_layers`."""
    layers = 1 + max(int(name[-1]) for name in weights)
    new = []
    for i, part in enumerate(np.split(state, layers, axis=-1)):
        w = {n[:-3]: a.astype(float) for n, a in weights.items() if n.endswith(f"_l{i}")}
        new.append(layer_step(kind, w, x, part, activation))
        x = new[-1][..., : w["weight_hh"].shape[1]]
    return np.concatenate(new, axis=-1)


def unroll(kind, weights, x, activation=np.tanh):
    """Units of the last layer `[trial, time, unit]` under inputs `[trial, time, input]`."""
    units = weights["weight_hh_l0"].shape[1]
    layers = 1 + max(int(name[-1]) for name in weights)
    width = units * (2 if kind == "lstm" else 1)
    state, visible = np.zeros((len(x), layers * width)), []
    for now in np.moveaxis(x, 1, 0):
        state = step(kind, weights, now, state, activation)
        visible.append(state[:, (layers - 1) * width :][:, :units])
    return np.stack(visible, axis=1)
