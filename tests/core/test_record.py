"""Records: axes that agree, selecting and joining, folders that give back what they were given."""

import json
import pickle
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from resealed import reseal, sealed

from rnnstudy.core.component import Component, Entry
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.core.storage.errors import AbsentRecord, CorruptRecord, DamagedRecord, NewerRecord
from rnnstudy.core.storage.meta import ZEROS


class Recipe(Component):
    share: float = 0.5
    sizes: tuple[int, ...] = ()


class Kind(Entry):
    kind: ClassVar[str] = "some_kind"
    rate: float = 1.0


@dataclass(frozen=True, eq=False)
class Part(Record):
    weights: dict[str, np.ndarray] = arrays("member")
    bias: np.ndarray = array("member", "unit")


@dataclass(frozen=True, eq=False)
class Whole(Record):
    part: Part
    recipe: Component
    loss: np.ndarray = array("member", "time")
    step: np.ndarray = array("time")
    label: str = ""
    notes: Any = None


@dataclass(frozen=True, eq=False)
class Linear(Record):
    jacobian: np.ndarray = array("point", "unit", "unit")
    eigenvalues: np.ndarray = array("point", "mode")
    left: dict[str, np.ndarray] = arrays("point", "unit")


def whole(members=3, times=4, label="", notes=None):
    """A record whose every number differs."""
    count = iter(range(100_000))

    def filled(*shape):
        return np.array([next(count) for _ in range(int(np.prod(shape)))], float).reshape(shape)

    weights = {"kernel": filled(members, 2, 5), "scale": filled(members)}
    part = Part(weights=weights, bias=filled(members, 2))
    loss, step = filled(members, times), np.arange(times)
    return Whole(part, Recipe(sizes=(1, 2)), loss=loss, step=step, label=label, notes=notes)


def test_it_says_its_name_and_sizes_and_leaves_out_the_numbers():
    assert repr(whole()) == "Whole: 3 member, 4 time"


def linear(points=4, units=3):
    rng = np.random.default_rng(0)
    jacobian = rng.standard_normal((points, units, units))
    left = {"a": rng.standard_normal((points, units, 2)), "b": rng.standard_normal((points, units))}
    return Linear(jacobian, np.linalg.eigvals(jacobian), left)


def same(first, second):
    assert type(first) is type(second)
    for name in first.__dataclass_fields__:
        a, b = getattr(first, name), getattr(second, name)
        if isinstance(a, Record):
            same(a, b)
        elif isinstance(a, dict) and all(isinstance(v, np.ndarray) for v in a.values()):
            assert list(a) == list(b)
            for part in a:
                same_array(a[part], b[part])
        elif isinstance(a, np.ndarray):
            same_array(a, b)
        else:
            assert a == b


def same_array(a, b):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


# Axes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"loss": np.zeros((3, 5))},
            r"Whole.step must have length 5 along 'time' like loss, got 4",
        ),
        (
            {"loss": np.zeros(3)},
            r"Whole.loss must have axes \[member, time\], got shape \(3,\)",
        ),
        (
            {"step": np.zeros((4, 1))},
            r"Whole.step must have axes \[time\], got shape \(4, 1\)",
        ),
    ],
)
def test_an_array_of_the_wrong_shape_is_refused_by_name(change, message):
    good = whole()
    fields = {name: getattr(good, name) for name in good.__dataclass_fields__}
    with pytest.raises(ValueError, match=message):
        Whole(**{**fields, **change})


def test_an_array_of_a_dict_is_refused_by_its_name():
    with pytest.raises(
        ValueError, match=r"Part.bias must have length 3 along 'member' like weights.kernel, got 2"
    ):
        Part(weights={"kernel": np.zeros((3, 4))}, bias=np.zeros((2, 2)))
    with pytest.raises(
        ValueError, match=r"Part.weights.k must have axes \[member\], got shape \(\)"
    ):
        Part(weights={"k": np.array(0.0)}, bias=np.zeros((2, 2)))


def test_an_axis_that_stands_twice_must_be_square():
    with pytest.raises(
        ValueError, match=r"Linear.jacobian must have length 3 along 'unit' like jacobian, got 4"
    ):
        Linear(np.zeros((2, 3, 4)), np.zeros((2, 3)), {})


