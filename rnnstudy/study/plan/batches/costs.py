"""Costs of analyses of single networks."""

from functools import cache

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import Cost, overhead
from rnnstudy.cells import Cell
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.tasks import Task

RECORD_COPIES = 2
"""Copies of a batch's records in memory (docs/benchmarks.md)."""


def record_memory(analysis: MemberAnalysis, network: NetworkSpec) -> int:
    """Return the bytes that the record of one network takes in memory, as far as it is known."""
    if not isinstance(network, TrainedNetworkSpec):
        return 0
    return RECORD_COPIES * cost_of(analysis, network.cell, network.task).bytes


@cache
def cost_of(analysis: MemberAnalysis, cell: Cell, task: Task) -> Cost:
    """Return the cost of an analysis of one network; none if a class of the user raises."""
    try:
        cost = analysis.cost(cell, task)
        has_numbers = cost.work or cost.bytes
        return cost + Cost(bytes=overhead(analysis.yields)) if has_numbers else cost
    except (Exception, SystemExit):
        return Cost()  # a task or a cell of the user; the job itself reports the error
