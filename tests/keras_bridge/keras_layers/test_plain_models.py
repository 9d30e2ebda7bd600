"""Models of Keras's own layers have the outputs of our networks, in a process without rnnstudy."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.keras_bridge.keras_layers.plain_models import plain_model
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population

CELLS = [
    Vanilla(units=4, activation="relu"),
    GRU(units=4, gate_bias=1.0),
    GRU(units=4, reset_after=False),
    LSTM(units=4),
]

LOAD = """
import sys
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model(np.load(sys.argv[2])))
assert not any(name.startswith("rnnstudy") for name in sys.modules)
"""


def population(cell: Any) -> Population:
    """Two networks, with biases that are not zero."""
    drawn = initial_population(cell, 2, 3, [0, 1])
    draw = np.random.default_rng(0)
    bias = draw.standard_normal(drawn.weights["bias"].shape).astype(np.float32)
    return replace(drawn, weights={**drawn.weights, "bias": bias})


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.kind}")
def test_outputs_are_those_of_the_network(cell: Any) -> None:
    networks = population(cell)
    x = np.random.default_rng(1).standard_normal((5, 9, 2)).astype(np.float32)
    outputs = networks.outputs_of(networks.unroll(x))
    for member in range(2):
        model = plain_model(networks, member)
        assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
        np.testing.assert_allclose(model(x), outputs[member], atol=1e-5)


@pytest.mark.slow
def test_the_file_loads_without_this_package(tmp_path: Path) -> None:
    networks = population(CELLS[1])
    x = np.random.default_rng(1).standard_normal((5, 9, 2)).astype(np.float32)
    plain_model(networks, 1).save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    names = [str(tmp_path / name) for name in ("model.keras", "x.npy", "y.npy")]
    # -P: the folder of the checkout is not on the path.
    subprocess.run([sys.executable, "-P", "-c", LOAD, *names], check=True, cwd=tmp_path)
    expected = networks.outputs_of(networks.unroll(x))[1]
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (UGRNN(units=4), "cell must be vanilla, gru, lstm for layers of Keras alone, got ugrnn"),
        (
            LSTM(units=4, clip=2.0),
            r"clip of the cell must be None .*, got 2\.0\. Export it without",
        ),
    ],
)
def test_what_keras_lacks_is_refused(cell: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain_model(initial_population(cell, 2, 3, [0]), 0)


def test_a_trained_start_is_refused() -> None:
    networks = population(CELLS[0])
    started = replace(networks, initial_state=networks.initial_state + 1)
    with pytest.raises(ValueError, match="initial state must be 0 for layers of Keras alone"):
        plain_model(started, 0)
    with pytest.raises(ValueError, match="member must be"):
        plain_model(networks, 2)
