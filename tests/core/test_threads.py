"""Threads of linear algebra: one inside, and as many as before afterwards."""

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_info

from rnnstudy.core.threads import one_thread


def threads():
    assert scipy.linalg.eigvals(np.eye(2)).shape == (2,)
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_every_library_has_one_thread_inside_and_its_own_afterwards():
    before = threads()
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before


def test_a_function_that_fails_gives_the_threads_back():
    @one_thread()
    def fails():
        assert set(threads()) == {1}
        raise ValueError("on purpose")

    before = threads()
    with pytest.raises(ValueError, match="on purpose"):
        fails()
    assert threads() == before
