"""How fixed points are connected: unstable directions followed to where they lead."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnstudy.blas import one_thread
from rnnstudy.dynamics.arrivals import Site, arrivals, outputs_of, sites_of
from rnnstudy.dynamics.graph import Connections
from rnnstudy.dynamics.points import FixedPoints

Array = np.ndarray

NEAR = 0.1
"""Displacement as a share of the way to the nearest other fixed point, at most."""

SKEW = 1e10
"""Condition of the map from final to first directions, at most; beyond, rounding would decide."""


@one_thread()
def connections(
    network: Any,
    fixed_points: FixedPoints,
    *,
    directions: int = 80,
    displacement: float = 1e-3,
    steps: int = 10_000,
    tolerance: float = 1e-3,
    seed: int = 0,
    layer: str | None = None,
) -> Connections:
    """Where the unstable directions of every saddle and repeller lead, as a graph.

    network, layer: as for `find_fixed_points`, which found the points.
    A point with one unstable direction is left both ways; one with several along so many random
    `directions` in their span, spread evenly as they will be when the linearised dynamics have
    brought them as far as the nearest other fixed point. (Spread evenly at the start, nearly all
    follow the fastest mode later, and where slower ones lead is not seen.) States are displaced by
    a share of the points' root mean square, and followed until within `tolerance` (a share of it
    too) of a point without unstable directions, or for so many steps; passing a saddle does not end
    it. ValueError for points of other networks or numbers that are not positive.
    """
    if directions < 1 or steps < 1 or not (displacement > 0 and tolerance > 0):
        raise ValueError(
            "directions, displacement, steps and tolerance should be positive, they are "
            f"{directions}, {displacement}, {steps}, {tolerance}"
        )
    networks, sites = sites_of(network, fixed_points, layer)
    left = [_left(site, fixed_points, directions, displacement, seed) for site in sites]
    ends = arrivals(networks, sites, [states for _, states in left], steps, tolerance)
    source = [site.points[own] for site, (own, _) in zip(sites, left, strict=True)]
    target = [
        np.where(end.point >= 0, site.points[end.point], -1)
        for site, end in zip(sites, ends, strict=True)
    ]
    return Connections(
        state=fixed_points.state,
        outputs=outputs_of(networks, fixed_points),
        n_unstable=fixed_points.n_unstable,
        member=fixed_points.member,
        input_index=fixed_points.input_index,
        source=_flat(source),
        target=_flat(target),
        outcome=_flat([end.outcome for end in ends]),
        steps=_flat([end.steps for end in ends]),
    )


def _flat(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.zeros(0, int), *parts])


def _left(
    site: Site, points: FixedPoints, directions: int, displacement: float, seed: int
) -> tuple[Array, Array]:
    """States [start, state] beside the unstable points of a site, and whose [start] they are."""
    size = site.state.shape[1]
    owners, states = [np.zeros(0, int)], [np.empty((0, size))]
    for i in np.flatnonzero(site.unstable > 0):
        generator = np.random.default_rng((seed, site.input_index, int(i)))
        length = min(displacement * site.scale * np.sqrt(size), NEAR * site.apart[i])
        growth = site.apart[i] / length if np.isfinite(site.apart[i]) else 1.0
        jacobian = points.jacobian[site.points[i]]
        ways = _ways(jacobian, points.margin, directions, growth, generator)
        owners.append(np.full(len(ways), i))
        states.append(site.state[i] + length * ways)
    return np.concatenate(owners), np.concatenate(states)


def _ways(
    jacobian: Array, margin: float, count: int, growth: float, generator: np.random.Generator
) -> Array:
    """Unit vectors [way, state] in the span of the unstable directions; of several, such as are
    spread evenly when the slowest has grown so much."""
    # Here, because a plan is checked without it and it takes a while to import.
    from scipy.linalg import schur

    moved, basis, unstable = schur(
        jacobian, output="real", sort=lambda re, im: np.hypot(re, im) > 1.0 + margin
    )
    span = basis[:, :unstable].T
    if unstable < 2:
        return np.concatenate([span, -span])
    back = np.linalg.inv(_grown(moved[:unstable, :unstable], growth))
    weights = generator.standard_normal((count, unstable))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    ways = weights @ back.T @ span
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return ways


def _grown(step: Array, growth: float) -> Array:
    """The power of an expanding linear map in which its slowest mode has grown so much; less if its
    condition would be too large."""
    slowest, fastest = np.sort(np.abs(np.linalg.eigvals(step)))[[0, -1]]
    steps, apart = int(np.log(growth) / np.log(slowest)), np.log(fastest / slowest)
    if steps * apart > np.log(SKEW):
        steps = int(np.log(SKEW) / apart)
    found: Array = np.linalg.matrix_power(step / slowest, steps)
    return found
