"""Settings of TensorFlow for a process that runs jobs."""

import os

from rnnstudy.core.lazy_imports import tf
from rnnstudy.study.spec.options import Runtime

OWN_POOLS = "TF_OVERRIDE_GLOBAL_THREADPOOL"
"""Variable of the environment by which each session of TensorFlow has threads of its own. Without
it the programs of all workers would take turns on one thread."""


def start_tensorflow(runtime: Runtime) -> None:
    """Set up TensorFlow for many small programs side by side, with one thread each.

    Products of some hundred units are too small for several threads: two threads take twice the
    processor time of one. With one thread the order of sums does not depend on the machine. A
    process that already uses TensorFlow keeps its settings, but for the rounding of products on
    GPUs: only `training.tf32` sets that.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    os.environ.setdefault(OWN_POOLS, "1")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
    except RuntimeError:
        return
    if runtime.deterministic:
        tf.config.experimental.enable_op_determinism()
