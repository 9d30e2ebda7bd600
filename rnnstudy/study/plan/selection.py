"""Which candidates a selection compares, and which it chose: a pure function of pilots' records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import CorruptRecord, Record, array
from rnnstudy.study.spec.grid import as_text
from rnnstudy.study.spec.networks import AnyNetwork, Network
from rnnstudy.study.spec.selection import Selection, Undecided
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store
from rnnstudy.training.evaluation import validation_loss
from rnnstudy.training.train import Trained


@dataclass(frozen=True, eq=False)
class Choice(Record):
    """What became of a contest's pilots, and the candidate that is chosen."""

    chosen: int
    """Position of the chosen candidate."""
    loss: Array = array("candidate", "pilot")
    """Mean squared error on the task's validation trials; infinite for a pilot that diverged."""


@dataclass(frozen=True, eq=False)
class Contest:
    """Candidates for the training fields of networks that differ in nothing but their seeds."""

    name: str
    """The networks' name without a seed."""
    rule: Selection
    members: tuple[int, ...]
    """Positions in the study of the networks that wait for the choice."""
    candidates: tuple[Mapping[str, Any], ...]
    """Values of the fields that are chosen."""
    pilots: tuple[tuple[str, Network], ...]
    """Name and recipe of each pilot, candidate by candidate."""

    @property
    def networks(self) -> tuple[Network, ...]:
        """The pilots, candidate by candidate."""
        return tuple(network for _, network in self.pilots)

    @property
    def key(self) -> str:
        """Address of the choice."""
        return self.rule.key(*(network.key() for network in self.networks))

    def words(self, candidate: int) -> str:
        """`learning_rate=0.01 l2=0.0`."""
        return " ".join(_words(self.candidates[candidate]))


def contests(study: Study) -> tuple[Contest, ...]:
    """One for each part of the grid whose networks wait for the same choice, in the grid's order.

    Networks that an override treats apart by their seeds are parts of their own.
    """
    if study.selection is None:
        return ()
    expanded = study.expand()
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, (_, network) in enumerate(expanded):
        if isinstance(network, Undecided):
            alike = (network.task, network.cell, network.training, network.free)
            groups.setdefault(alike, []).append(i)
    named: dict[str, int] = {}
    found = []
    for members in groups.values():
        who, network = expanded[members[0]]
        assert isinstance(network, Undecided)
        name, _, seed = who.name.rpartition("-")
        named[name] = named.get(name, 0) + 1
        name = name if named[name] == 1 else f"{name}-{seed}"
        found.append(_contest(name, study.selection, tuple(members), network))
    return tuple(found)


def _contest(name: str, rule: Selection, members: tuple[int, ...], network: Undecided) -> Contest:
    candidates = rule.candidates(network.free)
    pilots = [
        (
            "-".join([name, *_words(candidate), f"p{i:03d}"]),
            Network(
                task=network.task,
                cell=network.cell,
                training=rule.pilot_protocol(network.training, candidate),
                seed=seed,
            ),
        )
        for candidate in candidates
        for i, seed in enumerate(rule.pilot_seeds)
    ]
    return Contest(name, rule, members, candidates, tuple(pilots))


def _words(candidate: Mapping[str, Any]) -> list[str]:
    return [f"{name}={as_text(value)}" for name, value in candidate.items()]


def best(loss: Array, by: str) -> int:
    """The candidate of the lowest mean or median loss [candidate, pilot]; of equal ones the first.

    Infinite losses are the worst; among candidates that all have an infinite mean or median, the
    one with the fewest of them is the best.
    """
    ordered = np.sort(np.where(np.isfinite(loss), loss, np.inf), axis=1)
    score = score_of(ordered, by)
    return int(np.lexsort((np.isinf(ordered).sum(axis=1), score))[0])


def score_of(loss: Array, by: str) -> Array:
    """What candidates are compared by [candidate], of losses [candidate, pilot]."""
    score: Array = np.mean(loss, axis=1) if by == "mean" else np.median(loss, axis=1)
    return score


def judged(contest: Contest, pilots: Sequence[Trained]) -> Choice:
    """The choice that the pilots of a contest, in its order, bring about."""
    everyone = Trained.join(pilots, "member")
    usable = np.flatnonzero(everyone.diverged_at < 0)
    loss = np.full(len(pilots), np.inf)
    if len(usable):
        population = everyone.population.select("member", usable)
        loss[usable] = validation_loss(contest.networks[0].task, population)
    table = loss.reshape(len(contest.candidates), -1)
    return Choice(loss=table, chosen=best(table, contest.rule.by))


def choice(contest: Contest, store: Store) -> Choice | None:
    """What a contest has chosen; None as long as the store does not hold it."""
    key = contest.key
    try:
        return _choice(store.root.as_posix(), key) if store.has(key) else None
    except CorruptRecord:
        return None


@cache
def _choice(root: str, key: str) -> Choice:
    return Store(root).read(key, Choice)


def population(
    study: Study, store: Store, at_stake: Sequence[Contest]
) -> tuple[tuple[Member, AnyNetwork], ...]:
    """All networks with their names, as `Study.expand`, with what has been chosen filled in."""
    found = list(study.expand())
    for contest in at_stake:
        made = choice(contest, store)
        for i in contest.members if made else ():
            who, network = found[i]
            assert made is not None
            assert isinstance(network, Undecided)
            found[i] = (who, network.decided(contest.candidates[made.chosen]))
    return tuple(found)
