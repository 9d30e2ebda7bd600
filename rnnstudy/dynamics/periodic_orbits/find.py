"""Search for periodic orbits, stable or not, with their Floquet multipliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_flag
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.core.deprecations import accept_former_arguments
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.linearisation.modes import n_unstable
from rnnstudy.dynamics.networks.arguments import (
    check_arguments,
    check_inputs,
    check_layer,
    check_periods,
    check_starts,
    check_state_size,
    instance_of,
)
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem, systems_of
from rnnstudy.dynamics.networks.simulate import prepare_arguments, sample_starts
from rnnstudy.dynamics.periodic_orbits.floquet import floquet_multipliers, orbit_certificate
from rnnstudy.dynamics.periodic_orbits.limit_cycles import find_limit_cycles
from rnnstudy.dynamics.periodic_orbits.record import (
    CONVERGED,
    DEGENERATE,
    DIVERGED,
    FIXED,
    OUTSIDE,
    SHORTER,
    UNSETTLED,
    Cycles,
)
from rnnstudy.dynamics.periodic_orbits.search import OrbitSearch
from rnnstudy.dynamics.periodic_orbits.shooting import ShootingResult, multiple_shooting
from rnnstudy.dynamics.states.clustering import merge
from rnnstudy.dynamics.states.sampling import convex_mixtures

SHOOTING_MATRICES = 8
"""Matrices `[state, state]` that shooting holds per state of an orbit at its peak."""

MAX_MIXED = 64
"""Largest number of solutions in mixtures. Each phase of an orbit counts."""

MIXTURE_REACH = 1.5
"""Distance of mixtures from the centre of the solutions, as a share of the convex one, at most."""

MAX_FLOW_STARTS = 24
"""Largest number of starts of a vector field, if none are passed. Each has many returns."""

DISTINCT_STEPS = 10.0
"""Least distance of two different states of an orbit, in units of the largest Newton step."""


@accept_former_arguments(shooting="search")
@check_arguments(
    inputs=check_inputs,
    period=check_periods,
    starts=check_starts,
    search=instance_of(OrbitSearch, "Use OrbitSearch(rounds=2)."),
    layer=check_layer,
    state_size=check_state_size,
    continuous=check_flag,
)
@one_thread()
def find_cycles(
    network: Any,
    inputs: Array | None = None,
    period: float | Sequence[float] | None = None,
    starts: Array | None = None,
    search: OrbitSearch | None = None,
    *,
    layer: str | None = None,
    state_size: int | None = None,
    continuous: bool | None = None,
) -> Cycles:
    """Find periodic orbits h_(i+1) = F(h_i; x) of every network, stable or not, in float64.

    Multiple shooting by Levenberg-Marquardt moves all states of an orbit at once. Later rounds
    start at mixtures of the solutions. Each orbit occurs once, at its least period. No certificate
    says that none is missing.

    For a vector field, multiple shooting along the flow has the period among its unknowns. Its
    guesses are returns of trajectories to a plane, forward and backward in time.

    Parameters
    ----------
    network
        Network or networks, as for `find_fixed_points`.
    inputs
        Constant inputs, `[input point, input]`. None: zeros.
    period
        Requested period, or several. An orbit is in the record if its least period is requested.
        `range(1, 5)` includes fixed points. None: 2. For a vector field: guesses of the period,
        with which shooting begins at each of `starts`. None: returns of trajectories.
    starts
        First states of orbits, `[start, state]`, whose other states follow from them. None: states
        near those visited under random inputs, half of them after a transient.
    search
        Settings of the search. None: the defaults of `OrbitSearch`.
    layer
        Name of the recurrent layer of a model with several.
    state_size
        Length of the state of a plain function.
    continuous
        Whether a function is a vector field (inputs, states) -> dh/dt. None: it is a map, with a
        warning if it looks like a vector field.

    Returns
    -------
    Cycles
        Distinct orbits with their Floquet multipliers.

    Raises
    ------
    ValueError
        If a shape or a period does not fit.

    References
    ----------
    Guckenheimer & Holmes (1983), Nonlinear oscillations, dynamical systems, and bifurcations of
    vector fields (Floquet multipliers).

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def flip(inputs, state):
    ...     return tf.tanh(-2.0 * state)
    >>> orbits = rnnstudy.find_cycles(flip, period=2, starts=np.array([[0.5], [0.9]]))
    >>> orbits
    1 periodic orbit: 1 of period 2
    >>> orbits.kind.tolist()
    ['stable']

    A vector field with a cycle of radius 1 and period 2 pi:

    >>> def turn(inputs, state):
    ...     p, q = state[:, :1], state[:, 1:]
    ...     growth = 1.0 - p**2 - q**2
    ...     return tf.concat([growth * p - q, growth * q + p], axis=1)
    >>> cycle = rnnstudy.find_cycles(turn, starts=np.array([[0.5, 0.0]]), continuous=True)
    >>> cycle.period.round(6).tolist(), cycle.kind.tolist()
    ([6.283185], ['stable'])
    """
    search = search or OrbitSearch()
    networks, constant_inputs = prepare_arguments(
        network, inputs, starts, layer, state_size, continuous
    )
    if networks.is_continuous:
        guesses = _guessed_periods(period, starts)
        return Cycles.join(
            [
                find_limit_cycles(search, system, _starts(search, system, visited, starts), guesses)
                for system, visited in systems_of(networks, constant_inputs, starts)
            ]
        )
    periods = _periods(2 if period is None else period)
    return Cycles.join(
        [
            _orbits(search, system, _starts(search, system, visited, starts), periods)
            for system, visited in systems_of(networks, constant_inputs, starts)
        ]
    )


def _guessed_periods(period: float | Sequence[float] | None, starts: Array | None) -> list[float]:
    """Return guesses of the period of a vector field's orbits; none for None."""
    if period is None:
        return []
    values = np.atleast_1d(as_float_array("period", period))
    if values.ndim != 1 or not values.size or (values <= 0).any():
        raise ValueError(f"period must be one or several times above 0, got {period}.")
    if starts is None:
        raise ValueError(
            "starts must be states near the orbits if period has guesses, got None. Give starts, "
            "or leave period out."
        )
    return [float(value) for value in values]


