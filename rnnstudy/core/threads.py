"""Threads of the linear algebra libraries of NumPy and SciPy."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


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
