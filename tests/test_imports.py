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


def test_each_public_name_is_found_where_the_type_checker_finds_it():
    declared = {}
    for node in ast.walk(ast.parse(Path(rnnstudy.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.names[0].asname:
            declared |= {alias.asname: node.module for alias in node.names}
    assert declared.pop("metrics") == "rnnstudy"
    assert {"run", "load_study", "GRUCell", "find_fixed_points", "plot"} <= set(declared)
    assert {name for name in dir(rnnstudy) if name in declared} == set(declared)
    for name, module in declared.items():
        assert getattr(rnnstudy, name) is getattr(importlib.import_module(module), name)
    assert rnnstudy.metrics is importlib.import_module("rnnstudy.metrics")


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
