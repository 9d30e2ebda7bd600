"""Data files of a report's explorer, read from their bytes alone."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np


def read_file(path: Path) -> Any:
    """The content of a data file."""
    return read_back(base64.b64decode(path.read_text().split('"')[3]))


def read_back(packed: bytes) -> Any:
    """The content as the header describes it, arrays as they are stored."""
    raw = zlib.decompress(packed)
    size = int.from_bytes(raw[:4], "little")
    header, first = json.loads(raw[4 : 4 + size]), 4 + size

    def revive(value: Any) -> Any:
        if isinstance(value, list):
            return [revive(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "$array" not in value:
            return {name: revive(part) for name, part in value.items()}
        kind, shape, offset = value["$array"]
        # Typed arrays of a browser must begin at a multiple of their size.
        assert (first + offset) % np.dtype(kind).itemsize == 0
        count = int(np.prod(shape))
        array = np.frombuffer(raw, f"<{kind}", count, first + offset).reshape(shape)
        if "step" not in value:
            return array
        numbers = value["low"] + value["step"] * array.astype(float)
        return np.where(array == value["missing"], np.nan, numbers)

    return revive(header)
