"""Invariant boxes of Keras cells and functions: bounds on the states that no step leaves."""

from typing import Any

import numpy as np

from rnnstudy.cells.base import visible_entries
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.from_keras import equal_cell
from rnnstudy.keras_bridge.keras_layers.encoders import encoded_cell_class
from rnnstudy.keras_bridge.recurrent_layers import label

BOX_ROUNDING = 1.0 + 1e-9
"""Factor by which rounding may move a state beyond a box."""


def is_inside(states: Array, radii: Array | float) -> Array:
    """Return a mask `[...]` of states `[..., state]` within radii `[state]`, or one radius."""
    mask: Array = (np.abs(states) <= np.asarray(radii) * BOX_ROUNDING).all(axis=-1)
    return mask


def largest_radius(radii: Array | None) -> float | None:
    """Return the largest finite radius; None without a box."""
    return None if radii is None else float(radii[np.isfinite(radii)].max())


def cell_radii(cell: Any, size: int) -> Array | None:
    """Return radii `[state]` of a box that no step of a built Keras cell leaves; None if unknown.

    They are known for cells with an attribute `bound`, for cells that equal a bounded cell of this
    package, and for stacks of such cells. A bounded cell must output a part of its state. Radii are
    infinite for entries that other entries bound, such as an LSTM's c.
    """
    if type(cell) is keras.layers.StackedRNNCells:
        parts = [cell_radii(part, _state_length(part)) for part in cell.cells]
        known = [part for part in parts if part is not None]
        return np.concatenate(known) if len(known) == len(parts) else None
    if type(cell) is encoded_cell_class():
        return cell_radii(cell.cell, size)
    equal = equal_cell(cell)
    if equal is None:
        return declared_radii(cell, label(cell), size)
    component, entries = equal[0], visible_entries(equal[0])
    if entries is None or component.bound in (None, np.inf):
        return None
    radii = np.full(size, np.inf)
    radii[entries] = component.bound
    return radii


def _state_length(cell: Any) -> int:
    """Return the number of entries of a cell's states, end to end."""
    return sum(int(np.prod(shape)) for shape in keras.tree.flatten(cell.state_size))


def declared_radii(owner: Any, name: str, size: int) -> Array | None:
    """Return radii `[state]` from the attribute `bound` of a cell or function; None without one.

    Raises ValueError unless it is positive, one number or one per entry, and not all infinite.
    """
    bound = getattr(owner, "bound", None)
    if bound is None or callable(bound):
        return None
    try:
        radii = np.broadcast_to(np.asarray(bound, np.float64), (size,))
    except (TypeError, ValueError):
        radii = np.full(size, np.nan)
    if not (radii > 0).all() or np.isinf(radii).all():
        raise ValueError(
            f"bound of {name} must be a positive number r such that no step leads out of |h| <= r, "
            f"or one for each of its {size} entries, got {bound!r}"
        )
    return radii
