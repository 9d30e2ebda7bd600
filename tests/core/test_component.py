"""Components: keys that address results, frozen checked values, and what restores them."""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import own_shapes
import pytest
from fruit import Apple, Basket, Pear, errors
from hypothesis import given
from hypothesis import strategies as st
from own_shapes import Shape
from pydantic import ValidationError

from rnnstudy.core.component import Component, restore
from rnnstudy.core.source.classes import replaced_hashes
from rnnstudy.core.tags import class_path, find_class

# Keys


def test_key_is_the_hash_of_a_written_recipe():
    digest = hashlib.sha256(Path(own_shapes.__file__).read_bytes()).hexdigest()
    source = hashlib.sha256(f'[{{"own_shapes": "{digest}"}}, {{}}]'.encode()).hexdigest()
    text = (
        '{"format":2,"inputs":["ab","cd"],"recipe":{"fields":{"sides":[3,4],"size":2.0},'
        f'"source":"{source}","tag":"own_shapes:Shape","version":1}}}}'
    )
    assert Shape().key("ab", "cd") == hashlib.sha256(text.encode()).hexdigest()[:40]


def test_key_of_a_nested_component_holds_its_version():
    class NewApple(Apple):
        version: ClassVar[int] = 2

    assert Basket(first=Apple()).recipe()["fields"]["first"]["version"] == 1
    assert Basket(first=NewApple()).recipe()["fields"]["first"]["version"] == 2


def test_key_is_the_same_in_every_process():
    """A literal: whoever changes it must know that no stored result will be found again."""

    class Plain(Component):
        __module__ = "somewhere"
        __qualname__ = "Plain"
        number: int = 1
        share: float = 0.1
        word: str = "a"

    assert class_path(Plain) == "somewhere:Plain"
    # Without a source, as classes of this package are.
    with replaced_hashes({"somewhere:Plain": ""}):
        assert Plain().key() == GOLDEN
        assert Plain().key().in_format_1 == GOLDEN_OF_FORMAT_1


GOLDEN = "794c24fb0b2102e47d219c41a3b75f80fcd4a7f1"
GOLDEN_OF_FORMAT_1 = "7a0bf434c64ebe5c410c74a47d06d7a84e40176a"


@pytest.mark.parametrize(
    "other",
    [Apple(weight=2.0), Apple(seeds=(1,)), Apple(red=False), Pear()],
    ids=["float", "tuple", "bool", "class"],
)
def test_every_field_and_the_class_enter_the_key(other):
    assert other.key() != Apple().key()


def test_labels_do_not_enter_the_key():
    assert Apple(name="Boskoop").key() == Apple().key()
    assert Basket(first=Apple(name="Boskoop")).key() == Basket().key()


class Plum(Apple):
    """An apple of a later version, which has two further fields."""

    added_fields: ClassVar[dict[str, Any]] = {"stone": 1.0}
    stone: float = 1.0


class Damson(Plum):
    added_fields: ClassVar[dict[str, Any]] = {"sour": ()}
    sour: tuple[Apple, ...] = ()


def test_an_added_field_enters_the_key_unless_it_has_the_value_of_before():
    before = Apple(weight=2.0).recipe()["fields"]
    assert Damson(weight=2.0).recipe()["fields"] == before
    assert Damson(weight=2.0, stone=3).recipe()["fields"] == {**before, "stone": 3.0}
    assert "sour" in Damson(sour=(Apple(),)).recipe()["fields"]
    assert Plum(stone=3.0).key() != Plum().key()
    assert restore(Damson(stone=3.0).serialise()).key() == Damson(stone=3.0).key()


def test_inputs_enter_the_key_in_their_order():
    keys = {Apple().key(*inputs) for inputs in [(), ("a",), ("b",), ("a", "b"), ("b", "a")]}
    assert len(keys) == 5


