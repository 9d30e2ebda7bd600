"""Arrays of an `.npz` archive that is in memory, read several times as fast as by `np.load`."""

import io
import struct
import zipfile
from functools import lru_cache
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array

LOCAL_HEADER = 30
"""Bytes before the name of a part of a zip archive."""

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""Version of the npy format -> reader of its header."""

LARGEST_HEADER = 12_000
"""Bytes of a part that are searched for the header of an array."""


def read_npz(content: bytes) -> dict[str, Array]:
    """Return the arrays that `np.savez` wrote, by name. Nothing is unpickled or decompressed.

    Parameters
    ----------
    content
        The bytes of the archive.

    Returns
    -------
    dict
        Name -> array with memory of its own.

    Raises
    ------
    ValueError
        The archive is damaged, is compressed, or holds Python objects.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from rnnstudy.core.files.npz import read_npz
    >>> file = io.BytesIO()
    >>> np.savez(file, weights=np.eye(2))
    >>> read_npz(file.getvalue())["weights"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, struct.error) as error:
        raise ValueError(f"an npz archive must be a whole zip archive: {error}") from error
    return {part.filename.removesuffix(".npy"): _array(content, part) for part in parts}


def _array(content: bytes, part: zipfile.ZipInfo) -> Array:
    if part.compress_type != zipfile.ZIP_STORED or part.compress_size != part.file_size:
        raise ValueError(f"'{part.filename}' must be stored without compression")
    start = part.header_offset + LOCAL_HEADER
    lengths = content[start - 4 : start]
    start += int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    end = start + part.file_size
    if end > len(content):
        raise ValueError(f"'{part.filename}' must end at byte {len(content)}, got {end}")
    length = _header_length(content[start : start + 12])
    shape, is_fortran, dtype = _header(content[start : start + min(length, LARGEST_HEADER)])
    expected = length + dtype.itemsize * _size(shape)
    if expected != part.file_size:
        raise ValueError(f"'{part.filename}' must have {expected} bytes, got {part.file_size}")
    order: Any = "F" if is_fortran else "C"
    return np.ndarray(shape, dtype, content, start + length, order=order).copy(order="K")


def _size(shape: tuple[int, ...]) -> int:
    """Return the number of elements, exactly however large it is."""
    size = 1
    for length in shape:
        size *= length
    return size


def _header_length(start: bytes) -> int:
    """Return the number of bytes before the elements of an array, from its first 12 bytes."""
    width = 2 if start[6:7] == b"\x01" else 4
    return 8 + width + int.from_bytes(start[8 : 8 + width], "little")


@lru_cache(4096)
def _header(text: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type. Arrays of one shape and type have the same header."""
    file = io.BytesIO(text)
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"the version of an array must be 1.0 or 2.0, got {version}")
    try:
        shape, is_fortran, dtype = HEADERS[version](file)
    except Exception as error:  # NumPy's reader lets errors of Python's tokenizer through
        raise ValueError(f"the header of an array must be NumPy's, got {error}") from error
    if dtype.hasobject:
        raise ValueError("arrays must be numbers, got Python objects")
    return shape, is_fortran, dtype
