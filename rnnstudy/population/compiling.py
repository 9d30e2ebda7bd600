"""Whether XLA can compile a cell: anybody's may do what it has no code for."""

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnstudy.cells import CELLS, Cell
from rnnstudy.core.lazy_imports import tf

Tensor = Any

TRIALS = 2


@functools.lru_cache(maxsize=64)
def uncompilable(cell: Cell, inputs: int) -> str:
    """What keeps XLA from compiling a cell's step and its derivatives; empty if nothing does."""
    if type(cell) in CELLS.values():
        return ""
    draw = np.random.default_rng(0)
    weights = {
        name: tf.constant(weight.draw(draw), tf.float32)
        for name, weight in cell.weights(inputs).items()
    }

    def moved(weights: Mapping[str, Tensor], x: Tensor, h: Tensor) -> tuple[Tensor, Any]:
        with tf.GradientTape() as tape:
            tape.watch((weights, h))
            new = cell.step(weights, cell.drive(weights, x), h)
        zero = tf.UnconnectedGradients.ZERO
        return new, tape.gradient(new, (weights, h), unconnected_gradients=zero)

    program = tf.function(moved, jit_compile=True, autograph=False)
    try:
        program(weights, tf.ones([TRIALS, inputs]), tf.zeros([TRIALS, cell.state_size]))
    except tf.errors.OpError as error:
        return _operation(str(error))
    return ""


def _operation(message: str) -> str:
    """The operation that XLA complains of, else the first line of what it says."""
    named = re.search(r"XLA_\w+_JIT: (\w+) \(", message)
    if named:
        return f"it has no {named[1]}"
    return message.strip().partition("\n")[0] or "it does not say why"
