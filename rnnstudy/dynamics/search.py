"""How fixed points are looked for: the fields of a search."""

from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.core.component import Component
from rnnstudy.dynamics.root_finding.solvers import AnySolver, LevenbergMarquardt


class Search(Component):
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
