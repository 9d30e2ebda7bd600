"""Stores of earlier formats: their results are found and read, and new ones join them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from resealed import reseal

import rnnstudy
from rnnstudy.cells.gru import GRU
from rnnstudy.comparison.distances.tiles import DistanceTile
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord, NewerRecord, UnreadableRecord
from rnnstudy.study.plan.outcomes import NetworkOutcome, network_outcome
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.store import FORMAT_FILE, Store, StoreSnapshot
from rnnstudy.study.upkeep.verify import verify
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import TrainedNetworks

FORMAT_2 = Path(__file__).parent / "stores" / "format_2"
"""A store that the version before format 3 wrote: a network, its outcome and a checkpoint."""

COURSE = "course-0123456789abcdef0123456789abcdef-000000007"


def network() -> TrainedNetworkSpec:
    training = Training(steps=2, record_every=1, batch=2)
    return TrainedNetworkSpec(task=FlipFlop(bits=2), cell=GRU(units=2), training=training, seed=5)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FORMAT_2, tmp_path / "store"))


def test_addresses_are_those_of_format_2() -> None:
    assert network().key() == "a6e1205e223ef57a3608b12186ce425d132266c1"
    assert network().key("outcome") == "8433ea4e48bdaaa6bd5eedff9f9bb48873c3a383"


@pytest.mark.parametrize("repairing", [False, True])
def test_a_store_of_format_2_is_read_where_it_is(earlier: Path, repairing: bool) -> None:
    before = {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()}
    for store in (Store(earlier, repairing=repairing), StoreSnapshot(Store(earlier))):
        key = network().key()
        assert store.has(key)
        trained = store.read(key, TrainedNetworks)
        assert trained.population.cell == network().cell
        outcome = network_outcome(store, network())
        assert outcome is not None
        assert outcome.loss == pytest.approx(trained.evaluation_loss[0])
        assert sorted(store.keys()) == sorted([key, network().key("outcome"), COURSE])
        assert list(store.keys("course-0123")) == [COURSE]
    assert {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()} == before


def test_verify_counts_records_that_are_not_bound_to_an_address(earlier: Path) -> None:
    spec = {"study": "earlier", "tasks": ["flip_flop"], "networks": {"cells": "gru", "units": 2}}
    result = verify(Run(earlier.parent, study_of(spec), Store(earlier)))
    assert sorted(result.unbound) == sorted([network().key(), network().key("outcome")])
    # The checkpoint of the store is a record of another class.
    assert "must hold a TrainingState, got a DistanceTile" in result.problems[0]
    assert "members.csv cannot be read" in result.problems[1]
    assert len(result.problems) == 2


def test_new_records_join_a_store_of_format_2(earlier: Path) -> None:
    store = Store(earlier)
    tile = DistanceTile(np.eye(3))
    store.write("abcdef", tile)
    assert store.folder("abcdef") == earlier / "ab" / "abcdef"
    assert (earlier / FORMAT_FILE).read_text() == f"3\nrnnstudy {rnnstudy.__version__}\n"
    for reader in (store, Store(earlier)):
        np.testing.assert_array_equal(reader.read("abcdef", DistanceTile).values, tile.values)
        assert reader.read(network().key("outcome"), NetworkOutcome).steps == 2
        assert len(list(reader.keys())) == 4
    store.remove(COURSE)
    assert list(store.keys("course-")) == []


def test_a_damaged_record_of_format_2_is_set_aside_by_a_run(earlier: Path) -> None:
    key = network().key()
    path = earlier / key / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedRecord, match="checksum"):
        Store(earlier).read(key, TrainedNetworks)
    assert Store(earlier).has(key)
    with pytest.raises(DamagedRecord, match="checksum"):
        Store(earlier, repairing=True).read(key, TrainedNetworks)
    assert not Store(earlier).has(key)
    assert [path.name[:40] for path in (earlier / ".damaged").iterdir()] == [key]


def test_a_newer_store_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("abcdef", DistanceTile(np.eye(2)))
    (tmp_path / FORMAT_FILE).write_text("4\nrnnstudy 9.9\n")
    for action in (
        Store(tmp_path).refuse_unusable,
        lambda: Store(tmp_path).write("bcdef", DistanceTile(np.eye(2))),
    ):
        with pytest.raises(NewerRecord, match=r"of format 4, which rnnstudy 9.9 wrote"):
            action()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ab", "format"]


def test_a_newer_record_is_neither_missing_nor_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path, repairing=True)
    store.write("abcdef", DistanceTile(np.eye(2)))
    reseal(store.folder("abcdef"), lambda meta: meta.update(format=4, rnnstudy="9.9"))
    before = (store.folder("abcdef") / "meta.json").read_bytes()
    for action in (
        lambda: store.has("abcdef"),
        lambda: store.read("abcdef", DistanceTile),
        lambda: store.write("abcdef", DistanceTile(np.eye(3))),
    ):
        with pytest.raises(NewerRecord, match=r"rnnstudy 9.9 wrote"):
            action()
    assert (store.folder("abcdef") / "meta.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ab", "format"]


def test_an_absent_store_an_unreadable_one_and_a_file_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "absent").refuse_unusable(may_be_absent=True)
    with pytest.raises(AbsentRecord, match="is its disk mounted"):
        Store(tmp_path / "absent").refuse_unusable()
    (tmp_path / "file").write_text("")
    with pytest.raises(DamagedRecord, match="must be the folder of a store, got a file"):
        Store(tmp_path / "file").refuse_unusable()

    def deny(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    store = Store(tmp_path)
    store.write("abcdef", DistanceTile(np.eye(2)))
    monkeypatch.setattr("rnnstudy.study.store.os.listdir", deny)
    with pytest.raises(UnreadableRecord, match="cannot be read: permission denied"):
        store.refuse_unusable()
    monkeypatch.setattr("rnnstudy.study.store.os.scandir", deny)
    with pytest.raises(UnreadableRecord, match="cannot be read: permission denied"):
        list(Store(tmp_path).keys())
