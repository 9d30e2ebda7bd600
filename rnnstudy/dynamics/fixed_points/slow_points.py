"""Slow points: states where starts are stuck because no state near them is much slower."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.search import SearchState, SlowSet
from rnnstudy.dynamics.states.clustering import merge, select_spaced

MAX_GRADIENT = 0.03
"""Largest |J'r| at a local minimum of the speed, as a share of |J| |r|; J and r of F(h) - h."""

MAX_MOTION = 0.01
"""Largest root mean square of F(h) - h on a slow manifold, as a share of that of the states."""

SLOW_REACH = 0.1
"""Distance within which no state may be much slower, as a share of the states' root mean square."""

MAX_DECREASE = 0.5
"""Largest share by which the linearised speed may fall within that distance."""

MIN_SLOW_SPACING = 0.05
"""Least distance between slow points of one manifold, as a share of the states' size."""

MAX_SLOW_POINTS = 128
"""Largest number of slow points of one network at one input."""

MAX_EXAMINED = 1024
"""Largest number of unconverged starts that are examined, those of least speed."""

BISECTIONS = 60
"""Bisections of the damping's logarithm between -40 and 40."""


def slow_points(search: SearchState, radius: float, inside: Array) -> SlowSet:
    """Return the slow points among the states where a search's starts are stuck.

    A local minimum of the speed is slow, whatever its speed. A state on a slow manifold without
    minima, as on a drifting line attractor, is slow too: its step is at most a hundredth of the
    states' size, and the linearised speed cannot halve within a tenth of that size.

    Parameters
    ----------
    search
        A finished search.
    radius
        Root mean square distance within which two states are the same.
    inside
        Mask `[start]` of the unconverged states inside the invariant box.
    """
    states, speed = search.unconverged_states, search.unconverged_speeds
    candidates = np.flatnonzero(inside)
    candidates = candidates[np.argsort(speed[candidates], kind="stable")[:MAX_EXAMINED]]
    if not len(candidates):
        return SlowSet.none(states.shape[1])
    group, best = merge(states[candidates], speed[candidates], radius)
    n_starts, candidates = np.bincount(group), candidates[best]
    image, jacobian = search.system.linearise(states[candidates])
    mask = is_slow(image - states[candidates], jacobian, search.scale)
    candidates, n_starts = candidates[mask], n_starts[mask]
    order = np.argsort(speed[candidates], kind="stable")
    candidates, n_starts = candidates[order], n_starts[order]
    fixed_points = search.roots.fixed_points.state
    spacing = MIN_SLOW_SPACING * search.scale
    chosen, nearest = select_spaced_points(states[candidates], fixed_points, spacing)
    points, is_near = candidates[chosen], nearest >= 0
    weight = np.bincount(nearest[is_near], n_starts[is_near], len(points)).astype(int)
    return SlowSet(states[points], speed[points], weight)


def is_slow(residual: Array, jacobian: Array, scale: float) -> Array:
    """Return a mask `[point]` of slow points.

    residual `[point, state]`: F(h) - h. jacobian `[point, state, state]`: dF/dh. scale: root mean
    square of the states.
    """
    matrix = jacobian - np.eye(jacobian.shape[-1])
    gradient = np.linalg.norm(np.einsum("psk,ps->pk", matrix, residual), axis=1)
    length = np.linalg.norm(residual, axis=1)
    is_minimum = gradient <= MAX_GRADIENT * np.linalg.norm(matrix, axis=(1, 2)) * length
    motion = np.sqrt(np.mean(residual**2, axis=1))
    mask: Array = is_minimum.copy()
    # The decompositions for the least speed cost far more than the rest.
    unsure = np.flatnonzero(~is_minimum & (motion <= MAX_MOTION * scale))
    least = least_speed(residual[unsure], jacobian[unsure], SLOW_REACH * scale)
    mask[unsure] = least >= (1.0 - MAX_DECREASE) * 0.5 * length[unsure] ** 2
    return mask


def least_speed(residual: Array, jacobian: Array, reach: float) -> Array:
    """Return the least 1/2 |r + (J - I) d|^2 `[point]` over steps d of root mean square `reach`.

    residual `[point, state]`, jacobian `[point, state, state]`. The step is that of Levenberg and
    Marquardt with the damping that makes it as long as allowed (More 1978), by bisection.
    """
    left_vectors, values, _ = np.linalg.svd(jacobian - np.eye(jacobian.shape[-1]))
    along = np.einsum("psk,ps->pk", left_vectors, residual)
    longest = reach * np.sqrt(residual.shape[1])
    low, high = np.full(len(values), -40.0), np.full(len(values), 40.0)
    for _ in range(BISECTIONS):
        damping = 0.5 * (low + high)
        shrunk = values**2 + np.exp(damping)[:, None]
        is_long = np.linalg.norm(values * along / shrunk, axis=1) > longest
        low, high = np.where(is_long, damping, low), np.where(is_long, high, damping)
    remaining = along * np.exp(high)[:, None] / (values**2 + np.exp(high)[:, None])
    least: Array = 0.5 * np.sum(remaining**2, axis=1)
    return least


def select_spaced_points(state: Array, others: Array, spacing: float) -> tuple[Array, Array]:
    """Return positions of the states that are farther than the spacing from all before and others.

    state `[point, state]`, in order. Returns their positions `[chosen]`, and for each state the
    nearest of them `[point]`, -1 if it is farther than the spacing.
    """
    reach = spacing * np.sqrt(state.shape[1])
    chosen = select_spaced(state, others, reach, MAX_SLOW_POINTS)
    if not len(chosen):
        return chosen, np.full(len(state), -1)
    distance = np.linalg.norm(state[:, None] - state[chosen], axis=2)
    nearest = np.where(distance.min(axis=1) <= reach, distance.argmin(axis=1), -1)
    return chosen, nearest
