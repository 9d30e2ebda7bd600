"""Selection of training fields: groups of networks, their pilots, and the candidate that wins."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Address
from rnnstudy.core.record import Record, array
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord
from rnnstudy.study.plan.job import Context, Job, count_label
from rnnstudy.study.plan.outcomes import network_outcome
from rnnstudy.study.spec.grid import as_text
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork, Selection
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store
from rnnstudy.training.evaluation import validation_loss
from rnnstudy.training.train import TrainedNetworks


@dataclass(frozen=True, eq=False)
class SelectionResult(Record):
    """Losses of the pilots of a group, and the candidate that is selected.

    Examples
    --------
    >>> loss = np.array([[0.4, 0.2], [0.1, 0.3]])
    >>> SelectionResult(loss=loss, chosen=best_candidate(loss, "mean")).chosen
    1
    """

    chosen: int
    """Position of the selected candidate."""
    loss: Array = array("candidate", "pilot")
    """Loss on the task's validation trials; infinite for a pilot that diverged."""


@dataclass(frozen=True, eq=False)
class SelectionGroup:
    """Networks that differ only in their seeds, and candidates for their training fields."""

    name: str
    """Name of the networks without a seed."""
    rule: Selection
    """The selection of the spec."""
    members: tuple[int, ...]
    """Positions in the study of the networks that wait for the selection."""
    candidates: tuple[Mapping[str, Any], ...]
    """Values of the fields that are selected."""
    pilots: tuple[tuple[str, TrainedNetworkSpec], ...]
    """Name and recipe of each pilot, candidate by candidate."""

    @property
    def networks(self) -> tuple[TrainedNetworkSpec, ...]:
        """The pilots, candidate by candidate."""
        return tuple(network for _, network in self.pilots)

    @property
    def address(self) -> Address:
        """Address of the selection's result."""
        return self.rule.key(*(network.key() for network in self.networks))

    def words(self, candidate: int) -> str:
        """Return the values of a candidate: `learning_rate=0.01 l2=0.0`."""
        return " ".join(_words(self.candidates[candidate]))


@dataclass(frozen=True, eq=False)
class Select(Job):
    """Selection of training fields for a group of networks, by the losses of its pilots."""

    selection: SelectionGroup

    @property
    def kind(self) -> str:
        return "select"

    @property
    def group(self) -> str:
        return "selection"

    @property
    def task(self) -> str:
        return self.selection.networks[0].task.title

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.selection.pilots)

    @property
    def record_class(self) -> type[Record]:
        return SelectionResult

    @property
    def label(self) -> str:
        count = count_label(len(self.selection.candidates), "candidate")
        return f"select {self.selection.name} ({count})"

    def results(self) -> tuple[Hashable, ...]:
        return (self.selection.address,)

    def requires(self) -> list[Hashable]:
        return [network.key() for network in self.selection.networks]

    def _present(self, store: Store) -> list[bool]:
        return [selection_result(self.selection, store) is not None]

    def titles(self, store: Store) -> dict[str, str]:
        return {self.selection.address: self.label}

    def missing(self, store: Store) -> Self | None:
        return None if all(self.present(store)) else self

    def run(self, context: Context) -> None:
        networks, store = self.selection.networks, context.store
        absent = sum(network_outcome(store, network) is None for network in networks)
        if absent:
            raise RuntimeError(f"not chosen: {count_label(absent, 'pilot')} could not be trained")
        pilots = [store.read(network.key(), TrainedNetworks) for network in networks]
        store.write(self.selection.address, select_candidate(self.selection, pilots))


def selection_groups(study: Study) -> tuple[SelectionGroup, ...]:
    """Return the groups of networks that wait for the same selection, in the order of the grid.

    Networks of one combination form several groups if an override depends on their seeds.
    """
    if study.selection is None:
        return ()
    expanded = study.expand()
    positions: dict[tuple[Any, ...], list[int]] = {}
    for i, (_, network) in enumerate(expanded):
        if isinstance(network, PendingNetwork):
            alike = (network.task, network.cell, network.training, network.pending_fields)
            positions.setdefault(alike, []).append(i)
    counts: dict[str, int] = {}
    groups = []
    for members in positions.values():
        member, network = expanded[members[0]]
        assert isinstance(network, PendingNetwork)
        name, _, seed = member.name.rpartition("-")
        counts[name] = counts.get(name, 0) + 1
        name = name if counts[name] == 1 else f"{name}-{seed}"
        groups.append(_group(name, study.selection, tuple(members), network))
    return tuple(groups)


def _group(
    name: str, rule: Selection, members: tuple[int, ...], network: PendingNetwork
) -> SelectionGroup:
    candidates = rule.candidates(network.pending_fields)
    pilots = [
        (
            "-".join([name, *_words(candidate), f"p{i:03d}"]),
            TrainedNetworkSpec(
                task=network.task,
                cell=network.cell,
                training=rule.pilot_protocol(network.training, candidate),
                seed=seed,
            ),
        )
        for candidate in candidates
        for i, seed in enumerate(rule.pilot_seeds)
    ]
    return SelectionGroup(name, rule, members, candidates, tuple(pilots))


def _words(candidate: Mapping[str, Any]) -> list[str]:
    return [f"{name}={as_text(value)}" for name, value in candidate.items()]


def best_candidate(loss: Array, statistic: str) -> int:
    """Return the candidate of the lowest mean or median loss [candidate, pilot].

    Infinite losses are the worst. Of candidates with an infinite statistic, the one with the
    fewest infinite losses wins. Of equal ones the first wins.
    """
    ordered = np.sort(np.where(np.isfinite(loss), loss, np.inf), axis=1)
    score = candidate_scores(ordered, statistic)
    return int(np.lexsort((np.isinf(ordered).sum(axis=1), score))[0])


def candidate_scores(loss: Array, statistic: str) -> Array:
    """Return the mean or median loss [candidate] of losses [candidate, pilot]."""
    score: Array = np.mean(loss, axis=1) if statistic == "mean" else np.median(loss, axis=1)
    return score


def select_candidate(group: SelectionGroup, pilots: Sequence[TrainedNetworks]) -> SelectionResult:
    """Return the losses of the trained pilots of a group, and the selected candidate."""
    joined = TrainedNetworks.join(pilots, "member")
    usable = np.flatnonzero(joined.diverged_at < 0)
    loss = np.full(len(pilots), np.inf)
    if len(usable):
        population = joined.population.select("member", usable)
        loss[usable] = validation_loss(group.networks[0].task, population)
    table = loss.reshape(len(group.candidates), -1)
    return SelectionResult(loss=table, chosen=best_candidate(table, group.rule.statistic))


def selection_result(group: SelectionGroup, store: Store) -> SelectionResult | None:
    """Return the result of a selection; None if the store does not hold it."""
    return store.memoise(group.address, lambda: _read_result(group.address, store))


def _read_result(address: Address, store: Store) -> SelectionResult | None:
    try:
        return store.read(address, SelectionResult)
    except (AbsentRecord, DamagedRecord):
        return None


def population(
    study: Study, store: Store, groups: Sequence[SelectionGroup]
) -> list[tuple[Member, NetworkSpec]]:
    """Return all networks of a study with their names; selected fields are filled in."""
    networks = list(study.expand())
    for group in groups:
        result = selection_result(group, store)
        if result is None:
            continue
        for i in group.members:
            member, network = networks[i]
            assert isinstance(network, PendingNetwork)
            networks[i] = (member, network.with_selected(group.candidates[result.chosen]))
    return networks
