"""Member analyses of a study, each bound to the analyses that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rnnstudy.analyses import MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.core.component import Address
from rnnstudy.study.spec.study import Study
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class BoundAnalysis:
    """An analysis of single networks, and the bound analyses whose records it reads."""

    analysis: MemberAnalysis
    needs: tuple["BoundAnalysis", ...] = ()

    @property
    def title(self) -> str:
        """Name of the analysis in its study."""
        return self.analysis.title

    @property
    def from_seeds(self) -> bool:
        """Is true if the analysis, or one that it reads, depends on the seeds of networks."""
        return self.analysis.from_seeds or any(need.from_seeds for need in self.needs)

    @cached_property
    def address(self) -> Address:
        """Address that two names of the same analysis have in common."""
        return self.key("")

    def key(self, network: str) -> Address:
        """Return the address of the record for the network at an address."""
        return self.analysis.key(network, *(need.key(network) for need in self.needs))


def member_analyses(study: Study) -> tuple[BoundAnalysis, ...]:
    """Return the member analyses of a study, each once for each choice of tasks.

    These are the analyses that the spec lists, the parts of its task analyses, and the activity on
    the probe.
    """
    listed = _listed_analyses(study)
    parts = [part for analysis in task_analyses(study) for part in analysis.member_inputs()]
    bound = [_bind(analysis, listed) for analysis in (*listed.values(), Representations(), *parts)]
    unique: dict[tuple[str, tuple[str, ...] | None], BoundAnalysis] = {}
    for each in bound:
        unique.setdefault((each.address, each.analysis.tasks), each)
    return tuple(unique.values())


def cross_task_analyses(study: Study, task: Task) -> tuple[BoundAnalysis, ...]:
    """Return the analyses of other tasks' networks that the analyses of a task read."""
    bound = [cross_task_input(analysis, task) for analysis in task_analyses(study)]
    return tuple({each.address: each for each in bound if each}.values())


def cross_task_input(analysis: TaskAnalysis, task: Task) -> BoundAnalysis | None:
    """Return the analysis of other tasks' networks that a task analysis reads, if any."""
    member_analysis = analysis.cross_task_input(task)
    return None if member_analysis is None else BoundAnalysis(member_analysis)


def inputs_of(analysis: TaskAnalysis, study: Study) -> tuple[BoundAnalysis, ...]:
    """Return the member analyses that a task analysis reads: its parts, then its needs."""
    listed = _listed_analyses(study)
    needed = [listed[name] for name in analysis.needs() if name in listed]
    return tuple(_bind(one, listed) for one in (*analysis.member_inputs(), *needed))


def task_analyses(study: Study) -> list[TaskAnalysis]:
    """Return the task analyses of a study, then its claims."""
    return [a for a in (*study.analyses, *study.claims) if isinstance(a, TaskAnalysis)]


def _listed_analyses(study: Study) -> dict[str, MemberAnalysis]:
    return {a.title: a for a in study.analyses if isinstance(a, MemberAnalysis)}


def _bind(analysis: MemberAnalysis, listed: Mapping[str, MemberAnalysis]) -> BoundAnalysis:
    needs = tuple(_bind(listed[name], listed) for name in analysis.needs())
    return BoundAnalysis(analysis, needs)