def test_size_finds_an_axis_and_says_when_there_is_none():
    assert (whole().size("member"), whole().size("time")) == (3, 4)
    with pytest.raises(KeyError, match="Whole has no axis 'mode'"):
        whole().size("mode")


def test_a_record_is_frozen():
    with pytest.raises(AttributeError, match="cannot assign to field 'loss'"):
        whole().loss = np.zeros(1)


# Selecting and joining


@pytest.mark.parametrize(
    "indices", [[2, 0], (1,), np.array([True, False, True]), range(2), [0, 0, 1], []]
)
def test_select_reaches_every_field_that_has_the_axis(indices):
    record, index = whole(), np.asarray(indices)
    index = index.astype(int) if index.size == 0 else index
    found = record.select("member", indices)
    same_array(found.loss, record.loss[index])
    same_array(found.part.bias, record.part.bias[index])
    same_array(found.part.weights["kernel"], record.part.weights["kernel"][index])
    same_array(found.part.weights["scale"], record.part.weights["scale"][index])
    same_array(found.step, record.step)
    assert (found.recipe, found.label) == (record.recipe, record.label)


def test_select_of_an_inner_axis():
    record = whole()
    found = record.select("time", [3, 1])
    same_array(found.loss, record.loss[:, [3, 1]])
    same_array(found.step, record.step[[3, 1]])
    same(found.part, record.part)


def test_select_of_an_axis_that_stands_twice_takes_rows_and_columns():
    record = linear()
    found = record.select("unit", [2, 0])
    same_array(found.jacobian, record.jacobian[:, [2, 0]][:, :, [2, 0]])
    same_array(found.left["a"], record.left["a"][:, [2, 0]])


def test_select_and_join_refuse_an_axis_that_no_field_has():
    with pytest.raises(KeyError, match="Whole has no axis 'mode'"):
        whole().select("mode", [0])
    with pytest.raises(KeyError, match="Whole has no axis 'members'"):
        Whole.join([whole(), whole()], "members")


def test_select_finds_an_axis_that_only_an_inner_record_has():
    found = whole().select("unit", [1])
    same_array(found.part.bias, whole().part.bias[:, [1]])


def test_join_of_no_records_is_refused():
    with pytest.raises(ValueError, match=r"Whole.join must have at least one record"):
        Whole.join([], "member")


def test_join_of_records_that_do_not_fit_is_refused():
    with pytest.raises(ValueError, match="must match exactly"):
        Whole.join([whole(times=4), whole(times=5)], "member")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), st.sampled_from(["member", "time"]))
def test_join_puts_back_together_what_select_took_apart(cuts, axis):
    record = whole(members=3, times=3)
    edges = [0, *sorted(cuts), 3]
    pieces = [record.select(axis, range(a, b)) for a, b in pairwise(edges)]
    same(type(record).join(pieces, axis), record)


@given(st.permutations(range(3)))
def test_selecting_a_permutation_and_its_inverse_changes_nothing(order):
    record = whole()
    same(record.select("member", order).select("member", np.argsort(order)), record)


# To a folder and back


@pytest.mark.parametrize("members", [3, 1, 0])
def test_a_folder_gives_back_the_record(tmp_path, members):
    record = whole(members, label="träge\n", notes=(1, None, 2.5, "x", True, {"a": (1, 2)}))
    record.save(tmp_path / "here")
    found = Whole.load(tmp_path / "here")
    same(found, record)
    assert type(found.recipe) is Recipe


def test_complex_and_text_arrays_are_kept(tmp_path):
    record = Part({"name": np.array(["a", "büß"]), "on": np.array([True, False])}, np.zeros((2, 0)))
    record.save(tmp_path)
    same(Part.load(tmp_path), record)
    record = linear()
    assert record.eigenvalues.dtype == complex
    record.save(tmp_path)
    same(Linear.load(tmp_path), record)


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.complex64, np.int64, np.bool_, "<U3", ">f8"]),
        st.tuples(st.just(2), st.integers(0, 3), st.integers(0, 2)),
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)
@settings(max_examples=60, deadline=None)
def test_any_array_and_any_plain_value_is_kept(tmp_path_factory, values, notes):
    folder = tmp_path_factory.mktemp("record")
    record = Whole(
        Part({"k/x": values}, np.zeros((2, 1))), Kind(rate=2.0),
        loss=np.zeros((2, 1)), step=np.zeros(1), notes=notes,
    )  # fmt: skip
    record.save(folder)
    same(Whole.load(folder), record)


