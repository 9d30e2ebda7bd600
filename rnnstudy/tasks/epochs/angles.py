"""Angles of outputs that are points in the plane."""

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf


def within_tolerance(outputs: Tensor, targets: Tensor, degrees: float) -> Tensor:
    """Return True where the angle of a point [..., 2] is that of the target, up to a tolerance.

    Points that are 0 or not finite have no angle.

    Parameters
    ----------
    outputs, targets
        Points [..., 2].
    degrees
        Largest difference of the angles, 0 to 180.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks.epochs.angles import within_tolerance
    >>> points, target = np.array([[0.0, 2.0], [1.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> within_tolerance(points, target, degrees=20.0).numpy().tolist()
    [True, False, False]
    """
    along = tf.reduce_sum(outputs * targets, axis=-1)
    sizes = tf.norm(outputs, axis=-1) * tf.norm(targets, axis=-1)
    # Comparisons that NaN fails. Rounding may carry a cosine beyond 1.
    return (sizes > 0.0) & (sizes < np.inf) & (along >= sizes * np.cos(np.deg2rad(degrees)))


def nearest_angle(points: Array, count: int) -> Array:
    """Return the nearest of `count` evenly spread angles, in degrees, of each point [..., 2].

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks.epochs.angles import nearest_angle
    >>> nearest_angle(np.array([[1.0, 0.1], [0.0, -2.0]]), 4).tolist()
    [0.0, 270.0]
    """
    turns = np.arctan2(points[..., 1], points[..., 0]) / (2.0 * np.pi)
    nearest: Array = np.round(turns * count) % count * (360.0 / count)
    return nearest
