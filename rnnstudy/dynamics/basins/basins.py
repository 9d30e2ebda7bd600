"""Basins of attraction by following many states."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arguments import (
    as_float_array,
    check_flag,
    check_level,
    check_number,
    check_whole,
    refuse_all_broken,
)
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.basins.follow import EndStates, follow_to_attractors
from rnnstudy.dynamics.basins.follow_flow import follow_flows
from rnnstudy.dynamics.basins.known_points import KnownPoints
from rnnstudy.dynamics.basins.record import Basins
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.linearisation.modes import wanted_continuous
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import (
    check_arguments,
    check_attractors,
    check_inputs,
    check_layer,
    check_member_starts,
    constant_inputs,
    positive,
    record_or,
)
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.states.sampling import finite_states, scale_of


@check_arguments(
    starts=check_member_starts,
    attractors=record_or(FixedPoints, check_attractors),
    inputs=check_inputs,
    layer=check_layer,
    continuous=check_flag,
    duration=positive("Give the largest time."),
)
def basins(
    network: Any,
    starts: Array,
    attractors: FixedPoints | Array,
    inputs: Array | None = None,
    *,
    steps: int = 10_000,
    tolerance: float = 1e-3,
    confidence: float = 0.95,
    layer: str | None = None,
    continuous: bool | None = None,
    duration: float | None = None,
) -> Basins:
    """Follow states to attractors, for every network and every input.

    Parameters
    ----------
    network
        Network or networks, as for `find_fixed_points`.
    starts
        First states, `[start, state]` for all networks or `[member, start, state]`.
    attractors
        Attractors of all networks, `[attractor, state]`. A `FixedPoints` contributes each member's
        points without unstable directions at each input.
    inputs
        Constant inputs, `[input point, input]`. None: those of the `FixedPoints`, else zeros.
    steps
        Largest number of steps.
    tolerance
        Distance within which a state has arrived, as a share of the states' typical root mean
        square. It is at most a tenth of the distance to the nearest other fixed point.
    confidence
        Level of the intervals of the shares.
    layer
        Name of the recurrent layer of a model with several.
    continuous
        Whether a function is a vector field (inputs, states) -> dh/dt. None: as the `FixedPoints`
        say, else a map, with a warning if it looks like a vector field.
    duration
        Largest time for a vector field. None: `steps` times its typical time, the inverse norm of
        its Jacobians.

    Returns
    -------
    Basins
        Outcome of every start.

    Raises
    ------
    ValueError
        If a shape does not fit, a number is out of range, no start is finite, or two attractors
        are the same.

    References
    ----------
    Brent (1980), An improved Monte Carlo factorization algorithm. BIT 20 (detection of cycles).
    Henon (1982), On the numerical computation of Poincare maps. Physica D 5 (cycles of flows).

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> rnnstudy.basins(bistable, np.array([[0.5], [0.2], [-0.4]]), points)
    3 states followed to: 3 attractor
    """
    check_whole("steps", steps)
    check_number("tolerance", tolerance, above=0.0)
    check_level("confidence", confidence)
    states, constant = as_float_array("starts", starts, finite=False), _inputs(attractors, inputs)
    networks = as_networks(
        network,
        layer,
        state_size=states.shape[-1] if states.ndim else None,
        input_size=None if constant is None else np.atleast_2d(constant).shape[-1],
        probes=states.reshape(-1, states.shape[-1]) if states.ndim > 1 else None,
        continuous=wanted_continuous(attractors, continuous),
    )
    longest = _duration(networks, duration, steps)
    constant = constant_inputs(networks, constant)
    refuse_all_broken("starts", states)
    states = _starts(states, networks)
    points = list(_known_points(attractors, networks, constant, states))
    systems = [known.system for known in points]
    followed = [states[system.member] for system in systems]
    targets = [known.attractors(tolerance) for known in points]
    if networks.is_continuous:
        ends = follow_flows(systems, followed, targets, longest, tolerance)
    else:
        ends = follow_to_attractors(systems, followed, targets, steps, tolerance)
    return _record(states, points, ends, confidence)


def _duration(networks: Networks, duration: float | None, steps: int) -> float:
    """Return the largest time for which a vector field is followed."""
    if duration is None:
        return steps * networks.time_unit
    if not networks.is_continuous:
        raise ValueError(
            f"duration must be None for a map, got {duration}. Give steps, or continuous=True for "
            "a vector field."
        )
    return check_number("duration", duration, above=0.0)


def _known_points(
    attractors: Any, networks: Networks, inputs: Array, starts: Array
) -> Iterator[KnownPoints]:
    """Yield the known points of every network at every input [input point, input].

    Starts [member, start, state] and attractors set the scale of states.
    """
    if not isinstance(attractors, FixedPoints):
        states = as_float_array("attractors", attractors)
        if states.ndim != 2 or states.shape[1] != networks.state_size:
            raise ValueError(
                f"attractors must have shape [attractor, {networks.state_size}], "
                f"got {states.shape}. Give one row per attractor."
            )
    for member, position in np.ndindex(len(networks), len(inputs)):
        if isinstance(attractors, FixedPoints):
            index = np.flatnonzero(
                (attractors.member == member) & (attractors.input_index == position)
            )
            state, n_unstable = attractors.state[index], attractors.n_unstable[index]
        else:
            index, state, n_unstable = np.arange(len(states)), states, np.zeros(len(states), int)
        visited = np.concatenate([starts[member], state[n_unstable == 0]])
        scale = scale_of(finite_states(visited))
        system = AutonomousSystem(networks, member, inputs[position], position, scale)
        points = KnownPoints(system, index, state, n_unstable)
        if (points.isolation[points.stable] == 0).any():
            raise ValueError("attractors must be different states, got one twice. Drop it.")
        yield points


def _inputs(attractors: Any, inputs: Array | None) -> Array | None:
    """Return the inputs [input point, input], or those of the fixed points."""
    if inputs is not None or not isinstance(attractors, FixedPoints):
        return None if inputs is None else as_float_array("inputs", inputs)
    count = attractors.searches["input_index"].max(initial=-1) + 1
    positions, first = np.unique(attractors.input_index, return_index=True)
    if len(positions) != count:
        raise ValueError(
            f"attractors must have fixed points at all {count} inputs, got {len(positions)}. "
            "Pass inputs."
        )
    constant: Array = attractors.inputs[first]
    return constant


def _starts(states: Array, networks: Networks) -> Array:
    """Return the starts of each network, [member, start, state]."""
    shape, size, members = states.shape, networks.state_size, len(networks)
    fits = len(shape) == 2 or (len(shape) == 3 and shape[0] == members)
    if not fits or shape[-1] != size or not states.size:
        raise ValueError(
            f"starts must have shape [start, {size}] or [{members} members, start, {size}], "
            f"got {shape}. Give one row per start."
        )
    return np.broadcast_to(states, (members, *shape[-2:]))


def _record(
    starts: Array,
    points: Sequence[KnownPoints],
    parts: Sequence[EndStates],
    confidence: float,
) -> Basins:
    ends, count = EndStates.join(parts), starts.shape[1]
    members = np.array([known.system.member for known in points])
    positions = np.array([known.system.input_index for known in points])
    counts = [len(known.stable) for known in points]
    first = np.repeat(np.cumsum([0, *counts[:-1]]), count)
    return Basins(
        state=starts[members].reshape(-1, starts.shape[-1]),
        end=ends.state,
        outcome=ends.outcome,
        attractor=np.where(ends.attractor >= 0, first + ends.attractor, -1),
        steps=ends.steps,
        period=ends.period,
        member=np.repeat(members, count),
        input_index=np.repeat(positions, count),
        attractors={
            "state": np.concatenate([known.state[known.stable] for known in points]),
            "member": np.repeat(members, counts),
            "input_index": np.repeat(positions, counts),
            "point": np.concatenate([known.index[known.stable] for known in points]),
        },
        confidence=confidence,
        continuous=points[0].system.networks.is_continuous,
    )
