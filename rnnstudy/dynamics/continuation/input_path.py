"""Piecewise linear paths of inputs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array
from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False)
class InputPath:
    """Inputs x(s) on straight segments between knots.

    Parameters
    ----------
    knots
        Inputs at the ends of the segments, `[knot, input]`.
    s
        Arclength of each knot as a share of the whole length, 0 to 1, `[knot]`.
    """

    knots: Array
    s: Array

    @property
    def n_segments(self) -> int:
        """Number of straight segments."""
        return len(self.s) - 1

    def segment_at(self, s: float) -> int:
        """Return the segment of an arclength. A knot belongs to the segment after it."""
        after = np.searchsorted(self.s, s, side="right")
        return int(np.clip(after - 1, 0, self.n_segments - 1))

    def slope(self, segment: int) -> Array:
        """Return dx/ds `[input]` on a segment."""
        ends = slice(segment, segment + 2)
        slope: Array = np.diff(self.knots[ends], axis=0)[0] / np.diff(self.s)[segment]
        return slope

    def inputs_at(self, s: float, segment: int) -> Array:
        """Return x(s) `[input]` on a segment or its straight continuation."""
        inputs: Array = self.knots[segment] + (s - self.s[segment]) * self.slope(segment)
        return inputs


def check_input_path(name: str, values: Any) -> None:
    """Raise ValueError unless values are inputs `[step, input]`, two different ones at least."""
    points = as_float_array(name, values)
    if points.ndim != 2 or len(points) < 2 or not points.shape[1]:
        raise ValueError(
            f"{name} must be [step, input] with two steps or more, got shape {points.shape}. "
            "Give one row per step."
        )
    path_through(points)


def path_through(points: Array) -> InputPath:
    """Return the path through inputs `[step, input]`.

    Raises ValueError if all inputs are the same.
    """
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    moves = np.append(True, lengths > 0)
    if not lengths.any():
        raise ValueError("path must have different inputs, got one. Pass its two ends at least.")
    along = np.append(0.0, np.cumsum(lengths[lengths > 0]))
    return InputPath(points[moves], along / along[-1])
