"""What controls say of distances between trained networks, as a record."""

from dataclasses import dataclass
from typing import Any

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array


@dataclass(frozen=True, eq=False)
class TwinRecord(Record):
    """How near trained networks are to each kind of others, and what distances tell apart with and
    without training."""

    labels: tuple[str, ...]
    """The trained networks."""
    factors: tuple[str, ...]
    """Fields of the grid that were looked at."""
    left_out: dict[str, str]
    """What could not be looked at -> the reason."""
    matching: dict[str, float]
    """How networks were matched by their loss (`equal_loss.summary`); empty where they were not."""
    others: tuple[str, ...]
    """Kinds of others."""
    factor: tuple[str, ...]
    """Of each comparison: the value of which the trained others do not share ..."""
    control: tuple[str, ...]
    """... and what the others of a network's own kind have learnt."""
    told: tuple[str, ...]
    """Of each line: the factor that distances tell."""
    distance: Array = array("network", "kind")
    """Mean distance of each network to each kind of others; NaN where it has none."""
    statistic: Array = array("row")
    """Mean over networks of (b - a) / (b + a), with the mean distances a to controls of their kind
    and b to trained networks of another value: above 0 where the controls are nearer."""
    low: Array = array("row")
    """Lower end of the 95 % interval over networks."""
    high: Array = array("row")
    p: Array = array("row")
    """Two-sided, of the null that both are equally near (jackknife, Student's t)."""
    corrected_p: Array = array("row")
    """Holm's, over rows."""
    share: Array = array("row")
    """Share of networks that are nearer to the controls."""
    networks: Array = array("row")
    """Number of networks that have both kinds of others."""
    trained: Array = array("line")
    """Share of trained networks whose nearest other trained network agrees in the factor."""
    trained_p: Array = array("line")
    """By permutation, among networks that agree in all other factors."""
    untrained: Array = array("line")
    """The same of the networks before training."""
    untrained_p: Array = array("line")
    chance: Array = array("line")
    """Mean of the trained share over permutations."""
    gain: Array = array("line")
    """What training adds: trained minus untrained."""
    gain_low: Array = array("line")
    gain_high: Array = array("line")
    gain_p: Array = array("line")
    """Two-sided, of the null that both shares are equal (jackknife, Student's t)."""
    corrected_gain_p: Array = array("line")
    """Holm's, over lines."""

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per network and one column per kind of others."""
        return pd.DataFrame(self.distance, index=list(self.labels), columns=list(self.others))

    def rows(self, axis: str) -> dict[str, Array]:
        """The numbers along an axis, by name."""
        return {name: value for name, axes, _, value in self._arrays() if axes == (axis,)}
