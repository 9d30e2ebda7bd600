"""Former names: accepted for one version, each with a warning that names the new word."""

import importlib
import importlib.util
import sys
from typing import Annotated, ClassVar

import numpy as np
import pytest
from fruit import AnyFruit, Apple, Fruit, Pear, errors

import rnnstudy
from rnnstudy.claims import Prevalent
from rnnstudy.core import deprecations
from rnnstudy.core.catalogue import CatalogueField
from rnnstudy.core.component import Component
from rnnstudy.core.deprecations import accept_former_attributes
from rnnstudy.tasks.flip_flop import FlipFlop


class Jam(Component):
    former_fields: ClassVar[dict[str, str]] = {"sweetness": "sugar"}
    sugar: float = 0.5
    fruit: AnyFruit = Apple()


class Shelf(Component):
    jams: tuple[Jam, ...] = ()


# Names


def test_a_former_public_name_is_the_new_one(monkeypatch):
    monkeypatch.setitem(deprecations.NAMES, "Networks", "Population")
    with pytest.warns(DeprecationWarning, match=r"^Networks was renamed to Population") as caught:
        assert rnnstudy.Networks is rnnstudy.Population
    assert caught[0].filename == __file__
    assert "Networks" not in dir(rnnstudy)


def test_a_former_name_that_is_not_public_is_an_attribute_error(monkeypatch):
    monkeypatch.setitem(deprecations.NAMES, "OldDoor", "NoSuchName")
    with (
        pytest.warns(DeprecationWarning, match="OldDoor"),
        pytest.raises(AttributeError, match="'NoSuchName'"),
    ):
        rnnstudy.OldDoor  # noqa: B018 - asking is the test


# Arguments


def test_a_former_argument_is_the_new_one():
    @deprecations.accept_former_arguments(fruits="apples")
    def count(apples: int) -> int:
        return apples

    assert count(2) == count(apples=2) == 2
    with pytest.warns(DeprecationWarning, match=r"count\(fruits=...\) was renamed to") as caught:
        assert count(fruits=3) == 3
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match="apples or fruits, got both"):
        count(fruits=3, apples=3)


# Fields


def test_a_former_field_is_the_new_one():
    with pytest.warns(DeprecationWarning, match=r"Jam\.sweetness was renamed to Jam\.sugar") as w:
        jam = Jam(sweetness=0.25)
    assert jam == Jam(sugar=0.25)
    assert w[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="sweetness"):
        assert jam.replace(sweetness=1) == Jam(sugar=1)


def test_a_field_under_both_names_is_an_error():
    message = "is the former name of sugar, which is also set. Keep one of the two."
    assert errors(lambda: Jam(sweetness=0.25, sugar=0.5)) == [(("sweetness",), message)]


def test_former_fields_are_located_errors_where_a_spec_is_checked():
    with deprecations.former_words_as_errors():
        found = errors(lambda: Shelf(jams=[{"sugar": 1}, {"sweetness": 2}]))
    assert found == [(("jams", 1, "sweetness"), "is the former name of sugar")]
    assert "sweetness" not in str(Jam.model_json_schema())


# Kinds


def test_a_former_kind_is_the_new_one(monkeypatch):
    monkeypatch.setitem(deprecations.KINDS, "fruit", {"quince": "pear"})
    for value in ("quince", {"kind": "quince", "weight": 2}):
        with pytest.warns(DeprecationWarning, match="The fruit 'quince' was renamed to 'pear'"):
            assert isinstance(Jam(fruit=value).fruit, Pear)
    with deprecations.former_words_as_errors():
        found = errors(lambda: Jam(fruit="quince"))
    assert found == [(("fruit",), "is the former name of pear")]


def test_former_kinds_belong_to_their_catalogue(monkeypatch):
    monkeypatch.setitem(deprecations.KINDS, "fruit", {"quince": "pear"})

    class Bowl(Component):
        nut: Annotated[Fruit, CatalogueField("nut", {"pear": Pear})] = Pear()

    assert errors(lambda: Bowl(nut="quince")) == [
        (("nut",), "'quince' is not a known nut; known: pear")
    ]


def test_every_former_kind_has_a_successor():
    from rnnstudy.core.tags import class_of

    for noun, kinds in deprecations.KINDS.items():
        for former, kind in kinds.items():
            assert class_of(f"{noun}:{kind}").kind == kind
            with pytest.raises((ImportError, AttributeError, KeyError)):
                class_of(f"{noun}:{former}")


