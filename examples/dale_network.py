"""Rate network with Dale's law that holds a decision: its connections, memories and time constants.

- You learn: how to train a network of excitatory and inhibitory units in Keras, and what holds its
  memory: two stable states, with the border between them.
- It prints: that signs stayed through training, the fixed points, and their time constants in ms.
- It takes: one minute.
- Picture: the connections, and trajectories with the fixed points.

    python examples/dale_network.py [dale_network.png [EPOCHS]]

EPOCHS is 12 without it; 1 shows in seconds that everything runs.
"""

import sys

import keras
import numpy as np
from matplotlib.figure import Figure

import rnnstudy

UNITS = 40
DT = 20.0  # ms


def draw_trials(trials, seed):
    """Return inputs [trial, time, 2] and targets [trial, time, 1] of a decision that is held.

    One of two inputs is stronger for 200 ms. Its sign is held for 800 ms.
    """
    generator = np.random.default_rng(seed)
    side = generator.integers(0, 2, trials)
    inputs = 0.1 * generator.standard_normal((trials, 55, 2))
    inputs[:, 5:15] += 0.2
    inputs[np.arange(trials), 5:15, side] += 0.8
    targets = np.zeros((trials, 55, 1))
    targets[:, 10:, 0] = 2.0 * side[:, None] - 1.0
    return inputs.astype("float32"), targets.astype("float32")


def main(picture="dale_network.png", epochs="12"):
    """Train the network, compare its signs, and find its fixed points in the delay."""
    keras.utils.set_random_seed(0)
    # tau dh/dt = -h + W relu(h) + B x + b. Each unit's connections have one sign: Dale's law.
    cell = rnnstudy.DaleCell(UNITS, dt=DT, tau=100.0, inhibition=0.25, density=0.5)
    layer = keras.layers.RNN(cell, return_sequences=True)
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(5e-3, clipnorm=1.0), "mse")
    inputs, targets = draw_trials(1024, seed=1)
    history = model.fit(inputs, targets, epochs=int(epochs), batch_size=32, verbose=0)
    print(f"loss after {epochs} epochs: {history.history['loss'][-1]:.3f}")

    network = rnnstudy.Population.from_models([model])
    connections = np.asarray(network.cell.connectivity(network.weights))[0]  # [from unit, to unit]
    excites, inhibits = network.cell.signs > 0, network.cell.signs < 0
    print("excitatory units that inhibit:", int((connections[excites] < 0).any(axis=1).sum()))
    print("inhibitory units that excite:", int((connections[inhibits] > 0).any(axis=1).sum()))
    print(f"share of connections: {(connections != 0).mean():.2f}")

    # Fixed points of the delay, where inputs are zero. A relu network may grow without bound, so
    # that no certificate says that all points are found.
    points = rnnstudy.find_fixed_points(network)
    print(points)
    # Time constants of growing modes are negative.
    milliseconds = 1000.0 * points.modes(dt=DT / 1000.0).seconds
    outputs = network.outputs_of(points.state[None])[0]
    for kind, output, slowest in zip(points.kind, outputs, milliseconds[:, 0], strict=True):
        print(f"{kind:9} output {output[0]:5.2f}, slowest time constant {slowest:.0f} ms")

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    limit = np.abs(connections).max()
    image = left.imshow(connections.T, cmap="RdBu_r", vmin=-limit, vmax=limit)
    left.set(title="Connections", xlabel="from unit (last: inhibitory)", ylabel="to unit")
    figure.colorbar(image, ax=left)
    trajectories = network.unroll(draw_trials(16, seed=2)[0])[0]  # [trial, time, state]
    rnnstudy.plot(points, ax=right, trajectories=trajectories)
    figure.savefig(picture)
    print("picture:", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
