"""Record of the tests of trained networks against controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.comparison.statistics.group_tests import PairedTestResult
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.nearness import Nearness
from rnnstudy.comparison.statistics.permutation import PermutationTestResult
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array

ALL_LEVELS = "all"
"""Level of a row about the networks of all values of a factor."""


class NearnessRow(NamedTuple):
    """Controls of a network's kind against trained networks of another value of a factor.

    level: value of the factor of the compared networks.
    """

    factor: str
    control: str
    nearness: Nearness
    level: str = ALL_LEVELS


class GainLine(NamedTuple):
    """Separation by a factor after training and before."""

    factor: str
    trained: PermutationTestResult
    untrained: PermutationTestResult
    gain: PairedTestResult


@dataclass(frozen=True, eq=False)
class ControlTests(Record):
    """Nearness of trained networks to controls, and what training adds to separation by factors.

    A row compares controls of one kind with trained networks of another value of a factor. A line
    compares the separation by one factor after training with that before.

    Examples
    --------
    >>> record = collect_control_tests(
    ...     ["a", "b"], ["cell"], {}, {}, {"same kind": np.array([0.2, 0.4])}, [], []
    ... )
    >>> record.to_frame()["same kind"].tolist()
    [0.2, 0.4]
    """

    labels: tuple[str, ...]
    """Names of the trained networks."""
    factors: tuple[str, ...]
    """Tested fields of the grid."""
    left_out: dict[str, str]
    """Comparison without a test -> the reason."""
    matching: dict[str, float]
    """Summary of the matching by loss (`loss_matching.matching_summary`); empty without one."""
    others: tuple[str, ...]
    """Kinds of other networks."""
    factor: tuple[str, ...]
    """Factor of each row, in which the trained others differ."""
    control: tuple[str, ...]
    """Kind of the controls of each row: untrained, standard, or trained on another task."""
    level: tuple[str, ...]
    """Value of the factor of the networks of each row; `all` for all values together."""
    line_factor: tuple[str, ...]
    """Factor of each line."""
    distance: Array = array("network", "kind")
    """Mean distance of each network to each kind of others; NaN without any."""
    statistic: Array = array("row")
    """Mean over networks of (b - a) / (b + a). a is the mean distance to controls of their kind, b
    that to trained networks of another value. Above 0 the controls are nearer."""
    low: Array = array("row")
    """Lower end of the 95 % interval over networks."""
    high: Array = array("row")
    """Upper end of the 95 % interval over networks."""
    p: Array = array("row")
    """Two-sided p of equal distances (jackknife, Student's t)."""
    corrected_p: Array = array("row")
    """p corrected over rows (Holm)."""
    share: Array = array("row")
    """Share of networks that are nearer to the controls."""
    networks: Array = array("row")
    """Number of networks with both kinds of others."""
    trained: Array = array("line")
    """Share of trained networks whose nearest other trained network agrees in the factor."""
    trained_p: Array = array("line")
    """p by permutation among networks that agree in all other factors."""
    untrained: Array = array("line")
    """Same share for the networks before training."""
    untrained_p: Array = array("line")
    """p of the share before training."""
    chance: Array = array("line")
    """Mean of the trained share over permutations."""
    gain: Array = array("line")
    """Trained share minus untrained share."""
    gain_low: Array = array("line")
    """Lower end of the 95 % interval of the gain."""
    gain_high: Array = array("line")
    """Upper end of the 95 % interval of the gain."""
    gain_p: Array = array("line")
    """Two-sided p of equal shares (jackknife, Student's t)."""
    corrected_gain_p: Array = array("line")
    """p of the gain corrected over lines (Holm)."""

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per network and one column per kind."""
        return pd.DataFrame(self.distance, index=list(self.labels), columns=list(self.others))

    def rows(self, axis: str) -> dict[str, Array]:
        """Return the numbers along an axis, by name."""
        return {name: value for name, axes, _, value in self._arrays() if axes == (axis,)}


def collect_control_tests(
    labels: Sequence[str],
    factors: Sequence[str],
    left_out: dict[str, str],
    matching: dict[str, float],
    distances: Mapping[str, Array],
    rows: Sequence[NearnessRow],
    lines: Sequence[GainLine],
) -> ControlTests:
    """Return the record of rows and lines, with p corrected over each (Holm).

    distances: kind of others -> mean distance of each network, [network].
    """
    columns = [*distances.values()]
    p, gain_p = (
        _numbers([row.nearness.p for row in rows]),
        _numbers([each.gain.p for each in lines]),
    )
    return ControlTests(
        labels=tuple(labels),
        factors=tuple(factors),
        left_out=left_out,
        matching=matching,
        others=tuple(distances),
        factor=tuple(row.factor for row in rows),
        control=tuple(row.control for row in rows),
        level=tuple(row.level for row in rows),
        line_factor=tuple(line.factor for line in lines),
        distance=np.stack(columns, axis=1) if columns else np.zeros((len(labels), 0)),
        **{
            name: _numbers([getattr(row.nearness, name) for row in rows])
            for name in ("statistic", "low", "high", "share")
        },
        p=p,
        corrected_p=holm(p),
        networks=np.array([len(row.nearness.first) for row in rows], int),
        trained=_numbers([line.trained.statistic for line in lines]),
        trained_p=_numbers([line.trained.p for line in lines]),
        untrained=_numbers([line.untrained.statistic for line in lines]),
        untrained_p=_numbers([line.untrained.p for line in lines]),
        chance=_numbers([line.trained.expected for line in lines]),
        gain=_numbers([line.gain.statistic for line in lines]),
        gain_low=_numbers([line.gain.low for line in lines]),
        gain_high=_numbers([line.gain.high for line in lines]),
        gain_p=gain_p,
        corrected_gain_p=holm(gain_p),
    )


def _numbers(values: Sequence[float]) -> Array:
    return np.array(values, float)
