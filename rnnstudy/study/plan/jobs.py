"""What there is to do in a study: jobs, each with the addresses of what it yields."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import takewhile
from typing import Literal

from rnnstudy.analyses import MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.core.record import CorruptRecord
from rnnstudy.study.plan.member_queries import Question
from rnnstudy.study.plan.selection import Contest
from rnnstudy.study.spec.imported_models import ModelNetwork
from rnnstudy.study.spec.networks import AnyNetwork, Network
from rnnstudy.study.spec.selection import Undecided
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.training import cost as footprint
from rnnstudy.training.kernels.choice import Kernel
from rnnstudy.training.train import Trained


@dataclass(frozen=True, eq=False)
class TrainCohort:
    """Train networks that share a program: of the population, or the pilots of a selection."""

    networks: tuple[Network, ...]
    names: tuple[str, ...]
    purpose: Literal["train", "pilots"] = "train"
    kernel: Kernel = "by_member"
    """The form of the training program that is expected, for estimates."""

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
    visit: Question | None = None
    """What it reads of networks of other tasks, which come after those of its own."""

    @property
    def label(self) -> str:
        return f"{self.analysis.title} {self.task.title} ({counted(len(self.members), 'network')})"

    def expected(self, store: Store, among: Sequence[int] | None = None) -> tuple[int, ...]:
        """Positions of the members, of all or `among` some, that should enter: all but those known
        to have diverged."""
        if among is None:
            everybody = range(len(self.networks))
            return store.once((self, "expected"), lambda: self.expected(store, everybody))
        return tuple(i for i in among if status(store, self._keys[i]) != "diverged")

    def ready(self, store: Store, among: Sequence[int] | None = None) -> tuple[int, ...]:
        """Positions of those whose parts the store holds."""
        expected = self.expected(store, among)
        return tuple(i for i in expected if all(map(store.has, self.reads(i))))

    def reads(self, i: int) -> tuple[str, ...]:
        """Addresses of what is read of the member at a position."""
        if i not in self._reads:
            asked = self.parts if self.is_host(i) else self.asked[len(self.parts) :]
            self._reads[i] = tuple(part.key(self._keys[i]) for part in asked)
        return self._reads[i]

    @property
    def asked(self) -> tuple[Question, ...]:
        """All that is asked of single networks, its own and guests."""
        return self.parts if self.visit is None else (*self.parts, self.visit)

    def is_host(self, i: int) -> bool:
        """Whether the network at a position learns the task."""
        return self._hosts[i]

    @cached_property
    def waits(self) -> bool:
        """Whether one of the networks waits for a choice, so that the result has no address yet."""
        return _undecided(self.networks)

    @cached_property
    def _hosts(self) -> tuple[bool, ...]:
        own = [self.visit is None or network.task == self.task for network in self.networks]
        return tuple(own)

    @cached_property
    def _reads(self) -> dict[int, tuple[str, ...]]:
        """Addresses that were asked for; tiles ask for those of each member many times."""
        return {}

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return tuple(network.key() for network in self.networks)

    def key(self, store: Store, *, ready: bool = True) -> str:
        """Address of the result for the members that are ready, or for all that are expected."""
        return store.once((self, ready), lambda: self._key(store, ready))

    def _key(self, store: Store, ready: bool) -> str:
        at = self.ready(store) if ready else self.expected(store)
        hosts, guests = ([i for i in at if self.is_host(i) is host] for host in (True, False))
        reads = [self.reads(i)[part] for part in range(len(self.parts)) for i in hosts]
        reads += [address for i in guests for address in self.reads(i)]
        return self.analysis.key(*reads, *(need.key(store, ready=ready) for need in self.needs))


@dataclass(frozen=True, eq=False)
class Block:
    """Some networks of a task analysis, by their positions; many tiles share one."""

    whole: AnalyseTask
    number: int
    at: tuple[int, ...]

    @cached_property
    def waits(self) -> bool:
        """Whether one of the networks waits for a choice."""
        return _undecided(self.whole.networks[i] for i in self.at)

    def expected(self, store: Store) -> tuple[int, ...]:
        """Positions of those that should enter."""
        return store.once((self, "expected"), lambda: self.whole.expected(store, self.at))

    def ready(self, store: Store) -> tuple[int, ...]:
        """Positions of those whose parts the store holds."""
        return self.whole.ready(store, self.at)

    def key(self, store: Store, *, ready: bool = True) -> str:
        """What the networks that are ready, or all that are expected, add to a tile's address."""
        return store.once((self, ready), lambda: self._key(store, ready))

    def _key(self, store: Store, ready: bool) -> str:
        at = self.ready(store) if ready else self.expected(store)
        return self.whole.analysis.key("block", *(key for i in at for key in self.whole.reads(i)))


@dataclass(frozen=True, eq=False)
class CompareBlocks:
    """A tile of all pairs: the networks of one block against those of another, or of the same."""

    whole: AnalyseTask
    rows: Block
    columns: Block

    @property
    def label(self) -> str:
        place = f"tile {self.rows.number} x {self.columns.number}"
        return f"{self.whole.analysis.title} {self.whole.task.title} {place}"

    @property
    def networks(self) -> tuple[AnyNetwork, ...]:
        """Those of both blocks."""
        both = dict.fromkeys((*self.rows.at, *self.columns.at))
        return tuple(self.whole.networks[i] for i in both)

    @property
    def waits(self) -> bool:
        """Whether one of the networks waits for a choice, so that the tile has no address yet."""
        return self.rows.waits or self.columns.waits

    def expected(self, store: Store) -> bool:
        """Whether there is something to compare."""
        return bool(self.rows.expected(store) and self.columns.expected(store))

    def key(self, store: Store, *, ready: bool = True) -> str:
        """Address of the tile for the networks that are ready, or for all that are expected."""
        first, second = (side.key(store, ready=ready) for side in (self.rows, self.columns))
        return self.whole.analysis.key("tile", first, "by", second)


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


Job = TrainCohort | ReadModels | AnalyseMembers | AnalyseTask | CompareBlocks | Select


def _undecided(networks: Iterable[AnyNetwork]) -> bool:
    return any(isinstance(network, Undecided) for network in networks)


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
    return sum(footprint.training_flops(n.cell, n.task, n.training) for n in networks)


def memory(cohorts: Iterable[TrainCohort]) -> int:
    """Bytes that training the largest of these cohorts takes."""
    return max(map(cohort_bytes, cohorts), default=0)


def cohort_bytes(cohort: TrainCohort) -> int:
    """Bytes that training this cohort takes."""
    one, members = cohort.networks[0], len(cohort.networks)
    return footprint.cohort_bytes(one.cell, one.task, one.training, members, cohort.kernel)


def status(store: Store, key: str) -> str | None:
    """`trained` or `diverged`, or None if the store does not hold the network."""
    try:
        return _status(store.root.as_posix(), key) if store.has(key) else None
    except CorruptRecord:
        return None


@cache
def _status(root: str, key: str) -> str:
    return Store(root).read(key, Trained).status[0]
