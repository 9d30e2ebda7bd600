"""Record of the oscillations of one network."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.distances.point_geometry import OrderedPoints
from rnnstudy.comparison.distances.point_geometry import (
    correlation,
    geodesic_correlation,
    neighbour_order_share,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import array

EQUAL_FREQUENCY = 0.01
"""Largest relative difference of two equal frequencies."""


@dataclass(frozen=True, eq=False)
class Oscillation(OrderedPoints):
    """One network at each cue of the sine.

    Frequencies are in cycles per step. Missing numbers (no fixed point, no complex pair, no
    oscillation) are NaN, missing counts are -1.

    Examples
    --------
    >>> target = np.linspace(0.01, 0.05, 5)
    >>> ones, counts = np.ones(5), np.zeros(5, int)
    >>> record = Oscillation(
    ...     cue=target, target=target, cycle_frequency=target, amplitude=ones, radius=ones,
    ...     points=counts + 1, state=np.zeros((5, 2)), offset=ones, n_unstable=counts + 2,
    ...     frequency=0.5 * target, modulus=ones, rank=counts, turns=target,
    ...     cycle=np.zeros((5, 3, 2)),
    ... )
    >>> round(record.slope, 3), record.two_unstable_share
    (0.5, 1.0)
    """

    cue: Array = array("cue")
    """Input of the cue."""
    target: Array = array("cue")
    """Target frequency of the cue."""
    cycle_frequency: Array = array("cue")
    """Frequency of the readout, long after training trials end."""
    amplitude: Array = array("cue")
    """Root mean square of the readout about its mean, times the square root of 2."""
    radius: Array = array("cue")
    """Root mean square distance of the states on the cycle from their mean."""
    points: Array = array("cue")
    """Number of fixed points."""
    state: Array = array("cue", "state")
    """Fixed point nearest the cycle's mean."""
    offset: Array = array("cue")
    """Distance of the fixed point from the cycle's mean, in radii."""
    n_unstable: Array = array("cue")
    """Number of unstable directions of the fixed point."""
    frequency: Array = array("cue")
    """Frequency of the linearised dynamics: |angle| / 2 pi of the pair that carries the cycle."""
    modulus: Array = array("cue")
    """Modulus of that pair: growth per step."""
    rank: Array = array("cue")
    """Number of complex pairs of larger modulus: 0 if the pair is the leading one."""
    turns: Array = array("cue")
    """Turns of the cycle around the point per step, in the plane of that pair. They equal the
    cycle's frequency if the cycle goes around once a period."""
    cycle: Array = array("cue", "time", "state")
    """States on the cycle, in the order of time."""

    @property
    def ordered_points(self) -> Array:
        """The fixed points in the order of their cues, [cue, state]."""
        return self.state

    @property
    def has_rotation(self) -> Array:
        """Mask of the cues with a fixed point and a complex pair of modes: [cue]."""
        return np.isfinite(self.frequency)

    @property
    def correlation(self) -> float:
        """Correlation of linearised and target frequencies; NaN below 3 points."""
        return correlation(self.target[self.has_rotation], self.frequency[self.has_rotation])

    @property
    def slope(self) -> float:
        """Slope of linearised against target frequencies, by least squares; NaN below 3 points."""
        if self.has_rotation.sum() < 3:
            return float("nan")
        return float(
            np.polyfit(self.target[self.has_rotation], self.frequency[self.has_rotation], 1)[0]
        )

    @property
    def relative_error(self) -> float:
        """Median of |linearised - target| / target."""
        return _median(np.abs(self.frequency - self.target) / self.target)

    @property
    def cycle_error(self) -> float:
        """Median of |frequency of the cycle - target| / target."""
        return _median(np.abs(self.cycle_frequency - self.target) / self.target)

    @property
    def cycle_correlation(self) -> float:
        """Correlation of linearised frequencies and those of the cycles themselves."""
        both = self.has_rotation & np.isfinite(self.cycle_frequency)
        return correlation(self.cycle_frequency[both], self.frequency[both])

    @property
    def around_share(self) -> float:
        """Share of cues with a complex pair whose cycle turns around the point once a period."""
        difference = np.abs(self.turns - self.cycle_frequency)[self.has_rotation]
        with np.errstate(invalid="ignore"):
            once = difference <= EQUAL_FREQUENCY * self.cycle_frequency[self.has_rotation]
        return float(np.mean(once)) if self.has_rotation.any() else 0.0

    @property
    def fixed_point_share(self) -> float:
        """Share of cues with a fixed point."""
        return float(np.mean(self.points > 0))

    @property
    def two_unstable_share(self) -> float:
        """Share of cues with a fixed point where it has exactly two unstable directions."""
        return (
            float(np.mean(self.n_unstable[self.points > 0] == 2))
            if self.has_rotation.any()
            else 0.0
        )

    @property
    def in_order(self) -> float:
        """Share of the fixed points whose nearest one belongs to a neighbouring cue."""
        return neighbour_order_share(self.state)

    @property
    def evenness(self) -> float:
        """Correlation of distances along the fixed points with differences of their cues.

        It is 1 on a line with even distances.
        """
        return geodesic_correlation(self.state, self.cue)


def _median(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")
