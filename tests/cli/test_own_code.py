"""Code of users that raises in planning: one sentence with file and line, and no traceback."""

import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rnnstudy.cli import commands
from rnnstudy.core.source.places import is_of_user, place_of
from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.study import SpecError, load_study

HEAD = """\
from pydantic import field_validator
from rnnstudy import MemberAnalysis, Record
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.claims import Prevalent
from rnnstudy.tasks.flip_flop import FlipFlop


class Odd(BaseException):
    pass


"""

CLASSES = {
    "analysis": """\
class Mine(MemberAnalysis):
    size: int = 1

    def run(self, population, task):
        return [Record() for _ in range(len(population))]

""",
    "claim": """\
class Mine(Prevalent):
    takes = Record
    of: str = "fixed_points"

    @property
    def trait(self):
        return "a trait"

    def statement(self, task):
        return "Networks have it."

    def has(self, record, task):
        return True

""",
    "task": "class Mine(FlipFlop):\n    kind = 'mine'\n\n",
    "cell": "class Mine(Vanilla):\n    kind = 'mine'\n\n",
}

HOOKS = [
    ("analysis", "def applies(self, task):"),
    ("analysis", "def needs(self):"),
    ("analysis", "def misfit(self, known):"),
    ("analysis", "@property\n    def title(self):"),
    ("analysis", "@field_validator('size')\n    def _check(cls, value):"),
    ("claim", "def needs(self):"),
    ("claim", "def control_weights(self):"),
    ("claim", "def member_inputs(self):"),
    ("claim", "def applies(self, task):"),
    ("task", "@property\n    def title(self):"),
    ("task", "def sample(self, seed, trials):"),
    ("cell", "@property\n    def state_size(self):"),
]

ERRORS = ["KeyError('x')", "RuntimeError('two\\nlines')", "SystemExit(3)", "Odd('so')"]

numbers = count()


def write_spec(folder: Path, kind: str, body: str) -> tuple[Path, str]:
    """Write a spec that names a class of a module of its own; return the spec and the module."""
    module = f"own_code_{next(numbers)}"
    (folder / f"{module}.py").write_text(HEAD + CLASSES[kind] + body)
    mine = dict.fromkeys(CLASSES, "") | {kind: f"{module}:Mine"}
    spec = folder / "own.yaml"
    spec.write_text(f"""\
study: own
tasks: [{{kind: {mine["task"] or "flip_flop"!r}, length: 12}}]
networks: {{cells: [{mine["cell"] or "vanilla"!r}], units: 3, seeds: 2}}
training: {{steps: 2, batch: 2}}
analyses:
  - fixed_points
{f"  - {{kind: {mine['analysis']!r}, name: mine, size: 2}}" if mine["analysis"] else ""}
{f"claims: [{{kind: {mine['claim']!r}, name: mine}}]" if mine["claim"] else ""}
""")
    return spec, module


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command line in this process; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["rnnstudy", *words])
    try:
        commands.main()
    except SystemExit as end:
        return int(end.code or 0)
    raise AssertionError("the command must exit")


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(("kind", "hook"), HOOKS)
def test_code_that_raises_in_planning_is_one_sentence_with_its_place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    hook: str,
    error: str,
) -> None:
    spec, module = write_spec(tmp_path, kind, f"    {hook}\n        raise {error}\n")
    monkeypatch.chdir(tmp_path)
    code = call(monkeypatch, "check", str(spec), "--allow-plugins")
    lines = capsys.readouterr().err.strip().splitlines()
    assert code in (1, 2)
    assert len(lines) == 1
    assert error.partition("(")[0] in lines[0]
    # The check of cells names the class, its property, and the line of the spec.
    is_checked = kind == "cell" and "own.yaml:3:20: networks.cells[0]" in lines[0]
    assert is_checked or f"{module}.py, line " in lines[0]


@pytest.mark.parametrize("error", ERRORS[:3])
def test_a_cost_that_raises_is_not_known(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: str,
) -> None:
    spec, _ = write_spec(
        tmp_path, "analysis", f"    def cost(self, cell, task):\n        raise {error}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "check", str(spec), "--allow-plugins") == 0
    assert "mine: 0 of 2 done" in capsys.readouterr().out


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyError('x')"])
def test_a_module_that_raises_when_it_is_imported_is_named(tmp_path: Path, error: str) -> None:
    spec, module = write_spec(tmp_path, "analysis", f"\nraise {error}\n")
    with pytest.raises(SpecError, match=rf"cannot be loaded: .*\({module}\.py, line \d+\)"):
        load_study(spec, allow_plugins=True)


def test_an_exit_in_planning_does_not_end_a_python_program(tmp_path: Path) -> None:
    spec, module = write_spec(
        tmp_path, "analysis", "    def needs(self):\n        raise SystemExit(3)\n"
    )
    message = rf"must not end the process, got SystemExit: 3 \({module}\.py, line \d+\)"
    with pytest.raises(RunError, match=message):
        load_study(spec, allow_plugins=True)


def test_the_place_of_an_error_is_the_last_call_in_code_of_a_user() -> None:
    def fail(value: Any) -> None:
        int(value)

    with pytest.raises(ValueError, match="invalid literal") as caught:
        fail("x")
    line = fail.__code__.co_firstlineno + 1
    assert place_of(caught.value) == f"test_own_code.py, line {line}"
    assert is_of_user(__file__)
    assert not is_of_user(commands.__file__)
    assert not is_of_user(pytest.__file__)
    assert not is_of_user(str(Path(sys.modules["json"].__file__ or "")))
    assert not is_of_user("<frozen importlib._bootstrap>")
