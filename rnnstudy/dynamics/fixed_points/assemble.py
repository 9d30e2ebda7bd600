"""From what the searches found to one record."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.continua import add_starts, continuum_index, find_continua
from rnnstudy.dynamics.fixed_points.continua_record import Continua, Continuum
from rnnstudy.dynamics.fixed_points.record import CONVERGED, DEGENERATE, FixedPoints, SlowPoints
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.linearisation.modes import eigenvalues, n_unstable
from rnnstudy.dynamics.networks.adapters import Networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem


def assemble_fixed_points(
    networks: Networks, hunts: Sequence[SearchState], inputs: Array, search: FixedPointSearch
) -> FixedPoints:
    """All hunts' fixed points, slow points and continua as one record.

    inputs [input point, input].
    """
    continua = [_continua(networks, hunt, inputs, search) for hunt in hunts]
    found = [_ordered(hunt.roots.fixed, search.margin) for hunt in hunts]
    roots = Roots.none(networks.state_size).join(*found)
    member = np.array([hunt.member for hunt in hunts])
    position = np.array([hunt.input_index for hunt in hunts])
    counts = [len(part.state) for part in found]
    starts = [sum(map(len, hunt.outcomes)) for hunt in hunts]
    return FixedPoints(
        state=roots.state,
        inputs=np.repeat(inputs[position], counts, axis=0),
        speed=roots.speed,
        jacobian=roots.jacobian,
        eigenvalues=roots.eigenvalues,
        n_unstable=n_unstable(roots.eigenvalues, search.margin),
        index=roots.index,
        member=np.repeat(member, counts),
        input_index=np.repeat(position, counts),
        n_starts=roots.n_starts,
        outcome=np.concatenate([hunt.fates for hunt in hunts]),
        start_member=np.repeat(member, starts),
        start_input=np.repeat(position, starts),
        searches=_searches(hunts, starts, list(map(len, continua))),
        slow=_slow(networks, hunts, inputs),
        continua=Continua.from_searches(
            continua, member, position, inputs[position], networks.state_size
        ),
        margin=search.margin,
    )


def _continua(
    networks: Networks, hunt: SearchState, inputs: Array, search: FixedPointSearch
) -> list[Continuum]:
    """The continua that a hunt met; fixed points that lie on them are degenerate from here on."""
    roots = hunt.roots
    own = roots.take(roots.status == DEGENERATE)
    system = AutonomousSystem(networks, hunt.member, inputs[hunt.input_index])
    known = hunt.scale, search.degenerate, system.linearise
    found = find_continua(own.state, own.speed, own.jacobian, own.n_starts, *known)
    if not found:
        return []
    fixed = np.flatnonzero(roots.status == CONVERGED)
    on = continuum_index(roots.state[fixed], found, *known)
    status = roots.status.copy()
    status[fixed[on >= 0]] = DEGENERATE
    hunt.roots = replace(roots, status=status)
    return add_starts(found, on, roots.n_starts[fixed])


def _slow(networks: Networks, hunts: Sequence[SearchState], inputs: Array) -> SlowPoints:
    """All hunts' slow points, slowest first."""
    records = [SlowPoints.none(networks.state_size, networks.inputs)]
    for hunt in hunts:
        slow = hunt.slow
        if slow is None or not len(slow.state):
            continue
        order = np.argsort(slow.speed, kind="stable")
        state, held = slow.state[order], inputs[hunt.input_index]
        _, jacobian = AutonomousSystem(networks, hunt.member, held).linearise(state)
        records.append(
            SlowPoints(
                state=state,
                inputs=np.repeat(held[None], len(state), axis=0),
                speed=slow.speed[order],
                jacobian=jacobian,
                eigenvalues=eigenvalues(jacobian),
                member=np.full(len(state), hunt.member),
                input_index=np.full(len(state), hunt.input_index),
                n_starts=slow.n_starts[order],
            )
        )
    return SlowPoints.join(records, "slow")


def _ordered(roots: Roots, margin: float) -> Roots:
    """Fewest unstable directions first; equals by a coordinate, not by the order of finding."""
    return roots.take(
        np.lexsort((roots.state[:, 0].round(6), n_unstable(roots.eigenvalues, margin)))
    )


def _searches(
    hunts: Sequence[SearchState], starts: Sequence[int], continua: Sequence[int]
) -> dict[str, Array]:
    def column(*values: Any) -> Array:
        return np.array(values)

    return {
        "member": column(*(hunt.member for hunt in hunts)),
        "input_index": column(*(hunt.input_index for hunt in hunts)),
        "points": column(*(len(hunt.roots.fixed.state) for hunt in hunts)),
        "index_sum": column(*(hunt.index_sum for hunt in hunts)),
        "degenerate": column(*((hunt.roots.status == DEGENERATE).sum() for hunt in hunts)),
        "continua": column(*continua),
        "unseen": column(*(hunt.unseen for hunt in hunts)),
        "fresh": column(*(hunt.fresh for hunt in hunts)),
        "rounds": column(*(len(hunt.outcomes) for hunt in hunts)),
        "starts": column(*starts),
        "verdict": column(*(hunt.verdict for hunt in hunts)),
    }
