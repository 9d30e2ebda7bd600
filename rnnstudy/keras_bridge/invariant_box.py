"""Invariant boxes: how far from zero the states of a Keras cell or a function can be at rest."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.from_keras import equal_cell
from rnnstudy.keras_bridge.recurrent_layers import label

ROUNDING = 1.0 + 1e-9
"""What a state may be beyond a box by rounding, as a factor."""


def is_inside(states: Array, radii: Array | float) -> Array:
    """Which states [..., state] are within radii [state], or one radius: [...]."""
    within: Array = (np.abs(states) <= np.asarray(radii) * ROUNDING).all(axis=-1)
    return within


def largest_radius(radii: Array | None) -> float | None:
    """The largest of the radii that are finite; None if there is no box."""
    return None if radii is None else float(radii[np.isfinite(radii)].max())


def cell_radii(cell: Any, size: int) -> Array | None:
    """Radii [state] of a box that a step of a built Keras cell never leaves, None if unknown.

    Known of cells that equal a bounded one of ours, of stacks of bounded cells, since each of them
    has bounded inputs, and of cells that say so by an attribute `bound`. Infinite for entries that
    are bounded because the others are, as an LSTM's c is by its forget gate.
    """
    if type(cell) is keras.layers.StackedRNNCells:
        parts = [cell_radii(part, _length(part)) for part in cell.cells]
        known = [part for part in parts if part is not None]
        return np.concatenate(known) if len(known) == len(parts) else None
    equal = equal_cell(cell)
    if equal is None:
        return declared_radii(cell, label(cell), size)
    own = equal[0]
    if own.bound is None:
        return None
    radii = np.full(size, np.inf)
    radii[own.visible(np.arange(size))] = own.bound
    return radii


def _length(cell: Any) -> int:
    """Number of entries of a cell's states, end to end."""
    return sum(int(np.prod(shape)) for shape in keras.tree.flatten(cell.state_size))


def declared_radii(owner: Any, name: str, size: int) -> Array | None:
    """Radii [state] by the attribute `bound` of a cell or a function: a number, or one per entry.

    None if it has none. ValueError for anything else than positive numbers, not all infinite.
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
            f"{name} has bound {bound!r}; it should be a positive number r such that no step "
            f"leads out of |h| <= r, or one for each of its {size} entries"
        )
    return radii
