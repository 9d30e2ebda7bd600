"""Files of named arrays: `.npz`, `.safetensors`, and PyTorch's `.pt`. None of them runs code."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.files import read_file
from rnnstudy.keras_bridge.keras_file import Content, KerasFileError, check_unpacked_size
from rnnstudy.keras_bridge.named_weights.arrays import flatten_arrays, weights_of_checkpoint
from rnnstudy.keras_bridge.named_weights.layouts import NetworkWeights
from rnnstudy.keras_bridge.named_weights.parts import find_parts, select_weights

SUFFIXES = (".npz", ".safetensors", ".pt", ".pth")
"""Endings of files of weights."""

LAYER_NAMES = {"vanilla": "RNN", "gru": "GRU", "lstm": "LSTM"}
"""Kind of a layer -> its name in tables, as PyTorch has it."""


def read_weights(
    raw: bytes,
    suffix: str,
    layer: str | Sequence[str] | None = None,
    readout: str | None = None,
    activation: str | None = None,
) -> NetworkWeights:
    """Return the network in the bytes of a file of weights; see `from_torch` for its parts.

    Raises KerasFileError if the file cannot be read, and ValueError if it holds no such network.
    """
    parts = find_parts(read_arrays(raw, suffix))
    return select_weights(parts, layer, readout, activation)


def read_weights_content(
    path: Path,
    layer: str | Sequence[str] | None = None,
    readout: str | None = None,
    activation: str | None = None,
) -> Content:
    """Return checksum and sizes of a file of weights. Raises as `read_weights`."""
    raw = read_bytes(path)
    weights = read_weights(raw, path.suffix, layer, readout, activation)
    if weights.readout is None:
        raise KerasFileError("has no linear readout that fits; name one in 'readout'")
    return Content(
        sha256=hashlib.sha256(raw).hexdigest(),
        cell="+".join(LAYER_NAMES[each.kind] for each in weights.chain),
        activation="+".join(dict.fromkeys(str(each.activation) for each in weights.chain)),
        units=weights.chain[-1].units,
        inputs=weights.inputs,
        outputs=int(weights.readout.kernel.shape[1]),
    )


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of weights; KerasFileError if it cannot be read."""
    if path.suffix.lower() not in SUFFIXES:
        raise KerasFileError(f"does not end in {', '.join(SUFFIXES)}")
    if path.is_dir():
        raise KerasFileError(f"is a directory; name the {path.suffix} files in it")
    try:
        return read_file(path, follow_links=True)
    except FileNotFoundError:
        raise KerasFileError("does not exist") from None
    except OSError as error:
        raise KerasFileError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error


def read_arrays(raw: bytes, suffix: str) -> dict[str, Array]:
    """Return the arrays in the bytes of a file by name; KerasFileError if it cannot be read."""
    suffix = suffix.lower()
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors}
    read = readers.get(suffix, _read_torch)
    try:
        if zipfile.is_zipfile(io.BytesIO(raw)):
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                check_unpacked_size(archive, len(raw))
        return flatten_arrays(weights_of_checkpoint(read(raw)))
    except KerasFileError:
        raise
    except (Exception, MemoryError) as error:  # a file may be anything
        raise KerasFileError(f"is damaged, or no {suffix} file of weights at all") from error


def _read_npz(raw: bytes) -> Any:
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        return dict(archive)


def _read_safetensors(raw: bytes) -> Any:
    try:
        from safetensors import numpy as safetensors
    except ImportError:
        message = "needs the package safetensors to be read: pip install safetensors"
        raise KerasFileError(message) from None
    return safetensors.load(raw)


def _read_torch(raw: bytes) -> Any:
    """Return the tensors in a file of PyTorch. `weights_only` refuses everything that may run."""
    try:
        import torch
    except ImportError:
        message = "needs PyTorch to be read: pip install 'rnnstudy[torch]'"
        raise KerasFileError(message) from None
    import pickle

    try:
        return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise KerasFileError(
            "holds more than tensors, or is damaged, and is not loaded, since it may run code: "
            "save the weights alone, torch.save(module.state_dict(), FILE)"
        ) from error
