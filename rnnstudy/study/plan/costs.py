"""What is ahead of a study, step by step: training, searches, pairs, bytes."""

from collections.abc import Iterable
from functools import cache

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import Cost
from rnnstudy.cells import Cell
from rnnstudy.study.plan.jobs import AnalyseMembers, AnalyseTask, CompareBlocks, Job, TrainCohort
from rnnstudy.study.plan.remaining import kind_of
from rnnstudy.study.spec.networks import Network
from rnnstudy.tasks import Task
from rnnstudy.training.cost import trained_bytes


def costs(jobs: Iterable[Job]) -> dict[str, Cost]:
    """Kind of step -> what its jobs take, for those of which something is known."""
    found: dict[str, Cost] = {}
    for job in jobs:
        cost = _cost(job)
        if cost.work or cost.bytes:
            found[kind_of(job)] = found.get(kind_of(job), Cost()) + cost
    return found


def _cost(job: Job) -> Cost:
    if isinstance(job, TrainCohort):
        return sum((_training(network) for network in job.networks), Cost())
    if isinstance(job, AnalyseMembers):
        first = job.networks[0]
        if not isinstance(first, Network):
            return Cost()
        return _of_member(job.analysis, first.cell, first.task).times(len(job.networks))
    if isinstance(job, CompareBlocks):
        return Cost({}, 8 * len(job.rows.at) * len(job.columns.at))
    if isinstance(job, AnalyseTask):
        return _of_task(job)
    return Cost()


def _training(network: Network) -> Cost:
    return Cost({"steps": network.training.steps}, trained_bytes(network.cell, network.task))


@cache
def _of_member(analysis: MemberAnalysis, cell: Cell, task: Task) -> Cost:
    try:
        return analysis.cost(cell, task)
    except Exception:
        return Cost()  # somebody's own task or cell; the job itself will say what is wrong with it


def _of_task(job: AnalyseTask) -> Cost:
    try:
        return job.analysis.cost(job.task, sum(len(job.reads(i)) for i in range(len(job.networks))))
    except Exception:
        return Cost()
