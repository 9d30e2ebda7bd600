"""Trajectories and fixed points of one network in three principal components."""

from typing import Any

import numpy as np

from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.record import VERDICTS, FixedPoints
from rnnstudy.dynamics.linearisation.modes import decompose_jacobians
from rnnstudy.dynamics.states.projection import PrincipalComponents, principal_components
from rnnstudy.population.population import Population
from rnnstudy.report.explorer.packing import Coarse

ARM = 0.08
"""Length of an unstable direction to either side, as a share of the extent of the states."""

SMALL_STEP = 1e-4
"""Length of the difference of states by which a direction is seen in the visible state."""

MOST_POINTS = 200
"""Fixed points of a network that are shown, and samples of continua, and slow points."""

MOST_MODES, MOST_EIGENVALUES = 64, 4096
"""Eigenvalues that are shown of a fixed point, the leading ones, and of a network."""

SHOWN_COMPONENTS = 3
"""Number of principal components."""

DIRECTION_WORK = 10**8
"""Largest number of points times the cube of the number of units for unstable directions."""


def space_content(
    population: Population, activity: Activity, points: FixedPoints | None, trials: Array, step: int
) -> dict[str, Any]:
    """Return the trajectories of some trials, and the fixed points if there are any.

    Parameters
    ----------
    population
        The network alone.
    activity
        Its states on the probe trials.
    points
        Its fixed points; None if they are not known.
    trials
        Positions of the shown trials.
    step
        Number of time steps between two shown states.
    """
    states = activity.states.astype(np.float64)
    flat = states.reshape(-1, states.shape[-1])
    components = principal_components(flat)
    content: dict[str, Any] = {
        "explained": _variance_shares(flat, components),
        "lines": Coarse(components.project(states[trials, ::step])),
    }
    if points is not None:
        extent = np.ptp(components.project(flat), axis=0).max(initial=0.0)
        content["points"] = _point_content(population, points, components, ARM * (extent or 1.0))
    return content


def _variance_shares(states: Array, components: PrincipalComponents) -> list[float]:
    """Return the share of the variance of each component; 0 without variance."""
    finite = states[np.isfinite(states).all(axis=1)]
    total = finite.var(axis=0).sum() if len(finite) else 0.0
    shares = components.project(finite).var(axis=0) / total if total > 0 else np.zeros(3)
    return [round(float(share), 4) for share in shares]


def _point_content(
    population: Population, points: FixedPoints, components: PrincipalComponents, arm: float
) -> dict[str, Any]:
    shown = points[:MOST_POINTS]
    modes = min(MOST_MODES, MOST_EIGENVALUES // max(len(shown), 1))
    spectrum = shown.eigenvalues[:, :modes]
    owner, ends = _directions(population, shown, components, arm)
    continua, slow = points.continua, points.slow
    sampled = np.arange(len(continua.state))[:: max(1, len(continua.state) // MOST_POINTS)]
    return {
        "count": len(points),
        "position": _position(population, shown.state, components),
        "n_unstable": shown.n_unstable,
        "index": shown.index,
        "kind": shown.kind.tolist(),
        "input": shown.input_index,
        "speed": shown.speed,
        "n_starts": shown.n_starts,
        "eigenvalues": np.stack([spectrum.real, spectrum.imag], axis=-1),
        "modes": points.eigenvalues.shape[1],
        "direction_point": owner,
        "direction": ends,
        "continuum": _position(population, continua.state[sampled], components),
        "continuum_input": continua.input_index[continua.continuum[sampled]],
        "slow": _position(population, slow.state[:MOST_POINTS], components),
        "slow_input": slow.input_index[:MOST_POINTS],
        "is_flow": points.continuous,
        "dt": points.dt,
        "certificate": _certificate(points),
    }


def _position(population: Population, states: Array, components: PrincipalComponents) -> Array:
    """Return coordinates [point, 3] of states [point, state]."""
    if not len(states):
        return np.zeros((0, 3))
    return components.project(np.asarray(population.visible(states), float))


def _directions(
    population: Population, points: FixedPoints, components: PrincipalComponents, arm: float
) -> tuple[Array, Array]:
    """Return the point of each unstable direction, and both ends of a line along it, [., 2, 3].

    A complex pair spans a plane: it has a line along its real and one along its imaginary part.
    """
    most = max(1, DIRECTION_WORK // max(points.state.shape[1], 1) ** 3)
    unstable = np.flatnonzero(points.n_unstable)[:most]
    if not len(unstable):
        return np.zeros(0, int), np.zeros((0, 2, 3))
    values, right, _, _ = decompose_jacobians(points.jacobian[unstable], points.continuous)
    owners, lines = [], []
    for i, eigenvalues, modes in zip(unstable.tolist(), values, right, strict=True):
        centre = _position(population, points.state[i : i + 1], components)[0]
        for part in _real_parts(eigenvalues, modes, int(points.n_unstable[i])):
            small = SMALL_STEP * part
            ends = np.stack([points.state[i] - small, points.state[i] + small])
            side = np.diff(_position(population, ends, components), axis=0)[0] / (2 * SMALL_STEP)
            owners.append(i)
            lines.append(centre + arm * np.array([[-1.0], [1.0]]) * side)
    return np.array(owners), np.array(lines)


def _real_parts(eigenvalues: Array, modes: Array, count: int) -> list[Array]:
    """Return real directions [state] of the leading modes, of a complex pair two."""
    parts: list[Array] = []
    for value, mode in zip(eigenvalues[:count], modes[:count], strict=True):
        if value.imag == 0:
            parts.append(mode.real)
        elif value.imag > 0:
            parts += [mode.real, mode.imag]
    return parts


def _certificate(points: FixedPoints) -> list[dict[str, Any]]:
    """Return the verdict of the search at each input."""
    rows = zip(points.searches["input_index"], points.searches["verdict"], strict=True)
    return [{"input": int(at), "verdict": VERDICTS[int(verdict)]} for at, verdict in rows]


def shown_trials(count: int, length: int, samples: int, most: int) -> tuple[Array, int]:
    """Return the positions of trials to show, and the number of steps between shown states.

    Parameters
    ----------
    count
        Number of trials.
    length
        Steps of a trial.
    samples
        Largest number of states in all.
    most
        Largest number of trials.

    Examples
    --------
    >>> trials, step = shown_trials(count=32, length=500, samples=2000, most=8)
    >>> trials.tolist(), step
    ([0, 10, 20, 31], 1)
    """
    number = int(np.clip(samples // max(length, 1), 1, min(most, count)))
    return np.unique(np.linspace(0, count - 1, number).astype(int)), -(-length // samples)
