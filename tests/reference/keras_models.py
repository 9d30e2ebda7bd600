"""Keras models of several makes, saved as a user would; cells that only their module knows."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

LEAKY = '''
import keras


@keras.saving.register_keras_serializable("leaky")
class Leaky(keras.layers.Layer):
    """h' = h / 2 + tanh(W x + R h) / 2, of which twice h' is seen."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), name="w")
        self.r = self.add_weight(shape=(self.units, self.units), name="r")
        self.built = True

    def call(self, inputs, states):
        new = (states[0] + keras.ops.tanh(inputs @ self.w + states[0] @ self.r)) / 2
        return 2 * new, [new]

    def get_config(self):
        return {**super().get_config(), "units": self.units}
'''


def sequential(*parts: Any, inputs: int = 2, outputs: int = 2, seed: int = 0) -> keras.Model:
    """Recurrent layers and a Dense readout, with random weights."""
    readout = () if isinstance(parts[-1], layers.Dense) else (layers.Dense(outputs),)
    made = keras.Sequential([keras.Input((None, inputs)), *parts, *readout])
    draw = np.random.default_rng(seed)
    made.set_weights([0.7 * draw.standard_normal(w.shape) for w in made.get_weights()])
    return made


def saved(model: keras.Model, path: Path) -> Path:
    """The file that a model was saved in."""
    model.save(path)
    return path


def lstm(**options: Any) -> keras.layers.Layer:
    """A recurrent layer that a cell of ours equals."""
    return layers.LSTM(4, return_sequences=True, **options)


def stacked() -> keras.layers.Layer:
    """Two cells of one layer."""
    cells = [layers.GRUCell(3), layers.LSTMCell(4)]
    return layers.RNN(layers.StackedRNNCells(cells), return_sequences=True)
