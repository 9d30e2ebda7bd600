"""All fixed points of trained networks, with a certificate of how complete they are."""

from typing import Any

import numpy as np

from rnnstudy.dynamics.gather import gathered
from rnnstudy.dynamics.hunt import Hunt, Roots
from rnnstudy.dynamics.networks import Networks, networks_of
from rnnstudy.dynamics.points import FixedPoints as FixedPoints
from rnnstudy.dynamics.search import Search, run_search
from rnnstudy.dynamics.starts import usable
from rnnstudy.record import Array


def find_fixed_points(
    network: Any,
    inputs: Array | None = None,
    starts: Array | None = None,
    visited: Array | None = None,
    search: Search | None = None,
) -> FixedPoints:
    """All fixed points h = F(h; x) of every network of a population, in double precision.

    inputs: [input point, input], constant inputs x; None: one point, zeros.
    starts: [start, state], where round 1 starts, as given; later rounds start near them.
    visited: [member, visited, state], of which round 1 takes a sample, with noise; None, with no
    starts given: states on trajectories under random inputs.
    A network whose weights are not finite has no points and the outcome `diverged`.
    """
    search = search or Search()
    networks = networks_of(network)
    held = _inputs(networks, inputs)
    pool = _pool(networks, starts, visited)
    hunts = [
        Hunt(
            member=member,
            input_index=position,
            visited=pool[member] if starts is not None else usable(pool[member]),
            exact=starts is not None,
            bound=networks.bound,
            roots=Roots.none(networks.state_size),
        )
        for member in range(len(networks))
        for position in range(len(held))
    ]
    run_search(search, networks, held, hunts)
    return gathered(hunts, held, search.margin)


def _inputs(networks: Networks, inputs: Array | None) -> Array:
    held = np.zeros((1, networks.inputs)) if inputs is None else np.asarray(inputs, np.float64)
    if held.ndim != 2 or held.shape[1] != networks.inputs or not len(held):
        raise ValueError(
            f"inputs should be [input point, {networks.inputs}], their shape is {held.shape}"
        )
    return held


def _pool(networks: Networks, starts: Array | None, visited: Array | None) -> Array:
    """The states [member, visited, state] from which the search begins."""
    size, members = networks.state_size, len(networks)
    if starts is not None:
        given = np.asarray(starts, np.float64)
        if given.ndim != 2 or given.shape[1] != size or not len(given):
            raise ValueError(f"starts should be [start, {size}], their shape is {given.shape}")
        return np.broadcast_to(given, (members, *given.shape))
    pool = networks.visited() if visited is None else np.asarray(visited, np.float64)
    if pool.ndim != 3 or (pool.shape[0], pool.shape[2]) != (members, size) or not pool.shape[1]:
        raise ValueError(
            f"visited should be [{members} members, visited, {size}], its shape is {pool.shape}"
        )
    return pool
