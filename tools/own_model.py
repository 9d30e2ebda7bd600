"""Train a Keras LSTM on a 3-bit memory, and save it as a model from elsewhere:

.venv/bin/python tools/own_model.py specs/memory-lstm.keras
"""

import sys

import keras

from rnnstudy.tasks.flip_flop import FlipFlop


def main(file: str, epochs: str = "15") -> None:
    """Train the model and write it to a file."""
    trials = FlipFlop(bits=3).sample((0, 0), 1024)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.LSTM(24, return_sequences=True),
            keras.layers.Dense(3),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    model.fit(trials.inputs, trials.targets, epochs=int(epochs), batch_size=32, verbose=2)
    model.save(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
