"""Invariant circles of networks: closed curves on which states go round without ever repeating."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Component
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.invariant_circles.fourier import (
    aligned,
    amplitude,
    average,
    distance,
    fitted,
    misfit,
)
from rnnstudy.dynamics.invariant_circles.record import (
    CIRCLE,
    ESCAPED,
    FIXED,
    PERIODIC,
    UNSETTLED,
    Circles,
)
from rnnstudy.dynamics.invariant_circles.rotation import rotation_number
from rnnstudy.dynamics.networks.autonomous_system import (
    AutonomousSystem,
    simulate_systems,
    systems_of,
)
from rnnstudy.dynamics.networks.simulate import prepare_arguments, sample_starts

BLOCK_BYTES = 256 * 2**20
"""Memory for the trajectories of one batch."""

FAR = 1e6
"""Root mean square, as a share of the scale, beyond which a state has escaped."""

STILL = 1e-6
"""Distance from its end, as a share of the scale, within which a state at rest stays for the last
quarter of a trajectory."""

RETURN = 1e-8
"""Distance, as a share of the scale, at which a state on a periodic orbit comes back."""

ALONG = 1000
"""Steps along a circle from which its transverse exponent comes."""

JACOBIANS = 250
"""Jacobians along a circle that are held at a time."""

SAME_ROTATION = 1e-6
"""Difference of the rotation numbers of one and the same circle."""


class Circling(Component):
    """How invariant circles are looked for."""

    candidates: Annotated[int, Field(ge=1)] = 4
    """Number of starts per network and input, if none are given."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states as a share of their root mean square."""

    transient: Annotated[int, Field(ge=0)] = 2000
    """Steps that a state is followed before it is looked at."""

    steps: Annotated[int, Field(ge=256)] = 4096
    """Steps that are looked at; some fifty rounds of a circle at least."""

    rounds: Annotated[int, Field(ge=1)] = 3
    """How often a state that has not settled is followed on, each time for twice as long."""

    harmonics: Annotated[int, Field(ge=2, le=512)] = 128
    """Highest order of the Fourier series of a circle."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-3
    """Largest distance of a circle from its own image, and of the states from it, as a share of its
    amplitude."""

    merge: Annotated[float, Field(gt=0)] = 1e-3
    """Distance of two circles, as a share of their amplitude, within which they are one."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Transverse exponent, in nats per step, within which a circle counts as neutral."""

    phases: Annotated[int, Field(ge=1)] = 128
    """Number of phases at which the curve is kept."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the starts."""


@dataclass(frozen=True, eq=False)
class _Circle:
    """A Fourier series [harmonic, state], its rotation number, how far it is from invariant, its
    transverse exponent, and how many starts came there."""

    series: Array
    rotation: float
    residual: float
    exponent: float
    n_starts: int = 1


