"""The same fixed points by a shorter way: gated cells without the gates that hold them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.dynamics.networks.state_map import StateMap


@dataclass(frozen=True)
class UngatedMap:
    """seen -> what is seen where the cell would rest, if gates and candidate stayed as they are.

    A gate g moves the state by (1 - g) (candidate - h) only: near 0 wherever it is shut, whatever
    the candidate. The candidate itself differs from h there, so that fewer starts get stuck and
    those that don't take fewer steps. Of an LSTM h is enough: half the length, an eighth the work.
    """

    cell: Cell

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the input adds."""
        return self.cell.drive(w, x)

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """[..., point, unit] -> the same axes."""
        return self.cell.visible(self.cell.rest(w, drive, h))

    def linearise(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """That and its Jacobian [..., point, unit, unit]."""
        return self.cell.linearise_rest(w, drive, h)

    def offers(self, derivative: str, of: str) -> bool:
        """Whether the cell knows that Jacobian."""
        return self.cell.offers("linearise_rest", "rest")


def ungated_map(state_map: StateMap) -> StateMap | None:
    """The flow [member, point, unit] of what the cells rest at; None unless they say so."""
    cell = state_map.step_function
    if not (isinstance(cell, Cell) and cell.rests):
        return None
    return StateMap(UngatedMap(cell), state_map.weights, state_map.drive, state_map.inputs)


def to_visible(state_map: StateMap, states: Array) -> Array:
    """What a resting flow moves of states [member, point, state]: [member, point, unit]."""
    step_function: Any = state_map.step_function
    visible: Array = step_function.cell.visible(states)
    return visible


def to_full_state(state_map: StateMap, to_visible: Tensor) -> Tensor:
    """States [member, point, state] of a resting flow from what is seen of them."""
    step_function: Any = state_map.step_function
    state: Tensor = step_function.cell.rest(state_map.weights, state_map.drive, to_visible)
    return state
