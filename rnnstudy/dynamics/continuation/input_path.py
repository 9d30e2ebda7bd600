"""Piecewise-linear paths of inputs."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False)
class Path:
    """Inputs x(s) through knots [knot, input], straight between them; s [knot] is the share of the
    whole length, 0 to 1."""

    knots: Array
    s: Array

    @property
    def legs(self) -> int:
        """Number of straight pieces."""
        return len(self.s) - 1

    def leg(self, s: float) -> int:
        """The piece to which a place belongs; a knot belongs to the piece after it."""
        return int(np.clip(np.searchsorted(self.s, s, side="right") - 1, 0, self.legs - 1))

    def slope(self, leg: int) -> Array:
        """dx/ds [input] on a piece."""
        slope: Array = np.diff(self.knots[leg : leg + 2], axis=0)[0] / np.diff(self.s)[leg]
        return slope

    def inputs(self, s: float, leg: int) -> Array:
        """x(s) [input] on a piece or its straight continuation."""
        return self.knots[leg] + (s - self.s[leg]) * self.slope(leg)


def path_through(points: Array) -> Path:
    """The path through inputs [step, input]; ValueError if it does not move."""
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    moves = np.append(True, lengths > 0)
    if not lengths.any():
        raise ValueError("the inputs of the path are all the same: there is nothing to follow")
    along = np.append(0.0, np.cumsum(lengths[lengths > 0]))
    return Path(points[moves], along / along[-1])
