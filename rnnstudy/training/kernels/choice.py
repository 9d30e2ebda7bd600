"""Choice of the training kernel by device.

Milliseconds of one core per network and training step, per_member | batched (one thread, other jobs
on the machine, so that the ratio counts; units x trials x time steps, state noise in brackets):

    size              vanilla        UGRNN          GRU            LSTM
    16x32x100         2.2 | 1.5      2.7 | 2.8      3.3 | 4.0      5.5 | 5.5
    32x32x100 [.05]   2.9 | 3.5      6.3 | 6.5      8.3 | 9.5      6.0 | 14
    64x64x100         5.8 | 11       10 | 21        15 | 39        19 | 54
    128x64x200        25 | 41        50 | 83        73 | 161       91 | 217
    256x32x100        23 | 33        46 | 74        66 | 123       80 | 142

Since then steps are no longer done twice on the way back. By tools/bench/train.py --contenders ours
together, 16 networks, 64 trials, 100 steps, two idle cores (milliseconds per network): vanilla of
32, 64, 128, 256 units 1.3 | 2.8, 3.1 | 5.9, 6.4 | 12, 21 | 35; an LSTM of 64 units 8.0 | 25.

With `per_member` a member's bits do not depend on its cohort, which also justifies it for the
smallest vanilla networks. On a GPU (not measured) a single member would leave most of it idle.
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
