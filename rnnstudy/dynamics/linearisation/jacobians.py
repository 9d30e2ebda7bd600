"""Derivatives of networks by their inputs at fixed and slow points."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import JACOBIAN_COPIES
from rnnstudy.dynamics.networks.state_map import StateMap, compiled


def input_jacobian(network: Any, points: Any, layer: str | None = None) -> Array:
    """dF/dx at fixed or slow points, [point, state, input], each at its own input.

    network, layer: what they were found in, as for `find_fixed_points`; points: its record.
    ValueError if the record's states, inputs or members are not those of the network.
    """
    networks = as_networks(network, layer, points.size("state"), points.size("input"))
    ours, theirs = (
        (networks.state_size, networks.inputs),
        (points.size("state"), points.size("input")),
    )
    if ours != theirs:
        raise ValueError(
            f"points should have the network's {ours[0]} state variables and {ours[1]} inputs, "
            f"they have {theirs[0]} and {theirs[1]}"
        )
    if len(points) and points.member.max() >= len(networks):
        raise ValueError(
            f"points should be of members 0 to {len(networks) - 1} of the network, some are of "
            f"member {points.member.max()}"
        )
    found = np.empty((len(points), *theirs))
    for member in np.unique(points.member):
        own = np.flatnonzero(points.member == member)
        for part in batches(len(own), 8 * JACOBIAN_COPIES * networks.state_size**2):
            block = own[part]
            state_map = networks.state_map(np.array([member]), points.inputs[None, block])
            found[block] = compiled(StateMap.by_input, state_map, points.state[None, block])[
                0
            ].numpy()
    return found
