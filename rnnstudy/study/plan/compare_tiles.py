"""Jobs that compare all pairs of networks, in tiles of the matrix of distances.

A tile depends on the networks of its two blocks alone, so that more networks need only new tiles.
A matrix of one tile is one job.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from rnnstudy.analyses.base import Cost
from rnnstudy.analyses.distances.all_pairs import AllPairs, DistanceRow, compared_rows
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.comparison.distances.pairs import Distances, assemble_tiles
from rnnstudy.comparison.distances.tiles import (
    FORM_CACHE_BYTES,
    FORMS,
    PAIR_BLOCK_BYTES,
    DistanceTile,
    PreparedForm,
    map_in_threads,
    split_into_blocks,
    tile_distances,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import pause_point
from rnnstudy.core.component import Address
from rnnstudy.core.record import Record
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord
from rnnstudy.metrics.base import Form, form_arrays
from rnnstudy.study.plan.analyse_task import AnalyseTask, task_key
from rnnstudy.study.plan.job import Context, Job, JobKey
from rnnstudy.study.plan.task_artefact import TaskArtefact
from rnnstudy.study.store import Store, StoreSnapshot

TILE_SIDE = 128
"""Networks along the side of a tile."""

PREPARED_AT_ONCE = 64
"""Forms that are prepared between two pauses."""

Row = tuple[int, int]
"""Position of a network, and number of its item."""


@dataclass(frozen=True, eq=False)
class Block:
    """Networks along one side of a tile, by their positions. Many tiles share a block."""

    result: TaskArtefact
    number: int
    at: tuple[int, ...]

    def expected_positions(self, store: Store) -> tuple[int, ...]:
        """Return the positions of networks that did not diverge."""
        return store.memoise(
            (self, "expected"), lambda: self.result.expected_positions(store, self.at)
        )

    def ready(self, store: Store) -> tuple[int, ...]:
        """Return the positions of networks whose records the store holds."""
        return store.memoise((self, "ready"), lambda: self.result.ready(store, self.at))

    def address(self, store: Store, *, complete: bool = False) -> Address:
        """Return the address of the networks that are ready, or of all that are expected."""
        return store.memoise((self, complete), lambda: self._address(store, complete))

    def _address(self, store: Store, complete: bool) -> Address:
        result = self.result
        if complete:
            reads = [each for i in self.expected_positions(store) for each in result.reads[i]]
        else:
            reads = [each for i in self.ready(store) for each in result.reads_of(store, i)]
        return result.analysis.key("block", *reads)


@dataclass(frozen=True, eq=False)
class CompareTiles(AnalyseTask):
    """The matrix of distances of all usable networks of a task, assembled from tiles."""

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Networks by their seeds, divided into blocks. Additional seeds fill the last ones."""
        order = sorted(range(len(self.result.networks)), key=self._seed_first)
        return tuple(
            Block(self.result, number, tuple(order[i] for i in part))
            for number, part in enumerate(split_into_blocks(len(order), TILE_SIDE), start=1)
        )

    def _seed_first(self, i: int) -> tuple[int, int]:
        seed = self.result.members[i].fields.get("seed")
        return (-1 if seed is None else int(seed), i)

    @cached_property
    def tiles(self) -> tuple["CompareBlocks", ...]:
        """Jobs for the tiles on and above the diagonal; none for a matrix of one tile."""
        if len(self.blocks) < 2:
            return ()
        return tuple(CompareBlocks(whole=self, rows=r, columns=c) for r, c in self._sides())

    def _sides(self) -> Iterator[tuple[Block, Block]]:
        for i, rows in enumerate(self.blocks):
            for columns in self.blocks[i:]:
                yield rows, columns

    def requires(self) -> list[Hashable]:
        return [*super().requires(), *(job.key for job in self.tiles)]

    @property
    def memory(self) -> int:
        """Bytes of forms, of products of pairs, and of some copies of the matrix."""
        return PAIR_BLOCK_BYTES + FORM_CACHE_BYTES + 3 * self.cost().bytes

    def compute(self, store: Store, at: tuple[int, ...]) -> Distances:
        """Return the matrix of the networks at some positions."""
        try:
            return self._assemble(store, at)
        finally:
            FORMS.clear()

    def _assemble(self, store: Store, at: tuple[int, ...]) -> Distances:
        analysis = self.result.analysis
        assert isinstance(analysis, AllPairs)
        boundary = self.result.n_task_networks
        # In the order of `AllPairs.run`: part by part, then networks of other tasks.
        rows = sorted(_tile_rows(self.result, at), key=lambda row: (row[0] >= boundary, row[1]))
        position = {row: k for k, row in enumerate(rows)}
        split = {
            block.number: [position[row] for row in _tile_rows(self.result, block.ready(store))]
            for block in self.blocks
        }
        tiles = {
            (first.number, second.number): self._tile(first, second, store)
            for first, second in self._sides()
            if split[first.number] and split[second.number]
        }
        forms = _Forms(self.result, rows, store)
        return analysis.collect(forms.items, assemble_tiles(len(rows), split, tiles), forms.reason)

    def _tile(self, rows: Block, columns: Block, store: Store) -> DistanceTile:
        if not self.tiles:
            forms = _Forms(self.result, _tile_rows(self.result, rows.ready(store)), store)
            loaded = map_in_threads(forms.load, range(len(forms.rows)))
            present = compared_rows(forms.items, [form is not None for form in loaded])
            compared = [form for i in present if (form := loaded[i]) is not None]
            values = tile_distances(compared, compared, forms.analysis.metric)
            return DistanceTile(_with_absent(values, (present, present), (len(loaded),) * 2))
        job = CompareBlocks(whole=self, rows=rows, columns=columns)
        if not store.has(job.address(store)):
            raise RuntimeError(f"it needs '{job.label}', which failed")
        return store.read(job.address(store), DistanceTile)


