"""Tags: classes may move to other modules, and results stay where they are and can be read."""

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import rnnstudy
from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.cells.gru import GRU
from rnnstudy.core import format_1, tags
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Address, Component, Entry
from rnnstudy.core.record import Record, array
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.store import DAMAGED, FORMAT_FILE, Store
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import TrainedNetworks

KEY = "0123456789abcdef"

EXTRAS = {"dask", "dask_jobqueue", "distributed"}
"""Packages of `rnnstudy[cluster]`; without them its modules cannot be imported."""

SETTINGS = {
    "BatchCluster",
    "Change",
    "Content",
    "Model",
    "NamedProtocol",
    "Networks",
    "Override",
    "Report",
    "Runtime",
    "Study",
}
"""Parts of a spec that enter no address."""

EXTRAS = {"dask", "dask_jobqueue", "distributed"}
"""Packages that only `rnnstudy[cluster]` brings; without them its modules cannot be imported."""


@dataclass(frozen=True, eq=False)
class Heights(Record):
    values: Array = array("sample")


def _classes(base: type) -> Iterator[type]:
    """Yield the package's concrete classes, without those that tests of examples define."""
    importlib.import_module("keras")  # Its import registers cells, which no module may be part of.
    for module in pkgutil.walk_packages(rnnstudy.__path__, "rnnstudy."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in EXTRAS:
                    raise
    pending = [base]
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if not cls.__module__.startswith("rnnstudy.") or inspect.isabstract(cls):
            continue
        if getattr(sys.modules[cls.__module__], cls.__name__, None) is cls:
            yield cls


def test_every_class_that_enters_a_store_has_a_tag_that_is_not_a_path() -> None:
    bases = {cls for base in (Component, Record) for cls in _classes(base) if cls.__subclasses__()}
    for base in (Component, Record):
        for cls in set(_classes(base)) - bases:
            if cls.__name__.strip("_") not in SETTINGS:
                assert tags.tag_of(cls) != tags.class_path(cls), "add it to rnnstudy/core/tags.py"


@pytest.mark.parametrize("tag", [*tags.CLASSES, *format_1.PATHS])
def test_every_tag_leads_to_its_class_and_back(tag: str) -> None:
    assert tags.tag_of(tags.class_of(tag)) == tag


def test_a_users_class_has_its_path_as_its_tag_even_if_it_takes_a_kind_of_ours() -> None:
    class Mine(GRU):
        kind = "gru"

    class Heir(GRU):
        pass

    assert tags.tag_of(GRU) == "cell:gru"
    assert tags.tag_of(Mine).endswith(":test_a_users_class_has_its_path_as_its_tag_even_if_it_takes"
                                      "_a_kind_of_ours.<locals>.Mine")  # fmt: skip
    assert tags.tag_of(Heir) == tags.class_path(Heir)
    assert issubclass(Heir, Entry)


# A record's module moves


def _moved(monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
    """Give Heights the tag, as if it stood in another module from then on."""
    module = ModuleType("rnnstudy.somewhere_else")
    module.Heights = Heights  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(Heights, "__module__", module.__name__)
    path = f"{module.__name__}:Heights"
    monkeypatch.setitem(tags.CLASSES, tag, path)
    monkeypatch.setitem(tags._TAGS, path, tag)


def test_a_record_is_read_after_its_module_has_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    monkeypatch.setitem(tags._TAGS, tags.class_path(Heights), "heights")
    store.write(KEY, Heights(np.arange(5.0)))
    assert json.loads((store.folder(KEY) / "meta.json").read_text())["tag"] == "heights"
    with monkeypatch.context() as patch:
        _moved(patch, "heights")
        np.testing.assert_array_equal(store.read(KEY, Heights).values, np.arange(5.0))
        np.testing.assert_array_equal(store.read(KEY, Record).values, np.arange(5.0))


def test_writing_replaces_a_record_that_cannot_be_loaded_and_keeps_it_aside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(KEY, Heights(np.arange(5.0)))
    meta = store.folder(KEY) / "meta.json"
    meta.write_text(meta.read_text().replace("Heights", "Depths"))
    assert store.has(KEY)
    with pytest.raises(CorruptRecord, match="does not match its checksum"):
        store.read(KEY, Heights)
    assert store.has(KEY), "reading leaves it alone"
    store.write(KEY, Heights(np.arange(3.0)))
    np.testing.assert_array_equal(store.read(KEY, Heights).values, np.arange(3.0))
    (aside,) = (tmp_path / DAMAGED).iterdir()
    assert "Depths" in (aside / "meta.json").read_text()


# Format 1


def _network() -> TrainedNetworkSpec:
    training = Training(steps=3, record_every=7)
    return TrainedNetworkSpec(task=FlipFlop(bits=2), cell=GRU(units=4), training=training, seed=5)


def test_addresses_of_format_1_are_those_that_the_previous_version_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The literals were printed by the version that wrote format 1, with version 2 of `Topology`.

    What that version computed is what has these addresses now.
    """
    monkeypatch.setattr(Topology, "version", 2)
    address = _network().key()
    assert address.in_format_1 == "af8cb4ffa205a8001ea498041f0f460172632bcb"
    below = Topology().key(address, "x")
    assert below.in_format_1 == "7a0eae656975d585337fc2a15c520a32c26e087d"
    assert address != address.in_format_1


def _as_format_1(folder: Path) -> None:
    """Rewrite a description with the class paths of format 1."""

    def earlier(value: object) -> object:
        if isinstance(value, dict):
            new = {"format", "rnnstudy", "address", "checksum"}
            renamed = {name: earlier(part) for name, part in value.items() if name not in new}
            if "tag" in renamed:
                tag = renamed.pop("tag")
                names = format_1.FIELDS.get(tag, {})
                renamed["fields"] = {names.get(n, n): v for n, v in renamed["fields"].items()}
                renamed = {"class": format_1.path_of(tag), **renamed}
            return renamed
        return value

    meta = folder / "meta.json"
    meta.write_text(json.dumps(earlier(json.loads(meta.read_text()))))


def test_a_store_of_format_1_is_read(tmp_path: Path) -> None:
    from rnnstudy.training.train import train

    network = _network()
    trained = train(network.cell, network.task, [network.training], [network.seed])
    place = tmp_path / network.key().in_format_1
    trained.save(place)
    _as_format_1(place)
    assert "rnnstudy.population.training:Trained" in (place / "meta.json").read_text()
    store = Store(tmp_path)
    assert store.has(network.key())
    read = store.read(network.key(), TrainedNetworks)
    np.testing.assert_array_equal(read.loss, trained.loss)
    assert read.population.cell == network.cell


def test_a_new_store_has_nothing_of_format_1_and_says_its_format(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    address = _network().key()
    store.write(KEY, Heights(np.arange(5.0)))
    assert (store.root / FORMAT_FILE).read_text() == f"3\nrnnstudy {rnnstudy.__version__}\n"
    Heights(np.arange(5.0)).save(store.root / address.in_format_1)
    assert not Store(store.root).has(address)
    assert isinstance(address, Address)