def test_nan_and_infinity_are_kept_in_values_and_arrays(tmp_path):
    record = whole(notes=(float("inf"), float("nan")))
    record.loss[0, 0], record.loss[0, 1] = np.nan, -np.inf
    record.save(tmp_path)
    found = Whole.load(tmp_path)
    same_array(found.loss, record.loss)
    assert found.notes[0] == float("inf")
    assert np.isnan(found.notes[1])


def test_no_pickle_is_written_and_none_is_read(tmp_path):
    with pytest.raises(ValueError, match=r"Part.weights.k must be numbers, got Python objects"):
        Part({"k": np.array([None, {}], dtype=object)}, np.zeros((2, 1)))
    linear().save(tmp_path)
    with zipfile.ZipFile(tmp_path / "arrays.npz") as found:
        assert sorted(found.namelist()) == [
            "eigenvalues.npy", "jacobian.npy", "left/a.npy", "left/b.npy"
        ]  # fmt: skip


def test_saving_twice_writes_the_same_description(tmp_path):
    linear().save(tmp_path / "a")
    linear().save(tmp_path / "b")
    a, b = (json.loads((tmp_path / name / "meta.json").read_text()) for name in "ab")
    assert a == b


def flipped(folder):
    content = bytearray((folder / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "arrays.npz").write_bytes(content)


def edited(folder, old, new):
    text = (folder / "meta.json").read_text()
    assert old in text
    (folder / "meta.json").write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "arrays.npz").unlink(), "it has no arrays.npz"),
        (lambda f: (f / "meta.json").unlink(), "it has no meta.json"),
        (flipped, "arrays.npz does not match its checksum"),
        (lambda f: (f / "arrays.npz").write_bytes(b""), "does not match its checksum"),
        (lambda f: (f / "meta.json").write_text(""), "Expecting value"),
        (lambda f: (f / "meta.json").write_bytes(b"{\xff}"), "can't decode byte"),
        (lambda f: (f / "meta.json").write_text("[]"), "it must hold an object"),
        (lambda f: edited(f, '"fields"', '"gone"'), "meta.json does not match its checksum"),
        (lambda f: edited(f, '"share": 0.5', '"share": 0.6'), "does not match its checksum"),
        (lambda f: edited(f, '"format": 3', '"format": 2'), "does not match its checksum"),
        (lambda f: edited(f, ' "checksum"', '  "checksum"'), "does not match its checksum"),
        (lambda f: edited(f, "}\n", "}\r\n"), "does not end with its checksum"),
    ],
)
def test_a_changed_file_is_damaged(tmp_path, damage, message):
    whole().save(tmp_path)
    damage(tmp_path)
    with pytest.raises(DamagedRecord, match=message):
        Whole.load(tmp_path)


def test_an_absent_folder_is_no_damage(tmp_path):
    with pytest.raises(AbsentRecord, match="there is no record"):
        Whole.load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(tag=m["tag"].replace(":Whole", ":Hole")), "no attribute 'Hole'"),
        (lambda m: m["fields"].update(lost=m["fields"].pop("loss")), "lost"),
        (lambda m: m["fields"].update(extra={"value": 1}), "unexpected keyword argument 'extra'"),
        (lambda m: m["fields"]["recipe"]["component"]["fields"].update(share="x"), "valid number"),
        (lambda m: m["fields"].update(step={"array": "step", "x": 1}), "too many values"),
        (lambda m: m["fields"].update(label={}), "not enough values"),
    ],
)
def test_a_record_that_this_version_cannot_rebuild_is_not_damaged(tmp_path, change, message):
    whole().save(tmp_path)
    reseal(tmp_path, change)
    with pytest.raises(CorruptRecord, match=message) as raised:
        Whole.load(tmp_path)
    assert type(raised.value) is CorruptRecord
    reseal(tmp_path, lambda meta: meta.update(rnnstudy="9.9"))
    with pytest.raises(CorruptRecord, match=r"written by rnnstudy 9.9, read by "):
        Whole.load(tmp_path)


