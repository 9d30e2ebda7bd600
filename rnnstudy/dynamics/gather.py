"""From what the searches found to one record."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnstudy.dynamics.hunt import OUTCOMES, Hunt, Roots
from rnnstudy.dynamics.points import FixedPoints
from rnnstudy.record import Array


def gathered(hunts: Sequence[Hunt], inputs: Array, margin: float) -> FixedPoints:
    """All hunts' fixed points as one record; inputs [input point, input]."""
    found = [_ordered(hunt.roots.fixed, margin) for hunt in hunts]
    roots = Roots.none(hunts[0].visited.shape[1]).join(*found)
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
        n_unstable=_unstable(roots, margin),
        index=roots.index,
        member=np.repeat(member, counts),
        input_index=np.repeat(position, counts),
        hits=roots.hits,
        outcome=np.concatenate([part for hunt in hunts for part in hunt.outcomes]),
        start_member=np.repeat(member, starts),
        start_input=np.repeat(position, starts),
        searches=_searches(hunts, starts),
        margin=margin,
    )


def _unstable(roots: Roots, margin: float) -> Array:
    return (np.abs(roots.eigenvalues) > 1.0 + margin).sum(axis=1)


def _ordered(roots: Roots, margin: float) -> Roots:
    """Fewest unstable directions first; equals by a coordinate, not by the order of finding."""
    return roots.take(np.lexsort((roots.state[:, 0].round(6), _unstable(roots, margin))))


def _searches(hunts: Sequence[Hunt], starts: Sequence[int]) -> dict[str, Array]:
    def column(*values: Any) -> Array:
        return np.array(values)

    degenerate = OUTCOMES.index("degenerate")
    return {
        "member": column(*(hunt.member for hunt in hunts)),
        "input_index": column(*(hunt.input_index for hunt in hunts)),
        "points": column(*(len(hunt.roots.fixed.state) for hunt in hunts)),
        "index_sum": column(*(hunt.index_sum for hunt in hunts)),
        "degenerate": column(*((hunt.roots.status == degenerate).sum() for hunt in hunts)),
        "unseen": column(*(hunt.unseen for hunt in hunts)),
        "fresh": column(*(hunt.fresh for hunt in hunts)),
        "rounds": column(*(len(hunt.outcomes) for hunt in hunts)),
        "starts": column(*starts),
        "verdict": column(*(hunt.verdict for hunt in hunts)),
    }
