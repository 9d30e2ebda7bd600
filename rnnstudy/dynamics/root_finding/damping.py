"""Damping of Levenberg-Marquardt steps and its stopping rules, for NumPy and TensorFlow."""

from dataclasses import dataclass
from typing import Any, NamedTuple

MIN_DECREASE = 1e-8
"""Share by which a step must lower the objective. A smaller decrease is rounding."""


class DampedState(NamedTuple):
    """State of damped steps for many points, each array or tensor `[..., point]`.

    objective: sum or mean of squares of the residual. damping: factor mu of the next step.
    relative_gradient: |J'r| as a share of |J| |r|. reference: objective at its last halving.
    stagnation: number of steps since.
    """

    objective: Any
    damping: Any
    relative_gradient: Any
    reference: Any
    stagnation: Any

    @property
    def speed(self) -> Any:
        """The objective, as solvers name it."""
        return self.objective


@dataclass(frozen=True)
class DampingRule:
    """Changes of the damping after each step, and conditions to stop.

    Parameters
    ----------
    decrease_factor, increase_factor
        Factor of the damping after a step that lowers the objective, and after one that does not.
    max_damping
        Damping beyond which a point is stuck.
    gradient_tolerance
        A point is stuck at a local minimum if |J'r| is below this share of |J| |r|.
    patience
        Number of steps within which the objective must halve.
    """

    decrease_factor: float = 0.2
    increase_factor: float = 6.0
    max_damping: float = 1e12
    gradient_tolerance: float = 1e-9
    patience: int = 10

    def next_state(
        self, state: DampedState, objective: Any, relative_gradient: Any, numpy: Any
    ) -> tuple[Any, DampedState]:
        """Return a mask of the steps to take, and the state after them.

        objective `[..., point]` is that of the tried steps. NaN counts as no decrease.
        `numpy` is the library of the arrays: NumPy or TensorFlow.
        """
        is_lower = objective < (1.0 - MIN_DECREASE) * state.objective
        objective = numpy.where(is_lower, objective, state.objective)
        decreased = state.damping * self.decrease_factor
        increased = state.damping * self.increase_factor
        reference, stagnation = halving(objective, state.reference, state.stagnation, numpy)
        return is_lower, DampedState(
            objective,
            numpy.where(is_lower, decreased, increased),
            relative_gradient,
            reference,
            stagnation,
        )

    def is_stuck(self, state: DampedState) -> Any:
        """Return a mask of the points that no further step improves."""
        is_flat = state.relative_gradient < self.gradient_tolerance
        return (state.damping > self.max_damping) | is_flat | (state.stagnation >= self.patience)


def halving(objective: Any, reference: Any, stagnation: Any, numpy: Any) -> tuple[Any, Any]:
    """Return the objective at its last halving, and the number of steps since."""
    has_halved = objective < 0.5 * reference
    return (
        numpy.where(has_halved, objective, reference),
        numpy.where(has_halved, numpy.zeros_like(stagnation), stagnation + 1),
    )
