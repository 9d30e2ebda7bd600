"""The threads of the libraries for linear algebra that NumPy and SciPy call."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Products and decompositions on one thread each; a context, or with `()` a decorator.

    Measured with OpenBLAS: its own threads make those of some hundred units a little slower on idle
    cores and 10 to 400 times slower on busy ones, where they wait for each other. On one thread
    results do not depend on the number of cores, either.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    # SciPy brings a library of its own, which would be overlooked if it came later.
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()
