"""Kinds of attracting sets, and the rule that finds the kind of a family of orbits."""

import numpy as np

from rnnstudy.analyses.solution_classes.observation import Observation
from rnnstudy.analyses.solution_classes.thresholds import ClassThresholds
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.states.outcomes import Outcomes

CLASS_KINDS = Outcomes(
    {
        "attractors": "States reach isolated attractors: fixed points, periodic orbits or cycles.",
        "line": "States stay on a line of slow points, which attracts.",
        "ring": "States stay on a ring of slow points, which attracts.",
        "plane": "States stay on a slow set of two or three dimensions, which attracts.",
        "line of oscillations": "States stay on a line of oscillations, which attracts.",
        "ring of oscillations": "States stay on a ring of oscillations, which attracts.",
        "plane of oscillations": (
            "States stay on a set of oscillations of two or three dimensions, which attracts."
        ),
        "no attractor": (
            "States reach no attractor within the horizon: their motion is transient or chaotic.",
            "Raise `horizon`.",
        ),
        "escape": (
            "States leave every bounded region.",
            "Check the weights.",
        ),
    }
)
"""Kinds of attracting sets of one network at one constant input."""

ATTRACTORS, LINE, RING, PLANE = CLASS_KINDS.codes[:4]

OSCILLATION_LINE, OSCILLATION_RING, OSCILLATION_PLANE, NONE, ESCAPE = CLASS_KINDS.codes[4:]

OSCILLATING = OSCILLATION_LINE - LINE
"""Difference of the codes of a family of oscillations and of one of slow points."""

MAX_DIMENSION = 3
"""Largest dimension of a family."""


def is_isolated(observed: Observation, thresholds: ClassThresholds) -> bool:
    """Return whether the orbits are sets so few, or so far apart, that these may be isolated."""
    most = max(1, int(thresholds.distinct * len(observed.sets)))
    return observed.n_sets <= most or observed.gaps > thresholds.gaps


def is_moving(observed: Observation, thresholds: ClassThresholds) -> bool:
    """Return whether the orbits move straight on at more than the speed of slow states."""
    is_fast = observed.motion[1] > thresholds.slow
    return is_fast and observed.straightness > thresholds.turning


def is_oscillating(observed: Observation, unit: int, thresholds: ClassThresholds) -> bool:
    """Return whether the orbits turn at more than the speed of slow states, and go on to do so."""
    first, second = observed.motion
    window = thresholds.steps(thresholds.window, unit)
    is_kept = second >= thresholds.least_ratio(window, unit) * first
    return second > thresholds.slow and is_kept and not is_moving(observed, thresholds)


def is_kept(observed: Observation, unit: int, thresholds: ClassThresholds) -> bool:
    """Return whether the extent of the family outlasts a trial."""
    first, second = observed.extent
    window = thresholds.steps(thresholds.window, unit)
    return second > thresholds.extent and second >= thresholds.least_ratio(window, unit) * first


def family_kind(observed: Observation, unit: int, thresholds: ClassThresholds) -> int:
    """Return the kind of a kept family of orbits by its shape and motion.

    It is NONE for more than three dimensions, and for fast motion that does not turn.
    """
    if is_moving(observed, thresholds):
        return NONE
    shift = OSCILLATING if is_oscillating(observed, unit, thresholds) else 0
    if observed.dimension < thresholds.dimension:
        return LINE + shift
    if observed.roundness <= thresholds.roundness:
        return RING + shift
    return PLANE + shift if observed.dimension < MAX_DIMENSION + 0.5 else NONE


def family_dimension(kind: int, observed: Observation) -> int:
    """Return the number of directions along a family of a kind."""
    is_plane = kind in (PLANE, OSCILLATION_PLANE)
    return max(2, round(observed.dimension)) if is_plane else 1


def is_attracting(kind: int, dimension: int, remaining: Array, thresholds: ClassThresholds) -> bool:
    """Return whether all directions across a family contract.

    remaining: share of a displacement in each direction that is left after both windows, the
    largest first, `[direction]`. An oscillation may keep its phase, too.
    """
    free = dimension + (1 if kind >= OSCILLATION_LINE else 0)
    return int(np.sum(remaining > thresholds.contraction)) <= free
