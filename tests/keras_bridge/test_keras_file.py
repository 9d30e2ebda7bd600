"""What a Keras file says of its network, read without Keras, is what Keras says of it."""

import hashlib
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from reference.keras_models import lstm, saved, sequential, stacked

from rnnstudy.keras_bridge.keras_file import read_content


def functional() -> keras.Model:
    inputs = keras.Input((20, 3))
    seen = layers.GRU(5, activation="relu", return_sequences=True, name="rnn")(inputs)
    other = layers.SimpleRNN(7, return_sequences=True, name="other")(seen)
    return keras.Model(inputs, layers.TimeDistributed(layers.Dense(2), name="readout")(other))


class OwnLayer(layers.Layer):  # type: ignore[misc]
    """A layer that Keras's names do not tell: it may be recurrent."""


@pytest.mark.parametrize(
    ("make", "layer", "expected"),
    [
        (lambda: sequential(lstm()), None, ("LSTM", "tanh", 4, 2, 2)),
        (lambda: sequential(lstm(), layers.GRU(3)), None, ("LSTM+GRU", "tanh", 3, 2, 2)),
        (lambda: sequential(stacked(), outputs=5), None, ("GRU+LSTM", "tanh", 4, 2, 5)),
        (functional, "rnn", ("GRU", "relu", 5, 3, 2)),
        (functional, "other", ("SimpleRNN", "tanh", 7, 3, 2)),
        (
            lambda: keras.Sequential([keras.Input((None, 3)), OwnLayer(), layers.Dense(4)]),
            None,
            ("unknown", "unknown", None, 3, 4),
        ),
    ],
)
def test_a_file_is_described_as_its_model_is(
    make: Any, layer: str | None, expected: tuple[Any, ...], tmp_path: Path
) -> None:
    path = saved(make(), tmp_path / "a.keras")
    found = read_content(path, layer)
    assert (found.cell, found.activation, found.units, found.inputs, found.outputs) == expected
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


NO_MODEL = (
    'is no Keras model file: save the model as one, model.save("NAME.keras"), or its weights as '
    ".npz, .safetensors or .pt"
)


def damaged(path: Path) -> None:
    path.write_bytes(b"PK no archive")


def empty(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("else.txt", "")


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(200 << 20))


def large_configuration(path: Path) -> None:
    """Write a file of a fair ratio whose configuration alone is too large."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * (65 << 20))
        archive.writestr("model.weights.h5", np.random.default_rng(0).bytes(1 << 20))


def configured(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", text)

    return write


DAMAGED = "is damaged, or no Keras model file at all"


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("a.keras", os.mkfifo, "cannot be read: must be a regular file, got a pipe"),
        (
            "a.keras",
            lambda path: path.symlink_to("/dev/zero"),
            "cannot be read: must be a regular file, got a device",
        ),
        ("a.keras", bomb, "unpacks to 209,715,202 bytes, 100 times its size or more"),
        (
            "a.keras",
            large_configuration,
            "has a configuration of more than 67,108,864 bytes",
        ),
        ("a.keras", configured("[" * 200_000), DAMAGED),
        ("a.keras", configured('{"a":' * 5000 + "1" + "}" * 5000), DAMAGED),
        ("a.keras", configured('{"config": {"layers": 3}}'), DAMAGED),
        ("a.keras", lambda path: None, "does not exist"),
        ("a.h5", damaged, NO_MODEL),
        ("a.keras", Path.mkdir, "is a directory; name the .keras files in it"),
        ("a.keras", damaged, "is damaged, or no Keras model file at all"),
        ("a.keras", empty, "is damaged, or no Keras model file at all"),
    ],
)
def test_what_is_no_keras_file_is_refused(
    name: str, make: Any, sentence: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        read_content(tmp_path / name)