# Modules


@pytest.mark.parametrize("former", deprecations.MODULES)
def test_every_former_module_leads_to_its_successor(former, monkeypatch):
    monkeypatch.delitem(sys.modules, former, raising=False)
    path = deprecations.MODULES[former]
    new = importlib.import_module(path)
    with pytest.warns(DeprecationWarning, match=f"{former} was renamed to {path}") as caught:
        module = importlib.import_module(former)
    assert len(caught) == 1
    name = next(n for n, value in vars(new).items() if getattr(value, "__module__", "") == path)
    assert getattr(module, name) is getattr(new, name)
    with pytest.raises(AttributeError, match="no_such_name"):
        module.no_such_name  # noqa: B018 - asking is the test


def test_the_warning_of_a_former_module_points_to_its_import(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "rnnstudy.record", raising=False)
    (tmp_path / "former_import.py").write_text("from rnnstudy.record import Record\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.warns(DeprecationWarning, match=r"rnnstudy\.core\.record") as caught:
        module = importlib.import_module("former_import")
    assert module.Record is rnnstudy.Record
    assert caught[0].filename == str(tmp_path / "former_import.py")


def test_a_renamed_class_is_in_its_former_module(monkeypatch):
    monkeypatch.delitem(sys.modules, "rnnstudy.record", raising=False)
    monkeypatch.setitem(deprecations.NAMES, "Result", "Record")
    with pytest.warns(DeprecationWarning, match=r"rnnstudy\.core\.record"):
        module = importlib.import_module("rnnstudy.record")
    assert module.Result is rnnstudy.Record


def test_a_spec_may_name_a_class_by_its_former_path(monkeypatch):
    monkeypatch.delitem(sys.modules, "rnnstudy.dynamics.solvers", raising=False)
    from rnnstudy.dynamics.root_finding.solvers import SOLVERS, Newton, Solver

    class Search(Component):
        solver: Annotated[Solver, CatalogueField("solver", SOLVERS)] = Newton()

    with pytest.warns(DeprecationWarning, match=r"rnnstudy\.dynamics\.root_finding\.solvers"):
        assert Search(solver="rnnstudy.dynamics.solvers:Newton").solver == Newton()


def test_no_former_module_exists():
    for former in deprecations.MODULES:
        spec = importlib.util.find_spec(former)
        assert type(spec.loader).__name__ == "_FormerModules"


# Fields that were renamed


def test_former_fields_of_the_training_protocol():
    from rnnstudy.training.protocol import Training

    with pytest.warns(DeprecationWarning, match=r"Training\.(hold|history) was renamed to"):
        former = Training(hold=2, history=7)
    assert former == Training(solved_for=2, record_every=7)


# Methods


def test_a_method_that_a_user_overrides_by_its_former_name_is_used_with_a_warning():
    with pytest.warns(DeprecationWarning, match=r"Easy.solved was renamed to Easy.is_solved"):

        class Easy(FlipFlop):
            def solved(self, loss, accuracy):
                return np.ones_like(loss, bool)

    assert Easy().is_solved(np.array([9.0]), np.array([0.0])).all()


def test_a_property_of_a_claim_is_taken_from_its_former_name():
    with pytest.warns(DeprecationWarning, match=r"Bistable.what was renamed to Bistable.trait"):

        class Bistable(Prevalent):
            of: str = "fixed_points"

            @property
            def what(self):
                return "two stable points"

            def statement(self, task):
                return "Networks have two stable points."

            def has(self, record, task):
                return True

    assert Bistable().trait == "two stable points"


def test_a_class_that_defines_both_names_keeps_the_new_one():
    class Both(FlipFlop):
        def solved(self, loss, accuracy):
            raise AssertionError

        def is_solved(self, loss, accuracy):
            return np.zeros_like(loss, bool)

    assert not Both().is_solved(np.array([0.0]), np.array([1.0])).any()


def test_former_attributes_of_a_run_answer_with_a_warning(tmp_path):
    with pytest.warns(DeprecationWarning, match=r"Thing.old was renamed to Thing.new"):
        assert Thing().old == 3
    with pytest.raises(AttributeError, match=r"'Thing' object has no attribute 'other'"):
        Thing().other  # noqa: B018


@accept_former_attributes(old="new")
class Thing:
    new = 3
