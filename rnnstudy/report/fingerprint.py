"""Fingerprint of a report: its contents, the code that draws it, and the files that it wrote."""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.files import parse_json, read_file

FINGERPRINT_FILE = "fingerprint.json"
"""File in the folder of a report."""

DRAWING_PACKAGES = ("matplotlib", "plotly", "jinja2")
"""Packages whose versions change the files of a report."""


def is_current(folder: Path, fingerprint: str) -> bool:
    """Return True if a folder has the report with a fingerprint, every file as it was written."""
    try:
        stored = parse_json(read_file(folder / FINGERPRINT_FILE))
        return bool(stored == {"fingerprint": fingerprint, "files": _files(folder)})
    except (OSError, ValueError):
        return False


def write_fingerprint(folder: Path, fingerprint: str) -> None:
    """Write the fingerprint of the report in a folder, with the hashes of its files."""
    content = {"fingerprint": fingerprint, "files": _files(folder)}
    (folder / FINGERPRINT_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def changed_files(folder: Path) -> list[str]:
    """Return the files of a report that were changed, removed or added after it was written.

    A report without a fingerprint has none that are known. One whose fingerprint is not what was
    written has that one.
    """
    try:
        stored = parse_json(read_file(folder / FINGERPRINT_FILE))["files"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        return [FINGERPRINT_FILE]
    if not isinstance(stored, dict):
        return [FINGERPRINT_FILE]
    now = _files(folder)
    return sorted(name for name in now.keys() | stored.keys() if now.get(name) != stored.get(name))


def fingerprint_of(page: Any) -> str:
    """Return a hash of a page, of the code of this package, and of the drawing packages.

    Pages with equal values have equal hashes, in any process.
    """
    digest = hashlib.sha256()
    for package in DRAWING_PACKAGES:
        digest.update(importlib.metadata.version(package).encode())
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    for part in _parts(page):
        digest.update(part)
    return digest.hexdigest()


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): _hash_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != FINGERPRINT_FILE
    }


def _hash_of(path: Path) -> str:
    """Return the hash of a file; empty for a link, which no report has."""
    return "" if path.is_symlink() else hashlib.sha256(read_file(path)).hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    """Yield the bytes that tell a value from others: types, lengths and contents."""
    kind = type(value).__qualname__
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield f"{kind} {value.dtype.str} {value.shape} ".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif is_dataclass(value) and not isinstance(value, type):
        yield f"{kind}(".encode()
        for field in fields(value):
            yield from _parts((field.name, getattr(value, field.name)))
    elif isinstance(value, Mapping):
        yield f"{kind} {len(value)} ".encode()
        for item in value.items():
            yield from _parts(item)
    elif isinstance(value, list | tuple):
        yield f"{kind} {len(value)} ".encode()
        for item in value:
            yield from _parts(item)
    elif value is None or isinstance(value, str | int | float | complex | np.generic):
        yield f"{kind} {value!r};".encode()
    else:
        raise TypeError(f"values of a page must be data, got {kind}. Turn it into numbers or text.")
