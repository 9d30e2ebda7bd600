"""Simulation, Jacobians along trajectories, and arguments of searches for orbits and circles."""

from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, refuse_all_broken
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.arguments import constant_inputs
from rnnstudy.dynamics.networks.interface import Networks
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled
from rnnstudy.dynamics.states.sampling import finite_states, jittered_sample

FLOW_TOLERANCE = 1e-8
"""Largest change of a state per interval once steps are halved, as a share of the largest state."""

MAX_SUBSTEPS = 8
"""Largest number of Runge-Kutta steps per interval. They are written out in a compiled program."""


def prepare_arguments(
    network: Any,
    inputs: Array | None,
    starts: Array | None,
    layer: str | None = None,
    state_size: int | None = None,
    continuous: bool | None = None,
) -> tuple[Networks, Array]:
    """Return the networks and their constant inputs `[input point, input]`, checked.

    Raises ValueError if inputs or starts `[start, state]` have the wrong shape, or no start is
    finite.
    """
    states = None if starts is None else as_float_array("starts", starts, finite=False)
    if states is not None and (states.ndim != 2 or not states.size):
        raise ValueError(
            f"starts must be [start, state], got shape {states.shape}. Give one row per start."
        )
    if states is not None:
        refuse_all_broken("starts", states)
    size = state_size if states is None or state_size is not None else states.shape[1]
    channels = 0 if inputs is None else np.atleast_1d(as_float_array("inputs", inputs)).shape[-1]
    probes = states if states is not None and states.shape[1] == size else None
    networks = as_networks(network, layer, size, channels, probes, continuous)
    points = constant_inputs(networks, inputs)
    if states is not None and states.shape[1] != networks.state_size:
        raise ValueError(
            f"starts must be [start, {networks.state_size}], got shape {states.shape}. "
            "Give one row per start."
        )
    return networks, points


def sample_starts(
    pool: Array, starts: Array | None, count: int, noise: float, seed: tuple[int, ...]
) -> Array:
    """Return the starts `[start, state]`, or a sample of visited states with noise without any."""
    if starts is not None:
        return np.asarray(starts, np.float64)
    return jittered_sample(finite_states(pool), count, noise, np.random.default_rng(seed))


def simulate(
    networks: Networks, members: Array, inputs: Array, starts: Array, skip: int, steps: int
) -> Array:
    """Return states `[pair, start, time, state]` of members at constant inputs.

    members `[pair]`, inputs `[pair, input]`, starts `[pair, start, state]`. Recording begins after
    `skip` steps. Time 0 is the first recorded state.
    """
    shape = (*starts.shape[:2], inputs.shape[1])
    state_map = networks.state_map(members, np.broadcast_to(inputs[:, None], shape))
    states: Array = run_compiled(_trajectory, state_map, starts, skip, steps).numpy()
    return states


def _trajectory(state_map: StateMap, h: Tensor, skip: Tensor, steps: Tensor) -> Tensor:
    """Return states `[member, point, time, state]`."""
    first = tf.while_loop(lambda t, h: t < skip, lambda t, h: (t + 1, state_map(h)), (0, h))[1]

    def turn(t: Tensor, h: Tensor, states: Any) -> tuple[Tensor, Tensor, Any]:
        return t + 1, state_map(h), states.write(t, h)

    states = tf.TensorArray(h.dtype, steps, element_shape=h.shape)
    states = tf.while_loop(lambda t, *_: t < steps, turn, (0, first, states))[2]
    return tf.transpose(states.stack(), [1, 2, 0, 3])


def jacobians_along(state_map: StateMap, h: Array) -> tuple[Array, Array]:
    """Return Jacobians `[member, time, state, state]` along trajectories, and their states.

    The points of the map are the steps. h `[member, 1, state]`: first states. The returned states
    `[member, time + 1, state]` include the first and the last.
    """
    jacobians, states = run_compiled(_along, state_map, h)
    return jacobians.numpy(), states.numpy()


def _along(state_map: StateMap, h: Tensor) -> tuple[Tensor, Tensor]:
    steps, step = tf.shape(state_map.drive)[1], state_map.step_function.step

    def advance(time: Tensor, h: Tensor, states: Any) -> tuple[Tensor, Tensor, Any]:
        drive = state_map.drive[:, time : time + 1]
        return time + 1, step(state_map.weights, drive, h), states.write(time, h[:, 0])

    states = tf.TensorArray(h.dtype, steps, element_shape=h[:, 0].shape)
    _, end, states = tf.while_loop(lambda time, *_: time < steps, advance, (0, h, states))
    before = tf.transpose(states.stack(), [1, 0, 2])
    _, jacobians = state_map.linearise(before)
    return jacobians, tf.concat([before, end], axis=1)


class FlowAdvance:
    """Maps along the flow of vector fields, with steps that are halved until they are accurate.

    Parameters
    ----------
    networks
        Vector fields.
    members
        Member of each trajectory, `[trajectory]`.
    time
        Time of one map along the flow.
    """

    def __init__(self, networks: Networks, members: Array, time: float) -> None:
        self.networks, self.members, self.time = networks, members, time
        self.substeps = 1

    def __call__(self, inputs: Array, h: Array) -> tuple[Array, Array]:
        """Return Jacobians and states as `jacobians_along`; inputs `[trajectory, time, input]`."""
        while True:
            jacobians, states = jacobians_along(self._map(inputs, self.substeps), h)
            finer = self._map(inputs, 2 * self.substeps)
            image = run_compiled(StateMap.__call__, finer, states[:, :-1]).numpy()
            size = np.abs(states).max(axis=(1, 2)) + np.finfo(float).tiny
            error = np.abs(image - states[:, 1:]).max(axis=(1, 2)) / size
            # A comparison with NaN is false: steps that are too long may overflow.
            is_last = self.substeps >= MAX_SUBSTEPS
            is_wrong = error > FLOW_TOLERANCE if is_last else ~(error <= FLOW_TOLERANCE)
            if not is_wrong.any():
                return jacobians, states
            if is_last:
                raise ValueError(
                    f"interval must be short for the field, got {self.time:g}, at which "
                    f"{self.substeps} steps leave an error of {np.nanmax(error):.1e}. Lower it."
                )
            self.substeps *= 2

    def _map(self, inputs: Array, substeps: int) -> StateMap:
        return self.networks.flow_map(self.members, inputs, self.time, substeps)
