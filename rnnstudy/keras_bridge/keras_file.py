"""Contents of a `.keras` file, read without Keras."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from rnnstudy.core.component import Component
from rnnstudy.core.files import parse_json, read_file
from rnnstudy.keras_bridge.keras_layers.file_checks import refusal
from rnnstudy.keras_bridge.keras_layers.file_checks import value as _get

SINGLE_CELL_LAYERS = ("SimpleRNN", "GRU", "LSTM")
"""Recurrent layers of Keras with the name of their one cell."""


UNPACKED_LIMIT = 1 << 26
"""Number of bytes that a file may always unpack to, and a configuration at most."""

MAX_RATIO = 100
"""Largest ratio of a larger file's unpacked size to its own."""

DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""Errors of an archive that cannot be unpacked: of its structure, its content, or a password."""


class Content(Component):
    """Contents of a Keras file. Values that only Keras can compute are empty.

    Examples
    --------
    >>> Content(sha256="0" * 64, cell="GRU", units=32).units
    32
    """

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Checksum of the file. Another file is another network."""

    cell: str = "unknown"
    """Class of its recurrent cell."""

    activation: str = "unknown"
    """Nonlinearity of the cell."""

    units: int | None = None
    """Number of units of the cell."""

    inputs: int | None = None
    """Number of input channels."""

    outputs: int | None = None
    """Number of output channels."""


class KerasFileError(ValueError):
    """A file that is no readable Keras model. The message follows the file's name in a sentence."""


def read_content(path: Path, layer: str | None = None) -> Content:
    """Return the contents of a Keras file, about one recurrent layer or all of them.

    Raises KerasFileError if the file cannot be read, or has a network that no study can analyse.
    """
    if path.suffix != ".keras":
        raise KerasFileError(
            'is no Keras model file: save the model as one, model.save("NAME.keras"), or its '
            "weights as .npz, .safetensors or .pt"
        )
    if path.is_dir():
        raise KerasFileError("is a directory; name the .keras files in it")
    try:
        raw = read_file(path, follow_links=True)
        config = parse_json(_config(raw))
        if reason := refusal(config, layer):
            raise KerasFileError(reason)
        checksum = hashlib.sha256(raw).hexdigest()
        fields = {"sha256": checksum, **_sizes(config), **_describe_cell(config, layer)}
        return Content(**{name: value for name, value in fields.items() if value is not None})
    except KerasFileError:
        raise
    except FileNotFoundError:
        raise KerasFileError("does not exist") from None
    except OSError as error:
        raise KerasFileError(f"cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (*DAMAGES, KeyError, TypeError, ValueError) as error:
        raise KerasFileError("is damaged, or no Keras model file at all") from error


def _config(raw: bytes) -> bytes:
    """Return the configuration in a Keras file; KerasFileError if it unpacks to too much."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        check_unpacked_size(archive, len(raw))
        with archive.open("config.json") as file:
            text = file.read(UNPACKED_LIMIT + 1)
    if len(text) > UNPACKED_LIMIT:
        raise KerasFileError(f"has a configuration of more than {UNPACKED_LIMIT:,} bytes")
    return text


def check_unpacked_size(archive: zipfile.ZipFile, size: int) -> None:
    """Raise KerasFileError if an archive of `size` bytes unpacks to too much."""
    whole = sum(entry.file_size for entry in archive.infolist())
    if whole > max(UNPACKED_LIMIT, MAX_RATIO * size):
        raise KerasFileError(f"unpacks to {whole:,} bytes, {MAX_RATIO} times its size or more")


def _sizes(config: Any) -> dict[str, int | None]:
    """Return widths of the model's inputs and outputs, from its first and last layers."""
    layers = [each for each in _get(config, "config", "layers") or [] if isinstance(each, Mapping)]
    first = [
        _get(each, "config", "batch_shape") for each in layers if _has_class(each, "InputLayer")
    ]
    shapes = [*first, _get(config, "build_config", "input_shape")]
    inputs = next((_width(shape) for shape in shapes if _width(shape) is not None), None)
    return {"inputs": inputs, "outputs": _outputs(layers, _get(config, "config", "output_layers"))}


def _outputs(layers: list[Mapping[str, Any]], ends: Any) -> int | None:
    """Return the units of the output layer; None unless it is a Dense one."""
    name = next((part for part in _flat(ends) if isinstance(part, str)), None)
    last = [each for each in layers if name is None or _get(each, "config", "name") == name][-1:]
    for each in last:
        dense = _get(each, "config", "layer") if _has_class(each, "TimeDistributed") else each
        if _has_class(dense, "Dense"):
            units = _get(dense, "config", "units")
            return units if isinstance(units, int) else None
    return None


def _describe_cell(config: Any, layer: str | None) -> dict[str, Any]:
    """Return class, activation and units of the cell, joined for several recurrent layers."""
    layers = [
        each
        for each in _recurrent(config)
        if layer is None or _get(each, "config", "name") == layer
    ]
    cells = [part for each in layers for part in _cells(_get(each, "config", "cell") or each)]
    names = [str(_get(cell, "class_name")).removesuffix("Cell") for cell in cells]
    activations = [_text(_get(cell, "config", "activation")) for cell in cells]
    units = _get(cells[-1], "config", "units") if cells else None
    return {
        "cell": "+".join(names) or None,
        "activation": "+".join(dict.fromkeys(filter(None, activations))) or None,
        "units": units if isinstance(units, int) else None,
    }


def _recurrent(part: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the outermost recurrent layers in a model's configuration."""
    if isinstance(part, Mapping):
        is_listed = any(_has_class(part, kind) for kind in SINGLE_CELL_LAYERS)
        if is_listed or isinstance(_get(part, "config", "cell"), Mapping):
            yield part
            return
        for inner in part.values():
            yield from _recurrent(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _recurrent(inner)


def _cells(cell: Any) -> list[Any]:
    """Return the cells of a stack, or the cell itself."""
    inner = _get(cell, "config", "cells")
    return inner if isinstance(inner, list) and inner else [cell]


def _text(activation: Any) -> str | None:
    if isinstance(activation, Mapping):
        activation = _get(activation, "config") or _get(activation, "class_name")
    return activation if isinstance(activation, str) else None


def _has_class(part: Any, kind: str) -> bool:
    return bool(_get(part, "class_name") == kind)


def _width(shape: Any) -> int | None:
    is_known = isinstance(shape, list) and shape and isinstance(shape[-1], int)
    return shape[-1] if is_known else None


def _flat(part: Any) -> Iterator[Any]:
    if isinstance(part, list):
        for inner in part:
            yield from _flat(inner)
    else:
        yield part
