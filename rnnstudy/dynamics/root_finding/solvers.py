"""Second-order solvers of F(h) = h, and the catalogue of all solvers."""

from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, half_square
from rnnstudy.dynamics.root_finding.damping import MIN_DECREASE, DampedState, DampingRule
from rnnstudy.dynamics.root_finding.first_order import Adam as Adam
from rnnstudy.dynamics.root_finding.first_order import Iteration as Iteration
from rnnstudy.dynamics.root_finding.linear_systems import factorise_damped, solve_linear
from rnnstudy.dynamics.root_finding.solver import Solver as Solver
from rnnstudy.dynamics.root_finding.solver import select_points

MAX_STEP = 1e3
"""Longest step, as a multiple of 1 + |h|. Far out, F(h) - h is lost in the rounding of h."""

STEP_LENGTHS = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 0.003)
"""Step lengths that Newton's method tries at once, as shares of the full step."""


class LevenbergMarquardt(Solver):
    """Damped least squares on r(h) = F(h) - h, with a damping that vanishes with the residual.

    Each step d solves (J'J + mu min(q, 1) I) d = -J'r with J = dF/dh - I and speed q = 1/2 |r|^2.
    Convergence is quadratic even where J is nearly singular (Yamashita & Fukushima 2001). Extra
    steps use the same factors with a new r. Each raises the order by one (Fan 2013).

    References
    ----------
    Levenberg 1944. Marquardt 1963. Yamashita & Fukushima 2001. Fan 2013.

    Examples
    --------
    >>> LevenbergMarquardt(extra_steps=0).decrease_factor
    0.2
    """

    kind: ClassVar[str] = "levenberg_marquardt"

    former_fields: ClassVar[dict[str, str]] = {
        "further": "extra_steps",
        "accept": "decrease_factor",
        "reject": "increase_factor",
        "most_damping": "max_damping",
        "flat": "gradient_tolerance",
    }

    damping: Annotated[float, Field(gt=0)] = 1.0
    """First value of mu."""

    extra_steps: Annotated[int, Field(ge=0)] = 2
    """Steps by the same Jacobian after each step, taken where they lower the speed."""

    decrease_factor: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Factor of mu after a step that lowers the speed."""

    increase_factor: Annotated[float, Field(gt=1)] = 6.0
    """Factor of mu after a step that does not. That step is undone."""

    max_damping: Annotated[float, Field(gt=0)] = 1e12
    """Value of mu beyond which a point is stuck."""

    gradient_tolerance: Annotated[float, Field(ge=0)] = 1e-9
    """A point is stuck at a local minimum of the speed if |J'r| is below this share of |J| |r|."""

    patience: Annotated[int, Field(ge=1)] = 10
    """Number of steps within which the speed must halve, or the point is stuck."""

    @property
    def rule(self) -> DampingRule:
        """The rule for the damping and for stopping."""
        return DampingRule(
            self.decrease_factor,
            self.increase_factor,
            self.max_damping,
            self.gradient_tolerance,
            self.patience,
        )

    def start(self, state_map: StateMap, h: Tensor) -> DampedState:
        speed = state_map.speed(h)
        ones = tf.ones_like(speed)
        return DampedState(speed, self.damping * ones, ones, speed, tf.zeros_like(speed))

    def step(
        self, state_map: StateMap, h: Tensor, state: DampedState
    ) -> tuple[Tensor, DampedState]:
        residual, jacobian = _linear_residual(state_map, h)
        gradient = tf.linalg.matvec(jacobian, residual, transpose_a=True)
        gram = tf.matmul(jacobian, jacobian, transpose_a=True)
        shift = state.damping * tf.minimum(state.speed, 1.0)
        solve_damped = factorise_damped(gram, shift, gradient)
        new = h + _limit_length(h, solve_damped(-gradient))
        residual = state_map(new) - new
        speed = half_square(residual)
        for _ in range(self.extra_steps):
            slope = tf.linalg.matvec(jacobian, residual, transpose_a=True)
            trial = new + _limit_length(new, solve_damped(-slope))
            trial_residual = state_map(trial) - trial
            trial_speed = half_square(trial_residual)
            is_lower = trial_speed < speed
            new = select_points(is_lower, trial, new)
            residual = select_points(is_lower, trial_residual, residual)
            speed = tf.where(is_lower, trial_speed, speed)
        size = tf.sqrt(2.0 * state.speed * tf.linalg.trace(gram))
        relative_gradient = tf.math.divide_no_nan(tf.norm(gradient, axis=-1), size)
        is_lower, state = self.rule.next_state(state, speed, relative_gradient, tf)
        return select_points(is_lower, new, h), state

    def is_done(self, state_map: StateMap, h: Tensor, state: DampedState) -> Tensor:
        return (state.speed < self.tolerance) | self.rule.is_stuck(state)


