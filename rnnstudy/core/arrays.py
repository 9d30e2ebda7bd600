"""Types of arrays in annotations."""

from typing import Any

import numpy as np

Array = np.ndarray
"""A NumPy array. Docstrings name its axes, as in `[member, state]`."""

Tensor = Any
"""A TensorFlow tensor: TensorFlow must not be imported for an annotation."""
