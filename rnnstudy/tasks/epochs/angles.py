"""Angles of outputs that are points in the plane."""

import numpy as np

from rnnstudy.core.arrays import Tensor
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
