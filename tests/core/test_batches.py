"""Batches of bounded memory."""

from rnnstudy.core.batches import BATCH_BYTES, batch_size, batches


def test_batches_cover_all_items_once_within_the_memory():
    parts = list(batches(10, bytes_each=3, memory=10))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(10))
    assert {part.stop - part.start for part in parts[:-1]} == {3}
    assert list(batches(0, bytes_each=3)) == []


def test_an_item_larger_than_the_memory_is_a_batch():
    assert batch_size(100, memory=10) == 1
    assert len(list(batches(4, bytes_each=100, memory=10))) == 4
    assert batch_size(0) >= BATCH_BYTES
