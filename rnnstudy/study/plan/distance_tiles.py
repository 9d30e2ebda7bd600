"""All pairs of many networks as steps: tiles of the matrix, each with an address of its own.

A tile depends on the networks of its two blocks alone, so that more networks need only new tiles.
"""

from collections.abc import Sequence
from typing import Any

from rnnstudy.analyses.distances.pairs import AllPairs, Item
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.tiles import (
    DistanceTile,
    PreparedForm,
    assemble_tiles,
    split_into_blocks,
    tile_distances,
)
from rnnstudy.core.record import CorruptRecord, Record
from rnnstudy.metrics.base import Form
from rnnstudy.study.plan.jobs import AnalyseTask, Block, CompareBlocks
from rnnstudy.study.store import Store

BLOCK = 128
"""Networks along the side of a tile. So many are compared in one step, more in tiles."""


def tiles(job: AnalyseTask) -> list[CompareBlocks]:
    """The tiles on and above the diagonal that a job is assembled from; none if it is small."""
    if not isinstance(job.analysis, AllPairs) or len(job.networks) <= BLOCK:
        return []
    order = _seeds_last(job)
    split = [
        Block(job, number, tuple(order[i] for i in part))
        for number, part in enumerate(split_into_blocks(len(order), BLOCK), start=1)
    ]
    return [CompareBlocks(job, rows, columns) for i, rows in enumerate(split)
            for columns in split[i:]]  # fmt: skip


def _seeds_last(job: AnalyseTask) -> list[int]:
    """Positions of a job's networks by their seed, then as they are: networks that are added by
    more seeds come last, and leave full blocks as they were."""

    def place(i: int) -> tuple[int, int]:
        seed = job.members[i].fields.get("seed")
        return (-1 if seed is None else int(seed), i)

    return sorted(range(len(job.networks)), key=place)


def compare(job: CompareBlocks, store: Store) -> None:
    """Compute a tile for the networks that are ready; nothing if a block has none."""
    rows, columns = job.rows.ready(store), job.columns.ready(store)
    key = job.key(store)
    if not rows or not columns or store.has(key):
        return
    first = _Forms(job.whole, rows, store)
    second = first if job.rows is job.columns else _Forms(job.whole, columns, store)
    assert isinstance(job.whole.analysis, AllPairs)
    store.write(key, DistanceTile(tile_distances(first, second, job.whole.analysis.metric)))


def assemble(job: AnalyseTask, parts: Sequence[CompareBlocks], store: Store) -> Distances:
    """The distances of all networks that are ready, from the tiles."""
    assert isinstance(job.analysis, AllPairs)
    rows = _rows(job, job.ready(store))
    items = [Item(job.members[i], part if job.is_host(i) else None) for i, part in rows]
    place = {row: k for k, row in enumerate(rows)}
    ready = {
        block: [row for row in _rows(job, block.at) if row in place]
        for block in dict.fromkeys(part.rows for part in parts)
    }
    numbers = {block: n for n, block in enumerate(ready)}
    found = {
        (numbers[part.rows], numbers[part.columns]): _read(part, store)
        for part in parts
        if ready[part.rows] and ready[part.columns]
    }
    split = [[place[row] for row in each] for each in ready.values()]
    names = list(map(job.analysis.label, items))
    return job.analysis.told(assemble_tiles(names, split, found), items)


def _rows(job: AnalyseTask, at: Sequence[int]) -> list[tuple[int, int]]:
    """Rows of the matrix for some networks: the position of each, and which part it answers."""
    return [(i, part) for i in at for part in range(len(job.reads(i)))]


def _read(part: CompareBlocks, store: Store) -> DistanceTile:
    key = part.key(store)
    if not store.has(key):
        raise RuntimeError(f"it needs '{part.label}', which failed")
    return store.read(key, DistanceTile)


class _Forms(Sequence[Form]):
    """What a metric makes of networks, read from the store as it is asked for.

    What is not there is made of the networks' activity, and kept under an address of its own.
    """

    def __init__(self, job: AnalyseTask, at: Sequence[int], store: Store) -> None:
        assert isinstance(job.analysis, AllPairs)
        self.job, self.store, self.analysis = job, store, job.analysis
        self.rows = _rows(job, at)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: Any) -> Any:
        member, part = self.rows[i]
        address = self.job.reads(member)[part]
        key = self.analysis.metric.key("form", address)
        try:
            if self.store.has(key):
                return self.store.read(key, PreparedForm).form
        except CorruptRecord:
            pass  # it has been removed, and is made again
        form = self._made(member, address)
        self.store.write(key, PreparedForm.of(form))
        return form

    def _made(self, member: int, address: str) -> Form:
        try:
            states = self.analysis.states(self.store.read(address, Record))
            return self.analysis.metric.prepare(states)
        except ValueError as error:
            raise ValueError(f"{self.job.members[member].name!r}: {error}") from error
