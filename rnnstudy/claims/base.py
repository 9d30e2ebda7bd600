"""Contract of claims: a statement, the evidence of the networks, and a rule for the verdict."""

import warnings
from abc import abstractmethod, update_abstractmethods
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, Member, TaskAnalysis
from rnnstudy.claims.evidence.control_runs import (
    Interval,
    add_controls,
    jackknifed_difference,
)
from rnnstudy.claims.evidence.measurements import Measurements, distances_of
from rnnstudy.claims.evidence.negative import shuffle_training
from rnnstudy.claims.evidence.positive import PositiveControl, distance_controls, value_controls
from rnnstudy.claims.evidence.record import NO_CONTROL, ControlResult, Evidence, Outcome
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf

QUICK_PERMUTATIONS = 199
"""Permutations of the tests of negative controls."""


class Claim(TaskAnalysis):
    """A statement about the networks of a task, with a test and a rule for the verdict.

    A claim is a task analysis (see `rnnstudy.analyses.base.Analysis`) whose record is `Evidence`.
    `measure` returns the numbers of trained networks and of their untrained twins. `test` returns
    the evidence of such numbers and reads nothing else. Therefore controls are the same test with
    other numbers. `run` measures, tests and runs the controls:

    - positive: the measure tells trained from untrained networks, or task from task.
    - planted, for sameness: the measure detects a known difference of trained networks.
    - negative: noise, zeros and ones in place of the numbers; labels that were shuffled.
    - untrained: the effect among the untrained twins, and the difference that was learnt.

    `measure` or `test` raises ValueError with a reason if the claim cannot be tested. A claim on a
    property of single networks subclasses `rnnstudy.claims.Prevalent` instead.

    Examples
    --------
    A claim that a spec names as `{kind: "mine:Holds"}`:

    >>> from scipy.stats import binomtest
    >>> from rnnstudy import Claim, FixedPoints
    >>> from rnnstudy.claims import Evidence, average_by_group, group_size_error, values_of
    >>>
    >>> class Holds(Claim):
    ...     takes = FixedPoints
    ...     of: str = "fixed_points"
    ...
    ...     @property
    ...     def statistic(self):
    ...         return "share of networks with a stable point"
    ...
    ...     @property
    ...     def null(self):
    ...         return "at most half of the networks have a stable point"
    ...
    ...     @property
    ...     def rule(self):
    ...         return "most networks of each combination have a stable point"
    ...
    ...     def statement(self, task):
    ...         return f"Networks that learn {task.title} have memories."
    ...
    ...     def measure(self, task, inputs):
    ...         def has(records):
    ...             return {m: bool((r.n_unstable == 0).any()) for m, r in records.items()}
    ...
    ...         controls = self.control_records(inputs)
    ...         return values_of(
    ...             has(inputs[self.of]), {name: has(records) for name, records in controls.items()}
    ...         )
    ...
    ...     def test(self, measurements):
    ...         trained = measurements.of("trained")
    ...         has = trained.values.tolist()
    ...         groups, count, share = average_by_group(
    ...             [member.combination for member in trained.members], has
    ...         )
    ...         test = binomtest(sum(has), len(has), 0.5, alternative="greater")
    ...         low, high = binomtest(sum(has), len(has)).proportion_ci()
    ...         return Evidence(
    ...             statistic=sum(has) / len(has), effect=sum(has) / len(has), low=low, high=high,
    ...             p=test.pvalue, floor=0.5 ** len(has), holds=bool(min(share) > 0.5),
    ...             shortage=group_size_error(groups, count, self.min_networks),
    ...             groups=groups, networks=count, values=share,
    ...         )
    >>>
    >>> Holds().title
    'holds'
    """

    noun: ClassVar[str] = "claim"

    version: ClassVar[int] = 3

    labels: ClassVar[frozenset[str]] = TaskAnalysis.labels | {"alpha", "per"}

    yields: ClassVar[type[Record]] = Evidence

    words: ClassVar[tuple[Outcome, Outcome, Outcome]] = (
        "supported",
        "not supported",
        "not supported",
    )
    """Verdicts: p is small and the rule is met, neither, and `p_opposite` is small."""

    judged_parts: ClassVar[Literal["", "any", "all"]] = ""
    """Parts of the evidence that need a small p by themselves; empty: the claim as one."""

    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Level of the test, for p corrected for all claims and tasks of the study (Holm)."""

    min_networks: Annotated[int, Field(ge=1)] = 2
    """Smallest number of networks per group; below it there is no verdict."""

    per: str | None = None
    """Field of the grid. The claim is judged for each of its values alone, each time by `where` and
    under a name that ends in the value; default: for all networks together."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "run" in cls.__dict__ and not {"measure", "test"} & cls.__dict__.keys():
            _accept_former_claim(cls)

    @property
    def step(self) -> str:
        return f"claim {self.title}"

    @property
    def record_class(self) -> type[Record]:
        return Evidence

    @property
    @abstractmethod
    def statistic(self) -> str:
        """Meaning of `Evidence.statistic`."""

    @property
    def effect(self) -> str:
        """Meaning of `Evidence.effect` and of its values; default: that of the statistic."""
        return self.statistic

    @property
    @abstractmethod
    def null(self) -> str:
        """Null hypothesis of the test, as a clause."""

    @property
    @abstractmethod
    def rule(self) -> str:
        """Condition of a supported claim beside a small p, as a clause."""

    @abstractmethod
    def statement(self, task: Task) -> str:
        """Return the claim as a sentence about the networks of a task."""

    def question(self, titles: Mapping[str, str]) -> str:
        """Return the question that the claim answers, for readers of a report.

        Claims with one question share a finding. Default: none, so that the statement is shown.

        Parameters
        ----------
        titles
            Name of an analysis -> its title in words.
        """
        return ""

    def control_weights(self) -> tuple[WeightsOf, ...]:
        """Return the kinds of weights of the networks that serve as controls.

        `inputs.controls[kind][name]` holds the records of single networks, and
        `inputs.control_distances[name]` the distances with controls.
        """
        return ("untrained",)

    def compares(self, member: Member) -> bool:
        """Return whether the claim compares a network with others; by default all networks.

        If a group of compared networks is left out as a whole, there are not enough networks.
        """
        return True

    @abstractmethod
    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        """Return the numbers of the trained networks of one task, and of their controls."""

    @abstractmethod
    def test(self, measurements: Measurements) -> Evidence:
        """Return the evidence of measurements, without controls.

        It must depend on the measurements and the fields of the claim only.
        """

    def positive_controls(self, measurements: Measurements) -> Sequence[PositiveControl]:
        """Return the tests that the measure tells networks apart which are known to differ.

        A claim whose measure passes none of them has the verdict `uninformative`.
        """
        is_distance = measurements.is_distance
        return (distance_controls if is_distance else value_controls)(measurements)

    def planted_controls(self, measurements: Measurements) -> Sequence[ControlResult]:
        """Return the tests that the measure detects a known difference of trained networks.

        Claims of sameness need them: one that is missed leaves the opposite, or `uninformative`.
        There are none by default.
        """
        return ()

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        """Return measurements under labels that mean nothing.

        By default, networks and their untrained twins are exchanged at random.
        """
        return shuffle_training(measurements, generator)

    @property
    def exchange(self) -> str:
        """Things that `shuffle` exchanges at random, as a clause."""
        return "networks and their untrained twins are exchanged"

    def finding_p(self, evidence: Evidence) -> float:
        """Return the p of the finding that shuffled labels must not give; 1 without one."""
        return evidence.p if evidence.holds else 1.0

    def estimate(self, measurements: Measurements) -> float:
        """Return the effect alone; a subclass may compute it without its test."""
        return self.quick().test(measurements).effect

    def learnt(self, measurements: Measurements) -> Interval:
        """Return the effect among trained networks minus that among their untrained twins.

        The interval is a jackknife over networks of `estimate`. NaN without an effect.
        """
        return jackknifed_difference(self.estimate, measurements)

    def quick(self) -> Self:
        """Return the claim with fewer permutations, for negative controls."""
        permutations = getattr(self, "permutations", 0)
        return (
            self.replace(permutations=QUICK_PERMUTATIONS)
            if permutations > QUICK_PERMUTATIONS
            else self
        )

    def run(self, task: Task, inputs: Inputs) -> Evidence:
        """Return the evidence of the networks of one task, with the results of all controls."""
        measurements = self.measure(task, inputs)
        return add_controls(self, self.quick(), measurements, self.test(measurements))

    def compute(self, task: Task, inputs: Inputs) -> Evidence:
        """Check the classes of the inputs and run; see `TaskAnalysis.compute`."""
        evidence = super().compute(task, inputs)
        assert isinstance(evidence, Evidence)
        if evidence.shortage or evidence.uninformative or len(evidence.controls):
            return evidence
        return replace(evidence, uninformative=NO_CONTROL)

    def distances(self, inputs: Inputs, name: str) -> Measurements:
        """Return the measurements of an analysis of distances, with controls where there are."""
        controls = inputs.control_distances.get(name)
        return distances_of(inputs[name], inputs.members, controls)

    def control_records(self, inputs: Inputs) -> dict[str, Any]:
        """Return training -> records of the networks that serve as controls, by member."""
        (name, *_) = self.needs()
        controls = inputs.controls.items()
        return {weights: records[name] for weights, records in controls if name in records}


