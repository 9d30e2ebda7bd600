"""Member analyses of a study, each bound to the analyses that it reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rnnstudy.analyses import MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.core.component import Address
from rnnstudy.study.spec.study import Study
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf


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

    These are the analyses that the spec lists, the activity on the probe, and what the task
    analyses read beside them: their parts, and the same networks with other weights.
    """
    listed, readers = _listed_analyses(study), task_analyses(study)
    parts = [part for analysis in readers for part in analysis.member_inputs()]
    bound = [_bind(analysis, listed) for analysis in (*listed.values(), Representations(), *parts)]
    for analysis in readers:
        for controls in control_inputs(analysis, study).values():
            bound += controls.values()
    unique: dict[tuple[str, tuple[str, ...] | None], BoundAnalysis] = {}
    for each in [*bound, *(need for reader in bound for need in _behind(reader))]:
        unique.setdefault((each.address, each.analysis.tasks), each)
    return tuple(unique.values())


def _behind(bound: BoundAnalysis) -> Iterator[BoundAnalysis]:
    """Yield all analyses that an analysis reads, directly or not."""
    for need in bound.needs:
        yield need
        yield from _behind(need)


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


def control_inputs(
    analysis: TaskAnalysis, study: Study
) -> dict[WeightsOf, dict[str, BoundAnalysis]]:
    """Return kind of weights -> name of an input -> the same analysis with these weights."""
    listed, inputs = _listed_analyses(study), inputs_of(analysis, study)
    return {
        weights: {
            bound.title: _bind(bound.analysis.with_weights(weights), listed) for bound in inputs
        }
        for weights in analysis.control_weights()
    }


def control_distances(analysis: TaskAnalysis, study: Study) -> dict[str, TaskAnalysis]:
    """Return name of an input -> the analysis of the same distances together with controls.

    An equal analysis that the spec lists is the one that is returned. Controls have planted copies
    if an analysis of the study needs them.
    """
    if not analysis.control_weights():
        return {}
    listed = [each for each in study.analyses if isinstance(each, TaskAnalysis)]
    needed = [each for each in listed if each.title in analysis.needs()]
    readers = listed_task_analyses(study)
    planted = {name for reader in readers if reader.needs_planted for name in reader.needs()}
    controls = {each.title: each.with_controls(each.title in planted) for each in needed}
    return {
        name: _as_listed(with_controls, f"{name}_controls", listed)
        for name, with_controls in controls.items()
        if with_controls is not None
    }


def _as_listed(analysis: TaskAnalysis, title: str, listed: Sequence[TaskAnalysis]) -> TaskAnalysis:
    """Return the listed analysis that is equal, or this one under a title that is not taken."""
    for other in listed:
        if other.key() == analysis.key():
            return other
    titles = {other.title for other in listed}
    while title in titles:
        title += "_added"
    return analysis.replace(name=title)


def listed_task_analyses(study: Study) -> list[TaskAnalysis]:
    """Return the task analyses that a spec lists, then its claims."""
    return [a for a in (*study.analyses, *study.claims) if isinstance(a, TaskAnalysis)]


def task_analyses(study: Study) -> list[TaskAnalysis]:
    """Return the task analyses of a study, its claims, and the controls that these read."""
    listed = listed_task_analyses(study)
    unique = {analysis.step: analysis for analysis in listed}
    pending = listed
    while pending:
        controls = [each for one in pending for each in control_distances(one, study).values()]
        pending = [each for each in controls if each.step not in unique]
        unique |= {each.step: each for each in pending}
    return list(unique.values())


def _listed_analyses(study: Study) -> dict[str, MemberAnalysis]:
    return {a.title: a for a in study.analyses if isinstance(a, MemberAnalysis)}


def _bind(analysis: MemberAnalysis, listed: Mapping[str, MemberAnalysis]) -> BoundAnalysis:
    weights = analysis.weights
    needs = [listed[name] for name in analysis.needs()]
    return BoundAnalysis(
        analysis,
        tuple(
            _bind(need if weights == "trained" else need.with_weights(weights), listed)
            for need in needs
        ),
    )
