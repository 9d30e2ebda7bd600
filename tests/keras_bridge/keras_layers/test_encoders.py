"""Layers before the recurrent one are a part of the step; others are refused by a file's text."""

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from reference.keras_models import lstm, saved, sequential, stacked

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.keras_bridge.keras_cell import population_of
from rnnstudy.keras_bridge.keras_file import KerasFileError, read_content


def encoded(*recurrent: Any) -> keras.Model:
    first = layers.TimeDistributed(layers.Dense(6, activation="tanh"))
    parts = (first, layers.Dropout(0.5), layers.Dense(5), layers.LeakyReLU(), *recurrent)
    return sequential(*parts)


@pytest.mark.parametrize("make", [lstm, stacked])
def test_an_encoder_is_taken_along(make: Any, tmp_path: Path) -> None:
    model = encoded(make())
    assert read_content(saved(model, tmp_path / "a.keras")).inputs == 2
    population = population_of(model)
    assert population.inputs == 2
    x = np.random.default_rng(1).standard_normal((4, 7, 2))
    outputs = population.outputs_of(population.unroll(x))[0]
    np.testing.assert_allclose(outputs, model(x.astype(np.float32)), atol=1e-5)


def test_the_bound_of_an_encoded_cell_is_that_of_its_cell() -> None:
    gru = layers.GRU(4, return_sequences=True)
    assert population_of(encoded(gru)).cell.bound == 1.0
    free = layers.GRU(4, activation="relu", return_sequences=True)
    assert population_of(encoded(free)).cell.bound is None


def test_fixed_points_of_an_encoded_network_solve_its_own_equation() -> None:
    model = encoded(layers.SimpleRNN(4, return_sequences=True))
    value = np.array([[0.5, -1.0]])
    found = find_fixed_points(
        population_of(model), inputs=value, search=FixedPointSearch(candidates=16, rounds=1)
    )
    assert len(found)
    # By hand: two Dense layers, a leaky relu, h = tanh(W u + R h + b).
    weights: list[Array] = [w.astype(np.float64) for w in model.get_weights()]
    u = np.tanh(value @ weights[0] + weights[1]) @ weights[2] + weights[3]
    # TensorFlow's operation takes its slope in float32.
    u = np.where(u > 0, u, float(np.float32(model.layers[-3].negative_slope)) * u)
    for h in found.state:
        np.testing.assert_allclose(h, np.tanh(u @ weights[4] + h @ weights[5] + weights[6])[0],
                                   atol=1e-9)  # fmt: skip


def bidirectional() -> Any:
    return layers.Bidirectional(lstm(), name="both")


REFUSED: dict[str, tuple[Any, str]] = {
    "bidirectional": (lambda: sequential(bidirectional()), "'both', which reads its inputs in bo"),
    "masking": (lambda: sequential(layers.Masking(name="pad"), lstm()), "'pad', which masks time"),
    "dropout": (lambda: sequential(lstm(name="r", dropout=0.5)), "LSTM 'r', whose dropout is 0.5."),
    "convolution": (
        lambda: sequential(layers.Conv1D(3, 2, padding="causal", name="c"), lstm()),
        "has the layer Conv1D 'c' before its recurrent layer, which cannot be taken along",
    ),
    "between": (
        lambda: sequential(lstm(), layers.Dense(3, name="d"), lstm(name="r")),
        "must be recurrent layers and a Dense readout, but its layers are LSTM",
    ),
    "readout": (
        lambda: sequential(lstm(), layers.Dense(2, activation="tanh")),
        "must have a readout with a linear activation, but its activation is tanh",
    ),
    "no readout": (
        lambda: sequential(lstm(), layers.Dense(3), layers.Dense(2)),
        "must be recurrent layers and a Dense readout",
    ),
}


def with_state() -> Any:
    """A model whose second input is the first state of its recurrent layer."""
    x, h = keras.Input((None, 2)), keras.Input((5,))
    units = layers.GRU(5, return_sequences=True)(x, initial_state=h)
    return keras.Model([x, h], layers.Dense(2)(units))


def returning_state() -> Any:
    x = keras.Input((None, 2))
    units, state = layers.GRU(5, return_sequences=True, return_state=True)(x)
    return keras.Model(x, [layers.Dense(2)(units), state])


REFUSED |= {
    "no recurrence": (
        lambda: sequential(layers.Dense(3, name="d")),
        "must have a layer SimpleRNN, GRU, LSTM or RNN, but its layers are Dense 'd'",
    ),
    "nested": (
        lambda: sequential(keras.Sequential([keras.Input((None, 2)), lstm()], name="inner")),
        "has the model Sequential 'inner' as a layer. Save one model of its layers",
    ),
    "two inputs": (with_state, "has 2 inputs. Save a model with one, [trial, time, channel]"),
    "two outputs": (returning_state, "has 2 outputs. Save a model with one"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_before_keras_reads_it_and_by_the_run_too(
    name: str, tmp_path: Path
) -> None:
    make, message = REFUSED[name]
    model = make()
    with pytest.raises(KerasFileError, match=re.escape(message)):
        read_content(saved(model, tmp_path / "a.keras"))
    with pytest.raises(ValueError, match=r"must|masks"):
        population_of(model)


def test_a_stateful_file_is_refused(tmp_path: Path) -> None:
    parts = [keras.Input((5, 2), batch_size=1), lstm(stateful=True, name="r"), layers.Dense(2)]
    with pytest.raises(KerasFileError, match=r"LSTM 'r', which is stateful\. Set its stateful to"):
        read_content(saved(keras.Sequential(parts), tmp_path / "a.keras"))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_layers_of_half_precision_are_read(policy: str, tmp_path: Path) -> None:
    layer = layers.GRU(5, return_sequences=True, dtype=policy)
    model = keras.Sequential([keras.Input((None, 2)), layer, layers.Dense(2, dtype=policy)])
    found = population_of(keras.models.load_model(saved(model, tmp_path / "a.keras")))
    assert np.array_equal(found.weights["recurrent_kernel"][0], layer.cell.get_weights()[1])
    assert found.initial_state.dtype == np.float32
