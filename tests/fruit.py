"""Components and a catalogue of them, for tests of what both can do."""

from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from rnnstudy.core.catalogue import CatalogueField
from rnnstudy.core.component import Component, Entry
from rnnstudy.core.errors import SettingError


class Fruit(Entry):
    labels: ClassVar[frozenset[str]] = frozenset({"name"})
    name: str | None = None
    weight: Annotated[float, Field(gt=0)] = 1.0
    seeds: tuple[int, ...] = ()


class Apple(Fruit):
    kind: ClassVar[str] = "apple"
    red: bool = True


class Pear(Fruit):
    kind: ClassVar[str] = "pear"


AnyFruit = Annotated[Fruit, CatalogueField("fruit", {"apple": Apple, "pear": Pear})]


class Basket(Component):
    first: AnyFruit = Apple()
    rest: tuple[AnyFruit, ...] = ()
    by_day: dict[str, AnyFruit] = Field(default={})


def errors(build):
    with pytest.raises(SettingError) as caught:  # noqa: PT011 - callers look at every error
        build()
    return [(error["loc"], error["msg"]) for error in caught.value.validation.errors()]
