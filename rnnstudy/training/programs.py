"""Compiled programs whose memory is freed when nobody uses them.

XLA keeps an executable as long as the device that it was compiled for. In eager mode that is as
long as the process. So a program runs in a TensorFlow session, which has devices of its own.
"""

import functools
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import free_memory, program_settings

IDLE_PROGRAMS = 4
"""Programs without a user that are kept, since the next cohort is often of the same kind."""


class SessionProgram:
    """A function of arrays that is compiled for each set of shapes, in sessions of its own.

    Parameters
    ----------
    function
        Function of nested arrays that returns nested tensors, without variables. XLA programs may
        be part of it.

    Examples
    --------
    >>> program = SessionProgram(lambda pair: {"sum": pair[0] + pair[1]})  # doctest: +SKIP
    >>> program((np.ones(2), np.ones(2)))["sum"]  # doctest: +SKIP
    array([2., 2.])
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._lock = function, threading.Lock()
        self._compiled: dict[Any, _Compiled] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns, in NumPy arrays."""
        flat = [np.asarray(value) for value in tf.nest.flatten(arguments)]
        key = tuple((value.shape, value.dtype.str) for value in flat)
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = _compile(self._function, arguments, flat)
            compiled = self._compiled[key]
        outputs = compiled.run(*flat, *compiled.constants)
        return tf.nest.pack_sequence_as(compiled.structure, outputs)

    def close(self) -> None:
        """Close all sessions, which frees their memory."""
        with self._lock:
            compiled, self._compiled = self._compiled, {}
        for each in compiled.values():
            if each.session is not None:
                each.session.close()


class _Compiled(NamedTuple):
    """Session of a function for arrays of some shapes."""

    session: Any
    run: Callable[..., Any]
    """Function of flat arrays and constants."""
    constants: list[Any]
    """Constants of a user's cell or task, which are inputs of the graph."""
    structure: Any
    """Structure of the outputs."""


def _compile(function: Callable[..., Any], arguments: Any, flat: Sequence[Any]) -> _Compiled:
    specs = [tf.TensorSpec(value.shape, tf.as_dtype(value.dtype)) for value in flat]
    # A partial, since TensorFlow counts all closures of one function as retracings of it.
    traced = tf.function(functools.partial(function), autograph=False)
    graph = traced.get_concrete_function(*tf.nest.pack_sequence_as(arguments, specs))
    # Without the tensors, which would keep the whole graph.
    structure = tf.nest.map_structure(lambda _: None, graph.structured_outputs)
    if any(value.dtype == tf.resource for value in graph.captured_inputs):
        # Variables and tables of a user's task live in the process.
        return _Compiled(None, _eager(traced, arguments), [], structure)
    whole = tf.Graph()
    with whole.as_default():
        graph.add_to_graph(whole)
        fed = [tf.compat.v1.placeholder(value.dtype, value.shape) for value in graph.inputs]
        # One call, which TensorFlow compiles as in eager mode, so that results have the same bits.
        outputs = tf.raw_ops.StatefulPartitionedCall(
            args=fed,
            Tout=[value.dtype for value in graph.outputs],
            f=graph.name,
            config_proto=program_settings().SerializeToString(),
        )
    session = tf.compat.v1.Session(graph=whole, config=_session_settings())
    run = session.make_callable(list(outputs), feed_list=fed)
    constants = [value.numpy() for value in graph.captured_inputs]
    return _Compiled(session, run, constants, structure)


def _eager(traced: Callable[..., Any], arguments: Any) -> Callable[..., Any]:
    """Return a compiled function of flat arrays, whose memory the process keeps."""

    def run(*flat: Any) -> list[Any]:
        outputs = traced(*tf.nest.pack_sequence_as(arguments, flat))
        return [value.numpy() for value in tf.nest.flatten(outputs)]

    return run


def _session_settings() -> Any:
    """Return the settings of a session: those of the process, on the CPU alone."""
    settings = program_settings()
    settings.device_count["GPU"] = 0
    # The call must remain one.
    settings.graph_options.rewrite_options.disable_meta_optimizer = True
    return settings


@dataclass
class _Entry:
    program: SessionProgram
    users: int = 0


class ProgramPool:
    """Programs by key, shared by threads. Of those without a user the last few are kept.

    Parameters
    ----------
    idle
        Number of programs without a user that are kept.
    """

    def __init__(self, idle: int = IDLE_PROGRAMS) -> None:
        self._idle, self._lock = idle, threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Drop all programs without a user."""
        with self._lock:
            unused = [at for at, each in self._entries.items() if not each.users]
            freed = [self._entries.pop(at) for at in unused]
        for each in freed:
            each.program.close()
        free_memory()

    @contextmanager
    def use(self, key: Hashable, function: Callable[..., Any]) -> Iterator[SessionProgram]:
        """Return the program under a key for as long as the context is open.

        Parameters
        ----------
        key
            What decides the program: one function for each key.
        function
            The function that is compiled if there is no program.
        """
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry(SessionProgram(function))
            entry.users += 1
            self._entries[key] = entry  # the last to be freed
        try:
            yield entry.program
        finally:
            with self._lock:
                entry.users -= 1
                unused = [at for at, each in self._entries.items() if not each.users]
                freed = [self._entries.pop(at) for at in unused[: max(len(unused) - self._idle, 0)]]
            for each in freed:
                each.program.close()
            if freed:
                free_memory()


PROGRAMS = ProgramPool()
"""Programs of this process."""
