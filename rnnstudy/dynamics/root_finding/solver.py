"""The contract of solvers of F(h) = h."""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap


class Solver(Entry):
    """Method that moves points towards roots of F(h) - h.

    The loop over steps is `iterate.solve`. The three methods are pure functions inside one compiled
    program. The state of a solver is a NamedTuple of tensors that begin with `[member, point]`. It
    must have a field `speed`: 1/2 |F(h) - h|^2 at the current states.

    Parameters
    ----------
    limit
        Largest number of steps.
    tolerance
        Speed below which a point needs no further step.

    Examples
    --------
    >>> from rnnstudy.dynamics.root_finding.solvers import SOLVERS
    >>> SOLVERS["newton"](limit=40).tolerance
    1e-24
    """

    noun: ClassVar[str] = "solver"
    former_methods: ClassVar[dict[str, str]] = {"done": "is_done"}

    limit: Annotated[int, Field(ge=0)] = 120
    """Largest number of steps."""

    tolerance: Annotated[float, Field(ge=0)] = 1e-24
    """Speed below which a point needs no further step."""

    @abstractmethod
    def start(self, state_map: StateMap, h: Tensor) -> Any:
        """Return the solver's state at the first states h `[member, point, state]`."""

    @abstractmethod
    def step(self, state_map: StateMap, h: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return the next states `[member, point, state]` and the solver's state there."""

    @abstractmethod
    def is_done(self, state_map: StateMap, h: Tensor, state: Any) -> Tensor:
        """Return a mask `[member, point]` of points at a root or stuck for good."""


def select_points(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return `new` at the points where the mask `[member, point]` is true, else `old`."""
    return tf.where(mask[(..., *[None] * (len(new.shape) - 2))], new, old)
