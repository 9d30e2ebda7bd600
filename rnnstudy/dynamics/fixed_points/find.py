"""Search for all fixed points of networks, with a certificate of completeness."""

from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_flag, refuse_all_broken
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.fixed_points.assemble import assemble_fixed_points
from rnnstudy.dynamics.fixed_points.record import CONSISTENT, NOT_APPLICABLE, VERDICTS
from rnnstudy.dynamics.fixed_points.record import FixedPoints as FixedPoints
from rnnstudy.dynamics.fixed_points.rounds import run_search
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.arguments import (
    check_arguments,
    check_inputs,
    check_layer,
    check_starts,
    check_state_size,
    check_visited,
    constant_inputs,
    instance_of,
)
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.networks.interface import Networks
from rnnstudy.dynamics.states.sampling import TIME, TRIALS, finite_states, scale_of

POOL_COPIES = 4
"""Copies of the visited states in memory while they are computed."""


@check_arguments(
    inputs=check_inputs,
    starts=check_starts,
    visited=check_visited,
    search=instance_of(FixedPointSearch, "Use FixedPointSearch(rounds=2)."),
    layer=check_layer,
    state_size=check_state_size,
    strict=check_flag,
    continuous=check_flag,
)
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
    strict: bool = False,
    continuous: bool | None = None,
) -> FixedPoints:
    """Return all fixed points h = F(h; x) of one or many networks, computed in float64.

    A function may also be a vector field dh/dt = f(h; x) with fixed points f(h; x) = 0.

    Parameters
    ----------
    network
        A `Population`; a Keras RNN cell with any states, `StackedRNNCells`, an RNN layer, or a
        model with one recurrent layer; a PyTorch module as `from_torch` takes it; or a function
        (inputs `[point, input]`, states `[point, state]`) -> states in TensorFlow or PyTorch
        operations. The states of a cell are one flat vector, end to end. A cell or function with
        an attribute `bound` gets a certificate: the radius of a box |h| <= bound, or one radius per
        entry, that no step leaves.
    inputs
        Constant inputs x of the recurrent layer, `[input point, input]`. None: one point, zeros.
    starts
        States `[start, state]` where round 1 starts. Later rounds start near them. A start that is
        not finite has the outcome `diverged`; at least one is finite.
    visited
        States `[member, visited, state]` (one network: also `[..., state]`). Half of round 1 starts
        from a sample of them, with noise, half anywhere in the invariant box. None, without starts:
        states under random inputs.
    search
        Settings of the search. None: `FixedPointSearch()`.
    layer
        Name of the recurrent layer of a model that has several.
    state_size
        Length of a function's state, if neither starts nor visited show it.
    strict
        Raise an error if a certificate is not `consistent`. Certificates that are `not applicable`
        pass where the network has no invariant box, since no search can show more there. They
        raise if all starts of a bounded network diverged.
    continuous
        Whether a function is a vector field (inputs, states) -> dh/dt. Then its attribute `bound`
        is the radius of a box on whose faces the field points inwards. None: a function is a map,
        with a warning if it looks like a vector field.

    Returns
    -------
    FixedPoints
        Points of all members and inputs, with slow points, continua and the certificate. A member
        whose weights are not finite has no points, and its starts have the outcome `diverged`.

    Raises
    ------
    ValueError
        If the network has no state, or an array has the wrong shape or no finite start. Also if
        weights of anything but a population are not finite.
    TypeError
        If an argument has another type.
    IncompleteSearch
        With `strict`, if a certificate is not consistent.

    References
    ----------
    Sussillo & Barak 2013, Opening the black box, section 2: fixed and slow points.
    Farrell, Birkisson & Funke 2015, eq. 2.5: deflation. Chao 1984: missing points.

    Examples
    --------
    >>> import numpy as np, tensorflow as tf
    >>> points = find_fixed_points(
    ...     lambda inputs, states: tf.tanh(2.0 * states), starts=np.linspace(-1, 1, 9)[:, None]
    ... )
    >>> points.state[:, 0].round(3).tolist(), points.kind.tolist()
    ([-0.958, 0.958, 0.0], ['stable', 'stable', 'repeller'])

    A vector field, of which the eigenvalues' real parts decide:

    >>> points = find_fixed_points(
    ...     lambda inputs, states: states - states**3, state_size=1, continuous=True
    ... )
    >>> points.state[:, 0].round(3).tolist(), points.kind.tolist()
    ([-1.0, 1.0, 0.0], ['stable', 'stable', 'repeller'])
    """
    settings = search or FixedPointSearch()
    arrays = {"inputs": inputs, "starts": starts, "visited": visited}
    inputs, starts, visited = (
        None if values is None else as_float_array(name, values, finite=name == "inputs")
        for name, values in arrays.items()
    )
    if starts is not None:
        refuse_all_broken("starts", starts)
    states = starts if visited is None else visited
    networks = _as_networks(network, inputs, states, layer, state_size, continuous)
    pool = _as_pool(networks, starts, visited)
    points = constant_inputs(networks, inputs)
    # The visited states would be the largest of all arrays.
    visits = TRIALS * TIME if pool is None else pool.shape[1]
    parts = [
        _search_members(
            networks, range(len(networks))[part], points, settings, pool, starts is not None
        )
        for part in batches(len(networks), 8 * POOL_COPIES * networks.state_size * visits)
    ]
    record = FixedPoints.join(parts) if len(parts) > 1 else parts[0]
    if strict:
        _require_consistent(record, is_bounded=networks.bound is not None)
    return record


