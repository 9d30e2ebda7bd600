"""`meta.json` of a record: address, class, fields, and the checksums.

Format 3 has the address and the version of rnnstudy that wrote the record, and `checksum`: the
SHA-256 of the text in which the checksum is replaced by zeros. It covers every byte of the file,
and through `sha256` every byte of `arrays.npz`. Format 2 had no checksum of the description and no
address. Format 1 named classes by module path.
"""

import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from rnnstudy.core.files import parse_json
from rnnstudy.core.storage.errors import DamagedRecord, NewerRecord

FORMAT = 3
"""Format of the records and stores that this version writes."""

ZEROS = "0" * 64


@functools.cache
def package_version() -> str:
    """Return the version of rnnstudy."""
    try:
        return importlib.metadata.version("rnnstudy")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def meta_text(description: dict[str, Any], arrays: bytes, address: str | None) -> str:
    """Return the text of `meta.json` for a described record and its `arrays.npz`."""
    meta = {
        "format": FORMAT,
        "rnnstudy": package_version(),
        "address": address,
        **description,
        "bytes": len(arrays),
        "sha256": hashlib.sha256(arrays).hexdigest(),
        "checksum": ZEROS,
    }
    text = json.dumps(meta, indent=1, allow_nan=True) + "\n"
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return text.removesuffix(_end(ZEROS)) + _end(checksum)


def parse_meta(text: bytes, path: Path) -> dict[str, Any]:
    """Return the data of `meta.json`.

    Raises
    ------
    DamagedRecord
        The text is not what was written.
    NewerRecord
        The record is of a newer format.
    """
    try:
        meta = parse_json(text)
    except ValueError as error:
        raise DamagedRecord(f"{path} is damaged: {error}") from error
    if not isinstance(meta, dict):
        raise DamagedRecord(f"{path} is damaged: it must hold an object")
    refuse_newer(meta.get("format"), meta.get("rnnstudy"), path)
    if "checksum" in meta or meta.get("format") == FORMAT:
        _check_text(text, meta, path)
    lacking = {"sha256", "fields"} - meta.keys()
    if lacking or not (meta.keys() & {"tag", "class"}):
        raise DamagedRecord(f"{path} is damaged: it lacks {', '.join(lacking) or 'a class'}")
    return meta


def refuse_newer(number: object, version: object, path: Path) -> None:
    """Raise NewerRecord if a format is newer than that of this version."""
    if isinstance(number, int) and number > FORMAT:
        maker = version if isinstance(version, str) else "a later version"
        raise NewerRecord(
            f"{path} is of format {number}, which rnnstudy {maker} wrote; this is rnnstudy "
            f"{package_version()}, which reads formats up to {FORMAT}. Read it with the version "
            "that wrote it"
        )


def written_by(meta: dict[str, Any]) -> str:
    """Return words on the version that wrote a record, if it is not this one."""
    version = meta.get("rnnstudy")
    if not isinstance(version, str) or version == package_version():
        return ""
    return f" (written by rnnstudy {version}, read by {package_version()})"


def _check_text(text: bytes, meta: dict[str, Any], path: Path) -> None:
    checksum = meta.get("checksum")
    end = _end(checksum).encode() if isinstance(checksum, str) and len(checksum) == 64 else b""
    if not end or not text.endswith(end):
        raise DamagedRecord(f"{path} is damaged: it does not end with its checksum")
    blank = text[: -len(end)] + _end(ZEROS).encode()
    if hashlib.sha256(blank).hexdigest() != checksum:
        raise DamagedRecord(f"{path} does not match its checksum")


def _end(checksum: str) -> str:
    """Return the end of the text of `meta.json`."""
    return f' "checksum": "{checksum}"\n}}\n'
