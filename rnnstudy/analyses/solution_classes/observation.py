"""Orbits of one system in two windows of time, and the measures that decide its class."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.solution_classes.family import (
    distinct_sets,
    family_shape,
    gap_share,
    orbit_displacements,
    orbit_distances,
)
from rnnstudy.analyses.solution_classes.thresholds import ClassThresholds
from rnnstudy.core.arrays import Array

MAX_ORBITS = 48
"""Largest number of orbits whose distances are computed: a line of so many is clear, and the cost
grows with their square."""


SAME_SET = 1.5
"""Extent, as a share of the displacement of an orbit in a window, at which oscillations are one
set: samples of one set are as far from each other as from their own samples later."""

SAMPLED = 10.0
"""Factor of the diameter of a set of oscillations, whose states are a sample."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Measures of the orbits of one system in two windows.

    Lengths are shares of the spread of the starts.

    Parameters
    ----------
    motion
        Median root mean square step of the orbits, in both windows.
    extent
        Extent of the family of orbits, in both windows.
    dimension, roundness
        Shape of the family in the second window.
    straightness
        Median net displacement of an orbit in the second window, as a share of its path.
    drift
        Median distance of an orbit from itself a window later, as a share of the extent and per
        trial length.
    gaps
        Share of gaps in the tree that joins the orbits in the first window.
    sets
        Set `[orbit]` of each compared orbit in the first window.
    compared
        Positions of the compared orbits among the starts, `[orbit]`.
    """

    motion: tuple[float, float]
    extent: tuple[float, float]
    dimension: float
    roundness: float
    straightness: float
    drift: float
    gaps: float
    sets: Array
    compared: Array

    @property
    def n_sets(self) -> int:
        """Number of distinct sets of orbits."""
        return int(self.sets.max(initial=-1)) + 1

    def representatives(self) -> tuple[Array, Array]:
        """Return one compared orbit per set, `[set]`, and the share of orbits in it, `[set]`."""
        _, first = np.unique(self.sets, return_index=True)
        return self.compared[first], np.bincount(self.sets) / len(self.sets)


def observe(states: Array, spread: float, unit: int, thresholds: ClassThresholds) -> Observation:
    """Return the measures of orbits `[orbit, time, state]` over both windows, end to end.

    Parameters
    ----------
    states
        Finite states of the two windows, of equal length.
    spread
        Root mean square distance of the starts from their mean.
    unit
        Length of a trial in steps.
    """
    window = states.shape[1] // 2
    compared = np.unique(np.linspace(0, len(states) - 1, min(len(states), MAX_ORBITS)).astype(int))
    parts = states[:, :window], states[:, window : 2 * window]
    distances = [orbit_distances(part[compared]) for part in parts]
    shapes = [family_shape(each) for each in distances]
    extent, motion = shapes[1].extent, tuple(_motion(part) / spread for part in parts)
    displacement = _displacement(*(part[compared] for part in parts))
    is_fast = motion[1] > thresholds.slow
    is_one = extent <= thresholds.extent * spread or (is_fast and extent <= SAME_SET * displacement)
    radius = thresholds.merge * (SAMPLED if is_fast else 1.0)
    sets = distinct_sets(distances[0], radius * shapes[0].extent)
    return Observation(
        motion=(motion[0], motion[1]),
        extent=(shapes[0].extent / spread, extent / spread),
        dimension=shapes[1].dimension,
        roundness=shapes[1].roundness,
        straightness=_straightness(parts[1]),
        drift=0.0 if is_one else displacement / extent * unit / window,
        gaps=gap_share(distances[0]),
        sets=np.zeros(len(compared), int) if is_one else sets,
        compared=compared,
    )


def _displacement(first: Array, second: Array) -> float:
    """Return the median distance of an orbit from itself a window later."""
    return float(np.median(orbit_displacements(first, second)))


def _straightness(states: Array) -> float:
    """Return the median, over orbits, of the net displacement as a share of the path."""
    path = np.linalg.norm(np.diff(states, axis=1), axis=2).sum(axis=1)
    net = np.linalg.norm(states[:, -1] - states[:, 0], axis=1)
    return float(np.median(net / np.maximum(path, np.finfo(float).tiny)))


def _motion(states: Array) -> float:
    """Return the median, over orbits, of the root mean square step."""
    steps = np.diff(states, axis=1)
    return float(np.median(np.sqrt(np.mean(np.sum(steps**2, axis=2), axis=1))))
