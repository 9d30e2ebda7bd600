"""Choice of the training kernel by device.

`per_member` is faster on a CPU, but for the smallest vanilla networks (docs/benchmarks.md).
With it a member's bits do not depend on the cohort. On a GPU a single member would leave most of
the device idle.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from rnnstudy.cells import CELLS, Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

Kernel = Literal["per_member", "batched"]
"""`per_member`: one member after the other, compiled by XLA. `batched`: all members in one batch of
products, as a TensorFlow graph."""

KERNELS: dict[str, Kernel] = {"CPU": "per_member", "GPU": "batched"}


def kernel_for(device: str) -> Kernel:
    """Return the kernel for a kind of device."""
    return KERNELS.get(device, "batched")


def device_kind(devices: Sequence[str] = ()) -> str:
    """Return the kind of the named devices; default: `GPU` if TensorFlow sees one, else `CPU`."""
    if devices:
        return devices[0].partition(":")[0]
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


PROBE_TRIALS = 2
"""Trials of the step that is compiled to test a cell."""


@functools.lru_cache(maxsize=64)
def uncompilable(cell: Cell, inputs: int) -> str:
    """Return the reason why XLA cannot compile a cell's step and gradient; empty if it can."""
    if type(cell) in CELLS.values():
        return ""
    generator = np.random.default_rng(0)
    weights = {
        name: tf.constant(weight.draw(generator), tf.float32)
        for name, weight in cell.weights(inputs).items()
    }

    def step_and_gradient(
        weights: Mapping[str, Tensor], x: Tensor, h: Tensor
    ) -> tuple[Tensor, Any]:
        with tf.GradientTape() as tape:
            tape.watch((weights, h))
            new = cell.step(weights, cell.drive(weights, x), h)
        zero = tf.UnconnectedGradients.ZERO
        return new, tape.gradient(new, (weights, h), unconnected_gradients=zero)

    program = tf.function(step_and_gradient, jit_compile=True, autograph=False)
    try:
        program(weights, tf.ones([PROBE_TRIALS, inputs]), tf.zeros([PROBE_TRIALS, cell.state_size]))
    except tf.errors.OpError as error:
        return _operation(str(error))
    return ""


def _operation(message: str) -> str:
    """Return the operation that an XLA message names, else its first line."""
    named = re.search(r"XLA_\w+_JIT: (\w+) \(", message)
    if named:
        return f"it has no {named[1]}"
    return message.strip().partition("\n")[0] or "no reason stated"
