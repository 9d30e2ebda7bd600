"""Results in a run directory."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Section
from rnnstudy.analyses.distances.all_pairs import COLOURED
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.analyses.training_summary import performance
from rnnstudy.claims.base import Claim, no_evidence
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.comparison.distances.embedding import Coordinates
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arguments import check_flag, check_instance, check_path
from rnnstudy.core.deprecations import accept_former_attributes
from rnnstudy.core.errors import suggestion
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.lazy_imports import keras_models, pd
from rnnstudy.core.record import Record
from rnnstudy.core.source.plugins import REMEDY, plugin_permission
from rnnstudy.core.storage.errors import CorruptRecord, NewerRecord, UnreadableRecord
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.keras_bridge.keras_layers.plain_models import plain_model
from rnnstudy.recordings.distances import RECORDING
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.import_models import ImportedNetwork
from rnnstudy.study.plan.member_analyses import BoundAnalysis
from rnnstudy.study.plan.outcomes import exclusion, network_outcome
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.plan.selection import SelectionGroup, SelectionResult, selection_result
from rnnstudy.study.plan.task_artefact import TaskArtefact
from rnnstudy.study.results.code import has_copies, import_copies
from rnnstudy.study.results.failures import Failure, failures_of, words_of
from rnnstudy.study.results.left_out import (
    left_out_words,
    networks_left_out,
    reason_for_none,
    undefined_distances,
    with_lost_groups,
)
from rnnstudy.study.results.provenance import provenance
from rnnstudy.study.results.selection_table import columns
from rnnstudy.study.results.solved_rates import rate_columns
from rnnstudy.study.results.verdict_table import (
    ClaimEvidence,
    ClaimResult,
    evaluate_claims,
    verdict_columns,
)
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import SpecError, Study, load_study
from rnnstudy.study.store import Store, StoreSnapshot, snapshot_of
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks

R = TypeVar("R", bound=Record)

OUTCOME_COLUMNS = ("status", "loss", "accuracy", "solved", "steps", "attempt", "diverged_at")

NAME_OF_ANALYSIS = "Give the name of an analysis of the spec."

INTEGER_COLUMNS = ("units", "seed", "steps", "attempt", "diverged_at")


NAMED = 3
"""Run directories that a message names."""

KEPT_BYTES = 2**28
"""Bytes of the records of one analysis that a report keeps in memory. It reads others twice."""


class StoredRecords(Mapping[str, R]):
    """Records of a store by name, some of them in memory. Others are read at each access.

    Parameters
    ----------
    read
        Name -> function that reads the record.
    records
        Name -> record, for those that stay in memory.
    """

    def __init__(self, read: Mapping[str, Callable[[], R]], records: Mapping[str, R]) -> None:
        self._read, self._records = read, records

    def __getitem__(self, name: str) -> R:
        read = self._read[name]
        return self._records[name] if name in self._records else read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def only(self, names: Collection[str]) -> "StoredRecords[R]":
        """Return the records with some names."""
        return StoredRecords({n: r for n, r in self._read.items() if n in names}, self._records)


def store_of(study: Study, directory: str | Path, *, repairing: bool = False) -> Store:
    """Return the store of a run: the one of the spec, or `store` in the directory."""
    return Store(study.runtime.store or Path(directory) / "store", repairing=repairing)


@accept_former_attributes(
    shared="task_record", trained="trained_network", judged="verdicts", choices="selections"
)
class Run:
    """Results in a run directory. They are read on demand; nothing is computed.

    Examples
    --------
    >>> from rnnstudy import open_run
    >>> run = open_run("runs/quickstart")  # doctest: +SKIP
    >>> run.members[["member", "status", "loss"]]  # doctest: +SKIP
    """

    def __init__(
        self,
        directory: str | Path,
        study: Study,
        store: Store | None = None,
        index: Artefacts | None = None,
    ) -> None:
        self.directory, self.study = Path(directory), study
        self.store = store or store_of(study, directory)
        self.faults: list[str] = []
        """Parts of the report, and models, that the run of this object could not write."""
        self.damage: dict[str, str] = {}
        """Address -> sentence, of records that this object could not read."""
        self._index = index

    @property
    def index(self) -> Artefacts:
        """Addresses of all results. It is renewed as long as a network waits for a selection."""
        if self._index is None or self._index.pending:
            groups = self._index.groups if self._index else None
            self._index = Artefacts.from_store(self.study, self.store, groups)
        return self._index

    def at_one_time(self, snapshot: StoreSnapshot | None = None) -> "Run":
        """Return the results as they are now, for reading all of them.

        The store is asked for each address once. Results that are written later are not seen.

        Parameters
        ----------
        snapshot
            The store at that time. Default: as it is now.
        """
        store = snapshot or snapshot_of(self.store)
        return self if store is self.store else Run(self.directory, self.study, store, self.index)

    def __repr__(self) -> str:
        return (
            f"Run({str(self.directory)!r}: {self.study.study}, {len(self.index.members)} networks)"
        )

    @cached_property
    def members(self) -> Any:
        """One row per network: its name, its fields, and its outcome. A `pandas.DataFrame`.

        `left_out` names the analyses of distances without the network, and the reasons.
        """
        store = snapshot_of(self.store)
        left_out = self._undefined_distances(store)
        rows = [
            {
                "member": member.name,
                **member.fields,
                **self._selected_fields(network),
                **_outcome_columns(store, network),
                "left_out": left_out.get(member.name, ""),
            }
            for member, network in self.index.pairs
        ]
        # Pandas makes floats of integers where some are missing.
        return pd.DataFrame(rows).astype(dict.fromkeys(INTEGER_COLUMNS, "Int64"))

    def _undefined_distances(self, store: Store) -> dict[str, str]:
        """Return the networks that distances leave out: name -> analyses with their reasons.

        Controls that the spec does not list have the networks of the listed distances.
        """
        words: dict[str, list[str]] = {}
        listed = {analysis.title for analysis in self.study.analyses}
        for (title, _), result in self.index.selected.shared.items():
            if title not in listed:
                continue
            for name, reason in undefined_distances(result, store).items():
                words.setdefault(name, []).append(f"{title}: {reason}")
        return {name: "; ".join(each) for name, each in words.items()}

    def _selected_fields(self, network: NetworkSpec) -> dict[str, Any]:
        """Return the training fields that the study selects; None where they are not selected."""
        fields = {} if self.study.selection is None else self.study.selection.grid
        if not isinstance(network, TrainedNetworkSpec):
            return dict.fromkeys(fields)
        free = network.pending_fields if isinstance(network, PendingNetwork) else ()
        return {name: None if name in free else getattr(network.training, name) for name in fields}

    @property
    def selection(self) -> Any:
        """One row per candidate of each combination: losses of its pilots, and the selected one.

        A `pandas.DataFrame`; empty if the study selects nothing.
        """
        fields = {} if self.study.selection is None else self.study.selection.grid
        return pd.DataFrame(columns(self.selections(), fields)).astype({"diverged": "Int64"})

    def selections(
        self, task: str | None = None
    ) -> list[tuple[SelectionGroup, SelectionResult | None]]:
        """Return the groups of networks with selected fields, of one task or all, and results."""
        if task is not None:
            self._task(task)
        return [
            (group, selection_result(group, self.store))
            for group in self.index.groups
            if task is None or group.networks[0].task.title == task
        ]

    def trained_network(self, member: str) -> TrainedNetworks:
        """Return a network's weights and training curves."""
        return self._read(self.key(member), TrainedNetworks, f"network '{member}'")

    def key(self, member: str) -> str:
        """Return the address of a network in the store."""
        network = self._network(member)
        if isinstance(network, PendingNetwork):
            fields = ", ".join(network.pending_fields)
            raise RunError(f"{fields} of '{member}' are not chosen yet; run the study to do so")
        return network.key()

    def model(self, member: str, *, plain: bool = False) -> Any:
        """Return a network as a `keras.Model`: [trial, time, input] -> [trial, time, output].

        An imported network is the model of its file.

        Parameters
        ----------
        member
            Name of the network.
        plain
            If true, the model has layers of Keras alone and loads without this package. Keras has
            such layers for GRU, LSTM and vanilla cells with an initial state of 0. Default: layers
            of this package.

        Raises
        ------
        RunError
            If the run does not hold the network.
        ValueError
            If `plain` is true and Keras has no equal layer.
        """
        check_flag("plain", plain)
        trained = self.trained_network(member)
        if isinstance(trained, ImportedNetwork) and not plain:
            return _load_model(trained, member)
        # TensorFlow refuses some characters of our names, such as =, in those of models.
        name = re.sub("[^A-Za-z0-9_.-]", "_", member)
        return (plain_model if plain else keras_models.to_model)(trained.population, 0, name=name)

    def record(self, analysis: str, member: str) -> Record:
        """Return the record of a member analysis, by its name in the spec, for a network."""
        analyses = self.index.by_title
        if check_instance("analysis", analysis, str, NAME_OF_ANALYSIS) not in analyses:
            raise RunError(
                f"no analysis '{analysis}' of single networks; there are: "
                f"{', '.join(sorted(analyses)) or 'none'}{suggestion(analysis, list(analyses))}"
            )
        bound, key = analyses[analysis], self.key(member)
        self._refuse_left_out(bound, member)
        address = self.index.address_in(self.store, self.index.records(bound)[key])
        return self._read(address, bound.analysis.record_class, f"'{analysis}' of '{member}'")

    def _refuse_left_out(self, bound: BoundAnalysis, member: str) -> None:
        """Raise RunError if a network is not among those that an analysis is about."""
        network = self._network(member)
        choice = self.index.choices.get((bound.address, network.task.title), "trained")
        if reason := exclusion(self.store, network, choice):
            raise RunError(
                f"'{bound.title}' leaves out '{member}' ({reason}): it is about {choice} networks; "
                "set 'networks' of the analysis in the spec"
            )

    def fixed_points(self, member: str) -> FixedPoints:
        """Return the fixed points of a network at each static input of its task."""
        record = self.record("fixed_points", member)
        assert isinstance(record, FixedPoints)
        return record

    def task_record(self, analysis: str, task: str | None = None) -> Record:
        """Return the record of a task analysis; `task` is needed if the study has several."""
        result = self._result(analysis, task)
        label, store = f"'{analysis}' of task '{result.task.title}'", snapshot_of(self.store)
        if not result.has_networks(store):
            reason = reason_for_none(result.choice, result.left_out(store))
            raise RunError(f"there is no {label}: {reason}")
        return self._read(result.address(store), result.analysis.record_class, label)

    def distances(self, analysis: str, task: str | None = None) -> Any:
        """Return the labelled square matrix of distances between the networks of a task.

        Networks without distances are absent; `task_record(analysis, task).left_out` says why.
        """
        record = self.task_record(analysis, task)
        if not isinstance(record, Distances):
            raise RunError(f"'{analysis}' yields {type(record).__name__}, not distances")
        about = {"title": f"Distance between networks, {analysis}", "value_label": "distance"}
        return self._for_plots(record.to_frame(), about)

    def embedding(self, of: str, task: str | None = None) -> Any:
        """Return the map of the networks of a task: a row of coordinates for each network.

        Parameters
        ----------
        of
            Name of the embedding, or of the distances that it shows.
        task
            Name of the task; needed if the study has several.

        Returns
        -------
        pandas.DataFrame
            Coordinates in the unit of the distances, which `rnnstudy.plot` draws.

        Raises
        ------
        RunError
            If the study has no such embedding, or the run does not hold it.
        """
        check_instance("of", of, str, NAME_OF_ANALYSIS)
        titles = [analysis.title for analysis in self.study.analyses]
        title = f"embedding_{of}" if f"embedding_{of}" in titles else of
        record = self.task_record(title, task)
        if not isinstance(record, Coordinates):
            raise RunError(f"'{title}' yields {type(record).__name__}, not a map of networks")
        about = {"title": f"Map of networks, {title}", "form": "map"}
        return self._for_plots(record.to_frame(), about)

    def _for_plots(self, frame: Any, about: dict[str, Any]) -> Any:
        """Return a frame of networks, with attributes by which `rnnstudy.plot` draws it."""
        members = self.index.members
        present = [name for name in COLOURED if any(name in each.fields for each in members)]
        recordings = {source.title: RECORDING for source in self.study.data}
        groups = {
            name: {each.name: str(each.fields.get(name)) for each in members} | recordings
            for name in present
        }
        frame.attrs["rnnstudy"] = {**about, "groups": groups}
        return frame

    def exhibits(self, analysis: str, task: str | None = None) -> list[Exhibit]:
        """Return the figures and tables of an analysis, as the report shows them.

        Parameters
        ----------
        analysis
            Name of an analysis of the spec, or `training` for the training of networks.
        task
            Name of the task; needed if the study has several.

        Returns
        -------
        list of Exhibit
            Each can be drawn by `rnnstudy.plot`. Empty if the run does not hold the results.

        Raises
        ------
        RunError
            If there is no such analysis or task.

        Examples
        --------
        >>> from rnnstudy import open_run, plot
        >>> plot(open_run("runs/quickstart").exhibits("training")[2])  # doctest: +SKIP
        """
        check_instance("analysis", analysis, str, NAME_OF_ANALYSIS)
        titles = [each.title for each in self.study.tasks]
        if task is None and len(titles) > 1:
            raise RunError(f"say which task: {', '.join(titles)}")
        section = self.section(titles[0] if task is None else task)
        if analysis == "training":
            return list(performance(section))
        known = {each.title: each for each in self.study.analyses}
        if analysis not in known:
            names = ("training", *known)
            hint = suggestion(analysis, names)
            raise RunError(f"no analysis '{analysis}'; there are: {', '.join(names)}{hint}")
        chosen = self.section_of(known[analysis], section)
        is_shared = isinstance(known[analysis], TaskAnalysis)
        records = chosen.shared if is_shared else chosen.records
        return list(known[analysis].show(chosen)) if records.get(analysis) else []

    @property
    def claims(self) -> Any:
        """One row per claim and task that it is about: what was found, and the verdict on it.

        A DataFrame; p is corrected for all tests of the study.
        """
        return pd.DataFrame(verdict_columns(self.verdicts()))

    def verdicts(self) -> list[ClaimResult]:
        """Return the verdicts on the study's claims, in the order of the spec, task by task."""
        order = [claim.title for claim in self.study.claims]
        store = snapshot_of(self.store)
        claims = [
            self._claim_evidence(result.analysis, result, store)
            for result in self.index.selected.shared.values()
            if isinstance(result.analysis, Claim)
        ]
        return evaluate_claims(sorted(claims, key=lambda each: order.index(each.claim.title)))

    def _claim_evidence(self, claim: Claim, result: TaskArtefact, store: Store) -> ClaimEvidence:
        companion = self.index.selected.companions.get((claim.step, result.task.title))
        evidence = self._evidence(claim, result, store)
        failures = self.failures({claim.step}, result.task.title) if evidence is None else []
        return ClaimEvidence(
            claim,
            result.task,
            evidence,
            "; ".join(failure.reason for failure in failures if not failure.scope),
            companion=None if companion is None else self._evidence(claim, companion, store),
            left_out=self._left_out(result, store),
        )

    def _evidence(self, claim: Claim, result: TaskArtefact, store: Store) -> Evidence | None:
        """Return the evidence on a claim; None if the store does not hold it."""
        if not result.has_networks(store):
            return no_evidence(reason_for_none(result.choice, result.left_out(store)))
        try:
            evidence = self._read(result.address(store), Evidence, result.analysis.step)
        except RunError:
            return None
        absent = {member.name for member, _ in networks_left_out(result, store)}
        compared = [m for m in result.members[: result.n_task_networks] if claim.compares(m)]
        left_out = [member for member in compared if member.name in absent]
        members = [member for member in compared if member.name not in absent]
        return with_lost_groups(evidence, members, left_out, claim.min_networks)

    def _left_out(self, result: TaskArtefact, store: Store) -> str:
        members = result.members[: result.n_task_networks]
        return left_out_words(networks_left_out(result, store), members)

    def left_out(self, analysis: Analysis, task: str) -> str:
        """Return how many networks of a task an analysis leaves out, and why; empty if none."""
        check_instance("analysis", analysis, Analysis, "Use one of run.study.analyses.")
        self._task(task)
        store, index = snapshot_of(self.store), self.index.selected
        result = index.shared.get((analysis.step, task))
        if result is not None:
            return self._left_out(result, store)
        excluded = index.exclusions(store, task, analysis.networks)
        pairs = [index.pairs[i] for i in index.positions[task]]
        absent = [(m, excluded[n.key()]) for m, n in pairs if n.key() in excluded]
        return left_out_words(absent, [member for member, _ in pairs])

    @property
    def solved_rates(self) -> Any:
        """One row per task and combination: share of solved networks, interval, p of equal shares.

        A `pandas.DataFrame`. Networks that have not been trained yet do not count.
        """
        return pd.DataFrame(rate_columns(self.solved_by_combination()))

    def solved_by_combination(self) -> dict[str, dict[str, list[bool]]]:
        """Return task -> combination -> whether each network has solved the task."""
        outcomes: dict[str, dict[str, list[bool]]] = {}
        rows = zip(self.index.members, self.members["solved"], strict=True)
        for member, solved in rows:
            if solved is not None:
                groups = outcomes.setdefault(member.fields["task"], {})
                groups.setdefault(member.combination, []).append(bool(solved))
        return outcomes

    def section(self, task: str) -> Section:
        """Return all results of one task, for showing."""
        shown = self._task(task)
        store, index = snapshot_of(self.store), self.index.selected
        pairs = [(m, n) for m, n in index.pairs if m.fields["task"] == task]
        trained = {m.name: (n.key(), TrainedNetworks) for m, n in pairs}
        records = {
            bound.title: {
                m.name: (
                    index.address_in(store, index.records(bound)[n.key()]),
                    bound.analysis.record_class,
                )
                for m, n in pairs
            }
            for bound in index.listed
        }
        shared = {
            analysis.title: (result.address(store), analysis.record_class)
            for analysis in self.study.analyses
            if isinstance(analysis, TaskAnalysis)
            and (result := index.shared.get((analysis.title, task)))
        }
        return Section(
            task=shown,
            members=[m for m in self.index.members if m.fields["task"] == task],
            trained=self._present(trained, "network"),
            records={title: self._present(each, f"{title} of") for title, each in records.items()},
            shared=self._present(shared),
            titles={each.title: words_of(each) for each in self.study.analyses},
        )

    def section_of(self, analysis: Analysis, section: Section) -> Section:
        """Return a section for showing one analysis: with the networks that it is about.

        The networks, and the records that a member analysis reads, have the weights that the
        analysis is about. Imported networks are left out if these are not the trained ones.
        """
        excluded = self.index.selected.exclusions(
            snapshot_of(self.store), section.task.title, analysis.networks
        )
        names = {m.name for m, n in self.index.selected.pairs if n.key() not in excluded}
        chosen = Section(
            task=section.task,
            members=[member for member in section.members if member.name in names],
            trained=_only(section.trained, names),
            records={title: _only(each, names) for title, each in section.records.items()},
            shared=section.shared,
            titles=section.titles,
        )
        if isinstance(analysis, MemberAnalysis) and analysis.weights != "trained":
            return self._with_weights(chosen, analysis)
        return chosen

    def _with_weights(self, section: Section, analysis: MemberAnalysis) -> Section:
        index, weights = self.index.selected, analysis.weights
        seeded = {n: t for n, t in section.trained.items() if (t.seed >= 0).all()}
        needs = dict(zip(analysis.needs(), index.by_title[analysis.title].needs, strict=True))
        # Figures draw points in the activity of the same weights, if there is any.
        needs["representations"] = BoundAnalysis(Representations(weights=weights))
        store = snapshot_of(self.store)
        records = {
            name: self._present(
                {
                    member: (
                        index.address_in(store, index.records(need)[index.network[member].key()]),
                        need.analysis.record_class,
                    )
                    for member in seeded
                },
                f"{name} of",
            )
            for name, need in needs.items()
        }
        return replace(
            section,
            trained={name: trained.with_weights(weights) for name, trained in seeded.items()},
            records={**section.records, **records},
        )

    def _present(
        self, addresses: Mapping[str, tuple[str, type[R]]], prefix: str = ""
    ) -> "StoredRecords[R]":
        """Return name -> record for the addresses that the store holds. Each is read once.

        `prefix` stands before the names in messages. `damage` has the records that cannot be read.
        """
        read, records, size = dict[str, Callable[[], R]](), dict[str, R](), 0
        for name, (address, kind) in addresses.items():
            label = f"{prefix} '{name}'" if prefix else f"'{name}'"
            try:
                record = self._read(address, kind, label)
            except RunError:
                continue
            read[name] = partial(self._read, address, kind, label)
            size += record.nbytes
            if size <= KEPT_BYTES:
                records[name] = record
        return StoredRecords(read, records)

    def _read(self, key: str, kind: type[R], label: str) -> R:
        if not self.store.has(key):
            raise RunError(f"{self.directory} does not hold {label}; run the study to compute it")
        try:
            return self.store.read(key, kind)
        except (UnreadableRecord, NewerRecord):
            raise  # it may be whole: a table or a report without it would be wrong
        except CorruptRecord as error:
            self.damage[key] = f"{label} cannot be read ({error})"
            raise RunError(f"{self.damage[key]}; run the study again") from error

    def _network(self, member: str) -> NetworkSpec:
        networks = self.index.network
        remedy = "Give the name of a network; members.csv lists them."
        if check_instance("member", member, str, remedy) not in networks:
            hint = suggestion(member, list(networks)) or "; members.csv lists them"
            raise RunError(f"no network '{member}' in {self.directory}{hint}")
        return networks[member]

    def _result(self, analysis: str, task: str | None) -> TaskArtefact:
        titles = [t.title for t in self.study.tasks]
        check_instance("analysis", analysis, str, NAME_OF_ANALYSIS)
        if task is None and len(titles) > 1:
            raise RunError(f"say which task: {', '.join(titles)}")
        task = titles[0] if task is None else self._task(task).title
        results = self.index.selected.shared
        if (analysis, task) not in results:
            known = ", ".join(sorted(f"{name} of {title}" for name, title in results)) or "none"
            hint = suggestion(analysis, [name for name, title in results if title == task])
            raise RunError(f"no '{analysis}' of task '{task}'; there are: {known}{hint}")
        return results[analysis, task]

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, device and times of the last execution."""
        return provenance(self.directory)

    def _task(self, title: str) -> Task:
        """Return a task of the study by its name; RunError if there is none."""
        tasks = {task.title: task for task in self.study.tasks}
        if check_instance("task", title, str, "Give the name of a task.") not in tasks:
            hint = suggestion(title, list(tasks))
            raise RunError(f"no task '{title}' in the study; there are: {', '.join(tasks)}{hint}")
        return tasks[title]

    def failures(self, kinds: Collection[str] | None = None, task: str = "") -> list[Failure]:
        """Return the jobs that failed in the last execution, of some kinds and a task or all."""
        if task != "":
            self._task(task)
        kinds = {kinds} if isinstance(kinds, str) else kinds
        return [
            failure
            for failure in failures_of(self.provenance)
            if (kinds is None or failure.kind in kinds) and task in ("", failure.task)
        ]

    def plan(self) -> Plan:
        """Return what is done and what is left to do."""
        return make_plan(self.study, self.store, index=self.index)


def _outcome_columns(store: Store, network: NetworkSpec) -> dict[str, Any]:
    outcome = None if isinstance(network, PendingNetwork) else network_outcome(store, network)
    if outcome is None:
        return dict.fromkeys(OUTCOME_COLUMNS) | {"status": "missing"}
    return {name: getattr(outcome, name) for name in OUTCOME_COLUMNS}


def _only(values: Mapping[str, R], names: Collection[str]) -> Mapping[str, R]:
    if isinstance(values, StoredRecords):
        return values.only(names)
    return {name: value for name, value in values.items() if name in names}


def _load_model(network: ImportedNetwork, member: str) -> Any:
    try:
        return network.model()
    except ValueError as error:
        raise RunError(f"network '{member}' cannot be loaded: {error}") from error


def _likely_directories(path: Path) -> str:
    """Return the run directories that a wrong path may stand for, in words; empty without any.

    They are the folder of its name among runs, and those inside it.
    """
    inside = sorted(path.glob("*/resolved.yaml")) if path.is_dir() else []
    likely = [Path("runs") / path.stem, *(spec.parent for spec in inside[:NAMED])]
    names = [str(each) for each in likely if (each / "resolved.yaml").is_file()]
    return f", such as {', '.join(names)}" if names else ""


def open_run(directory: str | Path, *, code: bool = False, allow_plugins: bool = False) -> Run:
    """Return the results of an earlier run. It runs no code of the directory unless told to.

    Parameters
    ----------
    directory
        A run directory, which `rnnstudy.run` wrote.
    code
        If true, tasks, cells, metrics, analyses and claims of the user are imported from the copy
        in the run directory. This runs the code that the directory holds: trust its origin.
    allow_plugins
        If true, they are imported from elsewhere, such as the working directory.

    Returns
    -------
    Run
        The results. They are read when they are asked for.

    Raises
    ------
    RunError
        If the folder is not a run directory, or lacks the code.
    SpecError
        If classes of the user cannot be imported, or must not be.
    CorruptRecord
        If the store is absent, cannot be read, or is of a later version.
    TypeError
        If the directory is no path.

    Examples
    --------
    >>> from rnnstudy import open_run
    >>> open_run("runs/quickstart").members  # doctest: +SKIP
    """
    spec = check_path("directory", directory) / "resolved.yaml"
    check_flag("code", code)
    check_flag("allow_plugins", allow_plugins)
    if not spec.is_file():
        raise RunError(
            f"{directory} is not a run directory: it has no resolved.yaml. Name the folder that "
            f"rnnstudy run made{_likely_directories(Path(directory))}"
        )
    folders = [import_copies(directory)] if code else []
    permission = plugin_permission(*folders) if code or allow_plugins else nullcontext()
    try:
        with permission:
            run = Run(directory, load_study(spec))
    except SpecError as error:
        if code or REMEDY not in str(error) or not has_copies(directory):
            raise
        raise RunError(
            f"{error}\n{directory} holds a copy of the code. If you trust its origin, import that "
            "by open_run(..., code=True)."
        ) from error
    run.store.refuse_unusable()
    return run
