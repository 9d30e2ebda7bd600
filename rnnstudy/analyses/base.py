"""The contract of an analysis: a named question, the record that answers it, and how to show it."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rnnstudy.cells import Cell
from rnnstudy.core.component import Entry
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.train import Trained


@dataclass(frozen=True)
class Cost:
    """How much of which work, and what of it is kept. Costs add up."""

    work: Mapping[str, int] = field(default_factory=dict)
    """What there is to do, in the plural -> how often."""
    bytes: int = 0
    """Bytes of the records in the store, so far as their sizes are known before."""

    def __add__(self, other: "Cost") -> "Cost":
        work = {
            what: self.work.get(what, 0) + other.work.get(what, 0)
            for what in (*self.work, *(what for what in other.work if what not in self.work))
        }
        return Cost(work, self.bytes + other.bytes)

    def times(self, count: int) -> "Cost":
        """The cost of so many of these."""
        return Cost({what: count * often for what, often in self.work.items()}, count * self.bytes)


@dataclass(frozen=True)
class Member:
    """Who a network is: its name and the fields that the grid varies (cell, seed, ...)."""

    name: str
    fields: Mapping[str, Any]

    @property
    def combination(self) -> str:
        """Cell and activation, as in legends: `gru tanh`."""
        return f"{self.fields['cell']} {self.fields['activation']}"


@dataclass(frozen=True)
class Section:
    """What an analysis may draw upon when it shows itself: one task's networks and records.

    `records[analysis name][member name]` are records per member; `shared[analysis name]` is the one
    record of an analysis over all members of the task. What failed is absent.
    """

    task: Task
    members: Sequence[Member]
    trained: Mapping[str, Trained]
    records: Mapping[str, Mapping[str, Record]]
    shared: Mapping[str, Record]


class Analysis(Entry):
    """A question asked of every task's networks; `name` tells two of a kind apart."""

    noun: ClassVar[str] = "analysis"

    labels: ClassVar[frozenset[str]] = frozenset({"name", "tasks"})

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None
    """What other analyses and `Run` call it; default: see each analysis."""

    tasks: tuple[str, ...] | None = None
    """Names of the tasks whose networks are asked; default: all of which it can be asked."""

    @property
    def title(self) -> str:
        """The name under which the analysis is known in its study."""
        return self.name or self.kind.rpartition(":")[2].lower()

    yields: ClassVar[type[Record]] = Record
    """Class of the record; `Record` where that is not known before it is there."""

    takes: ClassVar[type[Record]] = Record
    """Class of the records of `needs()`."""

    def needs(self) -> tuple[str, ...]:
        """Names of the analyses, listed in the spec, whose records this one reads."""
        return ()

    def applies(self, task: Task) -> bool:
        """Whether the question can be asked of networks that learn this task; a study leaves out
        the others, and what needs their answers."""
        return True

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        """What it asks for that no network has, given each field's values; empty if nothing."""
        return ""

    @abstractmethod
    def show(self, section: Section) -> Iterable[Exhibit]:
        """Exhibits for one task."""


class MemberAnalysis(Analysis):
    """Looks at each network by itself; a cohort is analysed together, for speed only.

    One that reads what others found of the same networks names them in `needs()`, and its `run`
    takes `*found` after the task: `found[i][m]` is the record of the analysis `needs()[i]` for
    member m. Those, too, look at each network by itself.
    """

    @property
    def from_seeds(self) -> bool:
        """Whether it looks at what grows from a network's seed: then it is not asked of networks
        that were trained elsewhere, whose seed nobody knows."""
        return False

    def looked_at(self, trained: Trained) -> Population:
        """The networks that `run` is given; by default as training has left them."""
        return trained.population

    @abstractmethod
    def run(self, population: Population, task: Task) -> Sequence[Record]:
        """One record per member of the population, in order."""

    def cost(self, cell: Cell, task: Task) -> Cost:
        """What one network of this cell takes; `check` tells."""
        return Cost()


class TaskAnalysis(Analysis):
    """Looks at all networks of a task together."""

    def parts(self) -> tuple[MemberAnalysis, ...]:
        """Member analyses that this one reads and the spec need not list."""
        return ()

    def visit(self, task: Task) -> MemberAnalysis | None:
        """What this one asks of the networks of the study's other tasks, too, if anything. They are
        then the last of the members, and what they answer is the last of the parts."""
        return None

    @abstractmethod
    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Record:
        """One record for the task, from `parts[i][m]`, the record for member m of the i-th of
        `parts()` and, after them, of the analyses of single networks in `needs()`; and from
        `shared[i]`, the record of the i-th of the others in `needs()` on the same task."""

    def cost(self, task: Task, records: int) -> Cost:
        """What so many records of single networks (the parts) take; `check` tells."""
        return Cost()