def _accept_former_claim(cls: type[Claim]) -> None:
    """Accept a claim that overrides `run` alone; it declares no control."""
    warnings.warn(
        f"{cls.__name__}.run was split into measure and test. Without them the claim declares no "
        "control, and its verdict is never better than uninformative.",
        DeprecationWarning,
        stacklevel=5,
    )

    def refuse(self: Claim, *_: Any) -> Any:
        raise NotImplementedError(f"{cls.__name__} must define measure and test. Add both.")

    cls.measure = cls.test = refuse  # type: ignore[method-assign,assignment]
    update_abstractmethods(cls)


def no_evidence(
    shortage: str, groups: tuple[str, ...] = (), sizes: Array | None = None
) -> Evidence:
    """Return the evidence of too few networks, with the reason."""
    return Evidence(
        statistic=nan,
        effect=nan,
        low=nan,
        high=nan,
        p=nan,
        floor=1.0,
        holds=False,
        shortage=shortage,
        uninformative="",
        groups=groups,
        networks=np.zeros(len(groups), int) if sizes is None else sizes,
        values=np.full(len(groups), nan),
    )


def average_by_group(
    labels: Sequence[str], values: Sequence[float] | Array
) -> tuple[tuple[str, ...], Array, Array]:
    """Return groups in order of first appearance, their sizes, and the means of their values.

    Parameters
    ----------
    labels
        Group of each network.
    values
        Value of each network, [network].

    Returns
    -------
    names, sizes [group], means [group]

    Examples
    --------
    >>> average_by_group(["gru", "lstm", "gru"], [1.0, 5.0, 3.0])
    (('gru', 'lstm'), array([2, 1]), array([2., 5.]))
    """
    names = tuple(dict.fromkeys(labels))
    masks = [np.array([label == name for label in labels]) for name in names]
    numbers = np.asarray(values, float)
    sizes = np.array([int(mask.sum()) for mask in masks], int)
    return names, sizes, np.array([numbers[mask].mean() for mask in masks])


def group_size_error(groups: Sequence[str], sizes: Array, needed: int, least: int = 1) -> str:
    """Return the groups that are too small, or that there are too few groups; empty if neither.

    Parameters
    ----------
    groups
        Names of the groups.
    sizes
        Number of networks of each group, [group].
    needed
        Smallest number of networks per group.
    least
        Smallest number of groups.

    Examples
    --------
    >>> group_size_error(["gru", "lstm"], np.array([3, 1]), needed=2)
    'lstm has 1; it takes 2 of each'
    """
    if len(groups) < least:
        present = f"only {groups[0]}" if len(groups) else "no networks"
        return f"{present}; it takes {least} groups" if least > 1 else present
    small = [
        f"{group} has {size}" for group, size in zip(groups, sizes, strict=True) if size < needed
    ]
    return f"{', '.join(small)}; it takes {needed} of each" if small else ""
