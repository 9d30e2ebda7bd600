"""Compilation of TensorFlow programs without the memory optimiser, and their memory."""

import ctypes
import functools
import gc
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rnnstudy.core.lazy_imports import tf

GRADIENT_NAME = "_gradient_op_type"
"""Attribute of an operation: name of its gradient in TensorFlow's registry."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of `mallopt` of the GNU C library: free bytes at the end of a heap beyond which it
shrinks, and bytes of an array beyond which it gets memory of its own."""

LARGEST_KEPT = 2**25
"""Bytes of an array up to which freed memory is kept, as the C library itself does in the end."""

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


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `tf.custom_gradient(function)`, for gradients by tapes of the same program.

    TensorFlow registers the gradient of each traced call for ever. It refers to tensors of the
    graph, so that no graph with such a call would be freed. A tape has the gradient from the call
    itself. So the registered one is removed.

    Parameters
    ----------
    function
        Function of tensors that returns tensors and the function of their gradients.

    Examples
    --------
    >>> from rnnstudy.population.compile import custom_gradient
    >>> double = custom_gradient(lambda x: (2 * x, lambda upstream: 2 * upstream))
    >>> double(3)  # doctest: +SKIP
    6
    """
    traced = tf.custom_gradient(function)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        results = traced(*arguments)
        if not tf.executing_eagerly():
            _remove_registered_gradient(tf.nest.flatten(results)[0])
        return results

    return call


def _remove_registered_gradient(result: Any) -> None:
    """Remove the gradient that TensorFlow has registered for the operation of a result."""
    framework = importlib.import_module("tensorflow.python.framework.ops")
    with suppress(AttributeError, KeyError):  # a later TensorFlow may have another registry
        del framework.gradient_registry._registry[result.op.get_attr(GRADIENT_NAME).decode()]


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


@contextmanager
def frozen_objects() -> Iterator[None]:
    """Keep all present objects out of garbage collection in this context.

    Libraries have very many objects. Each collection would look at all of them.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def free_memory() -> None:
    """Return memory that nobody uses to the system."""
    gc.collect()  # graphs refer to themselves
    _call_c_library("malloc_trim", 0)


def keep_freed_memory() -> None:
    """Keep freed memory for the next arrays until `free_memory`.

    Dask lets its workers return it at once, by MALLOC_TRIM_THRESHOLD_. Each array of a training
    step is then new memory of the system, and a step takes twice as long.
    """
    _call_c_library("mallopt", MMAP_THRESHOLD, LARGEST_KEPT)
    _call_c_library("mallopt", TRIM_THRESHOLD, 2 * LARGEST_KEPT)


def _call_c_library(name: str, *numbers: int) -> None:
    """Call a function of the GNU C library, if this system has it."""
    with suppress(OSError, AttributeError):
        getattr(ctypes.CDLL("libc.so.6"), name)(*numbers)
