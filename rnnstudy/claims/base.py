"""Contract of claims: a statement, the evidence of the networks, and a rule for the verdict."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, TaskAnalysis
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence(Record):
    """Evidence of the networks of one task on a claim, before p is corrected for other claims.

    Examples
    --------
    >>> evidence = Evidence(
    ...     statistic=0.9, effect=0.9, low=0.6, high=1.0, p=0.01, floor=0.001, holds=True,
    ...     groups=("gru", "lstm"), networks=np.array([5, 5]), values=np.array([0.8, 1.0]),
    ... )
    >>> evidence.effect
    0.9
    """

    statistic: float
    """Statistic of the test."""
    effect: float
    """Size of the effect on the scale of its interval."""
    low: float
    """Lower end of the 95 % interval of the effect; NaN without one."""
    high: float
    """Upper end of the 95 % interval of the effect; NaN without one."""
    p: float
    """Probability of a statistic as large under the null; NaN with too few networks."""
    floor: float
    """Smallest p of the test with so many networks."""
    holds: bool
    """True if the effect is as large as the rule demands."""
    shortage: str = ""
    """Reason why there are too few networks; empty if there are enough."""
    groups: tuple[str, ...]
    """Names of the groups of networks that the claim compares."""
    networks: Array = array("group")
    """Number of networks of each group."""
    values: Array = array("group")
    """Value of each group that the rule concerns."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.groups) != len(self.networks):
            raise ValueError(
                f"networks must have one number per group ({len(self.groups)}), got "
                f"{len(self.networks)}. Pass one number for each name in groups."
            )


class Claim(TaskAnalysis):
    """A statement about the networks of a task, with a test and a rule for the verdict.

    A claim is a task analysis (see `rnnstudy.analyses.base.Analysis`) whose record is `Evidence`.
    `run` raises ValueError with a reason if the claim cannot be tested. A claim on a property of
    single networks subclasses `rnnstudy.claims.Prevalent` instead.

    Examples
    --------
    A claim that a spec names as `{kind: "mine:Holds"}`:

    >>> from scipy.stats import binomtest
    >>> from rnnstudy import Claim, FixedPoints
    >>> from rnnstudy.claims import Evidence, average_by_group, group_size_error
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
    ...     def run(self, task, inputs):
    ...         has = [bool((r.n_unstable == 0).any()) for r in inputs[self.of].values()]
    ...         groups, count, share = average_by_group(
    ...             [member.combination for member in inputs.members], has
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

    labels: ClassVar[frozenset[str]] = frozenset({"name", "tasks", "where", "alpha"})

    yields: ClassVar[type[Record]] = Evidence

    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Level of the test, for p corrected for all claims and tasks of the study (Holm)."""

    min_networks: Annotated[int, Field(ge=1)] = 2
    """Smallest number of networks per group; below it there is no verdict."""

    @property
    def step(self) -> str:
        return f"claim {self.title}"

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

    @abstractmethod
    def run(self, task: Task, inputs: Inputs) -> Evidence:
        """Return the evidence of the networks of one task; see `TaskAnalysis.run`."""


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
