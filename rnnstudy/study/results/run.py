"""A run directory: what was asked, what came of it, and the door to every result."""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from rnnstudy.analyses import TaskAnalysis
from rnnstudy.analyses.base import Member, Section
from rnnstudy.claims.base import Claim, Evidence, no_evidence
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.errors import suggestion
from rnnstudy.core.lazy_imports import keras_models, pd
from rnnstudy.core.record import CorruptRecord, Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.import_models import Given
from rnnstudy.study.plan.claim_jobs import Weighing
from rnnstudy.study.plan.member_queries import questions
from rnnstudy.study.plan.plan import AnalyseTask, make_plan, task_jobs
from rnnstudy.study.plan.selection import Choice, Contest, choice, contests, population
from rnnstudy.study.results.selection_table import columns
from rnnstudy.study.results.verdict_table import Judged, Weighed, judged, verdict_columns
from rnnstudy.study.spec.networks import AnyNetwork
from rnnstudy.study.spec.selection import Undecided
from rnnstudy.study.spec.study import Network, Study, load_study
from rnnstudy.study.store import Store
from rnnstudy.training.train import Trained

R = TypeVar("R", bound=Record)

OUTCOME_COLUMNS = ("status", "loss", "accuracy", "solved", "steps", "attempt", "diverged_at")


INTEGER_COLUMNS = ("units", "seed", "steps", "attempt", "diverged_at")