def test_an_integer_for_a_float_is_the_same_value():
    assert Apple(weight=2).key() == Apple(weight=2.0).key()
    assert Apple(weight=2) == Apple(weight=2.0)


def test_a_list_for_a_tuple_is_the_same_value():
    assert Apple(seeds=[1, 2]).key() == Apple(seeds=(1, 2)).key()


def test_raising_the_version_changes_the_key():
    def made(number: int) -> Component:
        class Counted(Component):
            __qualname__ = "Counted"
            version: ClassVar[int] = number

        return Counted()

    assert made(1).key() == made(1).key()
    assert made(1).key() != made(2).key()


@given(st.floats(min_value=1e-300, allow_infinity=False), st.lists(st.integers()))
def test_different_values_have_different_keys_and_equal_ones_the_same(weight, seeds):
    apple = Apple(weight=weight, seeds=seeds)
    assert apple.key() == Apple(weight=weight, seeds=tuple(seeds)).key()
    assert apple.key() != Apple(weight=weight, seeds=(*seeds, 0)).key()


# Values


@pytest.mark.parametrize(
    ("fields", "loc", "message"),
    [
        ({"weight": float("nan")}, ("weight",), "Input should be a finite number"),
        ({"weight": float("inf")}, ("weight",), "Input should be a finite number"),
        ({"weight": "2"}, ("weight",), "Input should be a valid number"),
        ({"weight": True}, ("weight",), "Input should be a valid number"),
        ({"weight": 0.0}, ("weight",), "Input should be greater than 0"),
        ({"red": 1}, ("red",), "Input should be a valid boolean"),
        ({"seeds": (1.0,)}, ("seeds", 0), "Input should be a valid integer"),
        ({"seeds": (1, True)}, ("seeds", 1), "Input should be a valid integer"),
    ],
)
def test_values_of_the_wrong_type_are_refused_at_their_place(fields, loc, message):
    assert errors(lambda: Apple(**fields)) == [(loc, message)]


def test_an_unknown_key_names_the_known_ones_and_the_nearest():
    ((loc, message),) = errors(lambda: Apple(wieght=2.0))
    assert loc == ("wieght",)
    assert message == (
        "is not a known key; known keys: name, weight, seeds, red; did you mean 'weight'?"
    )


def test_a_component_is_frozen():
    with pytest.raises(ValidationError, match="Instance is frozen"):
        Apple().weight = 3.0


def test_equal_components_are_one_key_of_a_dict():
    assert len({Apple(weight=2): 0, Apple(weight=2.0): 1, Pear(weight=2.0): 2}) == 2


def test_changed_keeps_the_rest_and_leaves_the_original():
    apple = Apple(name="a", weight=3.0, seeds=(1, 2))
    changed = apple.replace(weight=4)
    assert changed == Apple(name="a", weight=4.0, seeds=(1, 2))
    assert apple.weight == 3.0


def test_changed_checks_like_the_constructor():
    assert errors(lambda: Apple().replace(weight=-1.0))[0][0] == ("weight",)
    assert "known keys" in errors(lambda: Apple().replace(colour="red"))[0][1]


# Stored and restored


@pytest.mark.parametrize(
    "component",
    [
        Apple(),
        Apple(name="a", weight=1e-3, seeds=(5, 6), red=False),
        Basket(first=Pear(weight=2.0), rest=(Apple(red=False), Pear()), by_day={"mon": Pear()}),
    ],
)
def test_restore_rebuilds_what_stored_wrote(component):
    text = json.dumps(component.serialise())
    found = restore(json.loads(text))
    assert found == component
    assert found.key() == component.key()


def test_restore_refuses_a_class_that_is_no_component():
    with pytest.raises(TypeError, match="json:JSONDecoder must be a component"):
        restore({"class": "json:JSONDecoder", "fields": {}})


def test_find_class_refuses_what_is_no_class():
    with pytest.raises(AttributeError, match="json:dumps is not a class"):
        find_class("json:dumps")
