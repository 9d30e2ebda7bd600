"""Jobs that train networks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeVar, get_args

import numpy as np

from rnnstudy.analyses.base import Cost, overhead
from rnnstudy.cells.check import check_cell
from rnnstudy.core.batches import available_memory
from rnnstudy.core.component import Address, Component
from rnnstudy.core.record import Record
from rnnstudy.study.plan.job import Context, Job, Stopped, count_label, halves, range_label
from rnnstudy.study.plan.outcomes import NetworkOutcome, network_outcome, write_network
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.options import BatchCluster
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store
from rnnstudy.tasks.base import check_trials
from rnnstudy.training import cost as footprint
from rnnstudy.training.cost import trained_bytes, widest_cohort
from rnnstudy.training.kernels.choice import Kernel
from rnnstudy.training.state import TrainingState
from rnnstudy.training.train import TrainedNetworks, train

T = TypeVar("T")

SHARES = 2
"""Least number of cohorts per worker, so that all workers are busy to the end."""

WORTH_A_COHORT = 8
"""Networks of one cohort that hide the cost of compiling it. Smaller cohorts are not split off."""


SHARD_JOBS = 2
"""Jobs side by side for which a shard divides training, if the spec names no `workers`."""

SHARD_MEMORY = 4.0
"""GiB of cohorts in training for which a shard divides it, if the spec names no `memory`."""


@dataclass(frozen=True, eq=False)
class Train(Job):
    """Training of networks that share a program: of the grid, or pilots of a selection.

    The plan fixes the cohort. If a checkpoint of the cohort exists, all of it is trained to the
    end. Without one, the networks that are missing are trained.
    """

    networks: tuple[TrainedNetworkSpec, ...]
    """Networks whose results are written."""
    cohort: tuple[TrainedNetworkSpec, ...]
    """Networks that have a checkpoint together; `networks` are among them."""
    names: tuple[str, ...] = ()
    purpose: Literal["train", "pilots"] = "train"
    kernel: Kernel = "per_member"
    """Form of the training program that is expected, for estimates."""

    @property
    def kind(self) -> str:
        return self.purpose

    @property
    def task(self) -> str:
        return self.networks[0].task.title

    @property
    def label(self) -> str:
        return (
            f"{self.purpose} {range_label(self.names)} ({count_label(len(self.names), 'network')})"
        )

    @property
    def record_class(self) -> type[Record]:
        return TrainedNetworks

    @property
    def trains(self) -> tuple[TrainedNetworkSpec, ...]:
        return self.networks

    @property
    def memory(self) -> int:
        first = self.networks[0]
        members = len(self.networks)
        return footprint.cohort_bytes(first.cell, first.task, first.training, members, self.kernel)

    @property
    def least_memory(self) -> int:
        first = self.networks[0]
        return footprint.cohort_bytes(first.cell, first.task, first.training, 1, self.kernel)

    def parts(self) -> list[Self]:
        names = dict(zip(self.results(), self.names, strict=True))
        keys = [network.key() for network in self.cohort]
        at = [i for i, key in enumerate(keys) if key in names]
        return [
            replace(
                self,
                networks=tuple(self.cohort[i] for i in inside),
                names=tuple(names[keys[i]] for i in inside),
                cohort=self.cohort[side],
            )
            for side, inside in halves(len(self.cohort), at)
        ]

    def results(self) -> tuple[Address, ...]:
        return tuple(network.key() for network in self.networks)

    def requires(self) -> tuple[Address, ...]:
        return ()

    def _present(self, store: Store) -> list[bool]:
        return [
            not isinstance(network, PendingNetwork) and network_outcome(store, network) is not None
            for network in self.networks
        ]

    def missing(self, store: Store) -> Self | None:
        at = [i for i, present in enumerate(self.present(store)) if not present]
        networks, names = tuple(self.networks[i] for i in at), tuple(self.names[i] for i in at)
        return replace(self, networks=networks, names=names) if at else None

    def cost(self) -> Cost:
        steps = sum(network.training.steps for network in self.networks)
        size = sum(trained_bytes(n.cell, n.task, n.training) for n in self.networks)
        size += len(self.networks) * (overhead(TrainedNetworks) + overhead(NetworkOutcome))
        return Cost({"steps": steps}, size)

    def run(self, context: Context) -> None:
        first = self.networks[0]
        check_trials(first.task)
        check_cell(first.cell, first.task.inputs)
        networks = self.networks if self._is_at_start(context) else self.cohort
        trained, attempts = self._attempt(context, networks, networks, 0), [0]
        while attempts[-1] < first.training.retry and (trained.diverged_at >= 0).any():
            attempts.append(attempts[-1] + 1)
            diverged = np.flatnonzero(trained.diverged_at >= 0).tolist()
            again = self._attempt(context, networks, [networks[i] for i in diverged], attempts[-1])
            trained = trained.replace_members(diverged, again)
        missing = set(self.results())
        for i, network in enumerate(networks):
            if network.key() in missing:
                write_network(context.store, network, trained.select("member", [i]))
        for attempt in attempts:
            context.checkpoints(checkpoint_key(networks, attempt)).clear()

    def checkpoint_keys(self) -> list[list[str]]:
        """Return the keys of all checkpoints that the job may read."""
        attempts = range(self.networks[0].training.retry + 1)
        groups = (self.networks, self.cohort)
        return [checkpoint_key(group, attempt) for group in groups for attempt in attempts]

    def _is_at_start(self, context: Context) -> bool:
        """Return whether there is no checkpoint of the whole cohort."""
        if len(self.networks) == len(self.cohort):
            return True
        return not context.checkpoints(checkpoint_key(self.cohort, 0)).exist()

    def _attempt(
        self,
        context: Context,
        cohort: Sequence[TrainedNetworkSpec],
        networks: Sequence[TrainedNetworkSpec],
        attempt: int,
    ) -> TrainedNetworks:
        """Train some networks of a cohort, from new seeds if it is not the first attempt."""
        first, protocol = networks[0], networks[0].training
        checkpoints = context.checkpoints(checkpoint_key(cohort, attempt))
        title = f"{self.names[0]} {count_label(len(networks), 'network')} attempt {attempt}"
        with context.training_curves(title, protocol) as write_curves:

            def checkpoint(course: TrainingState) -> None:
                write_curves(course)
                # The end is kept until all networks are written, or tried again.
                ends = course.done == protocol.steps or not len(course.active)
                if context.stopped or (ends and (protocol.retry or len(networks) > 1)):
                    checkpoints.write(course)
                if context.stopped:
                    raise Stopped
                checkpoints.keep(course)

            return train(
                first.cell,
                first.task,
                [network.training for network in networks],
                [network.seed for network in networks],
                lambda step, loss: context.on_training_step(self, step, protocol.steps, loss),
                attempt=attempt,
                resume=checkpoints.latest(),
                checkpoint=checkpoint,
                devices=context.devices,
            )


def checkpoint_key(networks: Sequence[TrainedNetworkSpec], attempt: int) -> list[str]:
    """Return the key of the checkpoints of networks that are trained together."""
    return [*(network.key() for network in networks), f"attempt {attempt}"]


def cohorts(
    study: Study, networks: Sequence[tuple[str, TrainedNetworkSpec]], shards: int = 0
) -> Iterable[Train]:
    """Divide networks with their names into cohorts that train as one program each.

    Of networks that differ in labels alone, such as the name of their task, the first is trained.
    For shards, if there are any, the division does not depend on the machine: each of them makes
    it anew, and takes its part.
    """
    networks = distinct(networks)
    kernel = study.runtime.expected_kernel
    workers = shards * _jobs_of_shard(study) or study.runtime.expected_workers
    share = -(-len(networks) // (SHARES * workers)) if workers > 1 else len(networks)
    groups: dict[tuple[Component | str, ...], list[tuple[str, TrainedNetworkSpec]]] = {}
    for name, network in networks:
        groups.setdefault(_program(network), []).append((name, network))
    for group in groups.values():
        widest = _widest(group[0][1], study, shards)
        for part in even_parts(group, min(widest, max(share, WORTH_A_COHORT))):
            names, members = zip(*part, strict=True)
            yield Train(networks=members, names=names, cohort=members, kernel=kernel)


def distinct(
    networks: Iterable[tuple[str, TrainedNetworkSpec]],
) -> list[tuple[str, TrainedNetworkSpec]]:
    """Return networks with their names, the first of each address, and all without an address."""
    first: dict[object, tuple[str, TrainedNetworkSpec]] = {}
    for name, network in networks:
        at = name if isinstance(network, PendingNetwork) else network.key()
        first.setdefault(at, (name, network))
    return list(first.values())


def _program(network: TrainedNetworkSpec) -> tuple[Component | str, ...]:
    """Return the task, cell and protocol that networks of one program have in common.

    Networks without a penalty on rates have a program without it, whatever others are trained.
    """
    fields = network.training.model_dump(exclude=set(network.training.per_member))
    penalises_rates = str(network.training.rate_l2 > 0)
    return network.task, network.cell, str(sorted(fields.items())), penalises_rates


def even_parts(group: Sequence[T], width: int) -> list[Sequence[T]]:
    """Divide a group into the fewest parts of at most `width` and of nearly equal size."""
    count = -(-len(group) // width)
    return [group[len(group) * p // count : len(group) * (p + 1) // count] for p in range(count)]


def _widest(first: TrainedNetworkSpec, study: Study, shards: int) -> int:
    """Return the most networks of a cohort that memory suffices for, on each machine of shards."""
    budget = shard_budget(study) if shards else memory_budget(study)
    kernels = get_args(Kernel) if shards else [study.runtime.expected_kernel]
    widths = (
        widest_cohort(first.cell, first.task, first.training, budget, kernel) for kernel in kernels
    )
    return min(widths)


def _jobs_of_shard(study: Study) -> int:
    return study.runtime.workers or SHARD_JOBS


def shard_budget(study: Study) -> int:
    """Return the bytes that one training job of a shard may take, whatever machine it runs on."""
    return int((study.runtime.memory or SHARD_MEMORY) * 2**30 / _jobs_of_shard(study))


def memory_budget(study: Study) -> int:
    """Return the bytes that one training job may take: the spec's, or half of what there is."""
    runtime = study.runtime
    if isinstance(runtime.cluster, BatchCluster):
        return int(runtime.cluster.memory * 2**30 / 2)
    memory = runtime.memory
    total = available_memory() / 2 if memory is None else memory * 2**30
    return int(total / runtime.expected_workers)


def total_flops(jobs: Iterable[Job]) -> float:
    """Return the floating-point operations of all training in these jobs."""
    networks = [network for job in jobs for network in job.trains]
    return sum(footprint.training_flops(n.cell, n.task, n.training) for n in networks)
