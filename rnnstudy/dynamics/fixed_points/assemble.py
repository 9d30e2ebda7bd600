"""Assembly of finished searches into one record of fixed points."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.continua import (
    add_starts,
    continuum_index,
    find_continua,
)
from rnnstudy.dynamics.fixed_points.continua_record import Continua, Continuum
from rnnstudy.dynamics.fixed_points.record import CONVERGED, DEGENERATE, FixedPoints, SlowPoints
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.linearisation.modes import eigenvalues, n_unstable
from rnnstudy.dynamics.networks.interface import Networks


def assemble_fixed_points(
    networks: Networks, searches: Sequence[SearchState], settings: FixedPointSearch
) -> FixedPoints:
    """Return the fixed points, slow points and continua of all searches as one record."""
    continua = [_separate_continua(search, settings) for search in searches]
    is_field, unit = networks.is_continuous, networks.time_unit
    margin = settings.margin / unit
    points = [_sort_roots(search.roots.fixed_points, margin, is_field) for search in searches]
    jacobians = [_jacobians(*pair) for pair in zip(searches, points, strict=True)]
    roots = Roots.none(networks.state_size).join(*points)
    member = np.array([search.system.member for search in searches])
    position = np.array([search.system.input_index for search in searches])
    inputs = np.stack([search.system.constant_input for search in searches])
    n_points = [len(part.state) for part in points]
    n_starts = [sum(map(len, search.outcomes)) for search in searches]
    return FixedPoints(
        state=roots.state,
        inputs=np.repeat(inputs, n_points, axis=0),
        speed=roots.speed / unit**2,
        jacobian=np.concatenate([roots.jacobian[:0], *jacobians]),
        eigenvalues=roots.eigenvalues,
        n_unstable=n_unstable(roots.eigenvalues, margin, is_field),
        index=roots.index,
        member=np.repeat(member, n_points),
        input_index=np.repeat(position, n_points),
        n_starts=roots.n_starts,
        outcome=np.concatenate([search.start_outcomes for search in searches]),
        start_member=np.repeat(member, n_starts),
        start_input=np.repeat(position, n_starts),
        searches=_certificate(searches, n_starts, list(map(len, continua))),
        slow=_slow_points(networks, searches),
        continua=Continua.from_searches(continua, member, position, inputs, networks.state_size),
        margin=margin,
        continuous=is_field,
    )


def _jacobians(search: SearchState, roots: Roots) -> Array:
    """Return the Jacobians of a search's roots: of its map, or of its vector field."""
    if not search.is_continuous:
        return roots.jacobian
    return search.system.linearise_rates(roots.state)[1]


def _separate_continua(search: SearchState, settings: FixedPointSearch) -> list[Continuum]:
    """Return the continua of a search. Fixed points on them become degenerate roots."""
    roots = search.roots
    degenerate = roots.take(roots.status == DEGENERATE)
    scale, tolerance, linearise = search.scale, settings.degenerate, search.system.linearise
    continua = find_continua(
        degenerate.state,
        degenerate.speed,
        degenerate.jacobian,
        degenerate.n_starts,
        scale,
        tolerance,
        linearise,
    )
    if not continua:
        return []
    converged = np.flatnonzero(roots.status == CONVERGED)
    on = continuum_index(roots.state[converged], continua, scale, tolerance, linearise)
    status = roots.status.copy()
    status[converged[on >= 0]] = DEGENERATE
    search.roots = replace(roots, status=status)
    return add_starts(continua, on, roots.n_starts[converged])


def _slow_points(networks: Networks, searches: Sequence[SearchState]) -> SlowPoints:
    """Return the slow points of all searches, slowest first."""
    is_field, unit = networks.is_continuous, networks.time_unit
    records = [SlowPoints.none(networks.state_size, networks.inputs, is_field)]
    for search in searches:
        slow, system = search.slow, search.system
        if slow is None or not len(slow.state):
            continue
        order = np.argsort(slow.speed, kind="stable")
        state = slow.state[order]
        _, jacobian = system.linearise_rates(state) if is_field else system.linearise(state)
        records.append(
            SlowPoints(
                state=state,
                inputs=np.repeat(system.constant_input[None], len(state), axis=0),
                speed=slow.speed[order] / unit**2,
                jacobian=jacobian,
                eigenvalues=eigenvalues(jacobian, is_field),
                member=np.full(len(state), system.member),
                input_index=np.full(len(state), system.input_index),
                n_starts=slow.n_starts[order],
                continuous=is_field,
            )
        )
    return SlowPoints.join(records, "slow")


def _sort_roots(roots: Roots, margin: float, is_field: bool) -> Roots:
    """Return roots by number of unstable directions, then by a coordinate."""
    return roots.take(
        np.lexsort((roots.state[:, 0].round(6), n_unstable(roots.eigenvalues, margin, is_field)))
    )


def _certificate(
    searches: Sequence[SearchState], n_starts: Sequence[int], n_continua: Sequence[int]
) -> dict[str, Array]:
    """Return the columns of the certificate, one row per search."""

    def column(*values: Any) -> Array:
        return np.array(values)

    return {
        "member": column(*(search.system.member for search in searches)),
        "input_index": column(*(search.system.input_index for search in searches)),
        "points": column(*(len(search.roots.fixed_points.state) for search in searches)),
        "index_sum": column(*(search.index_sum for search in searches)),
        "degenerate": column(*((search.roots.status == DEGENERATE).sum() for search in searches)),
        "continua": column(*n_continua),
        "unseen": column(*(search.estimated_missing for search in searches)),
        "fresh": column(*(search.n_new for search in searches)),
        "rounds": column(*(len(search.outcomes) for search in searches)),
        "starts": column(*n_starts),
        "verdict": column(*(search.verdict for search in searches)),
    }
