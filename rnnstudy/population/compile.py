"""Compilation of TensorFlow programs without the memory optimiser, and their memory."""

import ctypes
import functools
import gc
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rnnstudy.core.lazy_imports import tf

NO_MEMORY_OPTIMISATION = 1
"""RewriterConfig.NO_MEM_OPT of TensorFlow's protocol buffers."""


def compile_function(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Return `tf.function(function, **options)` that can be called repeatedly with large arrays.

    The function is traced as it is, without AutoGraph.
    """
    # A partial, since TensorFlow counts all closures of one function as retracings of it.
    graph = tf.function(functools.partial(function), autograph=False, **options)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with _without_memory_optimisation():
            return graph(*arguments)

    return call


def program_settings() -> Any:
    """Return the settings of TensorFlow programs, without the memory optimiser."""
    settings = importlib.import_module("tensorflow.python.eager.context").context().config
    settings.graph_options.rewrite_options.memory_optimization = NO_MEMORY_OPTIMISATION
    return settings


@contextmanager
def _without_memory_optimisation() -> Iterator[None]:
    """Switch TensorFlow's memory optimiser off for the calls of this thread.

    For graphs that seem to need most of a device's memory (on a CPU 256 MB), the optimiser turns
    sums into temporary variables. Those inside a loop survive to the next call, which raises
    AlreadyExistsError. TensorFlow has no public switch for this optimiser alone.
    """
    eager = importlib.import_module("tensorflow.python.eager.context")
    context = eager.context()
    before = context.function_call_options
    context.function_call_options = eager.FunctionCallOptions(
        before.executor_type, program_settings()
    )
    try:
        yield
    finally:
        context.function_call_options = before


def free_memory() -> None:
    """Return memory that nobody uses to the system."""
    gc.collect()  # graphs refer to themselves
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # the C library may be another one
            ctypes.CDLL("libc.so.6").malloc_trim(0)