class Run:
    """The results in a run directory; reads them when asked, and computes nothing."""

    def __init__(self, directory: str | Path, study: Study) -> None:
        self.directory, self.study = Path(directory), study
        self.store = Store(self.directory / "store" if study.runtime.store is None
                           else study.runtime.store)  # fmt: skip
        self._contests = contests(study)
        pairs = population(study, self.store, self._contests)
        self._who: dict[str, Member] = {member.name: member for member, _ in pairs}
        self._known: dict[str, AnyNetwork] = {member.name: network for member, network in pairs}

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r}: {self.study.study}, {len(self._who)} networks)"

    @property
    def _networks(self) -> dict[str, AnyNetwork]:
        """Network by name; those that wait for a choice are looked up again."""
        if any(isinstance(network, Undecided) for network in self._known.values()):
            pairs = population(self.study, self.store, self._contests)
            self._known = {member.name: network for member, network in pairs}
        return self._known

    @cached_property
    def members(self) -> Any:
        """One row per network: its name, its fields, and what became of it."""
        chosen = {name: self._chosen(network) for name, network in self._networks.items()}
        rows = [
            {"member": name, **member.fields, **chosen[name], **self._outcome(name)}
            for name, member in self._who.items()
        ]
        # Pandas would make numbers with a point of integers that are missing here and there.
        return pd.DataFrame(rows).astype(dict.fromkeys(INTEGER_COLUMNS, "Int64"))

    def _chosen(self, network: AnyNetwork) -> dict[str, Any]:
        """Values of the training fields that the study selects; None where they are not chosen."""
        fields = {} if self.study.selection is None else self.study.selection.grid
        if not isinstance(network, Network):
            return dict.fromkeys(fields)
        free = network.free if isinstance(network, Undecided) else ()
        return {name: None if name in free else getattr(network.training, name) for name in fields}

    @property
    def selection(self) -> Any:
        """One row per candidate of each combination: its pilots' losses, and whether it is chosen.

        A DataFrame; empty if the study selects nothing.
        """
        fields = {} if self.study.selection is None else self.study.selection.grid
        return pd.DataFrame(columns(self.choices(), fields)).astype({"diverged": "Int64"})

    def choices(self, task: str | None = None) -> list[tuple[Contest, Choice | None]]:
        """What competes for each part of the grid, of one task or all, and what was chosen."""
        return [
            (contest, choice(contest, self.store))
            for contest in self._contests
            if task is None or contest.networks[0].task.title == task
        ]

    def _outcome(self, name: str) -> dict[str, Any]:
        try:
            trained = self.trained(name)
        except RunError:
            return dict.fromkeys(OUTCOME_COLUMNS) | {"status": "missing"}
        diverged_at, here = int(trained.diverged_at[0]), not isinstance(trained, Given)
        return {
            "status": trained.status[0],
            "loss": float(trained.evaluation_loss[0]),
            "accuracy": float(trained.evaluation_accuracy[0]),
            "solved": bool(trained.solved[0]),
            "steps": int(trained.steps[0]) if here else None,
            "attempt": int(trained.attempt[0]) if here else None,
            "diverged_at": diverged_at if diverged_at >= 0 else None,
        }

    def trained(self, member: str) -> Trained:
        """A network's weights and the course of its training."""
        return self._read(self.key(member), Trained, f"network '{member}'")

    def key(self, member: str) -> str:
        """Address of a network in the store."""
        network = self._network(member)
        if isinstance(network, Undecided):
            fields = ", ".join(network.free)
            raise RunError(f"{fields} of '{member}' are not chosen yet; run the study to do so")
        return network.key()

    def model(self, member: str) -> Any:
        """The network as a `keras.Model`: inputs [trial, time, input] -> [trial, time, output].

        One of the user's own is the model that its file holds.
        """
        trained = self.trained(member)
        if isinstance(trained, Given):
            return _loaded(trained, member)
        # TensorFlow refuses some characters of our names, such as =, in those of models.
        name = re.sub("[^A-Za-z0-9_.-]", "_", member)
        return keras_models.to_model(trained.population, 0, name=name)

    def record(self, analysis: str, member: str) -> Record:
        """What a member analysis, by its name in the spec, found for a network."""
        # Of two of one name, the listed one: it stands before what other analyses read unlisted.
        found = {question.title: question for question in reversed(questions(self.study))}
        if analysis not in found:
            raise RunError(f"no analysis '{analysis}' of single networks; there are: "
                          f"{', '.join(sorted(found))}")  # fmt: skip
        key = found[analysis].key(self.key(member))
        return self._read(key, Record, f"'{analysis}' of '{member}'")

    def fixed_points(self, member: str) -> FixedPoints:
        """The fixed points of a network, at each of its task's static inputs."""
        record = self.record("fixed_points", member)
        assert isinstance(record, FixedPoints)
        return record

    def shared(self, analysis: str, task: str | None = None) -> Record:
        """What a task analysis found; `task` may be left out if the study has one."""
        job = self._task_job(analysis, task)
        return self._read(job.key(self.store), Record, f"'{analysis}' of task '{job.task.title}'")

    def distances(self, analysis: str, task: str | None = None) -> Any:
        """Labelled square matrix of distances between all networks of a task."""
        record = self.shared(analysis, task)
        if not isinstance(record, Distances):
            raise RunError(f"'{analysis}' yields {type(record).__name__}, not distances")
        return record.to_frame()

    @property
    def claims(self) -> Any:
        """One row per claim and task that it is about: what was found, and the verdict on it.

        A DataFrame; p is corrected for all tests of the study.
        """
        return pd.DataFrame(verdict_columns(self.judged()))

    def judged(self) -> list[Judged]:
        """The verdicts on the study's claims, in the order of the spec, task by task."""
        order = [claim.title for claim in self.study.claims]
        weighed = [
            self._weighed(job.analysis.claim, job)
            for job in self._task_jobs()
            if isinstance(job.analysis, Weighing)
        ]
        return judged(sorted(weighed, key=lambda each: order.index(each.claim.title)))

    def _weighed(self, claim: Claim, job: AnalyseTask) -> Weighed:
        trouble = self.provenance.get("failures", {}).get(job.label, "")
        if not job.expected(self.store):
            return Weighed(claim, job.task, no_evidence("every network diverged"))
        try:
            evidence = self._read(job.key(self.store), Evidence, job.label)
        except RunError:
            return Weighed(claim, job.task, None, trouble)
        return Weighed(claim, job.task, evidence)

    def section(self, task: str) -> Section:
        """All that is there about one task, for showing."""
        members = [m for m in self._who.values() if m.fields["task"] == task]
        names = [m.name for m in members]
        records = {
            title: self._present(names, lambda name, title=title: self.record(title, name))
            for title in (question.title for question in questions(self.study))
        }
        shared = [a.title for a in self.study.analyses if isinstance(a, TaskAnalysis)]
        return Section(
            task=next(t for t in self.study.tasks if t.title == task),
            members=members,
            trained=self._present(names, self.trained),
            records=records,
            shared=self._present(shared, lambda title: self.shared(title, task)),
        )

    def _present(self, names: list[str], read: Any) -> Mapping[str, Any]:
        found = {}
        for name in names:
            try:
                found[name] = read(name)
            except RunError:
                continue
        return found

    def _read(self, key: str, kind: type[R], what: str) -> R:
        if not self.store.has(key):
            raise RunError(f"{self.directory} does not hold {what}; run the study to compute it")
        try:
            return self.store.read(key, kind)
        except CorruptRecord as error:
            raise RunError(f"{what} cannot be read ({error}); run the study again") from error

    def _network(self, member: str) -> AnyNetwork:
        if member not in self._who:
            hint = suggestion(member, list(self._who)) or "; members.csv lists them"
            raise RunError(f"no network '{member}' in {self.directory}{hint}")
        return self._networks[member]

    def _task_jobs(self) -> list[AnalyseTask]:
        known = {n: who for n, who in self._networks.items() if not isinstance(who, Undecided)}
        return task_jobs(self.study, [self._who[name] for name in known], list(known.values()))

    def _task_job(self, analysis: str, task: str | None) -> AnalyseTask:
        titles = [t.title for t in self.study.tasks]
        if task is None and len(titles) > 1:
            raise RunError(f"say which task: {', '.join(titles)}")
        task = task or titles[0]
        jobs = self._task_jobs()
        for job in jobs:
            if (job.analysis.title, job.task.title) == (analysis, task):
                return job
        there = sorted({f"{j.analysis.title} of {j.task.title}" for j in jobs})
        raise RunError(f"no '{analysis}' of task '{task}'; there are: {', '.join(there) or 'none'}")

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, device and times of the last execution."""
        return provenance(self.directory)

    def plan(self) -> Any:
        """What is done and what is left to do."""
        return make_plan(self.study, self.store)


def _loaded(given: Given, member: str) -> Any:
    try:
        return given.model()
    except ValueError as error:
        raise RunError(f"network '{member}' cannot be loaded: {error}") from error


def provenance(directory: str | Path) -> dict[str, Any]:
    """What a run directory says of its last execution; empty if it says nothing."""
    try:
        found = json.loads((Path(directory) / "provenance.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def open_run(directory: str | Path) -> Run:
    """The results of an earlier run; RunError if the folder is not a run directory."""
    spec = Path(directory) / "resolved.yaml"
    if not spec.is_file():
        raise RunError(f"{directory} is not a run directory: it has no resolved.yaml")
    return Run(directory, load_study(spec))
