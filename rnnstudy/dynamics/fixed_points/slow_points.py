"""Slow points: where starts got stuck because nothing near them is much slower."""

from collections.abc import Callable

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.search import SearchState, SlowSet
from rnnstudy.dynamics.states.clustering import merge, select_spaced

Linearise = Callable[[Array], tuple[Array, Array]]
"""States [point, state] -> F there [point, state] and dF/dh [point, state, state]."""

FLAT = 0.03
"""|J'r| at a local minimum of the speed, as a share of |J| |r|, at most; J and r of F(h) - h."""

MOTION = 0.01
"""Root mean square of F(h) - h on a slow manifold, as a share of that of the states, at most."""

REACH = 0.1
"""Distance within which nothing may be much slower, as a share of the states' root mean square."""

DECREASE = 0.5
"""Share of the speed that a step within that distance may promise to take away, at most."""

SPACING = 0.05
"""Least distance between slow points of one line or plane, as a share of the same."""

MOST = 128
"""Largest number of slow points of one network at one input."""

EXAMINED = 1024
"""Largest number of stuck starts that are looked at, those of least speed."""


def slow_points(hunt: SearchState, radius: float, inside: Array, linearise: Linearise) -> SlowSet:
    """The slow points among the states where a hunt's starts got stuck.

    inside [start]: which of these states lie where the cell can go; radius: root mean square
    distance within which two are the same. A local minimum of the speed is slow, whatever the
    speed, and so is a state on a slow manifold along which there is no minimum (a line attractor
    that drifts): it moves by less than a hundredth of the states' own size in a step, and the
    linearised speed cannot fall by half within a tenth of that size. Slow points are kept a
    twentieth of it apart from each other and from fixed points, the slowest first.
    """
    stuck, speed = hunt.stuck_states, hunt.stuck_speeds
    own = np.flatnonzero(inside)
    own = own[np.argsort(speed[own], kind="stable")[:EXAMINED]]
    if not len(own):
        return SlowSet.none(stuck.shape[1])
    group, best = merge(stuck[own], speed[own], radius)
    n_starts, own = np.bincount(group), own[best]
    image, jacobian = linearise(stuck[own])
    slow = is_slow(image - stuck[own], jacobian, hunt.scale)
    own, n_starts = own[slow], n_starts[slow]
    order = np.argsort(speed[own], kind="stable")
    chosen, nearest = select_spaced_points(
        stuck[own][order], hunt.roots.fixed.state, SPACING * hunt.scale
    )
    kept = own[order][chosen]
    weight = np.bincount(nearest[nearest >= 0], n_starts[order][nearest >= 0], len(kept)).astype(
        int
    )
    return SlowSet(stuck[kept], speed[kept], weight)


def is_slow(residual: Array, jacobian: Array, scale: float) -> Array:
    """Whether states are slow points: [point], from F(h) - h [point, state] and dF/dh there."""
    matrix = jacobian - np.eye(jacobian.shape[-1])
    gradient = np.linalg.norm(np.einsum("psk,ps->pk", matrix, residual), axis=1)
    length = np.linalg.norm(residual, axis=1)
    flat = gradient <= FLAT * np.linalg.norm(matrix, axis=(1, 2)) * length
    motion = np.sqrt(np.mean(residual**2, axis=1))
    least = least_speed(residual, jacobian, REACH * scale)
    on_manifold = (motion <= MOTION * scale) & (least >= (1.0 - DECREASE) * 0.5 * length**2)
    found: Array = flat | on_manifold
    return found


def least_speed(residual: Array, jacobian: Array, reach: float) -> Array:
    """Least 1/2 |r + (J - I) d|^2 over steps d of at most that root mean square: [point].

    residual [point, state], jacobian [point, state, state]. The step is that of Levenberg and
    Marquardt whose damping makes it as long as allowed (More 1978), found by bisection.
    """
    left, values, _ = np.linalg.svd(jacobian - np.eye(jacobian.shape[-1]))
    along = np.einsum("psk,ps->pk", left, residual)
    longest = reach * np.sqrt(residual.shape[1])
    low, high = np.full(len(values), -40.0), np.full(len(values), 40.0)
    for _ in range(60):
        damping = 0.5 * (low + high)
        shrunk = values**2 + np.exp(damping)[:, None]
        long = np.linalg.norm(values * along / shrunk, axis=1) > longest
        low, high = np.where(long, damping, low), np.where(long, high, damping)
    rest = along * np.exp(high)[:, None] / (values**2 + np.exp(high)[:, None])
    least: Array = 0.5 * np.sum(rest**2, axis=1)
    return least


def select_spaced_points(state: Array, others: Array, spacing: float) -> tuple[Array, Array]:
    """Of states [point, state], in order, those that are apart from all before and from `others`.

    Returns their positions [kept], MOST at most, and of each point the nearest of them [point], -1
    if that is farther than the spacing.
    """
    reach = spacing * np.sqrt(state.shape[1])
    chosen = select_spaced(state, others, reach, MOST)
    if not len(chosen):
        return chosen, np.full(len(state), -1)
    distance = np.linalg.norm(state[:, None] - state[chosen], axis=2)
    nearest = np.where(distance.min(axis=1) <= reach, distance.argmin(axis=1), -1)
    return chosen, nearest
