"""Fields that hold an entry of a catalogue or a class of the user's own."""

from typing import Annotated, ClassVar

import pytest
from fruit import Apple, Basket, Fruit, Pear, errors
from own_shapes import Heptagon, Shape

from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.core.component import Component, Entry


@pytest.mark.parametrize(
    "given", ["pear", {"kind": "pear"}, {"kind": "pear", "weight": 1}, Pear(), Pear(weight=1)]
)
def test_one_of_takes_a_name_a_mapping_or_an_entry(given):
    assert Basket(first=given).first == Pear()


@pytest.mark.parametrize(
    ("given", "loc", "message"),
    [
        (
            "paer",
            ("first",),
            "'paer' is not a known fruit; known: apple, pear; did you mean 'pear'?",
        ),
        ({"kind": 3}, ("first",), "3 is not a known fruit; known: apple, pear"),
        ({"weight": 2.0}, ("first",), "needs the key 'kind'; known: apple, pear"),
        (7, ("first",), "should be the name of a fruit or a mapping with 'kind'"),
        ({"kind": "pear", "weight": -1}, ("first", "weight"), "Input should be greater than 0"),
        (
            {"kind": "pear", "red": True},
            ("first", "red"),
            "is not a known key; known keys: name, weight, seeds",
        ),
        (
            "no_such_module:Apple",
            ("first",),
            (
                "'no_such_module:Apple' runs code of the module 'no_such_module'; "
                "add --allow-plugins (in Python: allow_plugins=True) if you trust it"
            ),
        ),
        (
            "json:Apple",
            ("first",),
            "'json:Apple' cannot be loaded: module 'json' has no attribute 'Apple'",
        ),
        (":Apple", ("first",), "':Apple' cannot be loaded: '' is no name of a module"),
        ("json:dumps", ("first",), "'json:dumps' cannot be loaded: json:dumps is not a class"),
        ("json:JSONDecoder", ("first",), "'json:JSONDecoder' is not a rnnstudy fruit"),
    ],
)
def test_one_of_says_what_came_and_what_is_allowed(given, loc, message):
    assert errors(lambda: Basket(first=given)) == [(loc, message)]


@pytest.mark.usefixtures("plugins")
def test_a_module_that_does_not_exist_is_named_if_imports_are_allowed():
    sentence = (
        "'no_such_module:Apple' cannot be loaded: No module named 'no_such_module'; "
        "start it from the folder that holds no_such_module.py"
    )
    assert errors(lambda: Basket(first="no_such_module:Apple")) == [(("first",), sentence)]


def test_one_of_locates_an_error_inside_a_list_and_a_mapping():
    found = errors(lambda: Basket(rest=["pear", "plum"], by_day={"mon": {"kind": "fig"}}))
    assert [loc for loc, _ in found] == [("rest", 1), ("by_day", "mon")]


@pytest.mark.usefixtures("plugins")
def test_one_of_takes_an_outside_class_of_the_fields_kind(tmp_path, monkeypatch):
    (tmp_path / "own_fruit.py").write_text(
        "from rnnstudy.cells import Cell\n"
        "from rnnstudy.cells.vanilla import Vanilla\n"
        "class Own(Vanilla):\n    slope: float = 0.5\n"
        "class Half(Cell):\n    pass\n"
    )
    (tmp_path / "own_broken.py").write_text("raise RuntimeError('half written')\n")
    monkeypatch.syspath_prepend(tmp_path)
    from rnnstudy.cells import AnyCell

    class Net(Component):
        cell: AnyCell

    net = Net(cell={"kind": "own_fruit:Own", "slope": 2, "units": 4})
    assert (net.cell.kind, net.cell.slope, net.cell.units) == ("own_fruit:Own", 2.0, 4)
    assert errors(lambda: Net(cell="own_fruit:Half")) == [
        (("cell",), "'own_fruit:Half' is abstract: it needs drive, step, weights")
    ]
    assert errors(lambda: Net(cell="own_broken:Own")) == [
        (
            ("cell",),
            "'own_broken:Own' cannot be loaded: RuntimeError: half written (own_broken.py, line 1)",
        )
    ]


def test_one_of_refuses_an_entry_of_another_catalogue():
    assert errors(lambda: Basket(first="rnnstudy.tasks.sine:Sine")) == [
        (("first",), "'rnnstudy.tasks.sine:Sine' is not a rnnstudy fruit")
    ]
    from rnnstudy.tasks import TASKS

    assert errors(lambda: Basket(first=TASKS["sine"]())) == [
        (("first",), "sine is not a fruit; known: apple, pear")
    ]


def test_restore_rebuilds_an_outside_class_in_a_catalogue_field():
    class Drawer(Component):
        __qualname__ = "Drawer"
        item: Annotated[Entry, CatalogueField("shape", {})]

    drawer = Drawer(item={"kind": "own_shapes:Shape", "size": 3})
    assert drawer.item == Shape(size=3.0)
    assert Drawer.model_validate(drawer.model_dump(mode="json")) == drawer


def test_an_entry_outside_the_catalogue_is_its_own_kind():
    assert Shape.kind == "own_shapes:Shape"
    assert Heptagon.kind == "own_shapes:Heptagon"
    assert Shape().model_dump()["kind"] == "own_shapes:Shape"


def test_a_catalogue_takes_its_names_from_its_entries():
    assert catalogue(Pear, Apple) == {"pear": Pear, "apple": Apple}

    class OtherPear(Fruit):
        kind: ClassVar[str] = "pear"

    with pytest.raises(ValueError, match="kinds of a catalogue must differ, got 'pear' twice"):
        catalogue(Pear, OtherPear)
