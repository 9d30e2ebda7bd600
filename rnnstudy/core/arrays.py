"""Types of arrays in annotations."""

from typing import Any

import numpy as np

Array = np.ndarray
"""A NumPy array. The names of its axes stand in docstrings, as in `[member, state]`."""

Tensor = Any
"""A TensorFlow tensor: TensorFlow must not be imported for an annotation."""
