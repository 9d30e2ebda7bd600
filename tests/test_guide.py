"""The guide to the dynamics is right: its examples run in order, as a reader would type them."""

import re
from pathlib import Path

import pytest

import rnnstudy

GUIDE = (Path(__file__).parents[1] / "docs" / "dynamics.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL))
    exec(compile(code, "docs/dynamics.md", "exec"), {})


def test_the_functions_that_it_lists_are_there() -> None:
    called = re.findall(r"^\| [^|]+ \| `(\w+)\(", GUIDE, flags=re.MULTILINE)
    assert len(called) == 8
    assert all(callable(getattr(rnnstudy, name)) for name in called)
