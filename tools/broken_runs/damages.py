"""Damages of single files."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from broken_runs.contents import is_of_record


def flip(path: Path, source: random.Random) -> None:
    """Flip one bit."""
    content = bytearray(path.read_bytes())
    content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, source: random.Random) -> None:
    """Cut the end off."""
    path.write_bytes(path.read_bytes()[: source.randrange(path.stat().st_size)])


def empty(path: Path, source: random.Random) -> None:
    """Leave no byte."""
    path.write_bytes(b"")


def delete(path: Path, source: random.Random) -> None:
    """Remove the file."""
    path.unlink()


def swap(path: Path, source: random.Random) -> None:
    """Replace a file by that of another result."""
    others = [p for p in path.parents[2].rglob(path.name) if p != path and is_of_record(p)]
    path.write_bytes(source.choice(others or [path]).read_bytes()[:: 1 if others else -1])


DAMAGES: Sequence[Callable[[Path, random.Random], None]] = (flip, truncate, empty, delete, swap)
