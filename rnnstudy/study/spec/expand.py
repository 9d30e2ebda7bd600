"""The networks of a grid, with what overrides and selection make of them."""

from collections.abc import Iterable, Iterator, Sequence

from rnnstudy.analyses.base import Member
from rnnstudy.cells import Cell
from rnnstudy.study.spec.grid import Combination, combinations, member
from rnnstudy.study.spec.networks import Network, Networks
from rnnstudy.study.spec.overrides import Override, overridden
from rnnstudy.study.spec.selection import Selection, Undecided
from rnnstudy.tasks import Task
from rnnstudy.training.protocol import Training


def grown(
    tasks: Sequence[Task],
    networks: Networks,
    training: Training,
    selection: Selection | None,
    overrides: Sequence[Override],
) -> Iterator[tuple[Member, Network]]:
    """All networks of a grid with their names, in a fixed order, the seed innermost."""
    for combination in combinations(tasks, networks, training):
        yield from _members(combination, networks.seeds, selection, overrides)


def _members(
    combination: Combination,
    seeds: Iterable[int],
    selection: Selection | None,
    overrides: Sequence[Override],
) -> Iterator[tuple[Member, Network]]:
    built: dict[tuple[int, ...], tuple[Cell, Training, tuple[str, ...]]] = {}
    for seed in seeds:
        fields = {**combination.fields, "seed": seed}
        which = tuple(i for i, each in enumerate(overrides) if each.matches(fields))
        if which not in built:
            matching = [overrides[i] for i in which]
            built[which] = (*overridden(combination, matching), _free(selection, matching))
        cell, protocol, free = built[which]
        network = Network(task=combination.task, cell=cell, training=protocol, seed=seed)
        yield (
            member(combination, seed),
            Undecided(**dict(network), free=free) if free else network,
        )


def _free(selection: Selection | None, overrides: Iterable[Override]) -> tuple[str, ...]:
    """Training fields left to selection where these overrides match."""
    grid = {} if selection is None else selection.grid
    taken = {name for override in overrides for name in override.set.training}
    return tuple(name for name in grid if name not in taken)
