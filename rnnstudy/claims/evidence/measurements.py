"""Measurements of networks: the numbers that the test of a claim reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.controls import (
    TRAINED,
    UNTRAINED,
    ControlDistances,
    item_label,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Measurements:
    """Numbers of trained networks and of their controls.

    An item is a network in one state of training: trained on the task, untrained, trained on
    another task, or a trained one with a planted change. Items of one network have the same member.

    Examples
    --------
    >>> gru = Member("a", {"cell": "gru"})
    >>> both = Measurements(
    ...     members=(gru, gru), learnt=("trained", "untrained"), values=np.array([1.0, 0.0])
    ... )
    >>> both.of("untrained").values
    array([0.])
    """

    members: tuple[Member, ...]
    """Network of each item."""
    learnt: tuple[str, ...]
    """Training of each item: trained, untrained, standard, trained on another task, or planted."""
    values: Array
    """Numbers of the items, [item, ...]; distances between them, [item, item]."""
    is_distance: bool = False
    """True if the values are distances between items."""
    bound: float | None = None
    """Distance of an unseen network from all others; None: the largest of the distances."""

    def __post_init__(self) -> None:
        items, shape = len(self.members), np.shape(self.values)
        wanted = (items, items) if self.is_distance else (items,)
        if len(self.learnt) != items or shape[: len(wanted)] != wanted:
            raise ValueError(
                f"measurements of {items} members must have learnt [{items}] and values "
                f"{list(wanted)}, got {len(self.learnt)} and {list(shape)}. Pass one of each."
            )

    def __len__(self) -> int:
        return len(self.members)

    def at(self, learnt: str) -> list[int]:
        """Return the positions of the items with this training."""
        return [i for i, each in enumerate(self.learnt) if each == learnt]

    def only(self, positions: Sequence[int]) -> Self:
        """Return the measurements of the items at some positions."""
        rows = list(positions)
        values = self.values[np.ix_(rows, rows)] if self.is_distance else self.values[rows]
        return replace(
            self,
            members=tuple(self.members[i] for i in rows),
            learnt=tuple(self.learnt[i] for i in rows),
            values=values,
        )

    def of(self, learnt: str) -> Self:
        """Return the measurements of the items with this training."""
        return self.only(self.at(learnt))

    def as_trained(self, learnt: str) -> Self:
        """Return the items of one training as if they were the trained networks."""
        items = self.of(learnt)
        return replace(items, learnt=(TRAINED,) * len(items))

    def with_values(self, values: Array) -> Self:
        """Return the same items with other numbers."""
        return replace(self, values=values)

    def with_members(self, members: Sequence[Member]) -> Self:
        """Return the same numbers of other networks."""
        return replace(self, members=tuple(members))

    def twins(self, learnt: str = UNTRAINED) -> list[tuple[int, int]]:
        """Return the positions (trained, control) of each network that has both states."""
        control = {self.members[i].name: i for i in self.at(learnt)}
        pairs = ((i, control.get(self.members[i].name, -1)) for i in self.at(TRAINED))
        return [(i, j) for i, j in pairs if j >= 0]

    def without_network(self, name: str) -> Self:
        """Return the measurements without all items of one network."""
        return self.only([i for i, member in enumerate(self.members) if member.name != name])

    def to_control_distances(self) -> ControlDistances:
        """Return the distances as the record of an analysis of controls."""
        items = zip(self.members, self.learnt, strict=True)
        return ControlDistances(
            labels=tuple(item_label(member.name, learnt) for member, learnt in items),
            values=self.values,
            learnt=self.learnt,
            fields=tuple(dict(member.fields) for member in self.members),
        )


def values_of(
    trained: Mapping[Member, Any], controls: Mapping[str, Mapping[Member, Any]]
) -> Measurements:
    """Return the measurements of numbers of networks.

    trained: number of each trained network. controls: training -> number of each network.
    """
    by_training = {TRAINED: trained, **controls}
    return Measurements(
        members=tuple(member for numbers in by_training.values() for member in numbers),
        learnt=tuple(name for name, numbers in by_training.items() for _ in numbers),
        values=np.array([each for numbers in by_training.values() for each in numbers.values()]),
    )


def distances_of(
    distances: Distances, members: Sequence[Member], controls: ControlDistances | None
) -> Measurements:
    """Return the measurements of distances between networks, with those to their controls.

    Distances between a control and a network without controls are NaN. Raises ValueError if a name
    of the distances is no network of the study.
    """
    by_name = {member.name: member for member in members}
    missing = [name for name in distances.labels if name not in by_name]
    if missing:
        raise ValueError(
            f"the names of the distances must be networks of this study, got '{missing[0]}'"
        )
    trained = [by_name[name] for name in distances.labels]
    if controls is None:
        return Measurements(
            members=tuple(trained),
            learnt=(TRAINED,) * len(trained),
            values=distances.values,
            is_distance=True,
        )
    return _join(distances, trained, controls)


def class_distances(classes: Mapping[str, Mapping[Member, str]]) -> Measurements:
    """Return distances of 0 between networks of one class and 1 between others.

    classes: training -> class of each network.
    """
    labels = np.array([label for each in classes.values() for label in each.values()], str)
    return Measurements(
        members=tuple(member for each in classes.values() for member in each),
        learnt=tuple(name for name, each in classes.items() for _ in each),
        values=(labels[:, None] != labels).astype(float),
        is_distance=True,
        bound=1.0,
    )


def measurements_of(controls: ControlDistances) -> Measurements:
    """Return the measurements of distances that have controls themselves."""
    names = controls.networks
    return Measurements(
        members=tuple(Member(n, each) for n, each in zip(names, controls.fields, strict=True)),
        learnt=controls.learnt,
        values=controls.values,
        is_distance=True,
    )


def _join(
    distances: Distances, trained: Sequence[Member], controls: ControlDistances
) -> Measurements:
    names = controls.networks
    rows = [i for i, learnt in enumerate(controls.learnt) if learnt != TRAINED]
    known = {names[i]: i for i in controls.at(TRAINED)}
    size, extra = len(trained), len(rows)
    values = np.full((size + extra, size + extra), np.nan)
    values[:size, :size] = distances.values
    values[size:, size:] = controls.among(rows)
    has_row = [i for i, member in enumerate(trained) if member.name in known]
    across = controls.values[np.ix_([known[trained[i].name] for i in has_row], rows)]
    values[np.ix_(has_row, range(size, size + extra))] = across
    values[np.ix_(range(size, size + extra), has_row)] = across.T
    return Measurements(
        members=(*trained, *(Member(names[i], controls.fields[i]) for i in rows)),
        learnt=(TRAINED,) * size + tuple(controls.learnt[i] for i in rows),
        values=values,
        is_distance=True,
    )
