"""Jobs that analyse all networks of a task."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from rnnstudy.analyses import TaskAnalysis
from rnnstudy.analyses.base import OTHER_TASKS, Cost, Inputs, overhead
from rnnstudy.claims import Claim
from rnnstudy.core.record import Record
from rnnstudy.study.plan.batches.costs import RECORD_COPIES, cost_of
from rnnstudy.study.plan.job import Context, Job, JobKey, count_label
from rnnstudy.study.plan.member_analyses import BoundAnalysis
from rnnstudy.study.plan.task_artefact import TaskArtefact
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.store import Store, StoreSnapshot
from rnnstudy.training.train import WeightsOf


@dataclass(frozen=True, eq=False)
class AnalyseTask(Job):
    """One analysis of all usable networks of a task. They decide the address of the result."""

    result: TaskArtefact

    @property
    def analysis(self) -> TaskAnalysis:
        """The analysis."""
        return self.result.analysis

    @property
    def kind(self) -> str:
        return self.analysis.step

    @property
    def group(self) -> str:
        if self.result.solved is not None:
            return "over all trained networks"
        return "claims" if isinstance(self.analysis, Claim) else self.kind

    @property
    def task(self) -> str:
        return self.result.task.title

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.result.members)

    @property
    def record_class(self) -> type[Record]:
        return self.analysis.record_class

    @property
    def label(self) -> str:
        count = count_label(len(self.result.members), "network")
        return " ".join([self.kind, self.task, *self.result.scopes, f"({count})"])

    @property
    def key(self) -> JobKey:
        return task_key(self.result)

    def results(self) -> tuple[Hashable, ...]:
        return (self.key,)

    def requires(self) -> list[Hashable]:
        result = self.result
        records = [address for reads in result.reads for address in reads]
        records += [a for reads in result.control_reads.values() for a in reads if a is not None]
        needs = [*result.needs, *result.control_distances.values()]
        # Often the same result. Then it is computed once.
        needs += [] if result.solved is None else [result.solved]
        return [*result.keys, *records, *map(task_key, needs)]

    def _present(self, store: Store) -> list[bool]:
        return [not self.result.pending and store.has(self.result.address(store, complete=True))]

    def titles(self, store: Store) -> dict[str, str]:
        if self.result.pending:
            return {}
        kinds = (False, True)
        return {self.result.address(store, complete=complete): self.label for complete in kinds}

    def missing(self, store: Store) -> Self | None:
        is_empty = not (self.result.n_task_networks and self.result.expected_positions(store))
        return None if is_empty or all(self.present(store)) else self

    def cost(self) -> Cost:
        try:
            cost = self.analysis.cost(self.result.task, sum(map(len, self.result.reads)))
        except (Exception, SystemExit):
            return Cost()  # a task of the user; the job itself reports the error
        has_numbers = cost.work or cost.bytes
        return cost + Cost(bytes=overhead(self.analysis.yields)) if has_numbers else cost

    @property
    def memory(self) -> int:
        """Bytes of the records that it reads and of copies of its own, as far as they are known."""
        return self._bytes_read + RECORD_COPIES * self.cost().bytes

    @cached_property
    def _bytes_read(self) -> int:
        result, boundary = self.result, self.result.n_task_networks
        controls = [bound for inputs in result.controls.values() for bound in inputs.values()]
        others = [] if result.cross_task is None else [result.cross_task]
        shared = [*result.needs, *result.control_distances.values()]
        return (
            _bytes_of([*result.inputs, *controls], result.networks[:boundary])
            + _bytes_of(others, result.networks[boundary:])
            + sum(AnalyseTask(need).cost().bytes for need in shared)
        )

    def run(self, context: Context) -> None:
        store = StoreSnapshot(context.store)
        if not self.result.expected_positions(store) or self.result.is_repetition(store):
            return
        at, address = self.result.ready(store), self.result.address(store)
        if self.result.inputs and not any(i < self.result.n_task_networks for i in at):
            raise RuntimeError(f"no network of task '{self.task}' is usable")
        if not store.has(address):
            context.store.write(address, self.compute(store, at))

    def compute(self, store: Store, at: tuple[int, ...]) -> Record:
        """Return the record for the networks at some positions, read from the store."""
        result, reads = self.result, self.result.reads_in(store)
        of_task = [i for i in at if i < result.n_task_networks]
        records: dict[str, Any] = {
            bound.title: [store.read(reads[i][part], bound.analysis.record_class) for i in of_task]
            for part, bound in enumerate(result.inputs)
        }
        if result.cross_task:
            kind = result.cross_task.analysis.record_class
            records[OTHER_TASKS] = {
                result.members[i]: store.read(reads[i][0], kind)
                for i in at
                if i >= result.n_task_networks
            }
        records |= {need.analysis.title: _read_shared(need, store) for need in result.needs}
        inputs = Inputs.from_records(
            [result.members[i] for i in of_task],
            records,
            {weights: self._control(weights, store, of_task) for weights in result.controls},
            {
                name: _read_shared(need, store)
                for name, need in result.control_distances.items()
                if need.has_networks(store)
            },
        )
        return self.analysis.compute(result.task, inputs)

    def _control(self, weights: WeightsOf, store: Store, at: Sequence[int]) -> Inputs:
        """Return the records of the networks with other weights, as far as there are any."""
        members, index = self.result.members, self.result.index
        records = {}
        for name, bound in self.result.controls[weights].items():
            listed = self.result.control_reads[weights, name]
            addresses = {i: index.address_in(store, a) for i in at if (a := listed[i]) is not None}
            records[name] = {
                members[i]: store.read(address, bound.analysis.record_class)
                for i, address in addresses.items()
                if store.has(address)
            }
        present = [members[i] for i in at if any(members[i] in each for each in records.values())]
        return Inputs.from_records(present, records, {}, {})


def _bytes_of(analyses: Sequence[BoundAnalysis], networks: Sequence[NetworkSpec]) -> int:
    """Return the bytes of records of networks, as far as they are known.

    Networks of a grid share their cells and tasks, so that many thousands are of few kinds.
    """
    trained = [network for network in networks if isinstance(network, TrainedNetworkSpec)]
    numbers = Counter((id(network.cell), id(network.task)) for network in trained)
    first = {(id(network.cell), id(network.task)): network for network in trained}
    return sum(
        number * cost_of(bound.analysis, first[kind].cell, first[kind].task).bytes
        for kind, number in numbers.items()
        for bound in analyses
    )


def task_key(result: TaskArtefact) -> JobKey:
    """Return the identity of the job that computes a result."""
    return JobKey(result.analysis.step, result.task.title, (), result.scope)


def _read_shared(need: TaskArtefact, store: Store) -> Record:
    address = need.address(store)
    if not store.has(address):
        raise RuntimeError(f"it needs '{need.analysis.title}', which failed")
    return store.read(address, need.analysis.record_class)
