"""First-order solvers of F(h) = h: iteration of the map, and Adam on the speed."""

from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, half_square
from rnnstudy.dynamics.root_finding.damping import MIN_DECREASE, halving
from rnnstudy.dynamics.root_finding.solver import Solver


class IterationState(NamedTuple):
    """State of an iteration of the map.

    image: F(h) `[member, point, state]`. The others are `[member, point]`: the speed, its value at
    its last halving, and the number of steps since.
    """

    image: Tensor
    speed: Tensor
    reference: Tensor
    stagnation: Tensor


class Iteration(Solver):
    """Iteration of the map itself, which reaches attracting points only.

    Examples
    --------
    >>> Iteration().limit
    5000
    """

    kind: ClassVar[str] = "iteration"

    limit: Annotated[int, Field(ge=0)] = 5000
    """Largest number of steps."""

    patience: Annotated[int, Field(ge=1)] = 500
    """Number of steps within which the speed must halve, or the point is stuck."""

    def start(self, state_map: StateMap, h: Tensor) -> IterationState:
        image = state_map(h)
        speed = half_square(image - h)
        return IterationState(image, speed, speed, tf.zeros_like(speed))

    def step(
        self, state_map: StateMap, h: Tensor, state: IterationState
    ) -> tuple[Tensor, IterationState]:
        new = state.image
        image = state_map(new)
        speed = half_square(image - new)
        return new, IterationState(
            image, speed, *halving(speed, state.reference, state.stagnation, tf)
        )

    def is_done(self, state_map: StateMap, h: Tensor, state: IterationState) -> Tensor:
        return (state.speed < self.tolerance) | (state.stagnation >= self.patience)


class AdamState(NamedTuple):
    """State of Adam.

    mean, square: running means `[member, point, state]` of the gradient and its square. The others
    are `[member, point]`: speed, least speed so far, steps since, learning rate, step number.
    """

    speed: Tensor
    mean: Tensor
    square: Tensor
    step: Tensor
    least: Tensor
    stagnation: Tensor
    rate: Tensor


class Adam(Solver):
    """Adam on the speed, as other tools use it, for comparison.

    Each point has its own learning rate, which falls when its speed stays on a plateau. Convergence
    is linear at best. Use a second-order solver to find fixed points.

    References
    ----------
    Kingma & Ba 2015.

    Examples
    --------
    >>> Adam(learning_rate=0.05).decay
    0.5
    """

    kind: ClassVar[str] = "adam"

    limit: Annotated[int, Field(ge=0)] = 5000
    """Largest number of steps."""

    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    """First learning rate: about the length of a step along each entry of the state."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Factor of the learning rate on a plateau."""

    patience: Annotated[int, Field(ge=1)] = 100
    """Number of steps without a new least speed that make a plateau."""

    least_rate: Annotated[float, Field(gt=0)] = 1e-9
    """Learning rate below which a point is stuck."""

    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of the gradients' running mean that a step keeps."""

    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Share of the squared gradients' running mean that a step keeps."""

    def start(self, state_map: StateMap, h: Tensor) -> AdamState:
        speed = state_map.speed(h)
        zeros, rate = tf.zeros_like(speed), self.learning_rate * tf.ones_like(speed)
        return AdamState(speed, tf.zeros_like(h), tf.zeros_like(h), zeros, speed, zeros, rate)

    def step(self, state_map: StateMap, h: Tensor, state: AdamState) -> tuple[Tensor, AdamState]:
        with tf.GradientTape() as tape:
            tape.watch(h)
            # Each point's speed depends on that point alone.
            total = tf.reduce_sum(state_map.speed(h))
        gradient = tape.gradient(total, h)
        step = state.step + 1.0
        mean = self.beta1 * state.mean + (1.0 - self.beta1) * gradient
        square = self.beta2 * state.square + (1.0 - self.beta2) * gradient**2
        unbiased = tf.sqrt(1.0 - self.beta2**step) / (1.0 - self.beta1**step)
        size = (state.rate * unbiased)[..., None]
        new = h - size * tf.math.divide_no_nan(mean, tf.sqrt(square))
        speed = state_map.speed(new)
        return new, AdamState(speed, mean, square, step, *self._adapt_rate(speed, state))

    def _adapt_rate(self, speed: Tensor, state: AdamState) -> tuple[Tensor, Tensor, Tensor]:
        """Return the least speed so far, the steps since, and the learning rate."""
        is_lower = speed < (1.0 - MIN_DECREASE) * state.least
        stagnation = tf.where(is_lower, tf.zeros_like(speed), state.stagnation + 1.0)
        on_plateau = stagnation >= self.patience
        return (
            tf.where(is_lower, speed, state.least),
            tf.where(on_plateau, tf.zeros_like(speed), stagnation),
            tf.where(on_plateau, self.decay * state.rate, state.rate),
        )

    def is_done(self, state_map: StateMap, h: Tensor, state: AdamState) -> Tensor:
        return (state.speed < self.tolerance) | (state.rate < self.least_rate)
