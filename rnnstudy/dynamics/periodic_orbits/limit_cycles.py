"""Search for periodic orbits of vector fields, whose period is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.dynamics.linearisation.modes import n_unstable
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.periodic_orbits.floquet import floquet_multipliers
from rnnstudy.dynamics.periodic_orbits.flow_returns import (
    RECORDED_UNITS,
    SAMPLES_PER_UNIT,
    OrbitGuess,
    guess_from_returns,
    has_escaped,
    is_at_rest,
    trajectories,
)
from rnnstudy.dynamics.periodic_orbits.flow_shooting import FlowOrbit, orbit_samples, shoot
from rnnstudy.dynamics.periodic_orbits.record import (
    CONVERGED,
    DEGENERATE,
    DIVERGED,
    FIXED,
    OUTSIDE,
    UNSETTLED,
    Cycles,
    transverse,
)
from rnnstudy.dynamics.periodic_orbits.search import OrbitSearch

MAX_SHOTS = 24
"""Largest number of guesses of one system that are solved, those of least gap and period."""

SAMPLES = 96
"""States of each orbit in the record, at least. They are evenly spaced in time."""

DIVISIBLE = 840
"""States of each segment by which shorter periods are recognised. Every number up to 8 divides it.
"""

NEAR = 0.02
"""Distance of a state from an orbit, as a share of the scale, within which it is on the orbit."""

SAME_PERIOD = 1e-6
"""Relative difference of the periods of two solutions that are one orbit."""

ALIKE_PERIOD = 0.03
"""Relative difference of the periods of two guesses that are one if they are near each other."""

MAX_DIVISOR = 8
"""Largest number of turns of an orbit that a solution may make."""


@dataclass(frozen=True, eq=False)
class _Known:
    """An orbit, its states `[step, state]`, multipliers `[mode]`, outcome, and its starts."""

    orbit: FlowOrbit
    states: Array
    multipliers: Array
    outcome: int
    starts: set[int]


def find_limit_cycles(
    search: OrbitSearch, system: AutonomousSystem, starts: Array, periods: Sequence[float]
) -> Cycles:
    """Return the periodic orbits of one vector field at one input, each at its least period.

    Without periods, guesses are returns of trajectories from the starts, forward and backward in
    time: attracting orbits come from the former, repelling ones in the plane from the latter. With
    periods, each start and period is a guess.
    """
    if len(periods):
        outcome = np.full(len(starts), UNSETTLED)
        guesses = [
            OrbitGuess(state, float(period), 0.0, i)
            for i, state in enumerate(starts)
            for period in periods
            if np.isfinite(state).all()
        ]
        outcome[~np.isfinite(starts).all(axis=1)] = DIVERGED
    else:
        guesses, outcome = _guess(search, system, starts)
    known = _solve(search, system, guesses)
    guessed = np.zeros(len(starts))
    for each in known:
        members = np.array(sorted(each.starts), int)
        better = members[outcome[members] != CONVERGED]
        outcome[better] = each.outcome
        guessed[better] = each.orbit.period
    orbits = [each for each in known if each.outcome == CONVERGED]
    orbits.sort(key=lambda each: (round(each.orbit.period / system.networks.time_unit, 6),))
    return _record(search, system, orbits, outcome, guessed)


def _guess(
    search: OrbitSearch, system: AutonomousSystem, starts: Array
) -> tuple[list[OrbitGuess], Array]:
    """Return guesses from returns of trajectories, and the outcome of each start without them."""
    outcome, guesses = np.full(len(starts), UNSETTLED), list[OrbitGuess]()
    is_finite = np.isfinite(starts).all(axis=1)
    outcome[~is_finite] = DIVERGED
    bytes_each = 8 * RECORDED_UNITS * SAMPLES_PER_UNIT * starts.shape[1] * 4
    rows = np.flatnonzero(is_finite)
    for part in batches(len(rows), bytes_each):
        block = rows[part]
        for sign in (1, -1):
            times, paths = trajectories(system, starts[block], search.transient, sign)
            for i, path in zip(block.tolist(), paths, strict=True):
                if has_escaped(system, path):
                    outcome[i] = DIVERGED if sign > 0 else outcome[i]
                elif is_at_rest(system, path):
                    outcome[i] = FIXED if sign > 0 else outcome[i]
                else:
                    guesses += guess_from_returns(times, path, i)
    return guesses, outcome


def _solve(
    search: OrbitSearch, system: AutonomousSystem, guesses: Sequence[OrbitGuess]
) -> list[_Known]:
    """Return the solutions that guesses lead to. A guess on a known orbit is not solved again."""
    known: list[_Known] = []
    shots = 0
    # Gaps within a decade are alike, and shorter orbits are the simpler ones.
    unit = 1e-12 * system.scale
    order = sorted(guesses, key=lambda g: (round(np.log10(g.gap + unit)), g.period))
    for guess in order:
        same = next((k for k in known if _is_on(system, k, guess.state, guess.period)), None)
        if same is not None:
            same.starts.add(guess.start)
        elif shots < MAX_SHOTS:
            shots += 1
            orbit = _shoot_least(search, system, guess)
            if orbit is not None:
                _add(search, system, known, orbit, guess.start)
    return known


def _is_on(system: AutonomousSystem, known: _Known, state: Array, period: float) -> bool:
    """Return True if a guess is on a known orbit, at its period."""
    ratio = period / known.orbit.period
    if abs(ratio - 1.0) > ALIKE_PERIOD:
        return False
    return _distance(system, known, state) <= NEAR * system.scale


def _distance(system: AutonomousSystem, known: _Known, state: Array) -> float:
    """Return the root mean square distance of a state from an orbit, across the orbit."""
    offset = state - known.states
    nearest = int(np.argmin(np.sum(offset**2, axis=1)))
    line = known.states[(nearest + 1) % len(offset)] - known.states[nearest - 1]
    line = line / max(float(np.linalg.norm(line)), np.finfo(float).tiny)
    across = offset[nearest] - (offset[nearest] @ line) * line
    return float(np.sqrt(np.mean(across**2)))


def _shoot_least(
    search: OrbitSearch, system: AutonomousSystem, guess: OrbitGuess
) -> FlowOrbit | None:
    """Return the orbit that a guess leads to, at its least period; None without a solution."""
    orbit = shoot(system, guess.state, guess.period, search.limit)
    if orbit is None or not _is_solved(search, system, orbit):
        return None
    states = orbit_samples(system, orbit, DIVISIBLE)
    for turns in range(MAX_DIVISOR, 1, -1):
        shifted = np.roll(states, -(len(states) // turns), axis=0)
        if np.abs(shifted - states).max() > search.merge * system.scale:
            continue
        shorter = shoot(system, orbit.state[0], orbit.period / turns, search.limit)
        if shorter is not None and _is_solved(search, system, shorter):
            return shorter
    return orbit


def _is_solved(search: OrbitSearch, system: AutonomousSystem, orbit: FlowOrbit) -> bool:
    size = np.sqrt(np.mean(orbit.residual**2))
    return bool(size <= search.residual * system.scale)


def _add(
    search: OrbitSearch,
    system: AutonomousSystem,
    known: list[_Known],
    orbit: FlowOrbit,
    start: int,
) -> None:
    """Add a solution, or its start to the known orbit that it is."""
    for each in known:
        is_alike = abs(orbit.period / each.orbit.period - 1.0) <= SAME_PERIOD
        if is_alike and _distance(system, each, orbit.state[0]) <= NEAR * system.scale:
            each.starts.add(start)
            return
    states = orbit_samples(system, orbit, -(-SAMPLES // len(orbit.state)))
    values = floquet_multipliers(orbit.transition)
    outcome = _outcome(search, system, orbit, states)
    known.append(_Known(orbit, states, values, outcome, {start}))


def _outcome(search: OrbitSearch, system: AutonomousSystem, orbit: FlowOrbit, states: Array) -> int:
    if np.ptp(states, axis=0).max() <= search.merge * system.scale:
        return FIXED
    if not system.networks.within(states).all():
        return OUTSIDE
    is_certain = orbit.step <= search.newton_step * system.scale
    if orbit.singular_value < search.degenerate or not is_certain:
        return DEGENERATE
    return CONVERGED


def _record(
    search: OrbitSearch,
    system: AutonomousSystem,
    orbits: Sequence[_Known],
    outcome: Array,
    guessed: Array,
) -> Cycles:
    size, count = system.networks.state_size, len(orbits)
    states = [each.states for each in orbits]
    values = np.array([each.multipliers for each in orbits], np.complex128).reshape(count, size)
    others = transverse(values)
    return Cycles(
        state=np.concatenate([np.empty((0, size)), *states]),
        cycle=np.repeat(np.arange(count), [len(part) for part in states]),
        period=np.array([each.orbit.period for each in orbits], np.float64),
        multipliers=values,
        n_unstable=n_unstable(others, search.margin),
        index=np.rint(np.sign(np.prod(1.0 - others, axis=1).real)).astype(int),
        residual=np.array([np.sqrt(np.mean(o.orbit.residual**2)) for o in orbits], np.float64),
        inputs=np.repeat(system.constant_input[None], count, axis=0),
        member=np.full(count, system.member),
        input_index=np.full(count, system.input_index),
        n_starts=np.array([len(each.starts) for each in orbits], int),
        outcome=outcome,
        start_member=np.full(len(outcome), system.member),
        start_input=np.full(len(outcome), system.input_index),
        start_period=guessed,
        margin=search.margin,
        continuous=True,
    )