def _periods(period: float | Sequence[float]) -> list[int]:
    values = np.atleast_1d(np.asarray(period))
    whole = values.ndim == 1 and values.size and np.issubdtype(values.dtype, np.integer)
    if not whole or (values < 1).any():
        raise ValueError(f"period must be one or several whole numbers above 0, got {period}.")
    return sorted({int(p) for p in values})


def _starts(
    search: OrbitSearch, system: AutonomousSystem, visited: Array, starts: Array | None
) -> Array:
    """Return the first states [start, state] of one system. They do not depend on other systems."""
    seed = (search.seed, system.input_index)
    is_flow = system.networks.is_continuous
    count = min(search.candidates, MAX_FLOW_STARTS) if is_flow else search.candidates
    states = sample_starts(visited, starts, count, search.noise, seed)
    if starts is not None or is_flow:
        return states
    half = len(states) // 2
    later = system.simulate(states[:half], search.transient, 1)[:, 0]
    return np.concatenate([later, states[half:]])


def _orbits(
    search: OrbitSearch, system: AutonomousSystem, starts: Array, periods: Sequence[int]
) -> Cycles:
    """Return the orbits of one system."""
    parts = [_of_period(search, system, starts, period, periods) for period in periods]
    return _distinct(search, system, Cycles.join(parts))


def _of_period(
    search: OrbitSearch,
    system: AutonomousSystem,
    starts: Array,
    period: int,
    periods: Sequence[int],
) -> Cycles:
    """Return the orbits that shooting with so many states finds, each at its least period.

    Later rounds start at mixtures of the solutions so far, each at any of its phases. Saddles lie
    between the orbits that they separate.
    """
    generator = np.random.default_rng((search.seed, system.input_index, period))
    guess = system.simulate(starts, 0, period)
    results = [_shoot(search, system, guess)]
    known = 0
    for _ in range(search.rounds):
        solutions = _solutions(search, system, results, periods)
        states = solutions.distinct
        if len(states) <= max(known, 1):
            break
        known = len(states)
        phases = np.concatenate([np.roll(states, shift, axis=1) for shift in range(period)])
        chosen = generator.permutation(len(phases))[:MAX_MIXED]
        flat = phases[chosen].reshape(len(chosen), -1)
        mixed = convex_mixtures(flat, len(guess), MIXTURE_REACH, generator)
        results.append(_shoot(search, system, mixed.reshape(-1, *states.shape[1:])))
    else:
        solutions = _solutions(search, system, results, periods)
    return _record(search, system, period, solutions)


def _shoot(search: OrbitSearch, system: AutonomousSystem, guess: Array) -> ShootingResult:
    """Run shooting from orbits [orbit, step, state], in batches of bounded memory."""
    bytes_each = 8 * SHOOTING_MATRICES * guess[0].size * guess.shape[2]
    return ShootingResult.join(
        [
            multiple_shooting(system.linearise, guess[part], search.limit)
            for part in batches(len(guess), bytes_each)
        ]
    )


@dataclass(frozen=True, eq=False)
class _Orbit:
    """One requested orbit: states, Jacobians and residuals [step, ...], and number of starts."""

    state: Array
    jacobian: Array
    residual: Array
    n_starts: int


@dataclass(frozen=True, eq=False)
class _Solutions:
    """Requested orbits, outcome of each start [start], and all distinct solutions
    [solution, step, state]."""

    orbits: list[_Orbit]
    outcome: Array
    distinct: Array


