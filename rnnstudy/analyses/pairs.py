"""How far apart every two networks of a task are."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rnnstudy.analyses.base import Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.representations import Activity, Representations
from rnnstudy.comparison.pairs import Distances, distances, prepared
from rnnstudy.exhibit import Exhibit, Matrix
from rnnstudy.metrics import AnyMetric
from rnnstudy.record import Array, Record


class Pairs(TaskAnalysis):
    """Distances between all networks of a task under a metric of their states on the probe."""

    kind: ClassVar[str] = "pairs"
    yields: ClassVar[type[Record]] = Distances

    metric: AnyMetric
    """What alike means: svcca, cka, ..."""

    @property
    def title(self) -> str:
        return self.name or self.metric.kind.rpartition(":")[2].lower()

    def parts(self) -> tuple[MemberAnalysis, ...]:
        return (Representations(),)

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Distances:
        names = [member.name for member in members]
        states = [self.states(part) for part in parts[0]]
        return distances(prepared(states, self.metric, names), self.metric, names)

    def states(self, found: Record) -> Array:
        """A network's states in the shape that the metric wants, in the precision they came in:
        a metric must know what is rounding."""
        if not isinstance(found, Activity):
            raise TypeError(f"pairs reads activity, not {type(found).__name__}")
        states = found.states
        return states if self.metric.trajectories else states.reshape(-1, states.shape[-1])

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


def groupings(section: Section, names: Sequence[str]) -> dict[str, list[str]]:
    """Cell and activation of the named members, for colours and blocks."""
    fields = {member.name: member.fields for member in section.members}
    return {key: [str(fields[name][key]) for name in names] for key in ("cell", "activation")}
