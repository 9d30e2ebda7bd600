"""How programs are compiled: TensorFlow's graphs, less one rewrite that breaks loops."""

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rnnstudy.core.lazy_imports import tf

NO_MEMORY_OPTIMISATION = 1
"""RewriterConfig.NO_MEM_OPT of TensorFlow's protocol buffers."""


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`tf.function` with its options, that may be called again however large its arrays are."""
    # A partial, since TensorFlow counts all closures of one function as retracings of it.
    graph = tf.function(functools.partial(function), **options)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with _without_memory_optimisation():
            return graph(*arguments)

    return call


@contextmanager
def _without_memory_optimisation() -> Iterator[None]:
    """Switch TensorFlow's memory optimiser off for the calls of this thread.

    Where it expects a graph to need more than 80 % of a device (for a CPU: of 256 MB, whatever the
    machine has), it turns sums into temporary variables, and those inside a loop are still there
    at the next call: AlreadyExistsError. No public switch reaches it alone.
    """
    eager = importlib.import_module("tensorflow.python.eager.context")
    here = eager.context()
    before, config = here.function_call_options, here.config
    config.graph_options.rewrite_options.memory_optimization = NO_MEMORY_OPTIMISATION
    here.function_call_options = eager.FunctionCallOptions(before.executor_type, config)
    try:
        yield
    finally:
        here.function_call_options = before
