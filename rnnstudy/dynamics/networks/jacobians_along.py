"""Jacobians along trajectories of maps, and of vector fields by steps of checked accuracy."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.interface import Networks
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled

FLOW_TOLERANCE = 1e-8
"""Largest change of a state per interval once steps are halved, as a share of the largest state."""

MAX_SUBSTEPS = 8
"""Largest number of Runge-Kutta steps per interval. They are written out in a compiled program."""


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
