"""Imports stay light, go down only, and the public names are what they say."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import rnnstudy

HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "matplotlib", "plotly", "xarray", "jinja2")
ROOT = Path(__file__).parent.parent


def python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def loaded_by(statement):
    done = python(f"{statement}\nimport sys\nprint(*(set({HEAVY}) & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import rnnstudy\ndir(rnnstudy)\nrnnstudy.__version__") == []


def test_reading_a_spec_loads_nothing_heavy():
    assert loaded_by("import rnnstudy\nrnnstudy.load_study") == []


def test_the_command_line_starts_without_anything_heavy():
    assert loaded_by("import rnnstudy.cli.commands") == []


def test_each_public_name_stands_once_and_is_found_where_the_type_checker_finds_it():
    stub = Path(rnnstudy.__file__).with_suffix(".pyi")
    lines = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    declared = {line.names[0].asname: line.module for line in lines}
    assert len(declared) == len(lines)
    assert set(rnnstudy.__all__) == {*declared, "__version__"} <= set(dir(rnnstudy))
    assert {"run", "load_study", "GRUCell", "find_fixed_points", "plot", "array"} <= set(declared)
    assert [name for name, module in declared.items() if module is None] == ["exhibits", "metrics"]
    for name, module in declared.items():
        if module is None:
            assert getattr(rnnstudy, name) is importlib.import_module(f"rnnstudy.{name}")
        else:
            home = importlib.import_module(f"rnnstudy.{module}")
            assert getattr(rnnstudy, name) is getattr(home, name)


def test_every_kind_of_exhibit_is_public():
    from rnnstudy import exhibits
    from rnnstudy.core.exhibit import Exhibit

    kinds, pending = set(), [Exhibit]
    while pending:
        kinds |= {cls := pending.pop()}
        pending += cls.__subclasses__()
    abstract = {"Space"}
    ours = {cls.__name__ for cls in kinds if cls.__module__ == Exhibit.__module__}
    assert ours - abstract | {"Curve"} == set(exhibits.__all__)


def test_a_submodule_does_not_hide_the_function_run():
    importlib.import_module("rnnstudy.study.results.run")
    assert callable(rnnstudy.run)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'rnnstudy' has no attribute 'runn'"):
        rnnstudy.runn  # noqa: B018 - asking is the test


def test_the_layers_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed (it comes with the dev extra)")
    command = [str(linter), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
