"""How far apart every two networks of a task are."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, NamedTuple

from rnnstudy.analyses.base import Cost, Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.comparison.distances.pairs import Distances, pairwise_distances, prepare_forms
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix
from rnnstudy.core.record import Record
from rnnstudy.metrics import AnyMetric
from rnnstudy.tasks import Task


class Item(NamedTuple):
    """A row of a matrix of distances: a network as it answers one of the parts of an analysis, or
    as a guest from another task (None)."""

    member: Member
    part: int | None


class AllPairs(TaskAnalysis):
    """Distances between all that several networks do, under one metric."""

    metric: AnyMetric
    """What alike means: svcca, cka, ..."""

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Distances:
        asked = len(self.parts())
        hosts, guests = members[: len(parts[0])], members[len(parts[0]) :]
        items = [Item(member, part) for part in range(asked) for member in hosts]
        items += [Item(member, None) for member in guests]
        names, states = list(map(self.label, items)), [self.states(r) for p in parts for r in p]
        found = pairwise_distances(prepare_forms(states, self.metric, names), self.metric, names)
        return self.told(found, items)

    @abstractmethod
    def label(self, item: Item) -> str:
        """What a row of the matrix is called."""

    def told(self, found: Distances, items: Sequence[Item]) -> Distances:
        """The distances with what else there is to say of each row."""
        return found

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)

    def states(self, found: Record) -> Array:
        """A network's states in the shape that the metric wants, in the precision they came in:
        a metric must know what is rounding."""
        if not isinstance(found, Activity):
            raise TypeError(f"pairs reads activity, not {type(found).__name__}")
        states = found.states
        return states if self.metric.trajectories else states.reshape(-1, states.shape[-1])

    @property
    def metric_title(self) -> str:
        """What the metric is called."""
        return self.metric.kind.rpartition(":")[2].lower()


class Pairs(AllPairs):
    """Distances between all networks of a task under a metric of their states on the probe."""

    kind: ClassVar[str] = "pairs"
    yields: ClassVar[type[Record]] = Distances

    networks: Literal["trained", "untrained"] = "trained"
    """Untrained: as they were before training, those that were trained elsewhere left out."""

    @property
    def title(self) -> str:
        return self.name or self.metric_title + "_untrained" * (self.networks == "untrained")

    def parts(self) -> tuple[MemberAnalysis, ...]:
        return (Representations(networks=self.networks),)

    def label(self, item: Item) -> str:
        return item.member.name

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if not isinstance(result, Distances):
            return
        groups = groupings(section, result.labels)
        yield Matrix(
            title=f"Distance between networks, {self.title}",
            caption="Each row and column is a network; 0 means the same representation of the "
            "probe trials. Blocks along the diagonal are networks of one cell and activation.",
            values=result.values,
            labels=result.labels,
            groups=groups,
            value_label="distance",
        )


def cost_of_pairs(items: int) -> Cost:
    """What all pairs of so many items take, their distances kept."""
    return Cost({"pairs": items * (items - 1) // 2}, 8 * items**2)


def groupings(section: Section, names: Sequence[str]) -> dict[str, list[str]]:
    """Cell and activation of the named members, for colours and blocks."""
    fields = {member.name: member.fields for member in section.members}
    return {key: [str(fields[name][key]) for name in names] for key in ("cell", "activation")}
