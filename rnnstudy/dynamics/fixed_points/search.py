"""Settings of a search for fixed points, and the state of the search of one system."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Component
from rnnstudy.dynamics.fixed_points.record import (
    CONSISTENT,
    CONVERGED,
    DIVERGED,
    LIMIT,
    MISSING,
    NOT_APPLICABLE,
    NOT_SATURATED,
)
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.root_finding.solvers import AnySolver, LevenbergMarquardt

Linearise = Callable[[Array], tuple[Array, Array]]
"""States `[point, state]` -> F `[point, state]` and dF/dh `[point, state, state]`."""

MIN_ARRIVALS = 3
"""Least number of starts that must reach each point of a saturated search. In a search that misses
points, others are most often reached only once or twice."""

WIDE_BOX = 4.0
"""Radius of a box far larger than the states, as a multiple of their root mean square."""

WIDE_EFFORT, HARD_EFFORT = 0.5, 1.0
"""Further starts in such a box, and once two rounds after the first have reached new points. They
are shares of the starts of an easy search."""


class FixedPointSearch(Component):
    """Settings of a search for fixed points: starts, rounds, tolerances and solver.

    Lengths are shares of the states' root mean square, so that they fit networks of any scale. The
    rates of a vector field are shares of its typical rate, which is the norm of its Jacobians.

    Examples
    --------
    >>> FixedPointSearch(rounds=2, solver="newton").solver
    Newton(limit=120, tolerance=1e-24)
    """

    version: ClassVar[int] = 11

    candidates: Annotated[int, Field(ge=1)] = 256
    """Number of starts per round and network. Several inputs share it. Each input gets at least an
    eighth, and twice as many in each round after the second. A network in which points are hard to
    find gets up to 2.5 times as many."""

    rounds: Annotated[int, Field(ge=1)] = 10
    """Largest number of rounds. A search ends earlier once its certificate is consistent."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states as a share of their root mean square; threefold after round 1."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-20
    """Largest speed of a fixed point."""

    newton_step: Annotated[float, Field(gt=0)] = 1e-6
    """Largest Newton step at a fixed point as a share of the states' root mean square."""

    degenerate: Annotated[float, Field(ge=0)] = 1e-6
    """Smallest singular value of I - J below which a root is degenerate and not counted."""

    merge: Annotated[float, Field(gt=0)] = 1e-3
    """Distance within which two points are one, as a share of the states' root mean square."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of an eigenvalue's modulus from 1 within which it is marginal. For a vector field:
    of its real part from 0, as a share of the field's typical rate."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of noise and mixtures."""

    solver: AnySolver = LevenbergMarquardt()
    """Method that moves a start to a root. Newton steps polish the root."""


@dataclass(frozen=True)
class Roots:
    """Distinct solutions of one system, each array `[root, ...]`.

    jacobian: dF/dh, where F(h) = h + f(h) / rate for a vector field f. eigenvalues: those of dF/dh
    or df/dh. index: sign of det(I - dF/dh). status: a code of FIXED_POINT_OUTCOMES. n_starts:
    number of starts that ended there.
    """

    state: Array
    speed: Array
    jacobian: Array
    eigenvalues: Array
    index: Array
    status: Array
    n_starts: Array

    @classmethod
    def none(cls, size: int) -> "Roots":
        """Return no roots, of a state of this size."""
        square, count = np.empty((0, size, size)), np.zeros(0, int)
        modes = np.empty((0, size), complex)
        return cls(np.empty((0, size)), np.empty(0), square, modes, count, count, count)

    def take(self, roots: Array) -> "Roots":
        """Return the roots at some positions or of a mask."""
        return Roots(**{name: values[roots] for name, values in vars(self).items()})

    def join(self, *others: "Roots") -> "Roots":
        """Return these roots, then the others."""
        return Roots(
            **{
                name: np.concatenate([values, *(vars(other)[name] for other in others)])
                for name, values in vars(self).items()
            }
        )

    @property
    def fixed_points(self) -> "Roots":
        """The roots that are fixed points."""
        converged = self.status == CONVERGED
        return self if converged.all() else self.take(converged)


@dataclass(frozen=True)
class SlowSet:
    """Slow points of one system, each array `[slow, ...]`, with the number of starts near them."""

    state: Array
    speed: Array
    n_starts: Array

    @classmethod
    def none(cls, size: int) -> "SlowSet":
        """Return no slow points, of a state of this size."""
        return cls(np.empty((0, size)), np.empty(0), np.zeros(0, int))


