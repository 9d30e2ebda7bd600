"""Arrivals of states at known fixed points, for connections and transitions."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.basins.follow import (
    ATTRACTOR,
    ELSEWHERE,
    EndStates,
    follow_to_attractors,
)
from rnnstudy.dynamics.basins.known_points import KnownPoints, nearest
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.adapters import Networks
from rnnstudy.dynamics.states.outcomes import Outcomes

ARRIVAL_OUTCOMES = Outcomes(
    {
        "point": "The state reached a known fixed point.",
        "elsewhere": (
            "The state is constant at a point that is not a known fixed point.",
            "Search for more fixed points.",
        ),
        "cycling": (
            "The state repeats periodically.",
            "Use `find_cycles` to study the orbit.",
        ),
        "escaped": (
            "The state left every bounded region.",
            "Check the weights, or start closer to visited states.",
        ),
        "moving": (
            "The state did not settle: its motion is slow, quasi-periodic or chaotic.",
            "Raise `steps`.",
        ),
    }
)
"""Outcomes of states that are followed to fixed points, with the codes of BASIN_OUTCOMES."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Ends of states among the known points of a system.

    Parameters
    ----------
    point
        Position of the point at which a state arrived, `[start]`; -1 for none.
    outcome
        Code of ARRIVAL_OUTCOMES, `[start]`.
    steps
        Number of steps until the outcome was clear, `[start]`.
    """

    point: Array
    outcome: Array
    steps: Array

    def take(self, index: Array) -> "Arrivals":
        """Return the arrivals of some starts."""
        return Arrivals(self.point[index], self.outcome[index], self.steps[index])

    def join(self, other: "Arrivals") -> "Arrivals":
        """Return the arrivals of these starts, then those of others."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Arrivals(*map(np.concatenate, pairs))


def arrivals(
    points: Sequence[KnownPoints], starts: Sequence[Array], steps: int, tolerance: float
) -> list[Arrivals]:
    """Follow states [start, state] of each system to its stable points.

    A state that passes a saddle goes on. Only one that comes to rest there has arrived.
    """
    ends = follow_to_attractors(
        [known.system for known in points],
        starts,
        [known.attractors(tolerance) for known in points],
        steps,
        tolerance,
    )
    return [_label_ends(*pair, tolerance) for pair in zip(points, ends, strict=True)]


def _label_ends(points: KnownPoints, ends: EndStates, tolerance: float) -> Arrivals:
    outcome, point = ends.outcome.copy(), np.full(len(ends.outcome), -1)
    arrived = outcome == ATTRACTOR
    point[arrived] = points.stable[ends.attractor[arrived]]
    rest = np.flatnonzero(outcome == ELSEWHERE)
    if len(rest):
        distance, position = nearest(points.state, ends.state[rest])
        known = distance <= points.radius(tolerance)[position]
        point[rest[known]] = position[known]
        outcome[rest[known]] = ATTRACTOR
    return Arrivals(point, outcome, ends.steps)


def outputs_of(networks: Networks, points: FixedPoints) -> Array:
    """Return the readout [point, output] of fixed points, with no columns if there is none."""
    counts = np.bincount(points.member, minlength=len(networks))
    order = np.argsort(points.member, kind="stable")
    position = np.arange(len(points)) - np.repeat(np.cumsum(counts) - counts, counts)
    states = np.zeros((len(networks), max(1, counts.max()), points.state.shape[1]))
    states[points.member[order], position] = points.state[order]
    read = networks.outputs_of(states)
    if read is None:
        return np.empty((len(points), 0))
    outputs = np.empty((len(points), read.shape[-1]))
    outputs[order] = read[points.member[order], position]
    return outputs
