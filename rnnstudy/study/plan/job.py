"""Jobs: steps of a plan, each with what it reads, what it yields and what it costs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple, Protocol, Self

from rnnstudy.analyses.base import Cost
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.store import Store
from rnnstudy.training.protocol import Training
from rnnstudy.training.state import TrainingState

Writer = Callable[[TrainingState], None]
"""A function that writes a training state somewhere."""


class Stopped(Exception):
    """The user has interrupted the run in the middle of a job."""


class CheckpointStore(Protocol):
    """Training states of one cohort that outlive the process."""

    def exist(self) -> bool:
        """Return whether there is a state, whole or not."""

    def latest(self) -> TrainingState | None:
        """Return the most advanced state that is whole."""

    def keep(self, course: TrainingState) -> None:
        """Write a state if the last one is old."""

    def write(self, course: TrainingState) -> None:
        """Write a state now."""

    def clear(self) -> None:
        """Remove all states."""


class Context(Protocol):
    """The process that runs a job, as far as the job needs it."""

    @property
    def store(self) -> Store:
        """Store that the job reads and writes."""

    @property
    def devices(self) -> tuple[str, ...]:
        """Devices that share the networks of a cohort."""

    @property
    def stopped(self) -> bool:
        """Is true after the user has interrupted the run."""

    def checkpoints(self, cohort: Sequence[str]) -> CheckpointStore:
        """Return the checkpoints of networks at these addresses."""

    def training_curves(self, cohort: str, protocol: Training) -> AbstractContextManager[Writer]:
        """Return a writer of training curves for as long as the context is open."""

    def on_training_step(self, job: Any, step: int, steps: int, loss: Array) -> None:
        """Tell the progress listener the number of steps that are done."""


class JobKey(NamedTuple):
    """Identity of a job in its plan."""

    kind: str
    task: str
    """Name of the task; empty if the networks are of several tasks."""
    members: tuple[str, ...]
    scope: str = ""
    """Condition on the networks of a claim that the job serves; empty for all networks."""


@dataclass(frozen=True, eq=False)
class Job(ABC):
    """One step of a plan.

    A subclass defines what the job reads and yields, and how it runs. The planner, the executor,
    the terminal and the report know nothing of the subclasses.
    """

    @property
    @abstractmethod
    def kind(self) -> str:
        """Name of all jobs of this kind: `train`, or the name of an analysis."""

    @property
    def group(self) -> str:
        """Name of the jobs that a plan counts together."""
        return self.kind

    @property
    @abstractmethod
    def task(self) -> str:
        """Name of the task, empty if the networks are of several tasks."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the networks."""

    @property
    @abstractmethod
    def label(self) -> str:
        """One line about the job for a person. It is no identity."""

    @property
    def key(self) -> JobKey:
        """Identity of the job in its plan."""
        return JobKey(self.kind, self.task, self.names)

    @abstractmethod
    def results(self) -> Collection[Hashable]:
        """Return addresses of what the job yields, or its key if they are not known before."""

    @abstractmethod
    def requires(self) -> Collection[Hashable]:
        """Return what the job reads: results of other jobs."""

    def present(self, store: Store) -> Sequence[bool]:
        """Return for each result whether the store holds it."""
        return store.memoise((self, "present"), lambda: self._present(store))

    @abstractmethod
    def _present(self, store: Store) -> Sequence[bool]:
        """Look each result up in the store."""

    def titles(self, store: Store) -> Mapping[str, str]:
        """Return address -> what it holds, for the results whose addresses are known."""
        return {
            result: f"{self.kind} of {name}"
            for result, name in zip(self.results(), self.names, strict=False)
            if isinstance(result, str)
        }

    @abstractmethod
    def missing(self, store: Store) -> Self | None:
        """Return the job cut down to what the store lacks, None if it lacks nothing."""

    @abstractmethod
    def run(self, context: Context) -> None:
        """Run the job. It reads and writes the store of the context."""

    def cost(self) -> Cost:
        """Return the work and the bytes of the job, as far as they are known before."""
        return Cost()

    @property
    def record_class(self) -> type[Record]:
        """Class of the records that the job yields; default: any."""
        return Record

    @property
    def trains(self) -> tuple[TrainedNetworkSpec, ...]:
        """Networks that the job trains."""
        return ()

    @property
    def memory(self) -> int:
        """Bytes of memory that the job takes at its peak, as far as they are known before."""
        return 0

    @property
    def least_memory(self) -> int:
        """Bytes that the job takes for a single network, as far as they are known before."""
        return 0

    def parts(self) -> Sequence[Self]:
        """Return jobs of fewer networks that yield the same; none if there is one network.

        They run one after the other if memory does not suffice for the whole. Their boundaries
        depend on the plan alone.
        """
        return ()


def halves(count: int, positions: Sequence[int]) -> list[tuple[slice, list[int]]]:
    """Return both halves of `count` items, each with those of some positions that lie in it.

    A half without positions is left out, and so are both halves of one item.
    """
    if count < 2:
        return []
    middle = count // 2
    sides = [
        (slice(0, middle), [i for i in positions if i < middle]),
        (slice(middle, count), [i for i in positions if i >= middle]),
    ]
    return [(side, inside) for side, inside in sides if inside]


def range_label(names: Sequence[str]) -> str:
    """Return `a-gru-s000` or `a-gru-s000..s002`: the first name and how the last one differs."""
    first, last = names[0].split("-"), names[-1].split("-")
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))  # noqa: B905
    return "..".join(dict.fromkeys([names[0], "-".join(last[same:]) or names[0]]))


def count_label(number: int, noun: str) -> str:
    """Return `1 network`, `2 networks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
