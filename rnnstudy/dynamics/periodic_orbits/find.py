"""Periodic orbits of networks, stable or not, with their Floquet multipliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.linearisation.modes import n_unstable
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem, systems_of
from rnnstudy.dynamics.networks.simulate import prepare_arguments, sample_starts
from rnnstudy.dynamics.periodic_orbits.floquet import certificate, multipliers
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
from rnnstudy.dynamics.periodic_orbits.shooting import Shooting, Shots, shoot
from rnnstudy.dynamics.states.clustering import merge
from rnnstudy.dynamics.states.sampling import convex_mixtures

BLOCK_BYTES = 256 * 2**20
"""Memory for the Jacobians of one batch and their products."""

MATRICES = 8
"""Matrices [state, state] that shooting holds per state of an orbit at its peak."""

MIXED = 64
"""Solutions, counting each of its phases, from which mixtures are made at most."""

SAME_STEP = 10.0
"""How much farther apart than the largest Newton step two states of an orbit must be, to be two."""


@one_thread()
def find_cycles(
    network: Any,
    inputs: Array | None = None,
    period: int | Sequence[int] = 2,
    starts: Array | None = None,
    shooting: Shooting | None = None,
    *,
    layer: str | None = None,
    state_size: int | None = None,
) -> Cycles:
    """Periodic orbits h_(i+1) = F(h_i; x) of every network given, stable or not, in float64.

    network, inputs, layer, state_size: as for `find_fixed_points`.
    period: the period sought, or several; an orbit is kept if its least period is among them, so
    that `range(1, 5)` gives fixed points too, and all others no orbit twice.
    starts: [start, state], each the first state of an orbit whose others follow from it; None: near
    states visited under random inputs, half of them after a transient without.
    Multiple shooting by Levenberg-Marquardt; Floquet multipliers are the eigenvalues of the product
    of Jacobians around the orbit (Guckenheimer & Holmes 1983). No certificate says that none is
    missing. ValueError for wrong shapes or periods.
    """
    shooting = shooting or Shooting()
    periods = _periods(period)
    networks, held = prepare_arguments(network, inputs, starts, layer, state_size)
    parts = [
        _orbits(shooting, system, _starts(shooting, system, visited, starts), periods)
        for system, visited in systems_of(networks, held, starts)
    ]
    return Cycles.join(parts)


def _periods(period: int | Sequence[int]) -> list[int]:
    given = np.atleast_1d(np.asarray(period))
    whole = given.ndim == 1 and given.size and np.issubdtype(given.dtype, np.integer)
    if not whole or (given < 1).any():
        raise ValueError(f"period should be one or several whole numbers above 0, it is {period}")
    return sorted({int(p) for p in given})


def _starts(
    shooting: Shooting, system: AutonomousSystem, visited: Array, starts: Array | None
) -> Array:
    """The starts [start, state] of one system; they depend on nothing but itself."""
    seed = (shooting.seed, system.input_index)
    begun = sample_starts(visited, starts, shooting.candidates, shooting.noise, seed)
    if starts is not None:
        return begun
    half = len(begun) // 2
    later = system.simulate(begun[:half], shooting.transient, 1)[:, 0]
    return np.concatenate([later, begun[half:]])


def _orbits(
    shooting: Shooting, system: AutonomousSystem, starts: Array, periods: Sequence[int]
) -> Cycles:
    """The orbits of one network at one input."""
    parts = [_of_period(shooting, system, starts, period, periods) for period in periods]
    return _distinct(shooting, system, Cycles.join(parts))


def _of_period(
    shooting: Shooting,
    system: AutonomousSystem,
    starts: Array,
    period: int,
    periods: Sequence[int],
) -> Cycles:
    """What shooting with so many states finds, each orbit at its least period.

    Later rounds begin with mixtures of the solutions known so far, each at any of its phases:
    saddles lie between what they separate.
    """
    generator = np.random.default_rng((shooting.seed, system.input_index, period))
    guess = system.simulate(starts, 0, period)
    shots = [_shot(shooting, system, guess)]
    known = 0
    for _ in range(shooting.rounds):
        solutions = _solutions(shooting, system, shots, periods)
        states = solutions.distinct
        if len(states) <= max(known, 1):
            break
        known = len(states)
        phases = np.concatenate([np.roll(states, shift, axis=1) for shift in range(period)])
        chosen = generator.permutation(len(phases))[:MIXED]
        mixed = convex_mixtures(phases[chosen].reshape(len(chosen), -1), len(guess), 1.5, generator)
        shots.append(_shot(shooting, system, mixed.reshape(-1, *states.shape[1:])))
    else:
        solutions = _solutions(shooting, system, shots, periods)
    return _record(shooting, system, period, solutions)


@dataclass(frozen=True, eq=False)
class _Solutions:
    """What shots found: the distinct orbits that are sought as (states, Jacobians, residuals,
    hits), the outcome of each shot [start], and all distinct solutions [solution, step, state]."""

    orbits: list[tuple[Array, Array, Array, int]]
    outcome: Array
    distinct: Array


def _solutions(
    shooting: Shooting, system: AutonomousSystem, shots: Sequence[Shots], periods: Sequence[int]
) -> _Solutions:
    whole = Shots.joined(shots)
    outcome = np.where(whole.diverged, DIVERGED, UNSETTLED)
    close = np.flatnonzero(whole.size <= shooting.residual * system.scale)
    group, best = _same(whole.state[close], whole.size[close], shooting.merge * system.scale)
    orbits, known = [], []
    for i, place in enumerate(close[best]):
        own = close[group == i]
        least, outcome[own] = _judged(shooting, system, whole, place, periods)
        if outcome[place] == CONVERGED:
            orbits.append((whole.state[place, :least], whole.jacobian[place, :least],
                           whole.residual[place, :least], len(own)))  # fmt: skip
        if outcome[place] in (CONVERGED, FIXED, SHORTER):
            known.append(place)
    return _Solutions(orbits, outcome, whole.state[known])


def _shot(shooting: Shooting, system: AutonomousSystem, guess: Array) -> Shots:
    """Shooting from orbits [orbit, step, state], in blocks that fit into memory."""
    width = max(1, BLOCK_BYTES // (MATRICES * 8 * guess[0].size * guess.shape[2]))
    blocks = [guess[i : i + width] for i in range(0, len(guess), width)]
    return Shots.joined([shoot(system.linearise, block, shooting.limit) for block in blocks])


def _same(states: Array, residual: Array, radius: float) -> tuple[Array, Array]:
    """Which of the orbits [orbit, step, state] are one, whatever the state they begin with: the
    group of each [orbit], and the orbit of least residual of each group."""
    if not len(states):
        return np.zeros(0, int), np.zeros(0, int)
    orbits, steps, size = states.shape
    label, _ = merge(states.reshape(-1, size), np.repeat(residual, steps), radius)
    # Orbits that share one state share all.
    lowest = label.reshape(orbits, steps).min(axis=1)
    _, group = np.unique(lowest, return_inverse=True)
    order = np.lexsort((residual, group))
    return group, order[np.searchsorted(group[order], np.arange(group.max() + 1))]


def _judged(
    shooting: Shooting, system: AutonomousSystem, shots: Shots, place: int, periods: Sequence[int]
) -> tuple[int, int]:
    """The least period of a solution, and what it is."""
    states = shots.state[place]
    period = len(states)
    room = SAME_STEP * shooting.newton_step * system.scale
    least = next(
        d
        for d in range(1, period + 1)
        if period % d == 0 and np.abs(states - np.roll(states, d, axis=0)).max() <= room
    )
    jacobian, residual = shots.jacobian[place, :least], shots.residual[place, :least]
    step, smallest = certificate(jacobian, residual)
    if not system.networks.within(states).all():
        return least, OUTSIDE
    if smallest < shooting.degenerate or not step <= shooting.newton_step * system.scale:
        return least, DEGENERATE
    if least in periods:
        return least, CONVERGED
    return least, FIXED if least == 1 else SHORTER


def _record(
    shooting: Shooting,
    system: AutonomousSystem,
    period: int,
    solutions: _Solutions,
) -> Cycles:
    orbits, outcome = solutions.orbits, solutions.outcome
    size, count = system.networks.state_size, len(orbits)
    turned = [_turned(states) for states, *_ in orbits]
    values = np.array([multipliers(jacobian) for _, jacobian, *_ in orbits], np.complex128)
    values = values.reshape(count, size)
    return Cycles(
        state=np.concatenate([np.empty((0, size)), *turned]),
        cycle=np.repeat(np.arange(count), [len(states) for states in turned]),
        period=np.array([len(states) for states in turned], int),
        multipliers=values,
        n_unstable=n_unstable(values, shooting.margin),
        index=np.rint(np.sign(np.prod(1.0 - values, axis=1).real)).astype(int),
        residual=np.array([np.sqrt(np.mean(r**2)) for _, _, r, _ in orbits], np.float64),
        inputs=np.repeat(system.constant_input[None], count, axis=0),
        member=np.full(count, system.member),
        input_index=np.full(count, system.input_index),
        n_starts=np.array([n_starts for *_, n_starts in orbits], int),
        outcome=outcome,
        start_member=np.full(len(outcome), system.member),
        start_input=np.full(len(outcome), system.input_index),
        start_period=np.full(len(outcome), period),
        margin=shooting.margin,
    )


def _turned(states: Array) -> Array:
    """An orbit [step, state] from the state on that comes first by its first coordinates."""
    first = np.lexsort(states.round(6).T[::-1])[0]
    return np.roll(states, -first, axis=0)


def _distinct(shooting: Shooting, system: AutonomousSystem, found: Cycles) -> Cycles:
    """Orbits that several periods led to, once, with the hits of all; shortest period first."""
    kept: list[int] = []
    n_starts = found.n_starts.copy()
    room = shooting.merge * system.scale
    order = np.lexsort((found.n_unstable, found.period))
    apart = partial(_apart, found)
    for i in order:
        known = [j for j in kept if found.period[j] == found.period[i] and apart(i, j) <= room]
        if known:
            n_starts[known[0]] += n_starts[i]
        else:
            kept.append(int(i))
    return found.counted_anew(n_starts)[np.array(kept, int)]


def _apart(found: Cycles, i: int, j: int) -> float:
    """Root mean square distance of one orbit's first state from the nearest of another's."""
    first, others = found.orbit(i)[0], found.orbit(j)
    return float(np.sqrt(np.mean((others - first) ** 2, axis=1)).min())
