"""Root-finding map for gated cells with the update gate removed.

It has the same fixed points as the cell. Its residual does not vanish where a gate is closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.base import visible_entries
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.dynamics.networks.state_map import StateMap, WrappedStep


@dataclass(frozen=True)
class UngatedMap(WrappedStep):
    """Map from the visible state to the visible state that the cell approaches at fixed gates.

    A gate g moves the state by (1 - g) (candidate - h), which is almost zero where g is near 1. The
    candidate itself differs from h there. So fewer starts get stuck, and the others take fewer
    steps. An LSTM's visible state is h alone: half the length.
    """

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        cell: Any = self.step_function
        return cell.visible(cell.ungated(w, drive, h))

    def linearise(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map and its Jacobian `[..., point, unit, unit]`."""
        cell: Any = self.step_function
        image: tuple[Tensor, Tensor] = cell.linearise_ungated(w, drive, h)
        return image

    def has_derivative(self, derivative: str, of: str) -> bool:
        """Return whether the cell knows that Jacobian."""
        cell: Any = self.step_function
        return bool(cell.has_derivative("linearise_ungated", "ungated"))


def ungated_map(state_map: StateMap) -> StateMap | None:
    """Return the ungated map `[member, point, unit]`; None if the cells define none."""
    cell = state_map.step_function
    if not (isinstance(cell, Cell) and cell.has_ungated_map):
        return None
    return state_map.wrap(UngatedMap(cell))


def to_visible(ungated: StateMap, states: Array) -> Array:
    """Return the visible part `[member, point, unit]` of states `[member, point, state]`."""
    return np.asarray(_cell_of(ungated).visible(states))


def visible_lengths(ungated: StateMap, states: Array, lengths: Array) -> Array:
    """Return lengths `[member]` between states as lengths between their visible parts.

    states `[member, point, state]` have a typical size, and so have their visible parts. Rates that
    saturate are smaller than the currents behind them. Lengths never grow.
    """
    if visible_entries(_cell_of(ungated)) is not None:
        return lengths
    sizes = [_typical_size(values) for values in (to_visible(ungated, states), states)]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = sizes[0] / sizes[1]
    shorter: Array = lengths * np.where((ratio > 0.0) & (ratio < 1.0), ratio, 1.0)
    return shorter


def _typical_size(states: Array) -> Array:
    """Return the median root mean square `[member]` of states `[member, point, state]`."""
    size: Array = np.median(np.sqrt(np.mean(states**2, axis=-1)), axis=-1)
    return size


def to_full_state(ungated: StateMap, visible: Tensor) -> Tensor:
    """Return states `[member, point, state]` of the cell from their visible part."""
    return _cell_of(ungated).ungated(ungated.weights, ungated.drive, visible)


def _cell_of(ungated: StateMap) -> Any:
    step_function: Any = ungated.step_function
    return step_function.step_function
