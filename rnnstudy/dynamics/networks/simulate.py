"""Simulation at constant inputs, and the arguments of searches for orbits and circles."""

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
