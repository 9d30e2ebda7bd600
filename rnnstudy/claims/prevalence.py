"""Base of claims on the share of networks with a property."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.analyses.distances.controls import TRAINED
from rnnstudy.claims.base import Claim, average_by_group, group_size_error
from rnnstudy.claims.evidence.control_runs import Interval
from rnnstudy.claims.evidence.measurements import Measurements, values_of
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.core.arrays import Array
from rnnstudy.tasks import Task

NORMAL_QUANTILE = 1.959964
"""97.5 % quantile of the normal distribution."""


class Prevalent(Claim):
    """Networks of every cell and activation have a property.

    The share of all networks is tested (binomial, one-sided). The shares of the combinations enter
    the rule.

    Examples
    --------
    A claim on the fixed points of each network:

    >>> from rnnstudy import FixedPoints
    >>> class Bistable(Prevalent):
    ...     takes = FixedPoints
    ...     of: str = "fixed_points"
    ...
    ...     @property
    ...     def trait(self):
    ...         return "two stable points or more"
    ...
    ...     def statement(self, task):
    ...         return f"Networks that learn {task.title} are bistable."
    ...
    ...     def has(self, record, task):
    ...         return int((record.n_unstable == 0).sum()) >= 2
    >>> Bistable(least=0.8).null
    'at most 80% of the networks have two stable points or more'
    """

    former_methods: ClassVar[dict[str, str]] = {"what": "trait"}

    least: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of networks with the property: significantly exceeded by all networks together, and
    reached by every combination of cell and activation."""

    @property
    @abstractmethod
    def trait(self) -> str:
        """The property as a clause: `exactly one fixed point`."""

    @property
    def statistic(self) -> str:
        return f"share of networks that have {self.trait}"

    @property
    def null(self) -> str:
        return f"at most {self.least:.0%} of the networks have {self.trait}"

    @property
    def rule(self) -> str:
        return f"at least {self.least:.0%} of the networks of every combination have {self.trait}"

    @abstractmethod
    def has(self, record: Any, task: Task) -> bool:
        """Return whether the network of a record has the property."""

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        def flags(records: Mapping[Member, Any]) -> dict[Member, bool]:
            return {member: self.has(record, task) for member, record in records.items()}

        controls = self.control_records(inputs)
        return values_of(
            flags(inputs[self.needs()[0]]),
            {weights: flags(records) for weights, records in controls.items()},
        )

    def test(self, measurements: Measurements) -> Evidence:
        trained = measurements.of(TRAINED)
        combinations = [member.combination for member in trained.members]
        flags = trained.values.astype(bool).tolist()
        return prevalence(flags, combinations, self.least, self.min_networks)

    def learnt(self, measurements: Measurements) -> Interval:
        trained, untrained = zip(*measurements.twins(), strict=True)
        values = measurements.values.astype(bool)
        return difference_of_shares(values[list(trained)], values[list(untrained)])


def difference_of_shares(first: Array, second: Array) -> tuple[float, float, float]:
    """Return the difference of two paired shares, with its 95 % interval.

    The interval is that of Wald with half a pair added to each of the four counts.

    Parameters
    ----------
    first, second : array [pair], bool
        True where the first, or the second, of a pair has the property.

    Returns
    -------
    difference, low, high

    References
    ----------
    Agresti & Min (2005), Simple improved confidence intervals for comparing matched proportions.

    Examples
    --------
    >>> difference_of_shares(np.array([True, True]), np.array([False, True]))[0]
    0.5
    """
    only_first, only_second = (first & ~second).sum() + 0.5, (second & ~first).sum() + 0.5
    pairs = len(first) + 2.0
    centre = (only_first - only_second) / pairs
    half = NORMAL_QUANTILE * np.sqrt(only_first + only_second - pairs * centre**2) / pairs
    difference = float(np.mean(first) - np.mean(second))
    return difference, max(-1.0, float(centre - half)), min(1.0, float(centre + half))


def prevalence(
    flags: Sequence[bool], combinations: Sequence[str], least: float, needed: int
) -> Evidence:
    """Test the share of networks with a property (Clopper & Pearson 1934), by combination.

    Parameters
    ----------
    flags
        Whether each network has the property.
    combinations
        Combination of each network.
    least
        Share under the null.
    needed
        Smallest number of networks per combination.

    Raises
    ------
    ValueError
        Without networks.
    """
    from scipy.stats import binomtest

    if not len(flags):
        raise ValueError("flags must have at least one network, got none.")
    groups, sizes, shares = average_by_group(combinations, [float(flag) for flag in flags])
    count, total = sum(flags), len(flags)
    interval = binomtest(count, total).proportion_ci(0.95, method="exact")
    return Evidence(
        statistic=count / total,
        effect=count / total,
        low=float(interval.low),
        high=float(interval.high),
        p=float(binomtest(count, total, least, alternative="greater").pvalue),
        floor=least**total,
        holds=bool((shares >= least).all()),
        shortage=group_size_error(groups, sizes, needed),
        groups=groups,
        networks=sizes,
        values=shares,
    )
