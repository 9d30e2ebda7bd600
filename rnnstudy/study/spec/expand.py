"""Expansion of a grid into networks, with overrides and selection."""

from collections.abc import Iterable, Iterator, Sequence

from rnnstudy.analyses.base import Member
from rnnstudy.cells import Cell
from rnnstudy.study.spec.grid import Combination, combinations, member
from rnnstudy.study.spec.networks import Networks, TrainedNetworkSpec
from rnnstudy.study.spec.overrides import Override, apply_overrides
from rnnstudy.study.spec.protocols import NamedProtocol, ordered_overrides
from rnnstudy.study.spec.selection import PendingNetwork, Selection
from rnnstudy.tasks import Task
from rnnstudy.training.protocol import Training


def expand_grid(
    tasks: Sequence[Task],
    networks: Networks,
    training: Training,
    selection: Selection | None,
    overrides: Sequence[Override],
    protocols: Sequence[NamedProtocol] = (),
) -> Iterator[tuple[Member, TrainedNetworkSpec]]:
    """Yield all networks of a grid with their names, in a fixed order, the seed innermost."""
    names = [protocol.name for protocol in protocols]
    layers = ordered_overrides(overrides, protocols, networks.cells)
    for combination in combinations(tasks, networks, training, names):
        of_protocol = layers[combination.fields.get("protocol", "")]
        yield from _members(combination, networks.seeds, selection, of_protocol)


def _members(
    combination: Combination,
    seeds: Iterable[int],
    selection: Selection | None,
    overrides: Sequence[Override],
) -> Iterator[tuple[Member, TrainedNetworkSpec]]:
    cells: dict[tuple[int, ...], tuple[Cell, Training, tuple[str, ...]]] = {}
    for seed in seeds:
        fields = {**combination.fields, "seed": seed}
        key = tuple(i for i, each in enumerate(overrides) if each.matches(fields))
        if key not in cells:
            matching = [overrides[i] for i in key]
            cells[key] = (*apply_overrides(combination, matching), _free(selection, matching))
        cell, protocol, free = cells[key]
        network = TrainedNetworkSpec(task=combination.task, cell=cell, training=protocol, seed=seed)
        yield (
            member(combination, seed),
            PendingNetwork(**dict(network), pending_fields=free) if free else network,
        )


def _free(selection: Selection | None, overrides: Iterable[Override]) -> tuple[str, ...]:
    """Return the training fields that the selection decides if these overrides match."""
    grid = {} if selection is None else selection.grid
    overridden = {name for override in overrides for name in override.set.training}
    return tuple(name for name in grid if name not in overridden)
