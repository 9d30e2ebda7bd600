"""Forms of the rows of a matrix of distances, read or prepared when a tile needs them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from rnnstudy.analyses.distances.all_pairs import AllPairs, DistanceRow, compared_rows
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.comparison.distances.tiles import (
    FORMS,
    PreparedForm,
    map_in_threads,
    split_into_blocks,
)
from rnnstudy.core.batches import pause_point
from rnnstudy.core.component import Address
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord
from rnnstudy.metrics.base import Form, form_arrays
from rnnstudy.study.plan.task_artefact import TaskArtefact
from rnnstudy.study.store import Store

PREPARED_AT_ONCE = 64
"""Forms that are prepared between two pauses."""

Row = tuple[int, int]
"""Position of a network, and number of its item."""


def tile_rows(result: TaskArtefact, at: Sequence[int]) -> list[Row]:
    """Return the rows of a tile: positions of networks, and numbers of their items.

    The items of a network are its inputs, and a planted copy after them.
    """
    return [(i, item) for i in at for item in range(_item_count(result, i))]


def _item_count(result: TaskArtefact, i: int) -> int:
    assert isinstance(result.analysis, AllPairs)
    is_of_task = i < result.n_task_networks
    return len(result.reads[i]) + (result.analysis.has_planted_copies and is_of_task)


def item_of(result: TaskArtefact, i: int, number: int) -> DistanceRow:
    """Return an item of a network as a row of the matrix."""
    if i >= result.n_task_networks:
        return DistanceRow(result.members[i], None)
    if number == len(result.reads[i]):
        return DistanceRow(result.members[i], 0, planted=True)
    return DistanceRow(result.members[i], number)


class TileForms(Sequence[Form]):
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
        return [item_of(self.result, *row) for row in self.rows]

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
        form = self.analysis.form_or_reason(self.items[i], self._activity(i))
        return form if isinstance(form, str) else ""

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, i: Any) -> Any:
        return self.load(self.present[i])

    def load(self, i: int) -> Form | None:
        """Return the form of a row; None for a network to which the metric gives no meaning."""
        planted = ["planted"] * self.items[i].planted
        key = self.analysis.metric.key("form", self._address(i), *planted)
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
        form = self.analysis.form_or_reason(self.items[i], self._activity(i))
        return {} if isinstance(form, str) else form

    def _activity(self, i: int) -> Activity:
        return self.store.read(self._address(i), Activity)

    def _address(self, i: int) -> Address:
        return self._reads[self.rows[i][0]][self.items[i].part or 0]

    @cached_property
    def _reads(self) -> tuple[tuple[Address, ...], ...]:
        return self.result.reads_in(self.store)
