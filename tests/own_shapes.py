"""A module of entries as a user might have it: no catalogue lists them."""

from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.core.component import Entry


class Shape(Entry):
    labels: ClassVar[frozenset[str]] = frozenset({"name"})
    name: str | None = None
    size: Annotated[float, Field(gt=0)] = 2.0
    sides: tuple[int, ...] = (3, 4)


class Heptagon(Shape):
    pass