class NewtonState(NamedTuple):
    """State of Newton's method: speed and mask of stuck points, each `[member, point]`."""

    speed: Tensor
    is_stuck: Tensor


class Newton(Solver):
    """Newton's method with several step lengths at once, of which the least speed wins.

    Examples
    --------
    >>> Newton(limit=8).limit
    8
    """

    kind: ClassVar[str] = "newton"

    def start(self, state_map: StateMap, h: Tensor) -> NewtonState:
        speed = state_map.speed(h)
        return NewtonState(speed, tf.zeros_like(speed, tf.bool))

    def step(
        self, state_map: StateMap, h: Tensor, state: NewtonState
    ) -> tuple[Tensor, NewtonState]:
        residual, jacobian = _linear_residual(state_map, h)
        move = _limit_length(h, solve_linear(jacobian, -residual))
        lengths = tf.constant(STEP_LENGTHS, h.dtype)[:, None]
        trials = h[..., None, :] + lengths * move[..., None, :]
        lead, count = tf.shape(h)[:2], len(STEP_LENGTHS)
        rows = tf.reshape(trials, [lead[0], lead[1] * count, h.shape[-1]])
        speeds = state_map.repeat(count).speed(rows)
        speeds = tf.reshape(speeds, [lead[0], lead[1], count])
        speeds = tf.where(tf.math.is_finite(speeds), speeds, tf.constant(np.inf, h.dtype))
        best = tf.argmin(speeds, axis=-1)
        speed = tf.gather(speeds, best, batch_dims=2)
        is_lower = speed < (1.0 - MIN_DECREASE) * state.speed
        trial = tf.gather(trials, best, batch_dims=2)
        speed = tf.where(is_lower, speed, state.speed)
        return select_points(is_lower, trial, h), NewtonState(speed, ~is_lower)

    def is_done(self, state_map: StateMap, h: Tensor, state: NewtonState) -> Tensor:
        return (state.speed < self.tolerance) | state.is_stuck


SOLVERS: dict[str, type[Solver]] = catalogue(
    LevenbergMarquardt,
    Newton,
    Iteration,
    Adam,
)
"""Kind of each solver in specs -> its class."""

AnySolver = Annotated[Solver, CatalogueField("solver", SOLVERS)]


def _linear_residual(state_map: StateMap, h: Tensor) -> tuple[Tensor, Tensor]:
    """Return F(h) - h and its Jacobian dF/dh - I."""
    image, jacobian = state_map.linearise(h)
    return image - h, tf.linalg.set_diag(jacobian, tf.linalg.diag_part(jacobian) - 1.0)


def _limit_length(h: Tensor, move: Tensor) -> Tensor:
    """Return the step, shortened to the longest sensible length."""
    longest = MAX_STEP * (1.0 + tf.norm(h, axis=-1, keepdims=True))
    return move * tf.minimum(longest / tf.norm(move, axis=-1, keepdims=True), 1.0)
