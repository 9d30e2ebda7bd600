"""Errors of users' code in one sentence, with file and line, whatever wraps around them."""

import functools
import importlib.util
import textwrap
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.study.errors import error_sentence, located_sentence, users_place
from rnnstudy.study.results.failures import attempt
from rnnstudy.tasks.flip_flop import FlipFlop

CODE = """\
import numpy as np
import tensorflow as tf


def plain(x):
    raise ValueError("the strength must be positive, got -1")


def rewritten(x):
    if tf.reduce_sum(x) > 0:
        raise ValueError("the strength must be positive, got -1")
    return x


def checked(x):
    tf.debugging.assert_less(x, 0.0, message="the strength must be negative")
    return 2 * x


def in_python(x):
    return tf.numpy_function(plain, [x], tf.float32)


def shapes(x):
    return tf.linalg.matmul(x[None], x[None])
"""


@pytest.fixture
def mine(tmp_path: Path) -> ModuleType:
    """A module of a user."""
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    spec = importlib.util.spec_from_file_location("mine", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raised(function, *arguments) -> BaseException:
    try:
        function(*arguments)
    except Exception as error:
        return error
    pytest.fail("nothing was raised")


def line_of(text: str) -> int:
    return 1 + next(i for i, line in enumerate(CODE.splitlines()) if text in line)


@pytest.mark.parametrize(
    ("name", "sentence", "line"),
    [
        ("plain", "ValueError: the strength must be positive, got -1", "raise ValueError"),
        ("checked", "InvalidArgumentError: the strength must be negative", "assert_less"),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_sentence_of_a_user_is_shown_with_its_place(
    mine: ModuleType, name: str, sentence: str, line: str, compiled: bool
) -> None:
    function = getattr(mine, name)
    function = tf.function(function, autograph=False) if compiled else function
    error = raised(function, tf.ones(3))
    assert located_sentence(error) == f"{sentence} (mine.py, line {line_of(line)})"


def test_a_function_that_autograph_rewrites_keeps_its_sentence_and_place(mine: ModuleType) -> None:
    error = raised(tf.function(mine.rewritten), tf.ones(3))
    # Both branches of a condition on tensors are traced.
    place = f"(mine.py, line {1 + line_of('if tf.reduce_sum')})"
    assert located_sentence(error) == f"ValueError: the strength must be positive, got -1 {place}"


def test_python_inside_a_graph_keeps_its_sentence_and_place(mine: ModuleType) -> None:
    error = raised(tf.function(mine.in_python, autograph=False), tf.ones(3))
    assert "Graph execution error" not in located_sentence(error)
    assert error_sentence(error) == "ValueError: the strength must be positive, got -1"
    assert users_place(error) == f" (mine.py, line {line_of('raise ValueError')})"


def test_an_operation_of_wrong_shapes_is_told_without_its_decorations(mine: ModuleType) -> None:
    sentence = located_sentence(raised(mine.shapes, tf.ones(3)))
    assert sentence.startswith("InvalidArgumentError: Matrix size-incompatible: In[0]: [1,3]")
    assert sentence.endswith(f"(mine.py, line {line_of('matmul')})")
    assert "{{" not in sentence
    assert "[Op:" not in sentence


def test_a_layer_that_keras_calls_keeps_its_sentence() -> None:
    class Refusing(keras.layers.Layer):
        def call(self, inputs):
            raise ValueError("units must be even")

    assert error_sentence(raised(Refusing(), np.ones((1, 2)))) == "ValueError: units must be even"


SEVERAL = textwrap.dedent(
    """\
    Graph execution error:

    Detected at node Assert/Assert defined at (most recent call last):
    <stack traces unavailable>
    Detected at node Other defined at (most recent call last):
    <stack traces unavailable>
    2 root error(s) found.
      (0) INVALID_ARGUMENT:  assertion failed: [x must be small] [Condition x < 1 did not hold]
    \t [[{{node Assert/Assert}}]]
      (1) CANCELLED:  Function was cancelled before it was started
    0 successful operations.
    0 derived errors ignored. [Op:__inference_f_12]"""
)


def test_the_first_of_several_errors_of_a_graph_is_told() -> None:
    class InvalidArgumentError(Exception):
        pass

    assert error_sentence(InvalidArgumentError(SEVERAL)) == "InvalidArgumentError: x must be small"


def test_code_of_this_package_is_no_place_of_a_user() -> None:
    _, mine = attempt(lambda: FlipFlop(bits=0), None)
    assert mine.startswith("SettingError: FlipFlop.bits must be at least 1, got 0 (test_errors.py")
    _, ours = attempt(functools.partial(FlipFlop, bits=0), None)
    assert ours == "SettingError: FlipFlop.bits must be at least 1, got 0"
