"""Records of items of many networks: selected, shifted and joined by their declared axes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import array, arrays
from rnnstudy.dynamics.states.records import SearchRecord


@dataclass(frozen=True, eq=False)
class Shelf(SearchRecord):
    """Books with pages, of several owners, and readers who each hold a book or none."""

    axis: ClassVar[str] = "book"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {
        "book": ("member", "input_index"),
        "reader": ("readers.member", "readers.input_index"),
    }
    references: ClassVar[Mapping[str, str]] = {"book_of_page": "book", "book_of_reader": "book"}
    parts: ClassVar[Mapping[str, str]] = {"page": "book_of_page"}

    member: Array = array("book")
    input_index: Array = array("book")
    number: Array = array("page", "state")
    book_of_page: Array = array("page")
    book_of_reader: Array = array("reader")
    readers: dict[str, Array] = arrays("reader")
    margin: float = 1.0


def shelf(margin=1.0, size=1):
    return Shelf(
        member=np.array([0, 0, 1]),
        input_index=np.array([0, 1, 0]),
        number=np.arange(5.0)[:, None] * np.ones(size),
        # The pages of a book need not lie together.
        book_of_page=np.array([0, 2, 0, 1, 2]),
        book_of_reader=np.array([2, -1, 1]),
        readers={"member": np.array([1, 0, 0]), "input_index": np.array([0, 0, 1])},
        margin=margin,
    )


def test_items_take_their_parts_with_them_and_positions_are_counted_anew():
    part = shelf()[[2, 0]]
    assert part.member.tolist() == [1, 0]
    assert part.book_of_page.tolist() == [0, 0, 1, 1]
    assert part.number[:, 0].tolist() == [1.0, 4.0, 0.0, 2.0]
    # Readers stay; one has lost the book.
    assert part.book_of_reader.tolist() == [0, -1, -1]
    twice = shelf()[[1, 1]]
    assert twice.book_of_page.tolist() == [0, 1]
    assert twice.number[:, 0].tolist() == [3.0, 3.0]
    nothing = shelf()[[]]
    assert (len(nothing), len(nothing.number)) == (0, 0)
    assert len(nothing[[]]) == 0


def test_rows_of_a_member_or_an_input():
    own = shelf().of(member=0)
    assert own.input_index.tolist() == [0, 1]
    assert own.book_of_page.tolist() == [0, 0, 1]
    assert own.book_of_reader.tolist() == [-1, 1]
    assert own.readers["input_index"].tolist() == [0, 1]
    assert shelf().of(0, 1).book_of_reader.tolist() == [0]
    alone = shelf().single_member(1)
    assert alone.member.tolist() == [0]
    assert alone.readers["member"].tolist() == [0]
    moved = shelf().shift_indices(members=3, inputs=1)
    assert moved.member.tolist() == [3, 3, 4]
    assert moved.readers["input_index"].tolist() == [1, 1, 2]


def test_records_end_to_end_along_all_axes():
    both = Shelf.join([shelf(), shelf()[:1], shelf().of(member=1)])
    assert both.member.tolist() == [0, 0, 1, 0, 1]
    assert both.book_of_page.tolist() == [0, 2, 0, 1, 2, 3, 3, 4, 4]
    assert both.book_of_reader.tolist() == [2, -1, 1, -1, -1, -1, 4]
    assert both.readers["member"].tolist() == [1, 0, 0, 1, 0, 0, 1]
    apart = [both.of(member=m) for m in range(2)]
    assert [len(part) for part in apart] == [3, 2]


def test_records_of_other_shapes_or_settings_are_refused():
    with pytest.raises(ValueError, match="networks of one shape, got state sizes 1, 2"):
        Shelf.join([shelf(), shelf(size=2)])
    with pytest.raises(ValueError, match=r"must have one margin, got \[1.0, 2.0\]"):
        Shelf.join([shelf(), shelf(2.0)])
    with pytest.raises(ValueError, match="at least one record"):
        Shelf.join([])
