"""Task analyses and claims on records that a test makes."""

from collections.abc import Sequence
from typing import Any

from rnnstudy.analyses import Member, TaskAnalysis
from rnnstudy.analyses.base import Inputs
from rnnstudy.tasks import Task


def compute(
    analysis: TaskAnalysis, task: Task, members: Sequence[Member], *records: Any, **unlisted: Any
) -> Any:
    """Return the record of an analysis.

    records: for each name in `needs()`, one record or one per member. unlisted: records of
    `member_inputs()` by title.
    """
    named = dict(zip(analysis.needs(), records, strict=True))
    return analysis.compute(task, Inputs(members, **named, **unlisted))
