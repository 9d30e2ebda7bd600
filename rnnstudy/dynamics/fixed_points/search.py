"""What a search has found for one network and input, and when it seems to be all."""

from dataclasses import dataclass, field
from functools import cached_property
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
from rnnstudy.dynamics.root_finding.solvers import AnySolver, LevenbergMarquardt
from rnnstudy.dynamics.states.sampling import scale_of


class FixedPointSearch(Component):
    """How fixed points are looked for, and when the search may stop."""

    version: ClassVar[int] = 10

    candidates: Annotated[int, Field(ge=1)] = 256
    """Number of starts per round and network. Several inputs share it, though each gets an eighth
    at least, twice as many in each round after the second, and never more than this."""

    rounds: Annotated[int, Field(ge=1)] = 6
    """Largest number of rounds; fewer where the search is saturated and the index sum right."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states as a share of their root mean square; threefold after round 1."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-20
    """Largest speed of a fixed point."""

    newton_step: Annotated[float, Field(gt=0)] = 1e-6
    """Largest Newton step at a fixed point as a share of the states' root mean square."""

    degenerate: Annotated[float, Field(ge=0)] = 1e-6
    """Smallest singular value of I - J below which a point is degenerate and not counted."""

    merge: Annotated[float, Field(gt=0)] = 1e-3
    """Distance within which two points are one, as a share of the states' root mean square."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of an eigenvalue's modulus from 1 within which it counts as neither side."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of noise and mixtures."""

    solver: AnySolver = LevenbergMarquardt()
    """How a start is moved to a root; Newton steps polish it."""


@dataclass(frozen=True)
class Roots:
    """Distinct solutions for one network and input, each array [root, ...].

    index: sign of det(I - J). status: a code of FIXED_POINT_OUTCOMES. hits: number of starts that
    ended there.
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
        """No roots of a state of this size."""
        square, count = np.empty((0, size, size)), np.zeros(0, int)
        modes = np.empty((0, size), complex)
        return cls(np.empty((0, size)), np.empty(0), square, modes, count, count, count)

    def take(self, which: Array) -> "Roots":
        """Some of the roots."""
        return Roots(**{name: values[which] for name, values in vars(self).items()})

    def join(self, *others: "Roots") -> "Roots":
        """These roots, then the others."""
        return Roots(
            **{
                name: np.concatenate([values, *(vars(other)[name] for other in others)])
                for name, values in vars(self).items()
            }
        )

    @property
    def fixed(self) -> "Roots":
        """Those that are fixed points."""
        converged = self.status == CONVERGED
        return self if converged.all() else self.take(converged)


@dataclass(frozen=True)
class SlowSet:
    """Slow points of one network and input, each array [slow, ...], and the starts near them."""

    state: Array
    speed: Array
    n_starts: Array

    @classmethod
    def none(cls, size: int) -> "SlowSet":
        """No slow points of a state of this size."""
        return cls(np.empty((0, size)), np.empty(0), np.zeros(0, int))


@dataclass
class SearchState:
    """The search for one network at one input: what it found so far."""

    member: int
    input_index: int
    visited: Array
    """States [visited, state] to start from."""
    exact: bool
    """Whether round 1 starts at all visited states as they are."""
    bound: float | None
    roots: Roots
    outcomes: list[Array] = field(default_factory=list)
    """What became of each start that reached no root, per round."""
    fresh: int = 0
    """Fixed points that only the last round found."""
    stuck: list[tuple[Array, Array]] = field(default_factory=list)
    """States [start, state] where starts got stuck above the tolerance, and speeds [start], per
    round."""
    slow: SlowSet | None = None
    """The slow points among these, once the search is over."""
    reached: list[Array] = field(default_factory=list)
    """Which root each start reached, per round; -1 for none."""

    @cached_property
    def scale(self) -> float:
        """Root mean square of the states that the network visits."""
        return scale_of(self.visited)

    @property
    def stuck_states(self) -> Array:
        """Where starts of all rounds got stuck: [start, state]."""
        return np.concatenate([self.roots.state[:0], *(state for state, _ in self.stuck)])

    @property
    def stuck_speeds(self) -> Array:
        """The speed there: [start]."""
        return np.concatenate([np.empty(0), *(speed for _, speed in self.stuck)])

    @property
    def unseen(self) -> float:
        """Estimated number of points not found yet, from those found once or twice (Chao 1984)."""
        n_starts = self.roots.fixed.n_starts
        once, twice = int((n_starts == 1).sum()), int((n_starts == 2).sum())
        return once * (once - 1) / (2.0 * (twice + 1))

    @property
    def saturated(self) -> bool:
        """Whether a later round found nothing new and hardly anything can be left."""
        return len(self.outcomes) > 1 and self.fresh == 0 and self.unseen < 0.5

    @property
    def index_sum(self) -> int:
        """Sum of the fixed points' indices; 1 if a bounded network's are complete and isolated."""
        return int(self.roots.fixed.index.sum())

    @property
    def verdict(self) -> int:
        """What the certificate says, as in VERDICTS."""
        if self.bound is None or self.lost:
            return NOT_APPLICABLE
        if self.index_sum != 1:
            return MISSING
        return CONSISTENT if self.saturated else NOT_SATURATED

    @property
    def fates(self) -> Array:
        """What became of each start, round after round, as its root is judged by now: [start]."""
        if not self.outcomes:
            return np.zeros(0, int)
        root, alone = np.concatenate(self.reached), np.concatenate(self.outcomes)
        return np.where(root >= 0, np.append(self.roots.status, LIMIT)[root], alone)

    @property
    def lost(self) -> bool:
        """Whether all starts diverged, as those of a network with broken weights do."""
        return bool(self.outcomes) and all((o == DIVERGED).all() for o in self.outcomes)

    @property
    def over(self) -> bool:
        """Whether another round would be in vain."""
        if self.bound is None:
            return self.lost or self.saturated
        return self.lost or self.verdict == CONSISTENT
