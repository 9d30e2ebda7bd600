"""Datasets and NetCDF files of records: coordinates, units, complex numbers, and the way back."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array, arrays


@dataclass(frozen=True, eq=False)
class Spectrum(Record):
    name: str
    is_stable: bool
    value: Array = array("member", "mode")
    trace: Array = array("member", "time")
    found: Array = array("member")
    left: dict[str, Array] = arrays("member")


def spectrum() -> Spectrum:
    value = np.array([[1 + 2j, np.nan, 3.0], [0.5j, -1.0, np.inf]])
    trace = np.arange(8, dtype=np.float32).reshape(2, 4)
    return Spectrum("a", True, value, trace, np.array([True, False]), {"x": np.ones((2, 5))})


def test_axes_have_coordinates_with_names_and_units() -> None:
    data = spectrum().to_xarray({"member": ["gru 0", "gru 1"]}, dt=0.02)
    assert data["member"].values.tolist() == ["gru 0", "gru 1"]
    assert data["time"].values.tolist() == pytest.approx([0.0, 0.02, 0.04, 0.06])
    assert data["time"].attrs == {"long_name": "time", "units": "s"}
    assert data["trace"].sel(member="gru 1").sel(time=0.04, method="nearest") == 6.0
    steps = spectrum().to_xarray()
    assert steps["time"].attrs == {"long_name": "time step", "units": "1"}
    assert steps["member"].values.tolist() == [0, 1]
    assert steps.attrs == {"record": "Spectrum", "name": "a", "is_stable": 1}
    assert "left.x_1" not in steps.coords


def test_labels_of_a_record_are_its_coordinates() -> None:
    data = Distances(("a", "b"), np.array([[0.0, 2.0], [2.0, 0.0]])).to_xarray()
    assert data["values"].sel(item="a", item_2="b").item() == 2.0
    assert "labels" not in data.attrs


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"trial": [0]}, r"axes of the record \(member, mode, time\), got 'trial'"),
        (
            {"member": ["a"]},
            "coordinates of 'member' must be 2 texts or numbers, got 1 of type <U1",
        ),
        (
            {"member": [None, 1]},
            "coordinates of 'member' must be 2 texts or numbers, got 2 of type o",
        ),
    ],
)
def test_wrong_coordinates_are_refused(labels: dict[str, list], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spectrum().to_xarray(labels)


def test_a_netcdf_file_gives_the_dataset_back(tmp_path: Path) -> None:
    pytest.importorskip("h5netcdf")
    path = spectrum().to_netcdf(tmp_path / "new" / "a.nc", {"member": ["a", "b"]}, dt=0.1)
    assert [each.name for each in path.parent.iterdir()] == ["a.nc"]
    with xarray.open_dataset(path) as data:
        assert data.identical(spectrum().to_xarray({"member": ["a", "b"]}, dt=0.1))
        assert data["value"].dtype == np.complex128
        np.testing.assert_array_equal(data["value"], spectrum().value)
        assert data["found"].dtype == bool


def test_complex_numbers_are_compounds_of_two_parts(tmp_path: Path) -> None:
    pytest.importorskip("h5netcdf")
    import h5py

    with h5py.File(spectrum().to_netcdf(tmp_path / "a.nc")) as file:
        kind = file["value"].id.get_type()
        assert [kind.get_member_name(i) for i in range(kind.get_nmembers())] == [b"r", b"i"]


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    with pytest.raises(ImportError, match=r"need h5netcdf\. Install rnnstudy\[netcdf\]"):
        spectrum().to_netcdf(tmp_path / "a.nc")
