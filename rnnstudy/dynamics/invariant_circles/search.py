"""Settings of the search for invariant circles."""

from typing import Annotated

from pydantic import Field

from rnnstudy.core.component import Component


class CircleSearch(Component):
    """Settings of the search for invariant circles.

    Examples
    --------
    >>> CircleSearch(rounds=1).steps
    4096
    """

    candidates: Annotated[int, Field(ge=1)] = 4
    """Number of starts per network and input, if none are passed."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states, as a share of their root mean square."""

    transient: Annotated[int, Field(ge=0)] = 2000
    """Number of steps before the trajectory that is analysed."""

    steps: Annotated[int, Field(ge=256)] = 4096
    """Number of steps that are analysed. They must contain some fifty turns of a circle."""

    rounds: Annotated[int, Field(ge=1)] = 3
    """Number of times that an unsettled state is followed further, each for twice as long."""

    harmonics: Annotated[int, Field(ge=2, le=512)] = 128
    """Highest order of the Fourier series of a circle."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-3
    """Largest distance of a circle from its image and from the states, as a share of its
    amplitude."""

    merge: Annotated[float, Field(gt=0)] = 1e-3
    """Distance within which two circles are one, as a share of their amplitude."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Transverse exponent, in nats per step, within which a circle is neutral."""

    exponent_steps: Annotated[int, Field(ge=16)] = 1000
    """Number of steps along a circle for its transverse exponent."""

    phases: Annotated[int, Field(ge=1)] = 128
    """Number of phases of the curve in the record."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the starts."""
