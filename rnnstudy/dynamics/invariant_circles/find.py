"""Search for invariant circles: closed curves of quasi-periodic motion."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnstudy.core.arguments import check_flag
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.core.deprecations import accept_former_arguments
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.invariant_circles.fourier import (
    amplitude,
    birkhoff_average,
    curve_distance,
    curve_error,
    fit_curve,
    match_phase,
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
from rnnstudy.dynamics.invariant_circles.search import CircleSearch
from rnnstudy.dynamics.networks.arguments import (
    check_arguments,
    check_inputs,
    check_layer,
    check_starts,
    check_state_size,
    instance_of,
    positive,
)
from rnnstudy.dynamics.networks.autonomous_system import (
    AutonomousSystem,
    simulate_systems,
    systems_of,
)
from rnnstudy.dynamics.networks.simulate import prepare_arguments, sample_starts

TRAJECTORY_COPIES = 3
"""Copies of the trajectories at the peak."""

ESCAPE_RADIUS = 1e6
"""Root mean square, as a share of the scale, beyond which a state has escaped."""

RESTING_RADIUS = 1e-6
"""Radius, as a share of the scale, of the last quarter of a trajectory at a fixed point."""

RETURN_DISTANCE = 1e-8
"""Distance, as a share of the scale, at which a state on a periodic orbit comes back."""

JACOBIANS_PER_BATCH = 250
"""Number of Jacobians along a circle in memory at a time."""

SAME_ROTATION = 1e-6
"""Difference of the rotation numbers of one and the same circle."""


@accept_former_arguments(circling="search")
@check_arguments(
    inputs=check_inputs,
    starts=check_starts,
    search=instance_of(CircleSearch, "Use CircleSearch(steps=2048)."),
    dt=positive("Give seconds per step."),
    layer=check_layer,
    state_size=check_state_size,
    continuous=check_flag,
)
@one_thread()
def find_circles(
    network: Any,
    inputs: Array | None = None,
    starts: Array | None = None,
    search: CircleSearch | None = None,
    *,
    dt: float | None = None,
    layer: str | None = None,
    state_size: int | None = None,
    continuous: bool | None = None,
) -> Circles:
    """Find invariant circles that states of every network come to, in float64.

    Each start is followed past a transient. Its trajectory then is at a fixed point, periodic, on a
    circle, unsettled (slow, on a torus or chaotic) or escaped. The rotation number of a circle is
    the weighted Birkhoff average of the advance per step. The curve K with
    F(K(phase)) = K(phase + rotation) is a Fourier series of such averages. `residual` measures the
    error of that equation.

    Parameters
    ----------
    network
        Network or networks, as for `find_fixed_points`.
    inputs
        Constant inputs, `[input point, input]`. None: zeros.
    starts
        First states, `[start, state]`. None: states near those visited under random inputs.
    search
        Settings of the search. None: the defaults of `CircleSearch`.
    dt
        Length of a step in seconds, for frequencies in hertz.
    layer
        Name of the recurrent layer of a model with several.
    state_size
        Length of the state of a plain function.
    continuous
        Whether a function is a vector field, which is refused. None: it is a map, with a warning if
        it looks like a vector field. False: without the warning.

    Returns
    -------
    Circles
        Distinct circles.

    Raises
    ------
    ValueError
        If a shape does not fit, dt is not positive, or the network is a vector field.

    References
    ----------
    Das, Dock, Saiki, Salgado-Flores, Sander, Wu & Yorke (2016), Measuring quasiperiodicity.
    Europhysics Letters 114.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def rotate(inputs, state):
    ...     z = tf.complex(state[:, 0], state[:, 1])
    ...     z = z * tf.exp(tf.constant(0.7j, z.dtype)) / tf.cast(tf.abs(z) ** 0.1, z.dtype)
    ...     return tf.stack([tf.math.real(z), tf.math.imag(z)], axis=1)
    >>> circles = rnnstudy.find_circles(rotate, starts=np.array([[0.5, 0.0]]))
    >>> circles.kind.tolist(), np.round(2 * np.pi * circles.rotation, 6).tolist()
    (['attracting'], [0.7])
    """
    search = search or CircleSearch()
    networks, constant_inputs = prepare_arguments(
        network, inputs, starts, layer, state_size, continuous
    )
    if networks.is_continuous:
        raise ValueError(
            "network must be a map for invariant circles, got a vector field. Pass the map of a "
            "step, as h + dt f(h), or search its limit cycles by find_cycles."
        )
    systems, first_states = [], []
    for system, visited in systems_of(networks, constant_inputs, starts):
        seed = (search.seed, system.input_index)
        first_states.append(sample_starts(visited, starts, search.candidates, search.noise, seed))
        systems.append(system)
    bytes_each = first_states[0].size * search.steps * 8 * TRAJECTORY_COPIES
    parts = []
    for part in batches(len(systems), bytes_each):
        parts += _find_in_batch(search, systems[part], np.stack(first_states[part]))
    return replace(Circles.join(parts), dt=dt)


@dataclass(frozen=True, eq=False)
class Circle:
    """Fourier series [harmonic, state], rotation number, error of invariance, transverse exponent,
    and number of starts that ended on the circle."""

    series: Array
    rotation: float
    residual: float
    exponent: float
    n_starts: int = 1


def _find_in_batch(
    search: CircleSearch, systems: Sequence[AutonomousSystem], starts: Array
) -> list[Circles]:
    """Return a record per system from starts [system, start, state]."""
    outcome = np.full(starts.shape[:2], UNSETTLED)
    period = np.zeros(starts.shape[:2], int)
    circles: list[list[Circle]] = [[] for _ in systems]
    h = starts.copy()
    for turn in range(search.rounds):
        active = np.flatnonzero((outcome == UNSETTLED).any(axis=1)).tolist()
        if not active:
            break
        skip = search.transient * 2**turn
        trajectories = simulate_systems([systems[i] for i in active], h[active], skip, search.steps)
        for i, trajectory in zip(active, trajectories, strict=True):
            for j in np.flatnonzero(outcome[i] == UNSETTLED):
                outcome[i, j], period[i, j], circle = classify_trajectory(
                    search, systems[i], trajectory[j]
                )
                if circle is not None:
                    _add(search, circles[i], circle)
        h[active] = trajectories[:, :, -1]
    return [
        _record(search, system, circles[i], outcome[i], period[i])
        for i, system in enumerate(systems)
    ]


def classify_trajectory(
    search: CircleSearch, system: AutonomousSystem, states: Array
) -> tuple[int, int, Circle | None]:
    """Return outcome, period and circle of a trajectory [time, state].

    The outcome is a code of CIRCLE_OUTCOMES. The period is 0 unless the trajectory is periodic.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.sqrt(np.mean(states**2, axis=1))
    # A comparison with NaN is false.
    if not (size <= ESCAPE_RADIUS * system.scale).all():
        return ESCAPED, 0, None
    to_last = np.sqrt(np.mean((states[::-1] - states[-1]) ** 2, axis=1))
    if to_last[: len(states) // 4].max() <= RESTING_RADIUS * system.scale:
        return FIXED, 0, None
    period = _least_period(states, to_last, RETURN_DISTANCE * system.scale)
    if period == 1:  # It still comes nearer to a fixed point, slowly.
        return FIXED, 0, None
    if period:
        return PERIODIC, period, None
    rho = rotation_number(states)
    if not np.isfinite(rho):
        return UNSETTLED, 0, None
    series, residual = fit_curve(states, rho, search.harmonics, system.step)
    if not max(residual, curve_error(states, rho, series)) <= search.tolerance:
        return UNSETTLED, 0, None
    exponent = _transverse_exponent(system, states[-search.exponent_steps :])
    return CIRCLE, 0, Circle(series, rho, residual, exponent)


def _least_period(states: Array, to_last: Array, radius: float) -> int:
    """Return the least period of states [time, state], 0 if they do not return in a quarter."""
    near: list[int] = (np.flatnonzero(to_last[1 : len(states) // 4] <= radius) + 1).tolist()
    for period in near:
        span = min(len(states) - period, max(64, 2 * period))
        error = states[-span:] - states[-span - period : len(states) - period]
        if np.sqrt(np.mean(error**2, axis=1)).max() <= 10 * radius:
            return period
    return 0


def _transverse_exponent(system: AutonomousSystem, states: Array) -> float:
    """Return the largest Lyapunov exponent across a circle, in nats per step.

    Jacobians at states [time, state] on the circle move two directions. One of them turns into the
    direction of the circle, whose exponent is 0.
    """
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((states.shape[1], 2)))[0]
    growth = []
    for first in range(0, len(states), JACOBIANS_PER_BATCH):
        for jacobian in system.linearise(states[first : first + JACOBIANS_PER_BATCH])[1]:
            frame, upper = np.linalg.qr(jacobian @ frame)
            growth.append(np.log(np.maximum(np.abs(np.diagonal(upper)), 1e-300)))
    # Both directions have aligned by then.
    means = birkhoff_average(np.array(growth)[len(growth) // 4 :])
    along = int(np.argmin(np.abs(means)))
    return float(means[1 - along])


def _add(search: CircleSearch, circles: list[Circle], new: Circle) -> None:
    """Add a circle to those of a system, unless it is one of them."""
    for i, known in enumerate(circles):
        if abs(known.rotation - new.rotation) <= SAME_ROTATION:
            error = curve_distance(match_phase(new.series, known.series), known.series)
            if error <= search.merge * amplitude(known.series):
                better = new if new.residual < known.residual else known
                circles[i] = replace(better, n_starts=known.n_starts + 1)
                return
    circles.append(new)


def _record(
    search: CircleSearch,
    system: AutonomousSystem,
    circles: Sequence[Circle],
    outcome: Array,
    period: Array,
) -> Circles:
    circles, count = sorted(circles, key=lambda circle: circle.rotation), len(circles)
    size = system.networks.state_size
    series = np.zeros((count, search.harmonics + 1, size), complex)
    for row, circle in zip(series, circles, strict=True):
        row[: len(circle.series)] = _with_standard_phase(circle.series)
    return Circles(
        series=series,
        phase=np.arange(search.phases) / search.phases,
        rotation=np.array([circle.rotation for circle in circles], np.float64),
        amplitude=np.array([amplitude(circle.series) for circle in circles], np.float64),
        residual=np.array([circle.residual for circle in circles], np.float64),
        exponent=np.array([circle.exponent for circle in circles], np.float64),
        harmonics=np.array([len(circle.series) - 1 for circle in circles], int),
        inputs=np.repeat(system.constant_input[None], count, axis=0),
        member=np.full(count, system.member),
        input_index=np.full(count, system.input_index),
        n_starts=np.array([circle.n_starts for circle in circles], int),
        outcome=outcome,
        period=period,
        start_member=np.full(len(outcome), system.member),
        start_input=np.full(len(outcome), system.input_index),
        margin=search.margin,
    )


def _with_standard_phase(series: Array) -> Array:
    """Return a series with phase 0 where the strongest unit of its first harmonic is largest."""
    first = series[1]
    angle = np.angle(first[np.argmax(np.abs(first))])
    shifted: Array = series * np.exp(-1j * angle * np.arange(len(series)))[:, None]
    return shifted
