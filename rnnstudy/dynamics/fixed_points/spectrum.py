"""Pictures of the eigenvalues of fixed points in the complex plane."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Space2D

CIRCLE_POINTS = 200
"""Number of points of the unit circle."""


def spectrum(points: Any) -> Space2D:
    """Return the eigenvalues of the Jacobians, and the border of stability.

    The border is the unit circle for maps, and the imaginary axis for vector fields.

    Parameters
    ----------
    points
        Fixed points.
    """
    values = points.eigenvalues
    plane = np.stack([values.real, values.imag], axis=-1).reshape(-1, 2)
    is_continuous = getattr(points, "continuous", False)
    return Space2D(
        title="Eigenvalues of the Jacobians",
        caption="Grey: the border of stability.",
        lines=[_axis(plane) if is_continuous else _circle()],
        points=plane,
        point_groups=np.repeat(points.kind, values.shape[1]).tolist(),
        axis_labels=("real part", "imaginary part", ""),
        group_label="fixed points",
    )


def _circle() -> Array:
    angle = np.linspace(0.0, 2 * np.pi, CIRCLE_POINTS)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _axis(plane: Array) -> Array:
    """Return the part of the imaginary axis beside the eigenvalues."""
    end = max(float(np.abs(plane).max(initial=0.0)), 1.0)
    return np.array([[0.0, -end], [0.0, end]])
