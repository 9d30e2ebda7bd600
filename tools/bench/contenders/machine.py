"""What the machine can do: how fast it multiplies matrices."""

import threading
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from contenders.case import Case
from rnnstudy.core.lazy_imports import tf

SECONDS = 0.1
LARGE = 8192
TURNS = 50


class Machine:
    """Measures the rates that training is held against; lives in a process of its own."""

    def __init__(self, threads: int, jobs: int) -> None:
        self.threads = threads

    def rate(self, case: Case) -> float:
        """Operations per second of float32 products [trial, unit] x [unit, gate x unit].

        They are as small as a time step's and there are many of them: NumPy's, on all threads at
        once, or on a GPU TensorFlow's, batched over the members.
        """
        blocks = case.weights(1)["recurrent_kernel"].shape[-1]
        members = case.members if gpus() else 16
        shapes = [(members, case.batch, case.units), (members, case.units, blocks)]
        flops = 2.0 * members * case.batch * case.units * blocks
        return flops * (_on_gpu(shapes) if gpus() else self._on_cores(shapes))

    def peak(self) -> float:
        """Operations per second of one large float32 product on a GPU; 0 without one."""
        return 2.0 * LARGE**3 * _on_gpu([(LARGE, LARGE)] * 2) if gpus() else 0.0

    def _on_cores(self, shapes: list[tuple[int, ...]]) -> float:
        """Turns per second, all threads together."""
        rates = [0.0] * self.threads

        def measure(k: int) -> None:
            rates[k] = _turns(shapes)

        with threadpool_limits(1):
            threads = [threading.Thread(target=measure, args=(k,)) for k in range(self.threads)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return sum(rates)


def gpus() -> list[Any]:
    """TensorFlow's GPUs."""
    found: list[Any] = tf.config.list_physical_devices("GPU")
    return found


def _turns(shapes: list[tuple[int, ...]]) -> float:
    a, b = (np.ones(shape, np.float32) for shape in shapes)
    out, turns, start = a @ b, 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        np.matmul(a, b, out=out)
        turns += 1
    return turns / (time.perf_counter() - start)


def _on_gpu(shapes: list[tuple[int, ...]]) -> float:
    """Turns per second of eager products, queued one behind the other."""
    tf.config.experimental.enable_tensor_float_32_execution(False)
    a, b = (tf.random.stateless_normal(shape, (1, 2)) for shape in shapes)
    tf.reduce_sum(a @ b).numpy()
    start = time.perf_counter()
    for _ in range(TURNS):
        last = a @ b
    tf.reduce_sum(last).numpy()
    return TURNS / (time.perf_counter() - start)
