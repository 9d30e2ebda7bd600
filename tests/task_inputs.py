"""Task analyses and claims on records that a test makes."""

from collections.abc import Sequence
from typing import Any

from rnnstudy.analyses import Member, TaskAnalysis
from rnnstudy.analyses.base import Inputs
from rnnstudy.claims import Claim, Evidence
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


def evidence_of(
    claim: Claim, task: Task, members: Sequence[Member], *records: Any, **unlisted: Any
) -> Evidence:
    """Return the evidence of a claim without its controls, which take longer than its test."""
    named = dict(zip(claim.needs(), records, strict=True))
    return claim.test(claim.measure(task, Inputs(members, **named, **unlisted)))