def test_a_newer_format_is_refused_with_the_version_that_wrote_it(tmp_path):
    whole().save(tmp_path)
    reseal(tmp_path, lambda meta: meta.update(format=4, rnnstudy="9.9"))
    with pytest.raises(NewerRecord, match=r"of format 4, which rnnstudy 9.9 wrote; this is rnn"):
        Whole.load(tmp_path)


@pytest.mark.parametrize(
    ("depth", "error", "message"),
    [(100_000, DamagedRecord, "nested less deeply"), (700, CorruptRecord, "recursion")],
)
def test_deep_json_overflows_no_stack(tmp_path, depth, error, message):
    whole().save(tmp_path)
    path = tmp_path / "meta.json"
    text = path.read_text()
    text = text.replace(json.loads(text)["checksum"], ZEROS)
    path.write_text(sealed(text.replace("null", "[" * depth + "]" * depth)))
    with pytest.raises(error, match=message):
        Whole.load(tmp_path)


def claiming(shape, dtype="<f8"):
    """Return a file of an array that claims a shape and has no data."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    ("members", "compression", "message"),
    [
        ({"loss.npy": claiming((10**12,))}, zipfile.ZIP_STORED, "must have .* bytes, got 128"),
        ({"loss.npy": claiming((-1, -1))}, zipfile.ZIP_STORED, "must have .* bytes, got 128"),
        ({"loss.npy": claiming((1,), "|O")}, zipfile.ZIP_STORED, "got Python objects"),
        ({"loss.npy": bytes(10**7)}, zipfile.ZIP_DEFLATED, "without compression"),
        ({"loss.npy": b"text"}, zipfile.ZIP_STORED, "EOF|magic"),
        ({"loss.npy": claiming((1,), "[")}, zipfile.ZIP_STORED, "damaged"),
    ],
)
def test_an_archive_that_claims_more_than_it_holds_is_damaged(
    tmp_path, members, compression, message
):
    whole().save(tmp_path)
    with zipfile.ZipFile(tmp_path / "arrays.npz", "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    reseal(tmp_path, lambda meta: None)
    with pytest.raises(DamagedRecord, match=message):
        Whole.load(tmp_path)


def test_a_folder_of_another_record_is_corrupt(tmp_path):
    linear().save(tmp_path)
    with pytest.raises(CorruptRecord, match="must hold a Whole, got a Linear"):
        Whole.load(tmp_path)
    same(Record.load(tmp_path), linear())


def test_a_description_cannot_call_what_is_no_record(tmp_path):
    whole().save(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text())
    target = tmp_path / "made"
    meta |= {"tag": "pathlib:Path", "fields": {}}
    reseal(tmp_path, lambda data: data.update(meta))
    with pytest.raises(CorruptRecord, match="pathlib:Path must be a record"):
        Record.load(tmp_path)
    meta |= {
        "tag": "subprocess:Popen",
        "fields": {"args": {"value": ["touch", str(target)]}},
    }
    reseal(tmp_path, lambda data: data.update(meta))
    with pytest.raises(CorruptRecord, match="subprocess:Popen must be a record"):
        Record.load(tmp_path)
    assert not target.exists()


def test_records_pickle_for_other_processes():
    same(pickle.loads(pickle.dumps(linear())), linear())


# For users


def test_to_xarray_names_every_dimension():
    record = linear()
    found = record.to_xarray()
    assert found["jacobian"].dims == ("point", "unit", "unit_2")
    assert found["eigenvalues"].dims == ("point", "mode")
    assert found["left.a"].dims == ("point", "unit", "left.a_2")
    np.testing.assert_array_equal(found["jacobian"].values, record.jacobian)
    assert whole().to_xarray()["loss"].dims == ("member", "time")
