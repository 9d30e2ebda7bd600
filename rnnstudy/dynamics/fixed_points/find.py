"""All fixed points of trained networks, with a certificate of how complete they are."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.fixed_points.assemble import assemble_fixed_points
from rnnstudy.dynamics.fixed_points.record import FixedPoints as FixedPoints
from rnnstudy.dynamics.fixed_points.rounds import run_search
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.fixed_points.start_points import SearchProblem
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import as_float_array, constant_inputs
from rnnstudy.dynamics.states.sampling import TIME, TRIALS, finite_states

COPIES = 4
"""How often the states to start from are held at a time, while they are computed."""


@one_thread()
def find_fixed_points(
    network: Any,
    inputs: Array | None = None,
    starts: Array | None = None,
    visited: Array | None = None,
    search: FixedPointSearch | None = None,
    *,
    layer: str | None = None,
    state_size: int | None = None,
) -> FixedPoints:
    """All fixed points h = F(h; x) of every network given, in double precision.

    network: a `Population`; a Keras cell of ours, of Keras's or of anybody's, with any number of
    states, `StackedRNNCells`, an RNN layer, or a model with one recurrent layer (if there are
    several, `layer` names one); or a function (inputs [point, input], states [point, state]) ->
    states in TensorFlow operations. The states of a cell are one flat vector, end to end. A cell or
    function of your own gets a certificate if it has an attribute `bound`: the radius of a box
    |h| <= bound, or one radius per entry of the state, out of which no step leads.
    inputs: [input point, input], constant inputs x of the recurrent layer; None: one point, zeros.
    starts: [start, state], where round 1 starts, as given; later rounds start near them.
    visited: [member, visited, state] (for one network also [..., state]), of which round 1 takes a
    sample, with noise; None, with no starts given: states on trajectories under random inputs.
    state_size: that of a function, needed only if neither starts nor visited tell it.
    A member of a population whose weights are not finite has no points and the outcome `diverged`;
    ValueError for any other network with such weights, and for what has no state of its own.
    """
    search = search or FixedPointSearch()
    if not isinstance(search, FixedPointSearch):
        raise ValueError(f"search must be a FixedPointSearch, got {search!r}")
    given = {"inputs": inputs, "starts": starts, "visited": visited}
    inputs, starts, visited = (
        None if values is None else as_float_array(name, values, finite=name == "inputs")
        for name, values in given.items()
    )
    networks = _networks(network, inputs, starts if visited is None else visited, layer, state_size)
    pool = _pool(networks, starts, visited)
    problem = SearchProblem(search, networks, constant_inputs(networks, inputs))
    # The states to start from would be the largest of all arrays.
    held = 8 * COPIES * networks.state_size * (TRIALS * TIME if pool is None else pool.shape[1])
    parts = [
        _found(problem, range(len(networks))[part], pool, exact=starts is not None)
        for part in batches(len(networks), held)
    ]
    return FixedPoints.join(parts) if len(parts) > 1 else parts[0]


def _found(problem: SearchProblem, members: range, pool: Array | None, exact: bool) -> FixedPoints:
    """The points of some members, counted from 0; pool: the states [member, visited, state] from
    which the search of all of them begins."""
    networks, inputs = problem.networks, problem.inputs
    own = networks.visited(members) if pool is None else pool[members.start : members.stop]
    hunts = [
        SearchState(
            member=member,
            input_index=position,
            visited=states if exact else finite_states(states),
            exact=exact,
            bound=networks.bound,
            roots=Roots.none(networks.state_size),
        )
        for member, states in zip(members, own, strict=True)
        for position in range(len(inputs))
    ]
    run_search(problem, hunts)
    found = assemble_fixed_points(networks, hunts, inputs, problem.search)
    return found.shift_indices(members=-members.start) if members.start else found


def _networks(
    network: Any, inputs: Array | None, states: Array | None, layer: str | None, size: int | None
) -> Networks:
    """The networks, whose sizes the inputs and states may have to tell if they are a function."""
    given = np.zeros(0) if states is None else states
    if size is None and given.ndim > 1:
        size = given.shape[-1]
    tried = given.reshape(-1, size) if size and given.size and given.shape[-1] == size else None
    channels = 0 if inputs is None else np.atleast_1d(inputs).shape[-1]
    return as_networks(network, layer, size, channels, tried)


def _pool(networks: Networks, starts: Array | None, visited: Array | None) -> Array | None:
    """The states [member, visited, state] from which the search begins, None if none are given."""
    size, members = networks.state_size, len(networks)
    if starts is not None:
        if starts.ndim != 2 or starts.shape[1] != size or not len(starts):
            raise ValueError(f"starts should be [start, {size}], their shape is {starts.shape}")
        return np.broadcast_to(starts, (members, *starts.shape))
    if visited is None:
        return None
    pool = visited
    if members == 1 and pool.ndim > 1 and pool.shape[-1] == size:
        pool = pool.reshape(1, -1, size)
    if pool.ndim != 3 or (pool.shape[0], pool.shape[2]) != (members, size) or not pool.shape[1]:
        raise ValueError(
            f"visited should be [{members} members, visited, {size}], its shape is {pool.shape}"
        )
    return pool
