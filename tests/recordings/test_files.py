"""Recordings in files, and one sentence for each kind of bad file."""

import re
import sys

import numpy as np
import pytest
import xarray
from recordings_made import recording_of, signals

from rnnstudy.recordings.files import read_recording, read_recording_bytes
from rnnstudy.recordings.nwb import NWBOptions

TIMES = 20.0 * np.arange(30)


@pytest.fixture(scope="module")
def recording():
    inputs = np.tile(signals(seed=3), (6, 1, 1))
    return recording_of(signals(), time=TIMES, inputs=inputs, name="ape")


def dataset(recording, **changes):
    variables = {
        "activity": (("neuron", "trial", "time"), np.moveaxis(recording.activity, -1, 0)),
        "inputs": (("trial", "time", "input"), recording.inputs),
        "condition": ("trial", recording.fields["condition"]),
        "side": ("trial", np.where(recording.fields["condition"] > 1, "left", "right")),
        "depth": ("neuron", np.arange(12)),
    }
    time = {"time": ("time", recording.time / 1000.0, {"units": "s"})}
    return xarray.Dataset({**variables, **changes}, time)


def same(first, second):
    for name in ("activity", "time", "inputs"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-12)
    return first.unit == second.unit


def test_an_archive_of_numpy_is_read(recording, tmp_path):
    parts = {**recording.fields, "activity": recording.activity, "inputs": recording.inputs}
    np.savez_compressed(tmp_path / "ape.npz", time=TIMES, time_unit="ms", **parts)
    read = read_recording(tmp_path / "ape.npz")
    assert same(read, recording)
    assert read.name == "ape"
    np.testing.assert_array_equal(read.fields["condition"], recording.fields["condition"])


@pytest.mark.parametrize(("engine", "form"), [("scipy", "NETCDF3_64BIT"), ("h5netcdf", "NETCDF4")])
def test_a_netcdf_file_is_read_with_its_dimensions_in_any_order(recording, tmp_path, engine, form):
    pytest.importorskip(engine)
    dataset(recording).to_netcdf(tmp_path / "a.nc", engine=engine, format=form)
    read = read_recording(tmp_path / "a.nc", name="ape")
    assert same(read, recording)
    assert sorted(read.fields) == ["condition", "side"]
    assert read.fields["side"][:4].tolist() == ["right", "right", "left", "left"]


def written(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"rates": np.ones((2, 3, 1))},
            "it must hold 'activity' [trial, time, neuron], got 'rates'",
        ),
        ({"activity": np.ones((2, 3))}, "activity must be [trial, time, neuron], got shape (2, 3)"),
        (
            {"activity": np.ones((2, 3, 1)), "side": np.array(["a", None], object)},
            "the array 'side' must hold numbers or texts, got Python objects",
        ),
        (
            {"activity": np.ones((2, 3, 1)), "depth": np.ones(5)},
            "'depth' must have one value for each of 2 trials, got shape (5,)",
        ),
        (
            {"activity": np.ones((2, 3, 1)), "time": np.arange(3)},
            "the unit of 'time' must be ms, s, step, got none",
        ),
        (
            {"activity": np.ones((2, 3, 1)), "time": np.arange(3), "time_unit": "hours"},
            "got hours. Write 'time_unit'",
        ),
    ],
)
def test_a_wrong_array_of_a_file_is_named_after_the_file(tmp_path, arrays, sentence):
    with pytest.raises(ValueError, match=r"^a\.npz: .*" + re.escape(sentence)):
        read_recording(written(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.npz", b"nothing", "it must be an archive of numpy.savez, got one that is damaged"),
        ("a.nc", b"nothing", "it must be a NetCDF file, got other content"),
        ("a.nc", b"CDF\x01nothing", "that xarray can read, got one that is damaged"),
        ("a.csv", b"1,2", "it must end in .npz, .nc, .nwb"),
    ],
)
def test_other_content_is_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)}: .*{re.escape(sentence)}"):
        read_recording(tmp_path / name)


def test_paths_without_a_file_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"a\.nc: it must exist, got no file .*Check the path"):
        read_recording(tmp_path / "a.nc")
    with pytest.raises(ValueError, match="it must be a file, got a folder"):
        read_recording(tmp_path)


def test_a_file_must_be_as_it_was(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"new")
    with pytest.raises(ValueError, match="got other content"):
        read_recording_bytes(tmp_path / "a.nc", "0" * 64)


def test_wrong_dimensions_of_a_netcdf_file_are_named(recording, tmp_path):
    data = dataset(recording).rename(neuron="unit")
    data.to_netcdf(tmp_path / "a.nc", engine="scipy")
    with pytest.raises(ValueError, match="must have the dimensions trial, time, neuron, got unit"):
        read_recording(tmp_path / "a.nc")


def test_nwb_files_need_pynwb(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    (tmp_path / "a.nwb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"pynwb must be installed.*pip install 'rnnstudy\[nwb\]'"):
        read_recording(tmp_path / "a.nwb")


def test_options_of_nwb_are_for_nwb_files(tmp_path):
    path = written(tmp_path / "a.npz", activity=np.ones((2, 3, 1)))
    with pytest.raises(ValueError, match="it must be an NWB file to take an event"):
        read_recording(path, nwb=NWBOptions())


def test_a_window_of_nwb_holds_bins():
    assert NWBOptions(start=-100.0, stop=100.0, bin="0.05s").edges.tolist() == [
        -100.0, -50.0, 0.0, 50.0, 100.0,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="must hold at least 2 bins of 20 ms"):
        NWBOptions(stop=30.0)
