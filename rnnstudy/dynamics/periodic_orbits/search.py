"""Settings of the search for periodic orbits."""

from typing import Annotated

from pydantic import Field

from rnnstudy.core.component import Component


class OrbitSearch(Component):
    """Settings of the search for periodic orbits.

    Examples
    --------
    >>> OrbitSearch(candidates=32, rounds=1).rounds
    1
    """

    candidates: Annotated[int, Field(ge=1)] = 128
    """Number of starts per network, input and period, if none are passed."""

    transient: Annotated[int, Field(ge=0)] = 200
    """Number of steps before half of these starts. They come to attracting orbits, the others to
    the rest. For a vector field: typical times before its trajectories are examined."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states, as a share of their root mean square."""

    rounds: Annotated[int, Field(ge=0)] = 3
    """Largest number of further rounds. Each starts at mixtures of the solutions so far. There are
    as many mixtures as starts. A round without new solutions is the last."""

    limit: Annotated[int, Field(ge=0)] = 120
    """Largest number of steps of the solver."""

    residual: Annotated[float, Field(gt=0)] = 1e-10
    """Largest root mean square of F(h_i) - h_(i+1), as a share of the states'."""

    newton_step: Annotated[float, Field(gt=0)] = 1e-7
    """Largest Newton step, as a share of the states' root mean square."""

    degenerate: Annotated[float, Field(ge=0)] = 1e-6
    """Smallest singular value of the orbit's equations below which it is degenerate. Such an orbit
    is part of a continuum or close to a bifurcation, and is not counted."""

    merge: Annotated[float, Field(gt=0)] = 1e-5
    """Distance of states within which two orbits are one, as a share of their root mean square."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of a multiplier's modulus from 1 within which it is neutral."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the starts."""
