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


class FixedPointSearch(Component):
    """Settings of a search for fixed points: starts, rounds, tolerances and solver.

    Lengths are shares of the states' root mean square, so that they fit networks of any scale.

    Examples
    --------
    >>> FixedPointSearch(rounds=2, solver="newton").solver
    Newton(limit=120, tolerance=1e-24)
    """

    version: ClassVar[int] = 10

    candidates: Annotated[int, Field(ge=1)] = 256
    """Number of starts per round and network. Several inputs share it. Each input gets at least an
    eighth, and twice as many in each round after the second."""

    rounds: Annotated[int, Field(ge=1)] = 6
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
    """Distance of an eigenvalue's modulus from 1 within which it is marginal."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of noise and mixtures."""

    solver: AnySolver = LevenbergMarquardt()
    """Method that moves a start to a root. Newton steps polish the root."""


@dataclass(frozen=True)
class Roots:
    """Distinct solutions of one system, each array `[root, ...]`.

    index: sign of det(I - J). status: a code of FIXED_POINT_OUTCOMES. n_starts: number of starts
    that ended there.
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
    n_new
        Number of fixed points that the last round was the first to reach.
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
    n_new: int = 0
    unconverged: list[tuple[Array, Array]] = field(default_factory=list)
    slow: SlowSet | None = None
    root_of_start: list[Array] = field(default_factory=list)

    @property
    def scale(self) -> float:
        """Typical root mean square of the states that the network visits."""
        return self.system.scale

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
        """A later round reached no new point, and the estimate of missing points is below 1/2."""
        return len(self.outcomes) > 1 and self.n_new == 0 and self.estimated_missing < 0.5

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
