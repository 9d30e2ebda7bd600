"""How roots of F(h) - h are found: start, step and done per method, and one loop for all."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.catalogue import OneOf
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, half_square
from rnnstudy.dynamics.root_finding.linear_systems import factorise_damped, solve_linear

Work = Mapping[str, Tensor]

REACH = 1e3
"""Longest step, as a multiple of 1 + |h|: far out, F(h) - h is lost in the rounding of h."""

GAIN = 1e-8
"""Share by which a step has to lower the speed: less is rounding."""

SIZES = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 0.003)
"""Step lengths that Newton tries at once, as shares of the full step."""


class Solver(Entry):
    """A method that moves points towards roots of F(h) - h. The loop is not its business.

    All three methods are pure and run inside one compiled program. `work` is a dict of tensors that
    begin with [member, point]: what the method remembers about each point, its `speed` among it.
    """

    noun: ClassVar[str] = "solver"

    limit: Annotated[int, Field(ge=0)] = 120
    """Largest number of steps."""

    tolerance: Annotated[float, Field(ge=0)] = 1e-24
    """Speed below which a point needs no further step."""

    @abstractmethod
    def start(self, state_map: StateMap, h: Tensor) -> Work:
        """What to remember at the first states h [member, point, state]."""

    @abstractmethod
    def step(self, state_map: StateMap, h: Tensor, work: Work) -> tuple[Tensor, Work]:
        """The next states and what to remember."""

    @abstractmethod
    def done(self, state_map: StateMap, h: Tensor, work: Work) -> Tensor:
        """Which points [member, point] need no further step: at a root, or stuck for good."""


class LevenbergMarquardt(Solver):
    """Damped least squares on F(h) - h (Levenberg 1944, Marquardt 1963), damping tied to the speed.

    (J'J + mu min(q, 1) I) d = -J'r: near a root the damping vanishes with the speed q, and
    convergence is quadratic even where J is nearly singular (Yamashita & Fukushima 2001). Further
    steps by the same factors, r alone taken anew, raise that order by one each (Fan 2013) and
    cost a tenth of the first.
    """

    kind: ClassVar[str] = "levenberg_marquardt"

    damping: Annotated[float, Field(gt=0)] = 1.0
    """First mu."""

    further: Annotated[int, Field(ge=0)] = 2
    """Steps by the same Jacobian after each step, where they lower the speed."""

    accept: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Factor of mu after a step that lowers the speed."""

    reject: Annotated[float, Field(gt=1)] = 6.0
    """Factor of mu after a step that does not, which is undone."""

    most_damping: Annotated[float, Field(gt=0)] = 1e12
    """Damping beyond which a point is stuck."""

    flat: Annotated[float, Field(ge=0)] = 1e-9
    """Point is stuck where |J'r| is below this share of |J| |r|: a local minimum of the speed."""

    patience: Annotated[int, Field(ge=1)] = 10
    """Steps within which the speed has to halve; a point that is slower creeps towards a local
    minimum of the speed and is stuck."""

    def start(self, state_map: StateMap, h: Tensor) -> Work:
        speed = state_map.speed(h)
        ones, zeros = tf.ones_like(speed), tf.zeros_like(speed)
        damping = self.damping * ones
        return {"speed": speed, "damping": damping, "slope": ones, "mark": speed, "age": zeros}

    def step(self, state_map: StateMap, h: Tensor, work: Work) -> tuple[Tensor, Work]:
        residual, jacobian = _linear_residual(state_map, h)
        gradient = tf.linalg.matvec(jacobian, residual, transpose_a=True)
        gram = tf.matmul(jacobian, jacobian, transpose_a=True)
        solution = factorise_damped(
            gram, work["damping"] * tf.minimum(work["speed"], 1.0), gradient
        )
        new = h + _within_reach(h, solution(-gradient))
        residual = state_map(new) - new
        speed = half_square(residual)
        for _ in range(self.further):
            pull = tf.linalg.matvec(jacobian, residual, transpose_a=True)
            tried = new + _within_reach(new, solution(-pull))
            left = state_map(tried) - tried
            slower = half_square(left)
            gain = slower < speed
            new, residual = select_points(gain, tried, new), select_points(gain, left, residual)
            speed = tf.where(gain, slower, speed)
        better = speed < (1.0 - GAIN) * work["speed"]
        factor = tf.where(better, tf.constant(self.accept, h.dtype), self.reject)
        size = tf.sqrt(2.0 * work["speed"] * tf.linalg.trace(gram))
        speed = tf.where(better, speed, work["speed"])
        return select_points(better, new, h), {
            "speed": speed,
            "damping": work["damping"] * factor,
            "slope": tf.math.divide_no_nan(tf.norm(gradient, axis=-1), size),
        } | _aged(speed, work)

    def done(self, state_map: StateMap, h: Tensor, work: Work) -> Tensor:
        stuck = (work["damping"] > self.most_damping) | (work["slope"] < self.flat)
        creeping = work["age"] >= self.patience
        return (work["speed"] < self.tolerance) | stuck | creeping


class Newton(Solver):
    """Newton's method; of several step lengths tried at once, the one of least speed is taken."""

    kind: ClassVar[str] = "newton"

    def start(self, state_map: StateMap, h: Tensor) -> Work:
        speed = state_map.speed(h)
        return {"speed": speed, "stuck": tf.zeros_like(speed, tf.bool)}

    def step(self, state_map: StateMap, h: Tensor, work: Work) -> tuple[Tensor, Work]:
        residual, jacobian = _linear_residual(state_map, h)
        move = _within_reach(h, solve_linear(jacobian, -residual))
        sizes = tf.constant(SIZES, h.dtype)[:, None]
        tried = h[..., None, :] + sizes * move[..., None, :]
        lead, state = tf.shape(h)[:2], h.shape[-1]
        flat = tf.reshape(tried, [lead[0], lead[1] * len(SIZES), state])
        speeds = state_map.repeated(len(SIZES)).speed(flat)
        speeds = tf.reshape(speeds, [lead[0], lead[1], len(SIZES)])
        speeds = tf.where(tf.math.is_finite(speeds), speeds, tf.constant(np.inf, h.dtype))
        best = tf.argmin(speeds, axis=-1)
        speed = tf.gather(speeds, best, batch_dims=2)
        better = speed < (1.0 - GAIN) * work["speed"]
        nearest = tf.gather(tried, best, batch_dims=2)
        return select_points(better, nearest, h), {
            "speed": tf.where(better, speed, work["speed"]),
            "stuck": ~better,
        }

    def done(self, state_map: StateMap, h: Tensor, work: Work) -> Tensor:
        return (work["speed"] < self.tolerance) | work["stuck"]


class Iteration(Solver):
    """Iteration of the map itself: reaches attracting points alone, at their own pace."""

    kind: ClassVar[str] = "iteration"

    limit: Annotated[int, Field(ge=0)] = 5000
    """Largest number of steps."""

    patience: Annotated[int, Field(ge=1)] = 500
    """Steps within which the speed has to halve; a state that does not slow down is given up."""

    def start(self, state_map: StateMap, h: Tensor) -> Work:
        image = state_map(h)
        speed = half_square(image - h)
        return {"image": image, "speed": speed, "mark": speed, "age": tf.zeros_like(speed)}

    def step(self, state_map: StateMap, h: Tensor, work: Work) -> tuple[Tensor, Work]:
        new = work["image"]
        image = state_map(new)
        speed = half_square(image - new)
        return new, {"image": image, "speed": speed} | _aged(speed, work)

    def done(self, state_map: StateMap, h: Tensor, work: Work) -> Tensor:
        return (work["speed"] < self.tolerance) | (work["age"] >= self.patience)


class Adam(Solver):
    """Adam on the speed (Kingma & Ba 2015): what other tools do, for comparison.

    Each point has a learning rate of its own, which falls wherever its speed stays on a plateau.
    Linear convergence at best: take it to see what first-order steps find, not to find points.
    """

    kind: ClassVar[str] = "adam"

    limit: Annotated[int, Field(ge=0)] = 5000
    """Largest number of steps."""

    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    """First learning rate: about the length of a step along each entry of the state."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Factor of the learning rate on a plateau."""

    patience: Annotated[int, Field(ge=1)] = 100
    """Steps without a new least speed that are a plateau."""

    least_rate: Annotated[float, Field(gt=0)] = 1e-9
    """Learning rate below which a point is stuck: it hardly moves any more."""

    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of the gradients' running mean that a step keeps."""

    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Share of the squared gradients' running mean that a step keeps."""

    def start(self, state_map: StateMap, h: Tensor) -> Work:
        speed = state_map.speed(h)
        zeros, rate = tf.zeros_like(speed), self.learning_rate * tf.ones_like(speed)
        none = {"mean": tf.zeros_like(h), "square": tf.zeros_like(h), "step": zeros}
        return {"speed": speed, "least": speed, "age": zeros, "rate": rate, **none}

    def step(self, state_map: StateMap, h: Tensor, work: Work) -> tuple[Tensor, Work]:
        with tf.GradientTape() as tape:
            tape.watch(h)
            total = tf.reduce_sum(
                state_map.speed(h)
            )  # each point's speed depends on that point alone
        gradient = tape.gradient(total, h)
        step = work["step"] + 1.0
        mean = self.beta1 * work["mean"] + (1.0 - self.beta1) * gradient
        square = self.beta2 * work["square"] + (1.0 - self.beta2) * gradient**2
        unbiased = tf.sqrt(1.0 - self.beta2**step) / (1.0 - self.beta1**step)
        size = (work["rate"] * unbiased)[..., None]
        new = h - size * tf.math.divide_no_nan(mean, tf.sqrt(square))
        speed = state_map.speed(new)
        return new, {"speed": speed, "mean": mean, "square": square, "step": step} | self._slower(
            speed, work
        )

    def _slower(self, speed: Tensor, work: Work) -> dict[str, Tensor]:
        """The least speed so far, the steps since, and the learning rate that these leave."""
        better = speed < (1.0 - GAIN) * work["least"]
        age = tf.where(better, tf.zeros_like(speed), work["age"] + 1.0)
        plateau = age >= self.patience
        return {
            "least": tf.where(better, speed, work["least"]),
            "age": tf.where(plateau, tf.zeros_like(speed), age),
            "rate": tf.where(plateau, self.decay * work["rate"], work["rate"]),
        }

    def done(self, state_map: StateMap, h: Tensor, work: Work) -> Tensor:
        return (work["speed"] < self.tolerance) | (work["rate"] < self.least_rate)


SOLVERS: dict[str, type[Solver]] = {
    "levenberg_marquardt": LevenbergMarquardt,
    "newton": Newton,
    "iteration": Iteration,
    "adam": Adam,
}

AnySolver = Annotated[Solver, OneOf("solver", SOLVERS)]


def _linear_residual(state_map: StateMap, h: Tensor) -> tuple[Tensor, Tensor]:
    """F(h) - h and its Jacobian dF/dh - I."""
    image, jacobian = state_map.linearise(h)
    return image - h, tf.linalg.set_diag(jacobian, tf.linalg.diag_part(jacobian) - 1.0)


def select_points(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` at the points where the mask [member, point] holds: [member, point, ...]."""
    return tf.where(mask[(..., *[None] * (len(new.shape) - 2))], new, old)


def _aged(speed: Tensor, work: Work) -> dict[str, Tensor]:
    """Since when a speed has not halved: the speed at that time, and the steps since."""
    halved = speed < 0.5 * work["mark"]
    return {
        "mark": tf.where(halved, speed, work["mark"]),
        "age": tf.where(halved, tf.zeros_like(speed), work["age"] + 1.0),
    }


def _within_reach(h: Tensor, move: Tensor) -> Tensor:
    """The step, shortened where it is absurdly long."""
    longest = REACH * (1.0 + tf.norm(h, axis=-1, keepdims=True))
    return move * tf.minimum(longest / tf.norm(move, axis=-1, keepdims=True), 1.0)
