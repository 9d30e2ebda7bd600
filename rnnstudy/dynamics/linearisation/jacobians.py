"""Derivatives of networks by their inputs at fixed and slow points."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.dynamics.linearisation.modes import is_continuous
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.arguments import check_arguments, check_layer, check_points
from rnnstudy.dynamics.networks.autonomous_system import JACOBIAN_COPIES
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled


@check_arguments(points=check_points, layer=check_layer)
def input_jacobian(network: Any, points: Any, layer: str | None = None) -> Array:
    """Return dF/dx, or df/dx of a vector field, at fixed or slow points, each at its own input.

    Parameters
    ----------
    network
        The network of the points, as for `find_fixed_points`.
    points
        Record of fixed or slow points.
    layer
        Name of the recurrent layer of a model that has several.

    Returns
    -------
    Array
        Jacobians `[point, state, input]`.

    Raises
    ------
    ValueError
        If the record's states, inputs or members are not those of the network.
    TypeError
        If the points are no such record.

    Examples
    --------
    >>> import rnnstudy, tensorflow as tf
    >>> step = lambda inputs, states: 0.5 * states + inputs
    >>> points = rnnstudy.find_fixed_points(step, inputs=np.zeros((1, 2)), state_size=2)
    >>> input_jacobian(step, points).tolist()
    [[[1.0, 0.0], [0.0, 1.0]]]
    """
    sizes = points.size("state"), points.size("input")
    is_field = is_continuous(points)
    networks = as_networks(network, layer, *sizes, continuous=is_field or None)
    map_of = networks.rate_map if is_field else networks.state_map
    if sizes != (networks.state_size, networks.inputs):
        raise ValueError(
            f"points must have the network's {networks.state_size} state variables and "
            f"{networks.inputs} inputs, got {sizes[0]} and {sizes[1]}"
        )
    if len(points) and points.member.max() >= len(networks):
        raise ValueError(
            f"points must be of members 0 to {len(networks) - 1} of the network, got member "
            f"{points.member.max()}"
        )
    jacobian = np.empty((len(points), *sizes))
    for member in np.unique(points.member):
        rows = np.flatnonzero(points.member == member)
        for part in batches(len(rows), 8 * JACOBIAN_COPIES * networks.state_size**2):
            block = rows[part]
            state_map = map_of(np.array([member]), points.inputs[None, block])
            derivative = run_compiled(StateMap.by_input, state_map, points.state[None, block])
            jacobian[block] = derivative[0].numpy()
    return jacobian
