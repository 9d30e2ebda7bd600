"""Networks against a recording of neurons: which of them is nearest, and how near can any be?

- You learn: how to compare networks of any make with data, beside the noise ceiling of the data.
- It prints: the networks in the order of their distance to the recording.
- It takes: one minute.
- Picture: the distances between all networks and the recording.

    python examples/recording.py [recording.png [EPOCHS]]

EPOCHS are 6 without it; 1 shows in seconds that everything runs. The recording is synthetic, so
that the answer is known: noisy random neurons read one of the networks. To compare with data of
your own, give the path of a NetCDF, NWB or npz file to `compare`.
"""

import sys

import keras
import numpy as np

import rnnstudy
from rnnstudy.tasks import FlipFlop

UNITS, NEURONS, REPEATS = 24, 80, 10
TASK = FlipFlop(bits=2, length=40)

LAYERS = {
    "plain": lambda: keras.layers.SimpleRNN(UNITS, return_sequences=True),
    "GRU": lambda: keras.layers.GRU(UNITS, return_sequences=True),
    "rate": lambda: keras.layers.RNN(rnnstudy.RateCell(UNITS, tau=40.0), return_sequences=True),
}


def train(layer, seed, epochs):
    """Return a network that has learnt to remember two bits."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((None, 2)), LAYERS[layer](), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(1e-2, clipnorm=1.0), "mse")
    trials = TASK.sample((seed, 0), 512)
    model.fit(trials.inputs, trials.targets, epochs=epochs, batch_size=32, verbose=0)
    return model


def record(model):
    """Return a recording of a network: eight sequences of inputs, each in several noisy trials."""
    generator = np.random.default_rng(0)
    inputs = np.asarray(TASK.sample((9, 9), 8).inputs)  # [sequence, time, input]
    states = rnnstudy.Population.from_models([model]).unroll(inputs)[0]  # [sequence, time, unit]
    weights = generator.standard_normal((UNITS, NEURONS)) / np.sqrt(UNITS)
    activity = (states @ weights).repeat(REPEATS, axis=0)  # [trial, time, neuron]
    activity += 0.3 * generator.standard_normal(activity.shape)
    sequence = np.arange(8).repeat(REPEATS)
    # The inputs drive the networks. Trials of one sequence are averaged.
    return rnnstudy.Recording.of(
        activity, {"sequence": sequence}, inputs=inputs.repeat(REPEATS, axis=0), name="recording"
    )


def main(picture="recording.png", epochs="6"):
    """Train six networks, record one of them, and compare them all with the recording."""
    networks = {f"{layer} {i}": train(layer, i, int(epochs)) for layer in LAYERS for i in (1, 2)}
    recording = record(networks["GRU 2"])
    print(recording)
    distances = rnnstudy.compare(networks, recording, "cka")
    print(distances.nearest().to_string())
    print(f"least distance that the noise allows: {distances.least_distance:.3f}")
    rnnstudy.plot(distances).savefig(picture)
    print("picture:", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
