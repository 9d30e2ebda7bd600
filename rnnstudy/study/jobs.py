"""What there is to do in a study: jobs, each with the addresses of what it yields."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Literal

from rnnstudy.analyses import MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.population.footprint import member_bytes, training_flops
from rnnstudy.population.training import Trained
from rnnstudy.record import CorruptRecord
from rnnstudy.study.choices import Contest
from rnnstudy.study.models import ModelNetwork
from rnnstudy.study.networks import AnyNetwork, Network
from rnnstudy.study.questions import Question
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class TrainCohort:
    """Train networks that share a program: of the population, or the pilots of a selection."""

    networks: tuple[Network, ...]
    names: tuple[str, ...]
    purpose: Literal["train", "pilots"] = "train"

    @property
    def label(self) -> str:
        return f"{self.purpose} {_from_to(self.names)} ({counted(len(self.names), 'network')})"

    def key_of(self, network: AnyNetwork) -> str:
        """Address of what the job yields for one of its networks."""
        return network.key()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.key_of(network) for network in self.networks)


@dataclass(frozen=True, eq=False)
class ReadModels:
    """Read networks of the user's own from their files."""

    networks: tuple[ModelNetwork, ...]
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"read {', '.join(self.names)} ({counted(len(self.names), 'network')})"

    def key_of(self, network: AnyNetwork) -> str:
        """Address of what the job yields for one of its networks."""
        return network.key()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.key_of(network) for network in self.networks)


@dataclass(frozen=True, eq=False)
class AnalyseMembers:
    """One member analysis on networks of one cell and task."""

    question: Question
    networks: tuple[AnyNetwork, ...]
    names: tuple[str, ...]

    @property
    def analysis(self) -> MemberAnalysis:
        return self.question.analysis

    @property
    def label(self) -> str:
        networks = counted(len(self.names), "network")
        return f"{self.analysis.title} {_from_to(self.names)} ({networks})"

    def key_of(self, network: AnyNetwork) -> str:
        """Address of what the job yields for one of its networks."""
        return self.question.key(network.key())

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.key_of(network) for network in self.networks)


@dataclass(frozen=True, eq=False)
class AnalyseTask:
    """One task analysis on all usable networks of a task, which decide its address."""

    analysis: TaskAnalysis
    task: Task
    members: tuple[Member, ...]
    networks: tuple[AnyNetwork, ...]
    parts: tuple[Question, ...]
    """What it reads of single networks."""
    needs: tuple["AnalyseTask", ...]

    @property
    def label(self) -> str:
        return f"{self.analysis.title} {self.task.title} ({counted(len(self.members), 'network')})"

    def expected(self, store: Store) -> tuple[int, ...]:
        """Positions of the members that should enter: all but those known to have diverged."""
        return tuple(i for i, n in enumerate(self.networks) if status(store, n.key()) != "diverged")

    def ready(self, store: Store) -> tuple[int, ...]:
        """Positions of those whose parts the store holds."""
        return tuple(
            i
            for i in self.expected(store)
            if all(store.has(part.key(self.networks[i].key())) for part in self.parts)
        )

    def key(self, store: Store, *, ready: bool = True) -> str:
        """Address of the result for the members that are ready, or for all that are expected."""
        at = self.ready(store) if ready else self.expected(store)
        used = [self.networks[i].key() for i in at]
        reads = [part.key(key) for part in self.parts for key in used]
        return self.analysis.key(*reads, *(need.key(store, ready=ready) for need in self.needs))


@dataclass(frozen=True, eq=False)
class Select:
    """Choose training fields for a part of the grid by what its pilots have become."""

    contest: Contest

    @property
    def label(self) -> str:
        candidates = counted(len(self.contest.candidates), "candidate")
        return f"select {self.contest.name} ({candidates})"

    @property
    def networks(self) -> tuple[Network, ...]:
        """The pilots, which the choice reads."""
        return self.contest.networks


Job = TrainCohort | ReadModels | AnalyseMembers | AnalyseTask | Select


def _from_to(names: Sequence[str]) -> str:
    """`a-gru-s000` or `a-gru-s000..s002`: the first name, and how the last one differs."""
    first, last = names[0].split("-"), names[-1].split("-")
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))  # noqa: B905
    return "..".join(dict.fromkeys([names[0], "-".join(last[same:]) or names[0]]))


def counted(number: int, noun: str) -> str:
    """`1 network`, `2 networks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def flops(cohorts: Iterable[TrainCohort]) -> float:
    """Floating-point operations of training these cohorts."""
    networks = [network for cohort in cohorts for network in cohort.networks]
    return sum(training_flops(n.cell, n.task, n.training) for n in networks)


def memory(cohorts: Iterable[TrainCohort]) -> int:
    """Bytes that training the largest of these cohorts takes."""
    return max(map(cohort_bytes, cohorts), default=0)


def cohort_bytes(cohort: TrainCohort) -> int:
    """Bytes that training this cohort takes."""
    return sum(member_bytes(n.cell, n.task, n.training) for n in cohort.networks)


def status(store: Store, key: str) -> str | None:
    """`trained` or `diverged`, or None if the store does not hold the network."""
    try:
        return _status(store.root.as_posix(), key) if store.has(key) else None
    except CorruptRecord:
        return None


@cache
def _status(root: str, key: str) -> str:
    return Store(root).read(key, Trained).status[0]
