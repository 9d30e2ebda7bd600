"""Results of one task that the panels of a figure are drawn from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.analyses.conditions import has_values
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.point_geometry import PointGeometry
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.analyses.fixed_points.graph_distances import GraphDistances
from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.comparison.distances.embedding import Coordinates
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record
from rnnstudy.metrics import SVCCA
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.checks import applies
from rnnstudy.tasks import Task


class MissingResult(RunError):
    """A run does not hold what a panel is drawn from. The message says how to get it."""


@dataclass(frozen=True)
class ResultKind:
    """Kind of analysis whose results a panel shows.

    Parameters
    ----------
    entry
        Entry that adds such an analysis to a spec.
    accepts
        True for an analysis of this kind.
    """

    entry: str
    accepts: Callable[[Any], bool]


def _of_member(kind: type[MemberAnalysis], entry: str) -> ResultKind:
    return ResultKind(entry, lambda each: isinstance(each, kind) and each.weights == "trained")


ACTIVITY = ResultKind(
    "{kind: representations}",
    lambda each: (
        isinstance(each, Representations) and each.weights == "trained" and each.probe is None
    ),
)
GRAPHS = _of_member(Topology, "{kind: topology}")
CYCLES = _of_member(Oscillations, "{kind: oscillations}")
LINE_ATTRACTORS = _of_member(LineAttractors, "{kind: line_attractor}")
SVCCA_DISTANCES = ResultKind(
    "{kind: pairs, metric: svcca}",
    lambda each: (
        type(each) is Pairs and isinstance(each.metric, SVCCA) and each.weights == "trained"
    ),
)
GRAPH_DISTANCES = ResultKind("{kind: graph_distances}", lambda each: type(each) is GraphDistances)
CYCLE_DISTANCES = ResultKind(
    "{kind: point_geometry, of: oscillations}", lambda each: type(each) is PointGeometry
)
LINE_DISTANCES = ResultKind(
    "{kind: point_geometry, of: line_attractor}", lambda each: type(each) is PointGeometry
)


@dataclass(frozen=True, eq=False)
class TaskResults:
    """Results of the networks of one task, read when a panel needs them.

    Parameters
    ----------
    run
        The run.
    task
        Task of the networks.
    where
        Fields of the networks and the values that they must have. Default: all networks.
    example
        Name of the network that panels about one network show. Default: a typical one.
    """

    run: Run
    task: Task
    where: Mapping[str, Any] = field(default_factory=dict)
    example: str = ""

    @cached_property
    def members(self) -> Sequence[Member]:
        """Networks of the task that meet the conditions, in the order of the grid."""
        of_task = (m for m in self.run.index.members if m.fields["task"] == self.task.title)
        return [member for member in of_task if has_values(member.fields, self.where)]

    @cached_property
    def _outcomes(self) -> Mapping[str, Mapping[str, Any]]:
        """Name of a network -> its status, loss and whether it has solved the task."""
        table = self.run.members.set_index("member")[["status", "loss", "solved"]]
        outcomes: Mapping[str, Mapping[str, Any]] = table.to_dict("index")
        return outcomes

    def find_analysis(self, source: ResultKind) -> Analysis:
        """Return the first analysis of a kind that applies to the task; else MissingResult."""
        listed = self.run.study.analyses
        for analysis in (*listed, Representations()):
            if source.accepts(analysis) and applies(analysis, self.task, listed):
                return analysis
        raise MissingResult(f"add {source.entry} to the analyses of the spec")

    def absence(self, source: ResultKind) -> str:
        """Return why the run holds no result of a kind for the networks; empty if it does."""
        try:
            analysis = self.find_analysis(source)
            if isinstance(analysis, TaskAnalysis):
                self.distances(source)
            elif all(self._read(analysis, member) is None for member in self.members):
                raise self._none_stored(analysis)
        except MissingResult as missing:
            return str(missing)
        return ""

    def records(self, source: ResultKind) -> dict[Member, Any]:
        """Return the records of all networks that have one; MissingResult if none has."""
        analysis = self.find_analysis(source)
        pairs = ((member, self._read(analysis, member)) for member in self.members)
        records = {member: record for member, record in pairs if record is not None}
        if not records:
            raise self._none_stored(analysis)
        return records

    def record_of(self, source: ResultKind, member: Member) -> Any:
        """Return the record of one network; MissingResult if there is none."""
        analysis = self.find_analysis(source)
        record = self._read(analysis, member)
        if record is None:
            raise MissingResult(f"'{member.name}' has no result of '{analysis.title}'")
        return record

    def _none_stored(self, analysis: Analysis) -> MissingResult:
        networks = "no network" if self.members else "no network meets the conditions, so that none"
        return MissingResult(f"{networks} has a result of '{analysis.title}'; run the study")

    def _read(self, analysis: Analysis, member: Member) -> Record | None:
        try:
            return self.run.record(analysis.title, member.name)
        except RunError:
            return None

    def distances(self, source: ResultKind) -> Distances:
        """Return the distances of a kind between the networks; MissingResult if there are none."""
        record = self._task_record(self.find_analysis(source).title)
        if not isinstance(record, Distances) or not len(record.labels):
            raise MissingResult("no networks have distances")
        return record

    def map_of(self, source: ResultKind) -> Coordinates | None:
        """Return the embedding of distances that the study lists; None if it lists none."""
        title = self.find_analysis(source).title
        for analysis in self.run.study.analyses:
            if isinstance(analysis, Embedding) and analysis.of == title and not analysis.fit:
                try:
                    record = self._task_record(analysis.title)
                except MissingResult:
                    continue
                return record if isinstance(record, Coordinates) else None
        return None

    def _task_record(self, title: str) -> Record:
        try:
            return self.run.task_record(title, self.task.title)
        except RunError as error:
            raise MissingResult(str(error)) from error

    def examples(self, source: ResultKind) -> dict[Member, Any]:
        """Return a typical network of each cell with its record.

        It is the solved network of median loss among those of the cell's first combination, or the
        trained one where none is solved. The network that the user names replaces that of its cell.
        """
        analysis = self.find_analysis(source)
        records: dict[str, tuple[Member, Any]] = {}
        for member in self._typical():
            cell = str(member.fields["cell"])
            record = None if cell in records else self._read(analysis, member)
            if record is not None:
                records[cell] = member, record
            elif member.name == self.example and cell not in records:
                raise MissingResult(f"'{member.name}' has no result of '{analysis.title}'")
        if not records:
            raise self._none_stored(analysis)
        return dict(records.values())

    def example_of(self, source: ResultKind) -> tuple[Member, Any]:
        """Return the network that panels about one network show, with its record."""
        examples = self.examples(source)
        named = [member for member in examples if member.name == self.example]
        member = (named or list(examples))[0]
        return member, examples[member]

    def _typical(self) -> list[Member]:
        """Return the network that the user names, then the networks by how typical they are.

        Combinations have the order of the grid. In each, networks are ordered by their distance in
        rank from the median loss, solved ones first.
        """
        groups: dict[str, list[Member]] = {}
        for member in self.members:
            if self._outcomes[member.name]["status"] == "trained":
                groups.setdefault(member.combination, []).append(member)
        named = [member for member in self.members if member.name == self.example]
        return [*named, *(member for group in groups.values() for member in self._rank(group))]

    def _rank(self, members: Sequence[Member]) -> list[Member]:
        solved = [member for member in members if self._outcomes[member.name]["solved"]]
        ranked = sorted(solved or members, key=lambda each: self._outcomes[each.name]["loss"])
        median = (len(ranked) - 1) // 2
        near = sorted(range(len(ranked)), key=lambda i: (abs(i - median), i))
        others = [member for member in members if member not in ranked]
        return [*(ranked[i] for i in near), *others]
