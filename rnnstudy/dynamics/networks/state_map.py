"""The one door from networks to the analysis of their dynamics: h -> F(h; x) at constant inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.population import Population


class StepFunction(Protocol):
    """What a flow needs to know of a network: one step. Hashable, so that programs are shared."""

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the input adds: x [..., point, input] -> [..., point, drive]."""

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state: drive [..., point, drive], h [..., point, state] -> like h."""


@dataclass(frozen=True)
class TiledJacobian:
    """Dynamics with an operation whose derivative cannot be vectorised.

    A flow then takes all rows of a Jacobian from as many copies of each point, in one batch: slower
    (see `StateMap.linearise`), and never point by point.
    """

    step_function: StepFunction

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the input adds."""
        return self.step_function.drive(w, x)

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state."""
        return self.step_function.step(w, drive, h)


@dataclass(frozen=True, eq=False)
class StateMap:
    """The maps h -> F(h; x) of some networks, each point with a constant input of its own.

    weights: by name, each [member, ...]; drive: [member, point, drive], what the inputs add,
    computed once; inputs: [member, point, input], where they came from, None if that is unknown.
    States are [member, point, state], float64.
    """

    step_function: StepFunction
    weights: Mapping[str, Tensor]
    drive: Tensor
    inputs: Tensor | None = None

    def __call__(self, h: Tensor) -> Tensor:
        """The next state F(h)."""
        return self.step_function.step(self.weights, self.drive, h)

    def speed(self, h: Tensor) -> Tensor:
        """q = 1/2 |F(h) - h|^2: [member, point]."""
        return half_square(self(h) - h)

    def linearise(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """F(h) and its Jacobians dF/dh [member, point, state, state].

        The dynamics' own if they offer them, else by reverse differentiation: all rows are pulled
        back in one vectorised pass; an operation that cannot be vectorised raises ValueError
        instead of turning into a loop, unless the dynamics are `TiledJacobian`.
        Measured at 256 points, 32 and 64 units, four cells, one core: 1.6-2 times faster than a
        tiled copy of each point per row, 3-4 times faster than forward differentiation of such
        copies. A cell's own take a fifth of that.
        """
        if isinstance(self.step_function, TiledJacobian):
            return self(h), self._tiled(h, StateMap.__call__, h)
        own = step_with_jacobian(self.step_function)
        if own is not None:
            return own(self.weights, self.drive, h)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(h)
            image = self(h)
        return image, _pulled_back(tape, image, h)

    def by_input(self, h: Tensor) -> Tensor:
        """dF/dx [member, point, state, input] at states h, each at its own input."""
        if self.inputs is None:
            raise ValueError("this flow does not know its inputs, only what they add")
        x = tf.convert_to_tensor(self.inputs, h.dtype)
        if isinstance(self.step_function, TiledJacobian):
            return self._tiled(h, StateMap.at, x)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            image = self.at(h, x)
        return _pulled_back(tape, image, x)

    def at(self, h: Tensor, x: Tensor) -> Tensor:
        """The next state at other inputs x [member, point, input]."""
        return self.step_function.step(self.weights, self.step_function.drive(self.weights, x), h)

    def _tiled(self, h: Tensor, image_of: Callable[..., Tensor], source: Tensor) -> Tensor:
        """Return derivatives of `image_of(state_map, h, x)` by its last argument, `source`."""
        size, points = h.shape[-1], tf.shape(h)[1]
        given = [h] if source is h else [h, source]
        copies = [tf.repeat(values, size, axis=1) for values in given]
        units = tf.tile(tf.eye(size, dtype=h.dtype), [points, 1])
        with tf.GradientTape() as tape:
            tape.watch(copies[-1])
            image = image_of(self.repeated(size), *copies)
        rows = tape.gradient(
            image,
            copies[-1],
            tf.broadcast_to(units, tf.shape(image)),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        lead = tf.shape(h)[:2]
        return tf.reshape(rows, [lead[0], lead[1], size, source.shape[-1]])

    def take(self, members: Array, points: Array) -> "StateMap":
        """The maps of some members, at some points [member, point] of each."""
        weights = {name: tf.gather(w, members) for name, w in self.weights.items()}
        inputs = None if self.inputs is None else tf.gather(self.inputs, members)
        return StateMap(
            self.step_function, weights, tf.gather(self.drive, members), inputs
        ).at_points(points)

    def at_points(self, points: Array) -> "StateMap":
        """The maps of the same members at some points [member, point] of each."""

        def chosen(values: Tensor) -> Tensor:
            return tf.gather(values, points, batch_dims=1)

        inputs = None if self.inputs is None else chosen(self.inputs)
        return StateMap(self.step_function, self.weights, chosen(self.drive), inputs)

    def repeated(self, times: int) -> "StateMap":
        """Each point so many times in a row."""
        inputs = None if self.inputs is None else tf.repeat(self.inputs, times, axis=1)
        return StateMap(
            self.step_function, self.weights, tf.repeat(self.drive, times, axis=1), inputs
        )


def step_with_jacobian(step_function: StepFunction) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """A faster `step` with its Jacobian, None if the dynamics don't offer that of their step."""
    known: Any = step_function
    offers = getattr(step_function, "offers", None)
    return known.linearise if offers is not None and offers("linearise", "step") else None


