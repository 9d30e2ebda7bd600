"""A study's claims as steps of its plan."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rnnstudy.analyses import TaskAnalysis
from rnnstudy.analyses.base import Member, Section
from rnnstudy.claims import AnyClaim, Evidence
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.study.spec.checks import about
from rnnstudy.study.spec.study import Study
from rnnstudy.tasks import AnyTask, Task


class Weighing(TaskAnalysis):
    """A claim about the networks of a task, which enters the address."""

    yields: ClassVar[type[Record]] = Evidence

    claim: AnyClaim
    task: AnyTask

    @property
    def title(self) -> str:
        return f"claim {self.claim.title}"

    def needs(self) -> tuple[str, ...]:
        return self.claim.needs()

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        return self.claim.weigh(self.task, members, parts, shared)

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


def weighings(study: Study, task: Task) -> list[Weighing]:
    """The claims of a study that say something about a task."""
    return [
        Weighing(claim=claim, task=task)
        for claim in study.claims
        if about(claim, task, study.analyses)
    ]
