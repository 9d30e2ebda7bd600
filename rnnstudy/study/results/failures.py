"""Failed jobs in the provenance of a run."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rnnstudy.study.execution.worker import JobResult


class Failure(NamedTuple):
    """A job that failed."""

    kind: str
    """`train`, `select`, or the name of an analysis or claim."""
    task: str
    """Name of the task; empty if it is unknown."""
    members: tuple[str, ...]
    """Networks of the job; empty for all networks of the task."""
    label: str
    """The job in words."""
    reason: str
    """One sentence."""
    scope: str = ""
    """Condition on the networks of a claim that the job serves; empty for all networks."""


def failure_entries(results: Iterable[JobResult]) -> list[dict[str, Any]]:
    """Return the failed jobs among results, as the provenance holds them."""
    return [
        {**result.key._asdict(), "label": result.label, "reason": result.failure}
        for result in results
        if result.failure
    ]


def failures_of(provenance: Mapping[str, Any]) -> list[Failure]:
    """Return the failed jobs of a provenance. An earlier version wrote label -> reason."""
    entries = provenance.get("failures", [])
    if isinstance(entries, Mapping):
        return [Failure("", "", (), label, reason) for label, reason in entries.items()]
    return [Failure(**{**entry, "members": tuple(entry["members"])}) for entry in entries]