@one_thread()
def find_circles(
    network: Any,
    inputs: Array | None = None,
    starts: Array | None = None,
    circling: Circling | None = None,
    *,
    dt: float | None = None,
    layer: str | None = None,
    state_size: int | None = None,
) -> Circles:
    """Invariant circles that states of every network given come to, or stay on, in float64.

    network, inputs, layer, state_size: as for `find_fixed_points`; dt: seconds per step.
    starts: [start, state]; None: near states visited under random inputs.
    Each start is followed past a transient, and told apart: at a fixed point, periodic, on a
    circle, unsettled (still on its way, on a torus, chaotic) or escaped. On a circle the rotation
    number is the weighted Birkhoff average of the advance (Das et al. 2016), and the curve K with
    F(K(phase)) = K(phase + rotation) a Fourier series of such averages; `residual` says how well
    that holds. ValueError for wrong shapes, or a dt that is not positive.
    """
    circling = circling or Circling()
    if dt is not None and not (np.isfinite(dt) and dt > 0):
        raise ValueError(f"dt should be a positive number of seconds, it is {dt}")
    networks, held = prepare_arguments(network, inputs, starts, layer, state_size)
    systems, begun = [], []
    for system, visited in systems_of(networks, held, starts):
        seed = (circling.seed, system.input_index)
        begun.append(sample_starts(visited, starts, circling.candidates, circling.noise, seed))
        systems.append(system)
    size = begun[0].size * circling.steps * 8 * 3
    wide = max(1, BLOCK_BYTES // size)
    parts = []
    for first in range(0, len(systems), wide):
        block = slice(first, first + wide)
        parts += _circles(circling, systems[block], np.stack(begun[block]))
    return replace(Circles.join(parts), dt=dt)


def _circles(
    circling: Circling, systems: Sequence[AutonomousSystem], starts: Array
) -> list[Circles]:
    """What the starts [system, start, state] come to, a record per system."""
    count = starts.shape[1]
    outcome = np.full(starts.shape[:2], UNSETTLED)
    period = np.zeros(starts.shape[:2], int)
    found: list[list[_Circle]] = [[] for _ in systems]
    h = starts
    for turn in range(circling.rounds):
        here = np.flatnonzero((outcome == UNSETTLED).any(axis=1))
        if not here.size:
            break
        skip = circling.transient * 2**turn
        trails = simulate_systems(
            [systems[i] for i in here.tolist()], h[here], skip, circling.steps
        )
        for i, trail in zip(here.tolist(), trails, strict=True):
            for j in np.flatnonzero(outcome[i] == UNSETTLED):
                outcome[i, j], period[i, j], circle = _judged(circling, systems[i], trail[j])
                if circle is not None:
                    _enter(circling, systems[i], found[i], circle)
        h = h.copy()
        h[here] = trails[:, :, -1]
    return [
        _record(circling, system, found[i], outcome[i], period[i], count)
        for i, system in enumerate(systems)
    ]


def _judged(
    circling: Circling, system: AutonomousSystem, states: Array
) -> tuple[int, int, _Circle | None]:
    """What a trajectory [time, state] has come to, its period, and its circle."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.sqrt(np.mean(states**2, axis=1))
    # A comparison with NaN is false.
    if not (size <= FAR * system.scale).all():
        return ESCAPED, 0, None
    back = np.sqrt(np.mean((states[::-1] - states[-1]) ** 2, axis=1))
    if back[: len(states) // 4].max() <= STILL * system.scale:
        return FIXED, 0, None
    period = _period(states, back, RETURN * system.scale)
    if period:
        return PERIODIC, period, None
    rho = rotation_number(states)
    if not np.isfinite(rho):
        return UNSETTLED, 0, None
    series, residual = fitted(states, rho, circling.harmonics, system.step)
    if not max(residual, misfit(states, rho, series)) <= circling.tolerance:
        return UNSETTLED, 0, None
    return CIRCLE, 0, _Circle(series, rho, residual, _transverse(system, states[-ALONG:]))


def _period(states: Array, back: Array, room: float) -> int:
    """The least period of states [time, state], 0 if they do not come back within a quarter."""
    near: list[int] = (np.flatnonzero(back[1 : len(states) // 4] <= room) + 1).tolist()
    for period in near:
        span = min(len(states) - period, max(64, 2 * period))
        off = states[-span:] - states[-span - period : len(states) - period]
        if np.sqrt(np.mean(off**2, axis=1)).max() <= 10 * room:
            return period
    return 0


def _transverse(system: AutonomousSystem, states: Array) -> float:
    """Largest Lyapunov exponent across a circle, in nats per step, from states [time, state] on it.

    Two directions are moved along; one turns into the circle's own, whose exponent is 0.
    """
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((states.shape[1], 2)))[0]
    growth = []
    for first in range(0, len(states), JACOBIANS):
        for jacobian in system.linearise(states[first : first + JACOBIANS])[1]:
            frame, upper = np.linalg.qr(jacobian @ frame)
            growth.append(np.log(np.maximum(np.abs(np.diagonal(upper)), 1e-300)))
    # By then both directions have aligned.
    means = average(np.array(growth)[len(growth) // 4 :])
    own = int(np.argmin(np.abs(means)))
    return float(means[1 - own])


def _enter(
    circling: Circling, system: AutonomousSystem, found: list[_Circle], new: _Circle
) -> None:
    """Put a circle among those found, unless it is one of them."""
    for i, known in enumerate(found):
        if abs(known.rotation - new.rotation) <= SAME_ROTATION:
            off = distance(aligned(new.series, known.series), known.series)
            if off <= circling.merge * amplitude(known.series):
                better = new if new.residual < known.residual else known
                found[i] = replace(better, n_starts=known.n_starts + 1)
                return
    found.append(new)


def _record(
    circling: Circling, system: AutonomousSystem, found: Sequence[_Circle],
    outcome: Array, period: Array, starts: int,
) -> Circles:  # fmt: skip
    found, count = sorted(found, key=lambda circle: circle.rotation), len(found)
    size = system.networks.state_size
    series = np.zeros((count, circling.harmonics + 1, size), complex)
    for row, circle in zip(series, found, strict=True):
        row[: len(circle.series)] = _from_top(circle.series)
    return Circles(
        series=series,
        phase=np.arange(circling.phases) / circling.phases,
        rotation=np.array([circle.rotation for circle in found], np.float64),
        amplitude=np.array([amplitude(circle.series) for circle in found], np.float64),
        residual=np.array([circle.residual for circle in found], np.float64),
        exponent=np.array([circle.exponent for circle in found], np.float64),
        harmonics=np.array([len(circle.series) - 1 for circle in found], int),
        inputs=np.repeat(system.constant_input[None], count, axis=0),
        member=np.full(count, system.member),
        input_index=np.full(count, system.input_index),
        n_starts=np.array([circle.n_starts for circle in found], int),
        outcome=outcome,
        period=period,
        start_member=np.full(starts, system.member),
        start_input=np.full(starts, system.input_index),
        margin=circling.margin,
    )


def _from_top(series: Array) -> Array:
    """A series whose phase 0 is where the strongest unit of its first harmonic is largest."""
    first = series[1]
    angle = np.angle(first[np.argmax(np.abs(first))])
    shifted: Array = series * np.exp(-1j * angle * np.arange(len(series)))[:, None]
    return shifted
