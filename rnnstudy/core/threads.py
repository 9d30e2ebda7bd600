"""Cores for the threads of this process, and threads of the linear algebra of NumPy and SciPy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


def available_cores() -> int:
    """Return the number of cores that this process may use.

    Examples
    --------
    >>> from rnnstudy.core.threads import available_cores
    >>> 1 <= available_cores()
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Run linear algebra on one thread, in this context or, with `()`, as a decorator.

    For matrices of some hundred units the threads of OpenBLAS wait for each other, most of all on
    busy cores. On one thread results do not depend on the number of cores.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    # SciPy has its own library, which must be loaded before the controller.
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()
