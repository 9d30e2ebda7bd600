"""Programs in sessions of their own: same numbers as in the process, and freed after use."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.training.programs import ProgramPool, SessionProgram


def sums(pair, scale):
    """The sums of two arrays, by XLA, and the larger of each two numbers."""
    add = tf.function(lambda a, b: scale * (a + b), jit_compile=True, autograph=False)
    return {"sum": add(*pair), "larger": tf.maximum(*pair)}


PAIR = (np.array([1.0, 2.0], np.float32), np.array([3.0, 1.0], np.float32))


def test_a_program_returns_nested_arrays_for_each_set_of_shapes():
    program = SessionProgram(sums)
    for copies in (1, 2, 1):
        pair = tuple(np.tile(part, (copies, 1)) for part in PAIR)
        values = program(pair, np.float32(2.0))
        assert {type(value) for value in values.values()} == {np.ndarray}
        np.testing.assert_array_equal(values["sum"], np.tile([8.0, 6.0], (copies, 1)))
        np.testing.assert_array_equal(values["larger"], np.tile([3.0, 2.0], (copies, 1)))
    program.close()


def test_constants_and_variables_of_users_are_inputs():
    constant = tf.constant([1.0, 5.0])
    program = SessionProgram(lambda x: x + constant)
    np.testing.assert_array_equal(program(np.zeros(2, np.float32)), [1.0, 5.0])
    variable = tf.Variable(2.0)
    program = SessionProgram(lambda x: x * variable)
    np.testing.assert_array_equal(program(np.ones(2, np.float32)), [2.0, 2.0])
    program.close()


def test_a_closed_program_can_be_used_again():
    program = SessionProgram(lambda x: x + 1.0)
    for _ in range(2):
        assert program(np.float32(1.0)) == 2.0
        program.close()


def add(pool, number):
    with pool.use(number, lambda x: x + number) as program:
        assert program(np.float32(1.0)) == 1.0 + number
        return program


def test_the_last_programs_without_a_user_are_kept():
    pool = ProgramPool(idle=2)
    first = add(pool, 0)
    assert add(pool, 0) is first
    for number in (1, 2, 3):
        add(pool, number)
        assert len(pool) <= 2
    assert add(pool, 0) is not first
    pool.clear()
    assert len(pool) == 0


def test_a_program_in_use_is_not_freed():
    pool = ProgramPool(idle=0)
    with pool.use("held", lambda x: 2.0 * x) as program:
        add(pool, 1)
        pool.clear()
        assert len(pool) == 1
        with pool.use("held", lambda x: x) as same:
            assert same is program
        assert program(np.float32(3.0)) == 6.0
    assert len(pool) == 0


def test_an_error_leaves_the_pool_usable():
    pool = ProgramPool(idle=0)
    with pytest.raises(ZeroDivisionError, match="division"), pool.use("a", lambda x: x):
        1 / 0  # noqa: B018
    assert len(pool) == 0


def test_threads_share_a_program():
    pool, results = ProgramPool(idle=0), []
    barrier = threading.Barrier(3)

    def work():
        with pool.use("shared", lambda x: x + 1.0) as program:
            barrier.wait()
            results.append((program, float(program(np.float32(1.0)))))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(program) for program, _ in results}) == 1
    assert [value for _, value in results] == [2.0] * 3
    assert len(pool) == 0
