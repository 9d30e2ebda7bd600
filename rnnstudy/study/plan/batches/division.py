"""Division of the networks of a study into batches, analysis by analysis."""

from collections.abc import Iterator, Sequence
from typing import Any

from rnnstudy.study.plan.batches.batch import Batch, NetworkTable
from rnnstudy.study.plan.batches.costs import record_memory
from rnnstudy.study.plan.member_analyses import BoundAnalysis, cross_task_analyses
from rnnstudy.study.plan.task_artefact import can_analyse
from rnnstudy.study.plan.train import even_parts
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork

ANALYSED_TOGETHER = 16
"""Networks per batch: enough to share compiled programs, few enough to bound memory."""

BATCH_MEMORY = 4 * 2**30
"""Bytes that the records of a batch may take in memory. Larger networks form smaller batches."""


def divide_networks(index: NetworkTable) -> Iterator[Batch]:
    """Yield the batches of all analyses of single networks of a study.

    Networks that differ in labels alone, such as the name of their task, are analysed once. So are
    initial weights that several protocols train. The batches depend on the study alone, and not on
    the results that a store holds.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, network in enumerate(index.networks):
        groups.setdefault(shape_of(network), []).append(i)
    addresses: list[Any] = [
        i if isinstance(n, PendingNetwork) else n.key() for i, n in enumerate(index.networks)
    ]
    done = set[tuple[str, Any]]()
    for bound, group in _bound_to_groups(index, list(groups.values())):
        first = index.networks[group[0]]
        is_needed = (bound.address, first.task.title) in index.choices
        if not is_needed or not can_analyse(first, (bound,)):
            continue
        sources = index.sources(bound)
        at = {(bound.address, sources.get(addresses[i], addresses[i])): i for i in reversed(group)}
        new = sorted(i for key, i in at.items() if key not in done)
        done |= at.keys()
        most = BATCH_MEMORY // max(record_memory(bound.analysis, first), 1)
        for part in even_parts(new, min(max(most, 1), ANALYSED_TOGETHER)) if new else ():
            networks = tuple(index.networks[i] for i in part)
            yield Batch(index, bound, networks, tuple(index.members[i].name for i in part))


def _bound_to_groups(
    index: NetworkTable, groups: Sequence[list[int]]
) -> Iterator[tuple[BoundAnalysis, list[int]]]:
    """Yield each analysis with the groups that it applies to, then those of other tasks."""
    study = index.study
    for bound in index.member_analyses:
        for group in groups:
            if applies(bound.analysis, index.networks[group[0]].task, study.analyses):
                yield bound, group
    for task in study.tasks:
        for bound in cross_task_analyses(study, task):
            for group in groups:
                if index.networks[group[0]].task != task:
                    yield bound, group


def shape_of(network: NetworkSpec) -> tuple[object, ...]:
    """Return the key of networks that one job analyses. An imported network is on its own."""
    return (network.task, network.cell) if isinstance(network, TrainedNetworkSpec) else (network,)
