"""Settings of a continuation."""

from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.core.component import Component


class ContinuationSettings(Component):
    """Settings of a continuation: step lengths, limits and tolerances.

    Lengths are in units of the unknown (h / scale, s). The path of inputs runs from 0 to 1, and
    states count by their root mean square as a share of `scale`.

    Examples
    --------
    >>> ContinuationSettings(ds_max=0.01).ds_max
    0.01
    """

    former_fields: ClassVar[dict[str, str]] = {
        "first": "ds",
        "longest": "ds_max",
        "shortest": "ds_min",
        "points": "max_points",
        "farthest": "max_norm",
    }

    ds: Annotated[float, Field(gt=0)] = 0.01
    """Length of the first step."""

    ds_max: Annotated[float, Field(gt=0)] = 0.05
    """Largest length of a step. Beyond a distance of 1 from the origin it grows in proportion. Two
    bifurcations within one step that undo each other are missed."""

    ds_min: Annotated[float, Field(gt=0)] = 1e-8
    """Length of a step below which the branch is lost."""

    max_points: Annotated[int, Field(ge=2)] = 2000
    """Largest number of points in each direction."""

    max_norm: Annotated[float, Field(gt=0)] = 1e4
    """Distance from the origin at which the branch has diverged."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of an eigenvalue's modulus from 1 within which it is neutral."""

    scale: Annotated[float, Field(gt=0)] | None = None
    """Typical root mean square of states. None: the bound of the network, else that of the start or
    1, whichever is larger."""
