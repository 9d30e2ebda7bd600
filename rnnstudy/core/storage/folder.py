"""Files of a record's folder: written whole, and checked against their checksums when read."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.files import IrregularFile, parse_json, read_file, write_file
from rnnstudy.core.files.changes import create_file, create_folder
from rnnstudy.core.files.npz import read_npz
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord, UnreadableRecord
from rnnstudy.core.storage.meta import meta_text, parse_meta, refuse_newer

ARRAYS, META = "arrays.npz", "meta.json"

MAX_META_BYTES = 1 << 28
"""Largest `meta.json` that is read. Those of this package have a few kilobytes."""


def record_files(
    description: dict[str, Any], arrays: Mapping[str, Array], address: str | None
) -> dict[str, bytes]:
    """Return name -> content of the files of a described record with its arrays."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    content = file.getvalue()
    return {ARRAYS: content, META: meta_text(description, content, address).encode()}


def write_contents(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a record to a folder, whose other files stay."""
    for name, content in contents.items():
        write_file(folder / name, content)


def write_draft(contents: Mapping[str, bytes], draft: Path) -> None:
    """Write the files of a record to a new folder, which is to be published."""
    create_folder(draft)
    for name, content in contents.items():
        create_file(draft / name, content)


def read_meta(folder: Path, address: str | None = None) -> dict[str, Any]:
    """Return the checked data of `meta.json`. See `read_contents` for its errors."""
    if address is not None and folder.is_symlink():
        raise DamagedRecord(f"{folder} is damaged: it is a link")
    meta = parse_meta(_read(folder, META, MAX_META_BYTES), folder / META)
    # Formats 1 and 2 are not bound to an address.
    if address is not None and "checksum" in meta and meta.get("address") != address:
        raise DamagedRecord(f"{folder} holds the record of address {meta.get('address')}")
    return meta


def read_contents(
    folder: Path, address: str | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the data of `meta.json` and the arrays of a record.

    Raises
    ------
    AbsentRecord
        There is no such folder.
    DamagedRecord
        A file is absent, incomplete, changed, a link or no file, or the record is that of another
        address.
    UnreadableRecord
        The system refuses to read a file.
    NewerRecord
        The record is of a newer format.
    """
    meta = read_meta(folder, address)
    content = _read(folder, ARRAYS)
    if hashlib.sha256(content).hexdigest() != meta["sha256"]:
        raise DamagedRecord(f"{folder / ARRAYS} does not match its checksum")
    try:
        return meta, read_npz(content)
    except ValueError as error:
        raise DamagedRecord(f"{folder / ARRAYS} is damaged: {error}") from error


def has_full_size(folder: Path) -> bool:
    """Return whether a folder holds a record whose arrays have the described size.

    Raises UnreadableRecord or NewerRecord like `read_contents`. Nothing is compared to a checksum.
    """
    try:
        meta = parse_json(_read(folder, META, MAX_META_BYTES))
        refuse_newer(meta.get("format"), meta.get("rnnstudy"), folder / META)
        return bool((folder / ARRAYS).lstat().st_size == meta["bytes"])
    except (AbsentRecord, DamagedRecord, ValueError, KeyError, TypeError, AttributeError):
        return False
    except (FileNotFoundError, NotADirectoryError):
        return False


def _read(folder: Path, name: str, limit: int | None = None) -> bytes:
    try:
        return read_file(folder / name, limit)
    except IrregularFile as error:
        raise DamagedRecord(f"{folder / name} is damaged: it {error.strerror}") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _absent(folder, name) from error
    except OSError as error:
        raise unreadable(folder / name, error) from error


def _absent(folder: Path, name: str) -> AbsentRecord | DamagedRecord | UnreadableRecord:
    try:
        folder.lstat()
    except FileNotFoundError:
        return AbsentRecord(f"there is no record {folder}")
    except OSError as error:
        return unreadable(folder, error)
    return DamagedRecord(f"{folder} is damaged: it has no {name}")


def unreadable(path: Path, error: OSError) -> UnreadableRecord:
    """Return the error for a path that the system refuses to read."""
    reason = (error.strerror or str(error)).lower()
    return UnreadableRecord(f"{path} cannot be read: {reason}")
