"""All fixed points of trained networks, with a certificate of how complete they are."""

import numpy as np

from rnnstudy.dynamics.gather import gathered
from rnnstudy.dynamics.hunt import Hunt, Roots
from rnnstudy.dynamics.points import FixedPoints as FixedPoints
from rnnstudy.dynamics.search import Search, run_search
from rnnstudy.dynamics.starts import usable, visited_states
from rnnstudy.population.population import Population
from rnnstudy.record import Array


def find_fixed_points(
    network: Population,
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
    population = network.as_float64()
    held = _inputs(population, inputs)
    pool = _pool(population, starts, visited)
    hunts = [
        Hunt(
            member=member,
            input_index=position,
            visited=pool[member] if starts is not None else usable(pool[member]),
            exact=starts is not None,
            bound=population.cell.bound,
            roots=Roots.none(population.cell.state_size),
        )
        for member in range(len(population))
        for position in range(len(held))
    ]
    run_search(search, population, held, hunts)
    return gathered(hunts, held, search.margin)


def _inputs(population: Population, inputs: Array | None) -> Array:
    held = np.zeros((1, population.inputs)) if inputs is None else np.asarray(inputs, np.float64)
    if held.ndim != 2 or held.shape[1] != population.inputs or not len(held):
        raise ValueError(
            f"inputs should be [input point, {population.inputs}], their shape is {held.shape}"
        )
    return held


def _pool(population: Population, starts: Array | None, visited: Array | None) -> Array:
    """The states [member, visited, state] from which the search begins."""
    size, members = population.cell.state_size, len(population)
    if starts is not None:
        given = np.asarray(starts, np.float64)
        if given.ndim != 2 or given.shape[1] != size or not len(given):
            raise ValueError(f"starts should be [start, {size}], their shape is {given.shape}")
        return np.broadcast_to(given, (members, *given.shape))
    pool = visited_states(population) if visited is None else np.asarray(visited, np.float64)
    if pool.ndim != 3 or (pool.shape[0], pool.shape[2]) != (members, size) or not pool.shape[1]:
        raise ValueError(
            f"visited should be [{members} members, visited, {size}], its shape is {pool.shape}"
        )
    return pool