class IncompleteSearch(ValueError):
    """A certificate that is not consistent, in a strict search."""


def _require_consistent(points: FixedPoints, is_bounded: bool) -> None:
    """Raise IncompleteSearch, with the first such certificate, unless all are consistent."""
    verdict = points.searches["verdict"]
    is_incomplete = verdict != CONSISTENT
    if not is_bounded:
        is_incomplete &= verdict != NOT_APPLICABLE
    rows = np.flatnonzero(is_incomplete)
    if not len(rows):
        return
    row = {name: values[rows[0]] for name, values in points.searches.items()}
    raise IncompleteSearch(
        f"The certificate must be consistent, got '{VERDICTS[row['verdict']]}' in {len(rows)} of "
        f"{len(verdict)} searches, first for member {row['member']} at input "
        f"{row['input_index']}: {row['points']} points with index sum {row['index_sum']} (1 if "
        f"complete), {row['fresh']} new in the last of {row['rounds']} rounds, an estimate of "
        f"{row['unseen']:.1f} missing, {row['degenerate']} degenerate roots. Raise `rounds` or "
        "`candidates` of FixedPointSearch, check the weights, or set strict=False."
    )


def _search_members(
    networks: Networks,
    members: range,
    inputs: Array,
    settings: FixedPointSearch,
    pool: Array | None,
    starts_as_given: bool,
) -> FixedPoints:
    """Return the points of some members, counted from 0.

    pool: visited states `[member, visited, state]` of all members; None for the networks' own.
    """
    rows = slice(members.start, members.stop)
    states = networks.sample_visited(members) if pool is None else pool[rows]
    searches = []
    for member, visited in zip(members, states, strict=True):
        begin = visited if starts_as_given else finite_states(visited)
        scale, roots = scale_of(begin), Roots.none(networks.state_size)
        for position, constant_input in enumerate(inputs):
            system = AutonomousSystem(networks, member, constant_input, position, scale)
            searches.append(SearchState(system, begin, starts_as_given, roots))
    run_search(settings, searches, len(inputs))
    points = assemble_fixed_points(networks, searches, settings)
    return points.shift_indices(members=-members.start) if members.start else points


def _as_networks(
    network: Any,
    inputs: Array | None,
    states: Array | None,
    layer: str | None,
    size: int | None,
    continuous: bool | None,
) -> Networks:
    """Return the networks. Inputs and states show the sizes of a function."""
    values = np.zeros(0) if states is None else states
    if size is None and values.ndim > 1:
        size = values.shape[-1]
    fits = size and values.size and values.shape[-1] == size
    probes = values.reshape(-1, size) if fits and size else None
    channels = 0 if inputs is None else np.atleast_1d(inputs).shape[-1]
    return as_networks(network, layer, size, channels, probes, continuous)


def _as_pool(networks: Networks, starts: Array | None, visited: Array | None) -> Array | None:
    """Return the states `[member, visited, state]` of round 1, None without starts and visited."""
    size, members = networks.state_size, len(networks)
    if starts is not None:
        if starts.ndim != 2 or starts.shape[1] != size or not len(starts):
            raise ValueError(
                f"starts must be [start, {size}], got shape {starts.shape}. Give one row per start."
            )
        return np.broadcast_to(starts, (members, *starts.shape))
    if visited is None:
        return None
    pool = visited
    if members == 1 and pool.ndim > 1 and pool.shape[-1] == size:
        pool = pool.reshape(1, -1, size)
    if pool.ndim != 3 or (pool.shape[0], pool.shape[2]) != (members, size) or not pool.shape[1]:
        raise ValueError(
            f"visited must be [{members} members, visited, {size}], got shape {pool.shape}. "
            "Give at least one state per member."
        )
    return pool
