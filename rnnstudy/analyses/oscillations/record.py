"""What is known of one network's oscillations: the record of `oscillations`."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.distances.point_geometry import Arranged
from rnnstudy.comparison.distances.point_geometry import (
    correlation,
    geodesic_correlation,
    neighbour_order_share,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import array

SAME = 0.01
"""Relative difference of two frequencies that are the same."""


@dataclass(frozen=True, eq=False)
class Oscillation(Arranged):
    """One network at each cue of the sine. What is not there is NaN (no fixed point, no complex
    pair, no oscillation), or -1 where it is a number of things."""

    cue: Array = array("cue")
    target: Array = array("cue")
    """Frequency that the cue asks for, in cycles per step, as all frequencies here."""
    cycle_frequency: Array = array("cue")
    """That of the readout, long after training trials end."""
    amplitude: Array = array("cue")
    """Root mean square of the readout about its mean, times the square root of 2."""
    radius: Array = array("cue")
    """Root mean square distance of the states on the cycle from their mean."""
    points: Array = array("cue")
    """Number of fixed points found."""
    state: Array = array("cue", "state")
    """The fixed point nearest the cycle's mean."""
    offset: Array = array("cue")
    """Its distance from that mean, in radii."""
    n_unstable: Array = array("cue")
    frequency: Array = array("cue")
    """Of the linearised dynamics there: |angle| / 2 pi of the pair that carries the cycle."""
    modulus: Array = array("cue")
    """Of that pair: growth per step."""
    rank: Array = array("cue")
    """Complex pairs of larger modulus: 0 if the pair is the leading one."""
    turns: Array = array("cue")
    """Of the cycle around the point, per step, in the plane of that pair: the cycle's frequency if
    it goes around once a period."""
    cycle: Array = array("cue", "time", "state")
    """States on the cycle, in the order of time."""

    @property
    def arranged(self) -> Array:
        return self.state

    @property
    def found(self) -> Array:
        """Whether a fixed point with a pair that rotates was found: [cue]."""
        return np.isfinite(self.frequency)

    @property
    def correlation(self) -> float:
        """Of linearised and target frequencies; NaN below 3 points, as the slope is."""
        return correlation(self.target[self.found], self.frequency[self.found])

    @property
    def slope(self) -> float:
        """Change of linearised frequency per change of target frequency, by least squares."""
        if self.found.sum() < 3:
            return float("nan")
        return float(np.polyfit(self.target[self.found], self.frequency[self.found], 1)[0])

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
        """Of linearised frequencies and those of the cycles themselves."""
        both = self.found & np.isfinite(self.cycle_frequency)
        return correlation(self.cycle_frequency[both], self.frequency[both])

    @property
    def around_share(self) -> float:
        """Share of cues, of those with a pair that rotates, whose cycle goes around the fixed point
        once a period."""
        apart = np.abs(self.turns - self.cycle_frequency)[self.found]
        with np.errstate(invalid="ignore"):
            once = apart <= SAME * self.cycle_frequency[self.found]
        return float(np.mean(once)) if self.found.any() else 0.0

    @property
    def found_share(self) -> float:
        """Share of cues with a fixed point."""
        return float(np.mean(self.points > 0))

    @property
    def two_unstable_share(self) -> float:
        """Share of cues, of those with a fixed point, where it has just one unstable pair."""
        return float(np.mean(self.n_unstable[self.points > 0] == 2)) if self.found.any() else 0.0

    @property
    def in_order(self) -> float:
        """Share of the fixed points whose nearest one belongs to a neighbouring cue."""
        return neighbour_order_share(self.state)

    @property
    def geodesic_correlation(self) -> float:
        """Of ways along the fixed points with differences of their cues: 1 on an even line."""
        return geodesic_correlation(self.state, self.cue)


def _median(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")
