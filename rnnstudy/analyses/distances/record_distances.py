"""Bases of distances between networks by one record of each, with and without controls."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from rnnstudy.analyses.base import Cost, Inputs, Member, Section, TaskAnalysis
from rnnstudy.analyses.distances.all_pairs import cost_of_pairs
from rnnstudy.analyses.distances.controls import (
    PLANTED,
    STANDARD,
    TRAINED,
    UNTRAINED,
    ControlDistances,
    ControlWeights,
    control_labels,
    control_map,
    item_label,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class RecordDistances(TaskAnalysis):
    """Base of analyses that compare networks by one record of each.

    `form` reduces a record to a form, `compare` returns the distances of forms. `plant` changes a
    form by a known difference, for claims that networks are alike.

    Examples
    --------
    >>> import numpy as np
    >>> class Sizes(RecordDistances):
    ...     of: str = "size"
    ...
    ...     def form(self, record):
    ...         return record.value
    ...
    ...     def compare(self, forms, names):
    ...         values = np.abs(np.subtract.outer(forms, forms))
    ...         return Distances(tuple(names), values.astype(float))
    >>> Sizes().plant(3.0) is None
    True
    """

    yields: ClassVar[type[Record]] = Distances

    of: str
    """Name of the analysis of single networks whose records are compared."""

    @abstractmethod
    def form(self, record: Any) -> Any:
        """Return the part of a network's record that is compared."""

    @abstractmethod
    def compare(self, forms: Sequence[Any], names: Sequence[str]) -> Distances:
        """Return the distances of the forms of networks with these names."""

    def plant(self, form: Any) -> Any:
        """Return a form with a known difference, or None if the distances have no such form."""
        return None

    def run(self, task: Task, inputs: Inputs) -> Distances:
        records = inputs[self.of]
        forms = [self.form(record) for record in records.values()]
        return self.compare(forms, [member.name for member in records])

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)


class Item(NamedTuple):
    """A network with some weights, and the form by which it is compared."""

    member: Member
    learnt: str
    form: Any


class RecordControls(RecordDistances):
    """Base of the same distances, together with controls.

    A subclass has this base before that of the distances: `class A(RecordControls, Distances)`. The
    controls are the same networks with other weights, and planted copies of the trained ones.

    Examples
    --------
    >>> from rnnstudy.analyses.distances.point_geometry import PointGeometryControls
    >>> PointGeometryControls(of="oscillations").control_weights()
    ('untrained', 'standard')
    """

    yields: ClassVar[type[Record]] = ControlDistances

    weights: tuple[ControlWeights, ...] = (UNTRAINED, STANDARD)
    """Weights of the controls: `untrained` (a network's own initial weights), `standard` (initial
    weights from the standard initialisers)."""

    planted: bool = False
    """True: together with copies of the trained networks that have a known difference."""

    @property
    def title(self) -> str:
        return self.name or f"{super().title}_controls"

    def control_weights(self) -> tuple[ControlWeights, ...]:
        return self.weights

    def with_controls(self, planted: bool = True) -> "RecordControls":
        return self.replace(planted=True) if planted and not self.planted else self

    def run(self, task: Task, inputs: Inputs) -> ControlDistances:
        items = list(self._items(inputs))
        names = [item_label(item.member.name, item.learnt) for item in items]
        return ControlDistances.of(
            self.compare([item.form for item in items], names),
            [item.learnt for item in items],
            [item.member for item in items],
        )

    def _items(self, inputs: Inputs) -> Iterator[Item]:
        """Yield trained networks, then each kind of control."""
        trained = self._forms(inputs)
        yield from (Item(member, TRAINED, form) for member, form in trained.items())
        for weights in self.weights:
            forms = self._forms(inputs.controls.get(weights, {}))
            yield from (Item(member, weights, form) for member, form in forms.items())
        if self.planted:
            copies = {member: self.plant(form) for member, form in trained.items()}
            yield from (
                Item(member, PLANTED, form) for member, form in copies.items() if form is not None
            )

    def _forms(self, records: Mapping[str, Any]) -> dict[Member, Any]:
        return {member: self.form(record) for member, record in records.get(self.of, {}).items()}

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records * (1 + len(self.weights) + self.planted))

    def show(self, section: Section) -> Iterable[Exhibit]:
        return control_map(section, self.title)


def control_fields(analysis: RecordDistances) -> dict[str, Any]:
    """Return the fields of an analysis of distances, for its analysis with controls."""
    fields = {name: getattr(analysis, name) for name in type(analysis).model_fields}
    return {**fields, **control_labels(analysis)}
