"""Arrays of an archive in memory."""

import io
import zipfile

import numpy as np
import pytest

from rnnstudy.core.files.npz import read_npz

ARRAYS = {
    "matrix": np.arange(6.0).reshape(2, 3),
    "a/nested name": np.float32([1, np.nan, np.inf]),
    "columns": np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
    "scalar": np.array(3),
    "empty": np.zeros((0, 4), complex),
    "flags": np.array([True, False]),
    "text": np.array(["gru", "vanilla"]),
    "swapped": np.arange(3, dtype=">f8"),
}


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_arrays_are_those_of_numpy():
    content = archive(**ARRAYS)
    with np.load(io.BytesIO(content), allow_pickle=False) as expected:
        found = read_npz(content)
        assert list(found) == list(expected)
        for name in expected:
            assert found[name].dtype == expected[name].dtype
            assert found[name].shape == expected[name].shape
            assert found[name].flags["F_CONTIGUOUS"] == expected[name].flags["F_CONTIGUOUS"]
            np.testing.assert_array_equal(found[name], expected[name])


def test_arrays_can_be_changed_and_keep_no_archive():
    found = read_npz(archive(weights=np.zeros(3)))["weights"]
    found[0] = 1.0
    assert found.base is None
    assert found.flags.writeable


def test_python_objects_are_refused():
    with pytest.raises(ValueError, match="Python objects"):
        read_npz(archive(objects=np.array([{}], object)))


def test_compressed_archives_are_refused():
    file = io.BytesIO()
    np.savez_compressed(file, zeros=np.zeros(1000))
    with pytest.raises(ValueError, match="without compression"):
        read_npz(file.getvalue())


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(100)])
def test_other_files_are_refused(content):
    with pytest.raises(ValueError, match="whole zip archive"):
        read_npz(content)


def test_a_shape_beyond_the_archive_is_refused():
    content = archive(weights=np.zeros(100_000))
    for claimed in (b"(900000,)", b"(-10000,)"):
        with pytest.raises(ValueError, match=r"must have|must be"):
            read_npz(content.replace(b"(100000,)", claimed))


def test_any_damage_gives_a_value_error_or_arrays():
    content = archive(**ARRAYS)
    source = np.random.default_rng(0)
    for _ in range(2000):
        damaged = bytearray(content)
        for at in source.integers(0, len(content), source.integers(1, 4)):
            damaged[at] = source.integers(256)
        cut = bytes(damaged[: source.integers(1, len(content) + 1)])
        for attempt in (bytes(damaged), cut):
            try:
                read_npz(attempt)
            except ValueError:
                continue


def test_parts_that_are_no_arrays_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("weights.npy", b"not an array, but long enough for a header")
    with pytest.raises(ValueError, match="magic"):
        read_npz(file.getvalue())