def _pulled_back(tape: Any, image: Tensor, source: Tensor) -> Tensor:
    """Derivatives of an image [member, point, state] by its source: [member, point, state, n].

    Zeros where the image does not depend on the source at all.
    """
    lead, zeros = tf.shape(image), tf.UnconnectedGradients.ZERO

    def pull(unit: Tensor) -> Tensor:
        return tape.gradient(
            image, source, tf.broadcast_to(unit, lead), unconnected_gradients=zeros
        )

    basis = tf.eye(image.shape[-1], dtype=image.dtype)
    rows = tf.vectorized_map(pull, basis, fallback_to_while_loop=False)
    return tf.transpose(rows, [1, 2, 0, 3])


def population_state_map(population: Population, members: Array, inputs: Array) -> StateMap:
    """The flow of some members of a population in double precision.

    members [pair], inputs [pair, point, input]: the constant input of each point.
    """
    cell = population.cell
    weights = {
        name: tf.constant(np.asarray(w)[members], tf.float64)
        for name, w in population.weights.items()
    }
    held = tf.constant(inputs, tf.float64)
    return StateMap(cell, weights, cell.drive(weights, held), held)


def half_square(residual: Tensor) -> Tensor:
    """The speed that belongs to F(h) - h: [..., state] -> [...]."""
    return 0.5 * tf.reduce_sum(residual**2, axis=-1)


def compiled(function: Callable[..., Any], state_map: StateMap, *arguments: Any) -> Any:
    """Return `function(state_map, *arguments)` from one compiled program for all batch sizes.

    `function` is hashable and kept; arrays among the arguments begin with [member, point].
    """
    held = () if state_map.inputs is None else (state_map.inputs,)
    given = (dict(state_map.weights), (state_map.drive, *held), arguments)
    flat = [tf.convert_to_tensor(values) for values in tf.nest.flatten(given)]
    outer = 1 + len(state_map.weights) + len(held)
    free = [1] * len(state_map.weights) + [2] * (outer - len(state_map.weights))
    free += [min(2, len(values.shape)) for values in flat[outer:]]
    shapes = tuple((v.dtype, *v.shape[n:]) for v, n in zip(flat, free, strict=True))
    key = (function, state_map.step_function, len(held), *shapes)
    if key not in _PROGRAMS:
        while len(_PROGRAMS) >= MOST_PROGRAMS:
            _PROGRAMS.pop(next(iter(_PROGRAMS)))
        # A partial, since TensorFlow counts all closures of one function as retracings of it.
        like = tf.nest.map_structure(lambda _: None, given)
        run = tf.function(partial(_run, function, state_map.step_function, like), autograph=False)
        _PROGRAMS[key] = run.get_concrete_function(*map(_free, flat, free))
    else:
        _PROGRAMS[key] = _PROGRAMS.pop(key)  # the last one used is the last one to go
    return _PROGRAMS[key](*flat)


MOST_PROGRAMS = 512
"""Programs kept; they hold on to the networks of others that they were made for."""

_PROGRAMS: dict[Any, Any] = {}


def _run(
    function: Callable[..., Any], step_function: StepFunction, like: Any, *flat: Tensor
) -> Any:
    weights, driven, arguments = tf.nest.pack_sequence_as(like, flat)
    return function(StateMap(step_function, weights, *driven), *arguments)


def _free(tensor: Tensor, axes: int) -> Any:
    """A specification that leaves the first axes open, so that no new size is traced again."""
    return tf.TensorSpec([None] * axes + list(tensor.shape[axes:]), tensor.dtype)
