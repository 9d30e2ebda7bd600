"""States followed and recorded: what the search for cycles and circles begins with."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import as_float_array, constant_inputs
from rnnstudy.dynamics.networks.state_map import StateMap, compiled
from rnnstudy.dynamics.states.sampling import finite_states, jittered_sample


def prepare_arguments(
    network: Any,
    inputs: Array | None,
    starts: Array | None,
    layer: str | None = None,
    state_size: int | None = None,
) -> tuple[Networks, Array]:
    """The networks and the inputs [input point, input] at which they are held, checked.

    ValueError if inputs or starts [start, state] have the wrong shape.
    """
    given = None if starts is None else as_float_array("starts", starts, finite=False)
    if given is not None and (given.ndim != 2 or not given.size):
        raise ValueError(f"starts should be [start, state], their shape is {given.shape}")
    size = state_size if given is None or state_size is not None else given.shape[1]
    channels = 0 if inputs is None else np.atleast_1d(as_float_array("inputs", inputs)).shape[-1]
    tried = given if given is not None and given.shape[1] == size else None
    networks = as_networks(network, layer, size, channels, tried)
    held = constant_inputs(networks, inputs)
    if given is not None and given.shape[1] != networks.state_size:
        raise ValueError(
            f"starts should be [start, {networks.state_size}], their shape is {given.shape}"
        )
    return networks, held


def sample_starts(
    pool: Array, starts: Array | None, count: int, noise: float, seed: tuple[int, ...]
) -> Array:
    """The starts as given, or so many [start, state] of the visited states with noise."""
    if starts is not None:
        return np.asarray(starts, np.float64)
    return jittered_sample(finite_states(pool), count, noise, np.random.default_rng(seed))


def simulate(
    networks: Networks, members: Array, inputs: Array, starts: Array, skip: int, steps: int
) -> Array:
    """States [pair, start, time, state] of members [pair] that are held at inputs [pair, input],
    after `skip` steps from the starts [pair, start, state]; time 0 is where recording begins."""
    shape = (*starts.shape[:2], inputs.shape[1])
    state_map = networks.state_map(members, np.broadcast_to(inputs[:, None], shape))
    found: Array = compiled(_recorded, state_map, starts, skip, steps).numpy()
    return found


def _recorded(state_map: StateMap, h: Tensor, skip: Tensor, steps: Tensor) -> Tensor:
    """[member, point, time, state]"""
    begun = tf.while_loop(lambda t, h: t < skip, lambda t, h: (t + 1, state_map(h)), (0, h))[1]

    def turn(t: Tensor, h: Tensor, seen: Any) -> tuple[Tensor, Tensor, Any]:
        return t + 1, state_map(h), seen.write(t, h)

    seen = tf.TensorArray(h.dtype, steps, element_shape=h.shape)
    found = tf.while_loop(lambda t, *_: t < steps, turn, (0, begun, seen))[2]
    return tf.transpose(found.stack(), [1, 2, 0, 3])
