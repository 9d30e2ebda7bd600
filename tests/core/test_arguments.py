"""Arrays as users give them, and what is none."""

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.core.arguments import as_float_array


@pytest.mark.parametrize(
    "given", [[[1, 2]], np.array([[1, 2]], np.int8), tf.constant([[1.0, 2.0]]), ((1, 2.0),)]
)
def test_whatever_holds_numbers_is_taken(given):
    found = as_float_array("inputs", given)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("zero", "inputs must be an array of real numbers, got 'zero'"),
        ([[1, 2], [3]], r"inputs must be an array of real numbers, got \[\[1, 2\], \[3\]\]"),
        (np.zeros(2, complex), "got an array of type complex128"),
        (np.array(["a"]), "got an array of type <U1"),
        ([0.0, np.nan], "inputs must be finite"),
        ([object()] * 9, "got a list"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        as_float_array("inputs", given)


def test_states_that_exploded_are_an_outcome_not_a_mistake():
    assert np.isnan(as_float_array("starts", [np.nan], finite=False)).all()