@dataclass(frozen=True, eq=False)
class CompareBlocks(Job):
    """One tile: the networks of one block against those of another, or of the same."""

    whole: CompareTiles
    rows: Block
    columns: Block

    @property
    def result(self) -> TaskArtefact:
        """The result that the tile is a part of."""
        return self.whole.result

    @property
    def kind(self) -> str:
        return self.whole.kind

    @property
    def group(self) -> str:
        return f"{self.whole.kind} tiles"

    @property
    def task(self) -> str:
        return self.whole.task

    @property
    def record_class(self) -> type[Record]:
        return DistanceTile

    @property
    def at(self) -> tuple[int, ...]:
        """Positions of the networks of both blocks."""
        return tuple(dict.fromkeys((*self.rows.at, *self.columns.at)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.result.members[i].name for i in self.at)

    @property
    def label(self) -> str:
        tile_label = f"tile {self.rows.number} x {self.columns.number}"
        return " ".join([self.kind, self.task, *self.result.scopes, tile_label])

    @property
    def key(self) -> JobKey:
        return JobKey(self.kind, self.task, self.names, self.result.scope)

    def results(self) -> tuple[Hashable, ...]:
        return (self.key,)

    def requires(self) -> list[Hashable]:
        networks = [self.result.networks[i].key() for i in self.at]
        reads = [address for i in self.at for address in self.result.reads[i]]
        solved = self.result.solved
        return [*networks, *reads, *([] if solved is None else [task_key(solved)])]

    def address(self, store: Store, *, complete: bool = False) -> Address:
        """Return the address of the tile for networks that are ready, or for all expected."""
        first, second = (
            side.address(store, complete=complete) for side in (self.rows, self.columns)
        )
        return self.result.analysis.key("tile", first, "by", second)

    def _present(self, store: Store) -> list[bool]:
        return [not self.result.pending and store.has(self.address(store, complete=True))]

    def titles(self, store: Store) -> dict[str, str]:
        if self.result.pending:
            return {}
        return {self.address(store, complete=complete): self.label for complete in (False, True)}

    def missing(self, store: Store) -> Self | None:
        """Return the job unless its tile is there, empty, or part of a matrix that is there."""
        empty = not (self.rows.expected_positions(store) and self.columns.expected_positions(store))
        if empty or all(self.present(store)) or self.whole.missing(store) is None:
            return None
        return self

    def cost(self) -> Cost:
        return Cost({}, 8 * len(self.rows.at) * len(self.columns.at))

    @property
    def memory(self) -> int:
        return PAIR_BLOCK_BYTES + FORM_CACHE_BYTES

    def run(self, context: Context) -> None:
        store = StoreSnapshot(context.store)
        if self.result.is_repetition(store):
            return
        address = self.address(store)
        if self.rows.ready(store) and self.columns.ready(store) and not store.has(address):
            rows = _Forms(self.result, _tile_rows(self.result, self.rows.ready(store)), store)
            same = self.rows is self.columns
            others = _tile_rows(self.result, self.columns.ready(store))
            columns = rows if same else _Forms(self.result, others, store)
            values = tile_distances(rows, columns, rows.analysis.metric)
            shape = len(rows.rows), len(columns.rows)
            values = _with_absent(values, (rows.present, columns.present), shape)
            context.store.write(address, DistanceTile(values))


def _with_absent(
    values: Array, present: tuple[Sequence[int], Sequence[int]], shape: tuple[int, int]
) -> Array:
    """Return the distances of all rows and columns, NaN for those that are not present."""
    tile = np.full(shape, np.nan)
    tile[np.ix_(*present)] = values
    return tile


def _tile_rows(result: TaskArtefact, at: Sequence[int]) -> list[Row]:
    """Return the rows of a tile: positions of networks, and numbers of their items.

    The items of a network are its inputs, and a planted copy after them.
    """
    return [(i, item) for i in at for item in range(_item_count(result, i))]


def _item_count(result: TaskArtefact, i: int) -> int:
    assert isinstance(result.analysis, AllPairs)
    is_of_task = i < result.n_task_networks
    return len(result.reads[i]) + (result.analysis.has_planted_copies and is_of_task)


def _item(result: TaskArtefact, i: int, number: int) -> DistanceRow:
    """Return an item of a network as a row of the matrix."""
    if i >= result.n_task_networks:
        return DistanceRow(result.members[i], None)
    if number == len(result.reads[i]):
        return DistanceRow(result.members[i], 0, planted=True)
    return DistanceRow(result.members[i], number)


class _Forms(Sequence[Form]):
    """Forms that a metric makes of the activity of networks, one by one.

    Forms are kept in memory as far as there is room. The store holds forms of metrics that take
    many times longer to prepare one than to read it. Networks to which the metric gives no meaning
    have no form. They are not part of the sequence, and neither are their controls.
    """

    def __init__(self, result: TaskArtefact, rows: Sequence[Row], store: Store) -> None:
        assert isinstance(result.analysis, AllPairs)
        self.result, self.store, self.analysis = result, store, result.analysis
        self.rows = rows

    @cached_property
    def items(self) -> list[DistanceRow]:
        """Rows of the matrix."""
        return [_item(self.result, *row) for row in self.rows]

    @cached_property
    def present(self) -> list[int]:
        """Positions of the rows that are compared."""
        has_form: list[bool] = []
        for part in split_into_blocks(len(self.rows), PREPARED_AT_ONCE):
            pause_point()
            has_form += map_in_threads(lambda i: self.load(i) is not None, part)
        return compared_rows(self.items, has_form)

    def reason(self, i: int) -> str:
        """Return why a row has no form; empty if it has one."""
        form = self.analysis.form_or_reason(self.result.task, self.items[i], self._activity(i))
        return form if isinstance(form, str) else ""

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, i: Any) -> Any:
        return self.load(self.present[i])

    def load(self, i: int) -> Form | None:
        """Return the form of a row; None for a network to which the metric gives no meaning."""
        words = ["planted"] * self.items[i].planted + self.analysis.window_words(self.result.task)
        key = self.analysis.metric.key("form", self._address(i), *words)
        form = FORMS.get(key, lambda: self._read_or_prepare(i, key))
        return form if form_arrays(form) else None

    def _read_or_prepare(self, i: int, key: Address) -> Form:
        task = self.result.task
        if not self.analysis.metric.stored_bytes(task.probe_trials * task.length):
            return self._prepare(i)
        try:
            return self.store.read(key, PreparedForm).form
        except (AbsentRecord, DamagedRecord):
            form = self._prepare(i)
            self.store.write(key, PreparedForm.of(form))
            return form

    def _prepare(self, i: int) -> Form:
        """Return the form of a row; without arrays if the metric gives it no meaning."""
        form = self.analysis.form_or_reason(self.result.task, self.items[i], self._activity(i))
        return {} if isinstance(form, str) else form

    def _activity(self, i: int) -> Activity:
        return self.store.read(self._address(i), Activity)

    def _address(self, i: int) -> Address:
        return self.result.reads_of(self.store, self.rows[i][0])[self.items[i].part or 0]