def _solutions(
    search: OrbitSearch,
    system: AutonomousSystem,
    results: Sequence[ShootingResult],
    periods: Sequence[int],
) -> _Solutions:
    every = ShootingResult.join(results)
    outcome = np.where(every.diverged, DIVERGED, UNSETTLED)
    solved = np.flatnonzero(every.residual_size <= search.residual * system.scale)
    radius = search.merge * system.scale
    group, best = _same_orbit(every.state[solved], every.residual_size[solved], radius)
    orbits, distinct = [], []
    for i, index in enumerate(solved[best]):
        members = solved[group == i]
        least, outcome[members] = _classify(search, system, every, index, periods)
        if outcome[index] == CONVERGED:
            state, jacobian = every.state[index, :least], every.jacobian[index, :least]
            orbits.append(_Orbit(state, jacobian, every.residual[index, :least], len(members)))
        if outcome[index] in (CONVERGED, FIXED, SHORTER):
            distinct.append(index)
    return _Solutions(orbits, outcome, every.state[distinct])


def _same_orbit(states: Array, residual: Array, radius: float) -> tuple[Array, Array]:
    """Group [orbit] of orbits [orbit, step, state] that are one but for their first state, and the
    orbit of least residual of each group."""
    if not len(states):
        return np.zeros(0, int), np.zeros(0, int)
    orbits, steps, size = states.shape
    label, _ = merge(states.reshape(-1, size), np.repeat(residual, steps), radius)
    # Orbits that share one state share all.
    lowest = label.reshape(orbits, steps).min(axis=1)
    _, group = np.unique(lowest, return_inverse=True)
    order = np.lexsort((residual, group))
    return group, order[np.searchsorted(group[order], np.arange(group.max() + 1))]


def _classify(
    search: OrbitSearch,
    system: AutonomousSystem,
    results: ShootingResult,
    index: int,
    periods: Sequence[int],
) -> tuple[int, int]:
    """Return the least period and outcome of a solution."""
    states = results.state[index]
    period = len(states)
    radius = DISTINCT_STEPS * search.newton_step * system.scale
    least = next(
        d
        for d in range(1, period + 1)
        if period % d == 0 and np.abs(states - np.roll(states, d, axis=0)).max() <= radius
    )
    jacobian, residual = results.jacobian[index, :least], results.residual[index, :least]
    step, smallest = orbit_certificate(jacobian, residual)
    if not system.networks.within(states).all():
        return least, OUTSIDE
    if smallest < search.degenerate or not step <= search.newton_step * system.scale:
        return least, DEGENERATE
    if least in periods:
        return least, CONVERGED
    return least, FIXED if least == 1 else SHORTER


def _record(
    search: OrbitSearch, system: AutonomousSystem, period: int, solutions: _Solutions
) -> Cycles:
    orbits, outcome = solutions.orbits, solutions.outcome
    size, count = system.networks.state_size, len(orbits)
    states = [_from_first(orbit.state) for orbit in orbits]
    values = np.array([floquet_multipliers(orbit.jacobian) for orbit in orbits], np.complex128)
    values = values.reshape(count, size)
    residual = [np.sqrt(np.mean(orbit.residual**2)) for orbit in orbits]
    return Cycles(
        state=np.concatenate([np.empty((0, size)), *states]),
        cycle=np.repeat(np.arange(count), [len(part) for part in states]),
        period=np.array([len(part) for part in states], int),
        multipliers=values,
        n_unstable=n_unstable(values, search.margin),
        index=np.rint(np.sign(np.prod(1.0 - values, axis=1).real)).astype(int),
        residual=np.array(residual, np.float64),
        inputs=np.repeat(system.constant_input[None], count, axis=0),
        member=np.full(count, system.member),
        input_index=np.full(count, system.input_index),
        n_starts=np.array([orbit.n_starts for orbit in orbits], int),
        outcome=outcome,
        start_member=np.full(len(outcome), system.member),
        start_input=np.full(len(outcome), system.input_index),
        start_period=np.full(len(outcome), period),
        margin=search.margin,
    )


def _from_first(states: Array) -> Array:
    """Return an orbit [step, state] from the state that is first in the order of coordinates."""
    first = np.lexsort(states.round(6).T[::-1])[0]
    return np.roll(states, -first, axis=0)


def _distinct(search: OrbitSearch, system: AutonomousSystem, orbits: Cycles) -> Cycles:
    """Return the distinct orbits of several periods, shortest first, with all their starts."""
    distinct: list[int] = []
    n_starts = orbits.n_starts.copy()
    radius = search.merge * system.scale
    distance = partial(_distance, orbits)
    for i in np.lexsort((orbits.n_unstable, orbits.period)):
        same = [
            j for j in distinct if orbits.period[j] == orbits.period[i] and distance(i, j) <= radius
        ]
        if same:
            n_starts[same[0]] += n_starts[i]
        else:
            distinct.append(int(i))
    return orbits.with_n_starts(n_starts)[np.array(distinct, int)]


def _distance(orbits: Cycles, i: int, j: int) -> float:
    """Return the distance of one orbit's first state from another orbit."""
    first, others = orbits.orbit(i)[0], orbits.orbit(j)
    return float(np.sqrt(np.mean((others - first) ** 2, axis=1)).min())
