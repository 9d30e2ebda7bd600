"""Worker processes find the modules of the tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = str(Path(__file__).resolve().parents[3])


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    path = [str(Path(TESTS).parent), TESTS, os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    if TESTS not in sys.path:
        monkeypatch.syspath_prepend(TESTS)


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """End a test that hangs with the stacks of all threads."""
    import faulthandler

    faulthandler.dump_traceback_later(300, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
