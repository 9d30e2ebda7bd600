"""Data files: numbers are read back from the bytes alone, and equal contents are equal bytes."""

import base64
import re
import zlib
from typing import Any

import numpy as np
import pytest
from packed import read_back

from rnnstudy.report.explorer.packing import Coarse, pack, script_text


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([0, 255]), "u1"),
        (np.array([-1, 5]), "i1"),
        (np.array([0, 256]), "u2"),
        (np.array([-40_000, 1]), "i4"),
        (np.array([2**40]), "f8"),
        (np.array([True, False]), "u1"),
        (np.array([0.5, np.nan]), "f4"),
        (np.array([float(2**30 + 1)]), "f8"),
        (np.zeros((0, 3)), "f4"),
    ],
)
def test_arrays_take_the_smallest_type_that_keeps_them(values: np.ndarray, kind: str) -> None:
    back = read_back(pack({"deep": [values]}))["deep"][0]
    assert back.dtype == np.dtype(kind)
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize("bits", [8, 16])
def test_coarse_numbers_are_right_to_half_a_step(bits: Any) -> None:
    values = np.random.default_rng(0).normal(size=(7, 11))
    values[2, 3], values[0, 0] = np.nan, np.inf
    back = read_back(pack(Coarse(values, bits)))
    finite = np.isfinite(values)
    assert np.isnan(back[~finite]).all()
    # 2^bits - 1 codes for numbers leave 2^bits - 2 steps between the ends.
    step = np.ptp(values[finite]) / (2**bits - 2)
    assert np.abs(back - values)[finite].max() <= step / 2 * (1 + 1e-9)


def test_equal_and_empty_coarse_numbers_are_kept() -> None:
    packed = pack(Coarse(np.full(3, 0.25)))
    np.testing.assert_array_equal(read_back(packed), [0.25] * 3)
    # A reader takes the largest number from the step: that of equal numbers is one of them.
    assert b'"low":0.25,"step":0.0' in zlib.decompress(packed)
    assert read_back(pack(Coarse(np.zeros((0, 2))))).shape == (0, 2)


def test_plain_values_are_json_and_what_is_not_finite_is_null() -> None:
    content = {"name": "ä</script>", "none": None, "nan": float("nan"), "number": np.float64(0.5)}
    assert read_back(pack(content)) == {**content, "nan": None, "number": 0.5}


def test_a_script_has_the_content_in_letters_that_end_no_script() -> None:
    content = {"text": "</script>", "values": np.arange(5)}
    text = script_text("networks/3", content)
    found = re.fullmatch(r'rnnstudyData\("networks/3", "([A-Za-z0-9+/=]+)"\);\n', text)
    assert found is not None
    assert read_back(base64.b64decode(found[1]))["text"] == "</script>"
    assert script_text("networks/3", content) == text