@dataclass
class SearchState:
    """State of the search of one system.

    Parameters
    ----------
    system
        One network at one constant input.
    visited
        States `[visited, state]` from which round 1 starts.
    starts_as_given
        Round 1 starts at all visited states, without noise.
    roots
        Roots so far.
    outcomes
        Codes of the starts `[start]` without their roots, per round.
    new_points
        Number of fixed points that each round was the first to reach.
    unconverged
        Per round, states `[start, state]` above the tolerance where starts are stuck, and speeds.
    root_of_start
        Position of each start's root `[start]`, per round; -1 for none.
    slow
        Slow points among the unconverged states, once the search is finished.
    """

    system: AutonomousSystem
    visited: Array
    starts_as_given: bool
    roots: Roots
    outcomes: list[Array] = field(default_factory=list)
    new_points: list[int] = field(default_factory=list)
    unconverged: list[tuple[Array, Array]] = field(default_factory=list)
    slow: SlowSet | None = None
    root_of_start: list[Array] = field(default_factory=list)

    @property
    def scale(self) -> float:
        """Typical root mean square of the states that the network visits."""
        return self.system.scale

    @property
    def n_new(self) -> int:
        """Number of fixed points that the last round was the first to reach."""
        return self.new_points[-1] if self.new_points else 0

    @property
    def n_fruitful(self) -> int:
        """Number of rounds after the first that reached new points."""
        return sum(count > 0 for count in self.new_points[1:])

    @property
    def n_quiet(self) -> int:
        """Number of last rounds in a row, after the first, that reached no new point."""
        later = self.new_points[1:]
        return next((i for i, count in enumerate(reversed(later)) if count), len(later))

    @property
    def is_continuous(self) -> bool:
        """The system is a vector field."""
        return self.system.networks.is_continuous

    @property
    def is_wide(self) -> bool:
        """The invariant box is far larger than the states."""
        bound = self.system.networks.state_bound
        return bound is not None and bool(np.max(bound) > WIDE_BOX * self.scale)

    @property
    def effort(self) -> float:
        """Starts in a round, as a multiple of those of an easy search."""
        return 1.0 + WIDE_EFFORT * self.is_wide + HARD_EFFORT * (self.n_fruitful > 1)

    @property
    def is_bounded(self) -> bool:
        """The network has an invariant box."""
        return self.system.networks.bound is not None

    @property
    def unconverged_states(self) -> Array:
        """States `[start, state]` where starts of all rounds are stuck."""
        return np.concatenate([self.roots.state[:0], *(state for state, _ in self.unconverged)])

    @property
    def unconverged_speeds(self) -> Array:
        """Speed there, `[start]`."""
        return np.concatenate([np.empty(0), *(speed for _, speed in self.unconverged)])

    @property
    def estimated_missing(self) -> float:
        """Estimated number of missing points, from those reached once or twice (Chao 1984)."""
        n_starts = self.roots.fixed_points.n_starts
        once, twice = int((n_starts == 1).sum()), int((n_starts == 2).sum())
        return once * (once - 1) / (2.0 * (twice + 1))

    @property
    def is_saturated(self) -> bool:
        """Enough last rounds reached no new point, and each point was reached several times.

        One round is enough if at most one after the first reached new points, two if two or three
        did, and so on.
        """
        needed = 1 + self.n_fruitful // 2
        is_rare = self.roots.fixed_points.n_starts < MIN_ARRIVALS
        return self.n_quiet >= needed and not is_rare.any()

    @property
    def index_sum(self) -> int:
        """Sum of the fixed points' indices. It is 1 if all points of a bounded network are known
        and isolated."""
        return int(self.roots.fixed_points.index.sum())

    @property
    def verdict(self) -> int:
        """Verdict of the certificate, a code of VERDICTS."""
        if not self.is_bounded or self.all_diverged:
            return NOT_APPLICABLE
        if self.index_sum != 1:
            return MISSING
        return CONSISTENT if self.is_saturated else NOT_SATURATED

    @property
    def start_outcomes(self) -> Array:
        """Outcome of each start `[start]`, round after round: the status of its root."""
        if not self.outcomes:
            return np.zeros(0, int)
        root, outcome = np.concatenate(self.root_of_start), np.concatenate(self.outcomes)
        return np.where(root >= 0, np.append(self.roots.status, LIMIT)[root], outcome)

    @property
    def all_diverged(self) -> bool:
        """All starts diverged, as those of a network with non-finite weights do."""
        return bool(self.outcomes) and all((o == DIVERGED).all() for o in self.outcomes)

    @property
    def is_finished(self) -> bool:
        """No further round is needed."""
        if not self.is_bounded:
            return self.all_diverged or self.is_saturated
        return self.all_diverged or self.verdict == CONSISTENT
