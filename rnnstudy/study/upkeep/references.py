"""Addresses in a store that a study refers to, and what each holds."""

from dataclasses import dataclass, field

from rnnstudy.core.record import Record
from rnnstudy.study.execution.checkpoints import CHECKPOINT
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.outcomes import NetworkOutcome, outcome_address
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.plan.selection import Select
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store, StoreSnapshot
from rnnstudy.training.state import TrainingState
from rnnstudy.training.train import TrainedNetworks


@dataclass(frozen=True)
class References:
    """Addresses that a study refers to.

    Examples
    --------
    >>> references = References({"ab12": "train of a"}, trains=True)
    >>> references.title("ab12"), references.title("course-12-3"), references.title("ff")
    ('train of a', 'checkpoint', '')
    """

    titles: dict[str, str] = field(default_factory=dict)
    """Address -> what it holds."""
    kinds: dict[str, type[Record]] = field(default_factory=dict)
    """Address -> class of the record that it holds."""
    trains: bool = False
    """Is true if networks are still to be trained, so that checkpoints are needed."""
    jobs: tuple[Job, ...] = ()
    """All jobs of the study, done or not, whose addresses are known."""

    def title(self, key: str) -> str:
        """Return what an address holds; empty if the study does not refer to it."""
        if self.trains and key.startswith(CHECKPOINT):
            return "checkpoint"
        return self.titles.get(key, "")

    def kind(self, key: str) -> type[Record]:
        """Return the class of the record at an address; any if the study does not say."""
        if key.startswith(CHECKPOINT):
            return TrainingState
        return self.kinds.get(key, Record)


def references_of(study: Study, store: Store, plan: Plan | None = None) -> References:
    """Return the addresses that a study refers to, those of incomplete results as well.

    Parameters
    ----------
    study
        The study.
    store
        The store of its results.
    plan
        A plan of the study. Default: a new one.
    """
    snapshot = StoreSnapshot(store)
    plan = plan or make_plan(study, store)
    plans = (
        [plan, make_plan(study, store, selecting=False, before=plan)] if plan.selecting else [plan]
    )
    index = plans[-1].index
    jobs = [*(job for each in plans for job in each.whole), *map(Select, index.groups)]
    titles: dict[str, str] = {}
    kinds: dict[str, type[Record]] = {}
    pilots = [(f"pilot {name}", pilot) for group in index.groups for name, pilot in group.pilots]
    for name, network in [*((member.name, n) for member, n in index.pairs), *pilots]:
        if not isinstance(network, PendingNetwork):
            titles.setdefault(network.key(), f"network {name}")
            titles.setdefault(outcome_address(network), f"outcome of {name}")
            kinds |= {network.key(): TrainedNetworks, outcome_address(network): NetworkOutcome}
    for job in jobs:
        for key, title in job.titles(snapshot).items():
            titles.setdefault(key, title)
            kinds.setdefault(key, job.record_class)
    trains = plan.selecting or any(job.trains and job.missing(snapshot) for job in jobs)
    return References(titles, kinds, bool(trains), tuple(jobs))
