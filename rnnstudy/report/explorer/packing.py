"""Data files of the explorer: numbers in few bytes, in scripts that a page loads from a disk.

A page that is opened from a disk may not fetch files, but it may add scripts. So each file is a
script that calls one function with its name and its content in base64. The content is compressed
by zlib: the length of a header, the header in JSON, and the arrays that it refers to.
"""

import base64
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rnnstudy.core.arrays import Array

ALIGNMENT = 8
"""Bytes to whose multiple each array is padded."""

WHOLE_TYPES = ("u1", "i1", "u2", "i2", "u4", "i4")
"""Types of whole numbers, the smallest first."""

EXACT_LIMIT = 2.0**24
"""Largest whole number up to which numbers of 4 bytes are exact."""


@dataclass(frozen=True, eq=False)
class Coarse:
    """Numbers that are stored as whole steps between the smallest and the largest of them.

    The largest step number stands for numbers that are not finite. The step of equal numbers is 0.
    """

    values: Array
    """Numbers of any shape."""
    bits: Literal[8, 16] = 16
    """Bits of a step number."""


def script_text(name: str, content: Any) -> str:
    """Return the script of a data file.

    Parameters
    ----------
    name
        Name of the file without its ending, such as `networks/3`.
    content
        Plain data with arrays, and numbers that may be coarse.
    """
    return f'rnnstudyData({json.dumps(name)}, "{base64.b64encode(pack(content)).decode()}");\n'


def pack(content: Any) -> bytes:
    """Return plain data with arrays as compressed bytes, the same for the same content."""
    blocks: list[bytes] = []
    header = json.dumps(_plain(content, blocks), separators=(",", ":")).encode()
    header += b" " * (-(len(header) + 4) % ALIGNMENT)
    return zlib.compress(b"".join([len(header).to_bytes(4, "little"), header, *blocks]), 9)


def _plain(value: Any, blocks: list[bytes]) -> Any:
    """Return a value as JSON, with its arrays appended to the blocks."""
    if isinstance(value, Coarse):
        return _coarse(value, blocks)
    if isinstance(value, np.ndarray):
        return {"$array": _append(_compact(value), blocks)}
    if isinstance(value, Mapping):
        return {str(name): _plain(part, blocks) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, blocks) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _coarse(numbers: Coarse, blocks: list[bytes]) -> dict[str, Any]:
    values = np.asarray(numbers.values, float)
    is_finite = np.isfinite(values)
    low, high = _ends(values[is_finite])
    missing = 2**numbers.bits - 1
    step = (high - low) / (missing - 1)
    codes = np.full(values.shape, missing)
    codes[is_finite] = np.rint((values[is_finite] - low) / (step or 1.0))
    kind = {8: "u1", 16: "u2"}[numbers.bits]
    reference = _append(codes.astype(kind), blocks)
    return {"$array": reference, "low": low, "step": step, "missing": missing}


def _ends(values: Array) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def _compact(values: Array) -> Array:
    """Return numbers in the smallest type that holds them to seven digits."""
    if values.dtype.kind == "b":
        return values.astype("u1")
    if values.dtype.kind in "iu":
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        fitting = [t for t in WHOLE_TYPES if np.iinfo(t).min <= low and high <= np.iinfo(t).max]
        return values.astype(fitting[0] if fitting else "f8")
    finite = values[np.isfinite(values)]
    is_whole = bool(finite.size and (finite == np.rint(finite)).all())
    return values.astype("f8" if is_whole and np.abs(finite).max() > EXACT_LIMIT else "f4")


def _append(values: Array, blocks: list[bytes]) -> list[Any]:
    """Append an array to the blocks; return its type, its shape and its offset."""
    offset = sum(map(len, blocks))
    data = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).tobytes()
    blocks.append(data + b"\0" * (-len(data) % ALIGNMENT))
    return [f"{values.dtype.kind}{values.dtype.itemsize}", list(values.shape), offset]
