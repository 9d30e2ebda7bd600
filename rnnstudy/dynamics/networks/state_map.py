"""State maps h -> F(h; x) at constant inputs: derivatives and compiled programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, ClassVar, Protocol

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import pause_point
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import free_memory
from rnnstudy.population.population import Population

MAX_PROGRAMS = 96
"""Largest number of compiled programs in memory. Each holds the step function it was made for."""


class StepFunction(Protocol):
    """One step of a network. It must be hashable, so that compiled programs are shared."""

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return what inputs add: x `[..., point, input]` -> `[..., point, drive]`."""

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state: `[..., point, drive]`, h `[..., point, state]` -> like h."""


@dataclass(frozen=True)
class WrappedStep:
    """Step function around another one. Subclasses change one of the two methods."""

    own_free_axes: ClassVar[Mapping[str, int]] = {}
    """Name of a weight of its own -> number of first axes that may have any length; else 1."""

    step_function: StepFunction

    @property
    def free_axes(self) -> dict[str, int]:
        """Name of a weight -> number of first axes that may have any length, if not 1."""
        return {**getattr(self.step_function, "free_axes", {}), **self.own_free_axes}

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return what inputs add."""
        return self.step_function.drive(w, x)

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state."""
        return self.step_function.step(w, drive, h)


@dataclass(frozen=True)
class TiledJacobian(WrappedStep):
    """Step with an operation whose derivative cannot be vectorised.

    All rows of a Jacobian are then taken from as many copies of each point, in one batch. This is
    slower than `StateMap.linearise` of other steps.
    """


@dataclass(frozen=True, eq=False)
class StateMap:
    """The maps h -> F(h; x) of some networks, each point with its own constant input.

    States are `[member, point, state]` in float64.

    Parameters
    ----------
    step_function
        The step of all networks.
    weights
        By name, each `[member, ...]`.
    drive
        `[member, point, drive]`: what the inputs add, computed once.
    inputs
        `[member, point, input]`; None if they are unknown.
    """

    step_function: StepFunction
    weights: Mapping[str, Tensor]
    drive: Tensor
    inputs: Tensor | None = None

    def __call__(self, h: Tensor) -> Tensor:
        """Return the next state F(h)."""
        return self.step_function.step(self.weights, self.drive, h)

    def speed(self, h: Tensor) -> Tensor:
        """Return q = 1/2 |F(h) - h|^2 `[member, point]`."""
        return half_square(self(h) - h)

    def linearise(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(h) and its Jacobians dF/dh `[member, point, state, state]`.

        The step's own Jacobian is used if it offers one. Otherwise all rows are pulled back in one
        vectorised pass of reverse differentiation. ValueError if an operation cannot be vectorised,
        unless the step is a `TiledJacobian`.
        """
        if isinstance(self.step_function, TiledJacobian):
            return self(h), self._jacobian_by_tiles(h, StateMap.__call__, h)
        linearise = step_with_jacobian(self.step_function)
        if linearise is not None:
            return linearise(self.weights, self.drive, h)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(h)
            image = self(h)
        return image, _pull_back(tape, image, h)

    def by_input(self, h: Tensor) -> Tensor:
        """Return dF/dx `[member, point, state, input]` at states h, each at its own input."""
        if self.inputs is None:
            raise ValueError(
                "inputs of this map must be known to differentiate by them, got None. "
                "Build the map with `inputs`."
            )
        x = tf.convert_to_tensor(self.inputs, h.dtype)
        if isinstance(self.step_function, TiledJacobian):
            return self._jacobian_by_tiles(h, StateMap.at, x)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            image = self.at(h, x)
        return _pull_back(tape, image, x)

    def at(self, h: Tensor, x: Tensor) -> Tensor:
        """Return the next state at other inputs x `[member, point, input]`."""
        return self.step_function.step(self.weights, self.step_function.drive(self.weights, x), h)

    def _jacobian_by_tiles(
        self, h: Tensor, image_of: Callable[..., Tensor], source: Tensor
    ) -> Tensor:
        """Return derivatives of `image_of(state_map, h, x)` by its last argument, `source`."""
        size, points = h.shape[-1], tf.shape(h)[1]
        arguments = [h] if source is h else [h, source]
        copies = [tf.repeat(values, size, axis=1) for values in arguments]
        units = tf.tile(tf.eye(size, dtype=h.dtype), [points, 1])
        with tf.GradientTape() as tape:
            tape.watch(copies[-1])
            image = image_of(self.repeat(size), *copies)
        rows = tape.gradient(
            image,
            copies[-1],
            tf.broadcast_to(units, tf.shape(image)),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        lead = tf.shape(h)[:2]
        return tf.reshape(rows, [lead[0], lead[1], size, source.shape[-1]])

    def take(self, members: Array, points: Array) -> "StateMap":
        """Return the maps of some members, at some points `[member, point]` of each."""
        weights = {name: tf.gather(w, members) for name, w in self.weights.items()}
        inputs = None if self.inputs is None else tf.gather(self.inputs, members)
        drive = tf.gather(self.drive, members)
        return StateMap(self.step_function, weights, drive, inputs).at_points(points)

    def at_points(self, points: Array) -> "StateMap":
        """Return the maps of the same members at some points `[member, point]` of each."""

        def select(values: Tensor) -> Tensor:
            return tf.gather(values, points, batch_dims=1)

        inputs = None if self.inputs is None else select(self.inputs)
        return StateMap(self.step_function, self.weights, select(self.drive), inputs)

    def repeat(self, times: int) -> "StateMap":
        """Return the maps with each point so many times in a row."""
        inputs = None if self.inputs is None else tf.repeat(self.inputs, times, axis=1)
        drive = tf.repeat(self.drive, times, axis=1)
        return StateMap(self.step_function, self.weights, drive, inputs)

    def wrap(
        self, step_function: StepFunction, weights: Mapping[str, Tensor] | None = None
    ) -> "StateMap":
        """Return the map of a step around this one, with further arrays among its weights."""
        return StateMap(step_function, {**self.weights, **(weights or {})}, self.drive, self.inputs)


def step_with_jacobian(step_function: StepFunction) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """Return a step's own linearisation; None if it offers none."""
    step: Any = step_function
    has_derivative = getattr(step_function, "has_derivative", None)
    known = has_derivative is not None and has_derivative("linearise", "step")
    return step.linearise if known else None


def _pull_back(tape: Any, image: Tensor, source: Tensor) -> Tensor:
    """Return derivatives `[member, point, state, n]` of an image `[member, point, state]`.

    They are zero where the image does not depend on the source.
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
    """Return the map of some members of a population in float64.

    members `[pair]`. inputs `[pair, point, input]`: the constant input of each point.
    """
    cell = population.cell
    weights = {
        name: tf.constant(np.asarray(w)[members], tf.float64)
        for name, w in population.weights.items()
    }
    x = tf.constant(inputs, tf.float64)
    return StateMap(cell, weights, cell.drive(weights, x), x)


def half_square(residual: Tensor) -> Tensor:
    """Return the speed of a residual F(h) - h, `[..., state]` -> `[...]`."""
    return 0.5 * tf.reduce_sum(residual**2, axis=-1)


def run_compiled(function: Callable[..., Any], state_map: StateMap, *arguments: Any) -> Any:
    """Return `function(state_map, *arguments)` from one compiled program for all batch sizes.

    `function` must be hashable and defined at module level, since programs are cached by it. Arrays
    among the arguments begin with `[member, point]`.
    """
    pause_point()
    inputs = () if state_map.inputs is None else (state_map.inputs,)
    structure = (dict(state_map.weights), (state_map.drive, *inputs), arguments)
    flat = [tf.convert_to_tensor(values) for values in tf.nest.flatten(structure)]
    outer = 1 + len(state_map.weights) + len(inputs)
    # A dictionary is flattened in the order of its keys.
    longer = getattr(state_map.step_function, "free_axes", {})
    free = [longer.get(name, 1) for name in sorted(state_map.weights)]
    free += [2] * (outer - len(free))
    free += [min(2, len(values.shape)) for values in flat[outer:]]
    shapes = tuple((v.dtype, *v.shape[n:]) for v, n in zip(flat, free, strict=True))
    key = (function, state_map.step_function, len(inputs), *shapes)
    program = _PROGRAMS.get(key)
    if program is None:
        # A partial, since TensorFlow counts all closures of one function as retracings of it.
        like = tf.nest.map_structure(lambda _: None, structure)
        run = tf.function(partial(_run, function, state_map.step_function, like), autograph=False)
        program = run.get_concrete_function(*map(_free_axes, flat, free))
    _keep_program(key, program)
    return program(*flat)


def _keep_program(key: Any, program: Any) -> None:
    """Note that a program was used last. Beyond `MAX_PROGRAMS` the older half is dropped."""
    with _LOCK:
        _PROGRAMS.pop(key, None)
        is_full = len(_PROGRAMS) >= MAX_PROGRAMS
        dropped = [_PROGRAMS.pop(old) for old in [*_PROGRAMS][: (MAX_PROGRAMS + 1) // 2 * is_full]]
        _PROGRAMS[key] = program
    if dropped:
        dropped.clear()
        free_memory()


_PROGRAMS: dict[Any, Any] = {}
_LOCK = Lock()


def _run(
    function: Callable[..., Any], step_function: StepFunction, like: Any, *flat: Tensor
) -> Any:
    weights, drive_and_inputs, arguments = tf.nest.pack_sequence_as(like, flat)
    return function(StateMap(step_function, weights, *drive_and_inputs), *arguments)


def _free_axes(tensor: Tensor, axes: int) -> Any:
    """Return a specification whose first axes may have any length, so that no size is retraced."""
    return tf.TensorSpec([None] * axes + list(tensor.shape[axes:]), tensor.dtype)
