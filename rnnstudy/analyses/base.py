"""Contract of analyses: settings, the record that an analysis computes, and its exhibits."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_type_hints

from pydantic import Field

from rnnstudy.cells import Cell
from rnnstudy.core.component import Entry
from rnnstudy.core.deprecations import KINDS
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks, WeightsOf

NetworkChoice = Literal["solved", "trained", "all"]
"""Networks that an analysis is about: those that solved their task, those that were trained to the
end, or also those that diverged, with their last finite weights."""

OTHER_TASKS = "other_tasks"
"""Name of the input that holds the records of networks of other tasks."""


@dataclass(frozen=True)
class Cost:
    """Estimated work of an analysis and size of its records. Costs add up."""

    work: Mapping[str, int] = field(default_factory=dict)
    """Unit of work, in the plural -> number of such units."""
    bytes: int = 0
    """Bytes of the records in the store, as far as their sizes are known in advance."""

    def __add__(self, other: "Cost") -> "Cost":
        units = dict.fromkeys((*self.work, *other.work))
        work = {unit: self.work.get(unit, 0) + other.work.get(unit, 0) for unit in units}
        return Cost(work, self.bytes + other.bytes)

    def times(self, count: int) -> "Cost":
        """Return the cost of `count` such analyses."""
        return Cost({unit: count * n for unit, n in self.work.items()}, count * self.bytes)


RECORD_BYTES, ARRAY_BYTES = 700, 280
"""Bytes of a record in the store beside its numbers: once, and for each of its arrays."""

ARRAYS_BY_NAME = 3
"""Typical number of arrays that a record has by name."""


def overhead(kind: type[Record]) -> int:
    """Return the bytes that names, axes and headers of a record take in the store.

    Parameters
    ----------
    kind
        Class of the record. Records that are its fields count with it.
    """
    return RECORD_BYTES + ARRAY_BYTES * _count_arrays(kind)


def _count_arrays(kind: type[Record]) -> int:
    hints, count = get_type_hints(kind), 0
    for each in fields(kind):
        hint = hints[each.name]
        if "axes" in each.metadata:
            count += ARRAYS_BY_NAME if each.metadata.get("many") else 1
        else:
            parts = [part for part in (hint, *get_args(hint)) if isinstance(part, type)]
            count += sum(_count_arrays(part) for part in parts if issubclass(part, Record))
    return count


@dataclass(frozen=True)
class Member:
    """Identity of a network: its name and the fields that the grid varies (cell, seed, ...)."""

    name: str
    fields: Mapping[str, Any] = field(hash=False)

    @property
    def combination(self) -> str:
        """Cell, activation, and the protocol if there are several, as in legends: `gru tanh`."""
        parts = [self.fields["cell"], self.fields["activation"], self.fields.get("protocol")]
        return " ".join(str(part) for part in parts[: 2 if parts[2] is None else 3])


@dataclass(frozen=True)
class Section:
    """Networks and records of one task, from which an analysis makes its exhibits.

    `records[analysis][member]` is the record of one network, both by name. `shared[analysis]` is
    the record of an analysis of the whole task. Failed ones are absent.
    """

    task: Task
    members: Sequence[Member]
    trained: Mapping[str, TrainedNetworks]
    records: Mapping[str, Mapping[str, Record]]
    shared: Mapping[str, Record]
    titles: Mapping[str, str] = field(default_factory=dict)
    """Name of an analysis -> its title in words."""

    def words(self, analysis: str) -> str:
        """Return the title of an analysis in words; its name if it is not known."""
        return self.titles.get(analysis, analysis)


class Inputs(Mapping[str, Any]):
    """Records that an analysis of a task reads, by the name of the analysis that computed them.

    Parameters
    ----------
    members
        Networks of the task whose records exist.
    controls
        Kind of weights (`untrained`, `standard`) -> records of the same networks with these
        weights, by the names of the analyses of the trained networks.
    control_distances
        Name of an analysis of distances -> its distances together with controls.
    records
        For an analysis of single networks, one record per member, as a sequence in the order of
        `members` or as a mapping from member to record. For an analysis of tasks, its record.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.comparison.distances.pairs import Distances
    >>> members = [Member("a", {"cell": "gru"}), Member("b", {"cell": "lstm"})]
    >>> inputs = Inputs(members, svcca=Distances(("a", "b"), np.zeros((2, 2))), size=[Record()] * 2)
    >>> inputs["svcca"].labels
    ('a', 'b')
    >>> type(inputs["size"][members[0]]).__name__
    'Record'
    >>> twins = {"untrained": Inputs(members, size=[Record()] * 2)}
    >>> len(Inputs(members, size=[Record()] * 2, controls=twins).controls["untrained"]["size"])
    2
    """

    controls: Mapping[str, Mapping[str, Any]]
    """Kind of weights -> records of the networks with these weights, as `Inputs`."""
    control_distances: Mapping[str, Any]
    """Name of an analysis of distances -> its `ControlDistances`."""

    def __init__(
        self,
        members: Sequence[Member],
        /,
        *,
        controls: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        control_distances: Mapping[str, Any] = MappingProxyType({}),
        **records: Any,
    ) -> None:
        self.members = tuple(members)
        self.controls, self.control_distances = controls, control_distances
        self._records = {name: self._by_member(record) for name, record in records.items()}

    @classmethod
    def from_records(
        cls,
        members: Sequence[Member],
        records: Mapping[str, Any],
        controls: Mapping[str, Mapping[str, Any]],
        control_distances: Mapping[str, Any],
    ) -> "Inputs":
        """Return the inputs of records with any names, those of the parameters included."""
        inputs = cls(members, controls=controls, control_distances=control_distances)
        inputs._records = {name: inputs._by_member(record) for name, record in records.items()}
        return inputs

    def _by_member(self, record: Any) -> Any:
        if isinstance(record, Record | Mapping):
            return record
        return dict(zip(self.members, record, strict=True))

    def __getitem__(self, name: str) -> Any:
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


MemberInputs = Mapping[str, Sequence[Any]]
"""Name of an analysis -> its records, one per member of a population, in order."""

NO_INPUTS: MemberInputs = MappingProxyType({})


class Analysis(Entry):
    """An analysis of each task's networks. `name` distinguishes two of one kind.

    Subclass `MemberAnalysis` for an analysis of single networks, `TaskAnalysis` for one of all
    networks of a task, and `rnnstudy.Claim` for a statement about them. The fields of a subclass
    are its YAML. The rest of the contract is common to all three:

    - `needs` names the analyses of the spec whose records `run` reads as `inputs[name]`. By default
      it is the analysis that a field called `of` names.
    - `takes` is the class of these records. Inputs of another class are refused before `run`.
    - `yields` is the class of the record that `run` returns.
    - `weights` of a member analysis says which weights of the networks are analysed.
    - `applies` says which tasks the analysis can be used for, `misfit` which grids.
    - `show` makes the exhibits of the report, `title_in_words` their heading. `chapter` is the part
      of the report in which they stand.
    - `version` is raised by hand when `run` computes something else.

    Examples
    --------
    Two analyses, which a spec names as `{kind: "mine:Stable"}` and `{kind: "mine:StableShare"}`:

    >>> from dataclasses import dataclass
    >>> from rnnstudy import FixedPoints, MemberAnalysis, Record, TaskAnalysis
    >>> from rnnstudy.core.exhibit import Table
    >>>
    >>> @dataclass(frozen=True, eq=False)
    ... class Count(Record):
    ...     value: float
    >>>
    >>> class Stable(MemberAnalysis):
    ...     '''Number of stable fixed points of each network.'''
    ...
    ...     takes = FixedPoints
    ...     yields = Count
    ...     of: str = "fixed_points"
    ...
    ...     def run(self, population, task, inputs):
    ...         return [Count(int((r.n_unstable == 0).sum())) for r in inputs[self.of]]
    >>>
    >>> class StableShare(TaskAnalysis):
    ...     '''Share of networks with several stable fixed points.'''
    ...
    ...     takes = Count
    ...     yields = Count
    ...     of: str = "stable"
    ...
    ...     def run(self, task, inputs):
    ...         counts = [inputs[self.of][member].value for member in inputs.members]
    ...         return Count(sum(count > 1 for count in counts) / len(counts))
    ...
    ...     def show(self, section):
    ...         share = section.shared[self.title].value
    ...         yield Table(title="Networks with memories", columns={"share": [share]})
    >>>
    >>> members = [Member("a", {"cell": "gru"}), Member("b", {"cell": "gru"})]
    >>> StableShare().run(None, Inputs(members, stable=[Count(1), Count(4)])).value
    0.5
    """

    noun: ClassVar[str] = "analysis"

    reserved_fields: ClassVar[Mapping[str, Any]] = {"networks": NetworkChoice}
    """Fields of all analyses -> their type, which a subclass does not change."""

    labels: ClassVar[frozenset[str]] = frozenset({"name", "tasks", "where", "networks"})

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None
    """Name for other analyses and for `Run`; default: see each kind."""

    tasks: tuple[str, ...] | None = None
    """Names of the tasks whose networks are analysed; default: all to which it applies."""

    networks: NetworkChoice = "solved"
    """Networks that are analysed: those that solved their task, all that were `trained` to the end,
    or `all`, which adds the last finite weights of diverged ones. It also holds for the analyses
    that this one reads."""

    yields: ClassVar[type[Record]] = Record
    """Class of the record; `Record` if it is not known in advance."""

    takes: ClassVar[type[Record]] = Record
    """Class of the records of `needs()`."""

    chapter: ClassVar[str] = ""
    """Chapter of the report (`rnnstudy.analyses.chapters`); empty: that of what it reads."""

    leads_chapter: ClassVar[bool] = True
    """False if a figure of another analysis of the chapter says more at first sight."""

    @property
    def title(self) -> str:
        """Name of the analysis in its study."""
        return self.name or self.kind.rpartition(":")[2].lower()

    @property
    def step(self) -> str:
        """Name of the analysis as a step of the plan."""
        return self.title

    @property
    def record_class(self) -> type[Record]:
        """Class that stored records must have: `yields`, or any record for a class of a user."""
        return self.yields if self.entry_tag else Record

    def needs(self) -> tuple[str, ...]:
        """Return the names of the analyses, listed in the spec, whose records this one reads."""
        return (getattr(self, "of"),) if "of" in type(self).model_fields else ()  # noqa: B009

    def applies(self, task: Task) -> bool:
        """Return whether networks of this task can be analysed.

        A study leaves out the other tasks, and the analyses that need their records.
        """
        return True

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        """Return why no network of a study fits the settings; empty if one does.

        Parameters
        ----------
        known
            Field of the networks (cell, seed, ...) -> its values.
        """
        return ""

    def show(self, section: Section) -> Iterable[Exhibit]:
        """Return the exhibits of one task; none by default."""
        return ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, choices in cls.reserved_fields.items():
            if cls.model_fields[name].annotation != choices:
                raise TypeError(
                    f"{cls.__name__}.{name} must be one of {', '.join(get_args(choices))}, as of "
                    "every analysis, got a field of another type. Rename the field."
                )

    @classmethod
    def former_fields_of(cls, data: Mapping[str, Any]) -> Mapping[str, str]:
        former, value = dict(super().former_fields_of(data)), data.get("networks")
        if value == "untrained" and "weights" in cls.model_fields:
            former["networks"] = "weights"
        if type(value) is int and "min_networks" in cls.model_fields:
            former["networks"] = "min_networks"
        return former

    def _recipe_fields(self) -> list[str]:
        # Also for a subclass with other `labels`.
        return [name for name in super()._recipe_fields() if name not in ("where", "networks")]

    @cached_property
    def _recipe_in_format_1(self) -> dict[str, Any]:
        """The recipe of format 1, with the names that it had for other analyses."""
        recipe = super()._recipe_in_format_1
        names = {field: _title_in_format_1(getattr(self, field)) for field in self._name_fields}
        return {**recipe, "fields": {**recipe["fields"], **names}}

    @property
    def _name_fields(self) -> list[str]:
        """Fields that hold names of `needs()`."""
        needs = self.needs()
        return [field for field in type(self).model_fields if getattr(self, field) in needs]

    def _check(self, name: str, records: Iterable[Any]) -> None:
        for record in records:
            if not isinstance(record, self.takes):
                raise TypeError(
                    f"'{name}' must yield {self.takes.__name__} for {self.title}, got "
                    f"{type(record).__name__}. Name another analysis."
                )


def _title_in_format_1(title: str) -> str:
    """Return the title that format 1 derived from a former kind of an analysis."""
    for former, kind in KINDS["analysis"].items():
        if title.startswith(f"{kind}_"):
            return former + title.removeprefix(kind)
    return title


class MemberAnalysis(Analysis):
    """An analysis of single networks; networks of one shape are passed together for speed.

    Examples
    --------
    >>> class Units(MemberAnalysis):
    ...     def run(self, population, task):
    ...         return [Record() for _ in range(len(population))]
    >>> Units(name="size").title
    'size'
    """

    former_methods: ClassVar[Mapping[str, str]] = {"looked_at": "population_of"}

    reserved_fields: ClassVar[Mapping[str, Any]] = {
        **Analysis.reserved_fields,
        "weights": WeightsOf,
    }

    weights: WeightsOf = "trained"
    """Weights of the networks: after training, before it (`untrained`), or from the initialisers of
    the standard protocol (`standard`). Analyses that are read have the same weights."""

    @property
    def title(self) -> str:
        return super().title if self.name else super().title + self.weights_suffix

    @property
    def weights_suffix(self) -> str:
        """End of the title: empty for trained weights, else `_untrained` or `_standard`."""
        return "" if self.weights == "trained" else f"_{self.weights}"

    @property
    def from_seeds(self) -> bool:
        """True if the analysis draws weights from a network's seed.

        Imported networks have no known seed and are left out of such an analysis.
        """
        return self.weights != "trained"

    def population_of(self, trained: TrainedNetworks) -> Population:
        """Return the networks for `run`; by default those with the weights of the field `weights`.

        In a study `trained.population` has these weights already, so that a subclass that
        overrides the method need not draw them.
        """
        return trained.population_with(self.weights)

    def with_weights(self, weights: WeightsOf) -> Self:
        """Return the analysis of other weights of the same networks, under another title.

        Examples
        --------
        >>> from rnnstudy.analyses.distances.representations import Representations
        >>> Representations(name="states").with_weights("standard").title
        'states_standard'
        """
        if weights == self.weights:
            return self
        other = self.replace(weights=weights)
        if other.title != self.title:
            return other
        return other.replace(name=f"{self.title}_{weights}")

    def _recipe_fields(self) -> list[str]:
        # Results with trained weights have been stored since before there was the field.
        names = super()._recipe_fields()
        if self.weights == "trained" and "weights" not in self.recipe_names:
            return [name for name in names if name != "weights"]
        return names

    @abstractmethod
    def run(self, population: Population, task: Task) -> Sequence[Record]:
        """Return one record per member of the population, in order.

        An analysis with `needs()` has a third parameter, `inputs`: name of an analysis -> its
        records, one per member, in order.
        """

    def compute(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Record]:
        """Check the classes of the inputs and run.

        Raises
        ------
        TypeError
            If an input is not of the class `takes`.
        """
        return self.run(population, task, *self._check_inputs(inputs))

    def compute_each(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Callable[[], Record]]:
        """Check the classes of the inputs; return one function per member that returns its record.

        An analysis without functions for single members runs at once.

        Raises
        ------
        TypeError
            If an input is not of the class `takes`.
        """
        checked = self._check_inputs(inputs)
        functions = self.record_functions(population, task, *checked)
        if functions is not None:
            return functions
        return [partial(_same, record) for record in self.run(population, task, *checked)]

    def _check_inputs(self, inputs: MemberInputs) -> list[MemberInputs]:
        """Check the classes of inputs; return them as arguments of `run`, none without inputs."""
        for name in {*self.needs(), *inputs}:
            self._check(name, inputs[name])
        return [inputs] if inputs else []

    def record_functions(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Callable[[], Record]] | None:
        """Return one function per member that returns its record; by default None, for `run`.

        A study calls the functions of missing results and writes each result at once, so that an
        interruption loses one network at most. Each function must return the same record
        whatever other functions are called.
        """
        return None

    def begins_with(self, other: "MemberAnalysis") -> bool:
        """Return whether `run` begins with what another analysis computes.

        A study with both gives the records of the other to `run`, as `inputs[other.kind]`, so that
        they are computed once. They enter no address, since the result is the same.
        """
        return False

    def cost(self, cell: Cell, task: Task) -> Cost:
        """Return the estimated cost of one network of this cell, which `rnnstudy check` prints."""
        return Cost()


def of_weights(weights: WeightsOf) -> str:
    """Return the end of a title that says which weights networks have; empty if trained ones.

    Examples
    --------
    >>> of_weights("untrained")
    ' of untrained networks'
    """
    words = {"trained": "", "standard": " of networks with standard initial weights"}
    return words.get(weights, f" of {weights} networks")


def _same(record: Record) -> Record:
    return record


class TaskAnalysis(Analysis):
    """An analysis of all networks of a task together.

    Examples
    --------
    >>> class Count(TaskAnalysis):
    ...     of: str = "fixed_points"
    ...
    ...     def run(self, task, inputs):
    ...         return Record()
    >>> Count().needs()
    ('fixed_points',)
    """

    former_methods: ClassVar[Mapping[str, str]] = {
        "parts": "member_inputs",
        "visit": "cross_task_input",
    }

    where: dict[str, Any] = Field({})
    """Networks that are analysed: fields of the grid (cell, protocol, ...), each with a value or a
    list of values; empty for all. It also holds for the analyses that this one reads."""

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        """Return analyses of single networks that this one reads and the spec need not list.

        `inputs` holds their records under their titles.
        """
        return ()

    def cross_task_input(self, task: Task) -> MemberAnalysis | None:
        """Return the analysis to run on the networks of the study's other tasks, or None.

        `inputs["other_tasks"]` holds its records by member.
        """
        return None

    def control_weights(self) -> tuple[WeightsOf, ...]:
        """Return the kinds of weights that `inputs.controls` holds for each input; none by default.

        The study then analyses the same networks with these weights, although the spec does not
        list it. Imported networks have no such controls.
        """
        return ()

    needs_planted: ClassVar[bool] = False
    """True if the controls of the distances that it reads must have planted copies, which cost
    memory and time."""

    def with_controls(self, planted: bool = True) -> "TaskAnalysis | None":
        """Return the analysis that yields the same distances together with controls, or None.

        Its record is `ControlDistances`. An analysis with `control_weights()` that reads this one
        gets it as `inputs.control_distances`, although the spec does not list it.

        Parameters
        ----------
        planted
            True: together with copies of the networks that have a known difference.
        """
        return None

    @abstractmethod
    def run(self, task: Task, inputs: Inputs) -> Record:
        """Return the record of one task.

        Parameters
        ----------
        task
            The task of `inputs.members`.
        inputs
            `inputs["fixed_points"][member]` is the record of one network, `inputs["svcca"]` the
            record of an analysis of the same task. Its keys are the names of `needs()`, the titles
            of `member_inputs()`, and `other_tasks` if there is a `cross_task_input`.
        """

    def compute(self, task: Task, inputs: Inputs) -> Record:
        """Check the classes of the inputs and run.

        Raises
        ------
        TypeError
            If an input is not of the class `takes`.
        """
        controls = [
            (name, records[name])
            for records in inputs.controls.values()
            for name in self.needs()
            if name in records
        ]
        for name, record in [*((name, inputs[name]) for name in self.needs()), *controls]:
            self._check(name, record.values() if isinstance(record, Mapping) else (record,))
        return self.run(task, inputs)

    def cost(self, task: Task, records: int) -> Cost:
        """Return the estimated cost of `records` records of single networks."""
        return Cost()
