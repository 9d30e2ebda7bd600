"""Bases of distances between networks by one record of each, with and without controls."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rnnstudy.analyses.base import Cost, Inputs, Member, Section, TaskAnalysis
from rnnstudy.analyses.distances.all_pairs import CONTROL_OF_NONE, cost_of_pairs
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
    form by a known difference, for claims that networks are alike. `reason_against` names forms
    without distances.

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

    def reason_against(self, form: Any) -> str:
        """Return why a network of this form has no distances; empty if it has.

        Such a network is left out of the matrix. By default all have distances.
        """
        return ""

    def plant(self, form: Any) -> Any:
        """Return a form with a known difference, or None if the distances have no such form."""
        return None

    def run(self, task: Task, inputs: Inputs) -> Distances:
        records = inputs[self.of].items()
        forms = {member.name: self.form(record) for member, record in records}
        reasons = {name: self.reason_against(form) for name, form in forms.items()}
        return self.compare_defined(forms, {name: why for name, why in reasons.items() if why})

    def compare_defined(self, forms: Mapping[str, Any], left_out: Mapping[str, str]) -> Distances:
        """Return the distances of forms by name, but for those that are left out."""
        names = [name for name in forms if name not in left_out]
        if not names:
            return Distances((), np.zeros((0, 0)), dict(left_out))
        distances = self.compare([forms[name] for name in names], names)
        return replace(distances, left_out=dict(left_out)) if left_out else distances

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
        items = {item_label(each.member.name, each.learnt): each for each in self._items(inputs)}
        reasons = {label: self.reason_against(item.form) for label, item in items.items()}
        trained = (label for label, item in items.items() if item.learnt == TRAINED)
        lost = {items[label].member for label in trained if reasons[label]}
        left_out = {
            label: reason or CONTROL_OF_NONE
            for label, reason in reasons.items()
            if reason or items[label].member in lost
        }
        forms = {label: item.form for label, item in items.items()}
        distances = self.compare_defined(forms, left_out)
        rows = [items[label] for label in distances.labels]
        return ControlDistances.of(
            distances, [row.learnt for row in rows], [row.member for row in rows]
        )

    def _items(self, inputs: Inputs) -> Iterator[Item]:
        """Yield trained networks, then each kind of control."""
        trained = self._forms(inputs)
        yield from (Item(member, TRAINED, form) for member, form in trained.items())
        for weights in self.weights:
            forms = self._forms(inputs.controls.get(weights, {}))
            yield from (Item(member, weights, form) for member, form in forms.items())
        if self.planted:
            known = {m: form for m, form in trained.items() if not self.reason_against(form)}
            copies = {member: self.plant(form) for member, form in known.items()}
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
