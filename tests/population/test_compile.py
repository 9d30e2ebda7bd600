"""Custom gradients of traced programs: their graphs are freed."""

import gc
import importlib
import weakref
from pathlib import Path
from typing import Any

import tensorflow as tf

import rnnstudy
from rnnstudy.population.compile import custom_gradient, frozen_objects


def registered() -> set[str]:
    """Return the names of the custom gradients that TensorFlow has registered."""
    registry = importlib.import_module("tensorflow.python.framework.ops").gradient_registry
    return {name for name in registry.list() if name.startswith("CustomGradient")}


@custom_gradient
def double(x: Any) -> Any:
    """Return twice a number, with a gradient that is wrong, so that one can see it."""
    result = 2.0 * x
    return result, lambda upstream: 3.0 * upstream + 0.0 * result


def test_without_a_graph_it_is_that_of_tensorflow() -> None:
    x, before = tf.constant(5.0), registered()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = double(x)
    assert (float(y), float(tape.gradient(y, x))) == (10.0, 3.0)
    assert registered() == before


def test_a_graph_with_gradients_is_freed() -> None:
    before, graphs = registered(), list[Any]()

    def program(x: Any) -> Any:
        graphs.append(weakref.ref(tf.compat.v1.get_default_graph()))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = double(double(x))
        return y, tape.gradient(y, x)

    compiled = tf.function(program, autograph=False)
    assert [float(each) for each in compiled(tf.constant(5.0))] == [20.0, 9.0]
    assert registered() == before
    assert graphs[0]() is not None
    del compiled
    gc.collect()
    assert graphs[0]() is None


def test_objects_of_before_are_not_looked_at_in_a_run() -> None:
    before = gc.get_freeze_count()
    with frozen_objects():
        assert gc.get_freeze_count() > before
        lost: list[Any] = [[]]
        lost[0].append(lost)
        del lost
        assert gc.collect() >= 1, "later objects are"
    assert gc.get_freeze_count() == 0


def test_no_module_keeps_graphs_by_custom_gradients_of_tensorflow() -> None:
    modules = Path(rnnstudy.__file__).parent.rglob("*.py")
    places = [path.name for path in modules if "@tf.custom_gradient" in path.read_text()]
    assert places == []
