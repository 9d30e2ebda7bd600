"""Steps along a branch of fixed points h*(s) by pseudo-arclength (Keller 1977).

Unknown is v = (h / scale, s): the state in units of a length that makes it comparable with the
place s on the path of inputs. A branch is walked by a generator that asks for linearisations and
is sent them, so that many branches share each compiled call.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Component
from rnnstudy.dynamics.continuation.input_path import Path
from rnnstudy.dynamics.linearisation.modes import eigenvalues
from rnnstudy.dynamics.states.outcomes import Outcomes

Ask = tuple[Array, Array]
"""A state [state] and an input [input]."""

Answer = tuple[Array, Array, Array]
"""F [state], dF/dh [state, state], dF/dx [state, input] there."""

ITERATIONS = 5
"""Newton steps to the branch; what needs more was predicted from too far."""

TOLERANCE = 1e-10
"""Last Newton step, in units of v: its square is the error."""

TURN = 0.9
"""Least cosine between the tangents of successive points: about 25 degrees."""

BRANCH_OUTCOMES = Outcomes(
    {
        "end": "The branch reached the end of the input path.",
        "beginning": "The branch reached the beginning of the input path.",
        "closed": "The branch is closed: it came back to its start.",
        "points": (
            "The branch has the largest number of points.",
            "Raise the number of points of the continuation settings.",
        ),
        "diverged": (
            "The branch left the region of the continuation.",
            "Raise the largest distance of the continuation settings.",
        ),
        "lost": (
            "No step was short enough for the corrector to converge.",
            "Lower the shortest step of the continuation settings.",
        ),
        "no fixed point": (
            "The start is not a fixed point at the first input.",
            "Start from points of `find_fixed_points` at that input.",
        ),
        "": "The branch was not followed in this direction.",
    }
)
"""Outcomes of a branch in one direction."""


class Stride(Component):
    """How a branch is walked. Lengths are in units of v: the path from 0 to 1, and the root mean
    square of states as a share of `scale`."""

    first: Annotated[float, Field(gt=0)] = 0.01
    """Length of the first step."""

    longest: Annotated[float, Field(gt=0)] = 0.05
    """Length of a step at most, in proportion to the distance from the origin beyond 1: two
    bifurcations within one step that undo each other are missed."""

    shortest: Annotated[float, Field(gt=0)] = 1e-8
    """Length of a step below which the branch is given up as lost."""

    points: Annotated[int, Field(ge=2)] = 2000
    """Number of points at most, in each direction."""

    farthest: Annotated[float, Field(gt=0)] = 1e4
    """Distance from the origin at which the branch counts as diverged."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of an eigenvalue's modulus from 1 within which it counts as neither side."""

    scale: Annotated[float, Field(gt=0)] | None = None
    """Typical root mean square of states; None: the network's bound, else that of the start or 1,
    whichever is larger."""


@dataclass(frozen=True, eq=False)
class Spot:
    """A point v [state + 1] of a branch, its unit tangent, and eigenvalues [mode] of dF/dh."""

    v: Array
    tangent: Array
    eigenvalues: Array
    determinant: float
    """Sign of det(dF/dh - I)."""
    matrices: tuple[Array, Array] | None = None
    """dF/dh and dF/dx, while they are needed."""

    @property
    def s(self) -> float:
        return float(self.v[-1])

    @property
    def slim(self) -> "Spot":
        return replace(self, matrices=None)


@dataclass(frozen=True, eq=False)
class Track:
    """Where branches run: along the path, in states of a scale (root mean square times the square
    root of their number)."""

    path: Path
    size: int
    """Length of the state vector."""
    scale: float

    def ask(self, v: Array, leg: int) -> Ask:
        """State and input at v."""
        return v[:-1] * self.scale, self.path.inputs(v[-1], leg)

    def matrix(self, by_state: Array, by_input: Array, leg: int) -> Array:
        """Derivative of F(h; x(s)) - h by v: [state, state + 1]."""
        square = (by_state - np.eye(len(by_state))) * self.scale
        return np.column_stack([square, by_input @ self.path.slope(leg)])


Correction = Generator[Ask, Answer, Spot | None]
Walk = Generator[Ask, Answer, tuple[list[Spot], str]]


def corrected(
    track: Track, guess: Array, row: Array, leg: int, along: Array, lenient: bool = False
) -> Correction:
    """The point of the branch near a guess, in the plane through it that is normal to `row`.

    The tangent points along `along`. None if Newton's method does not get there in few steps.
    Lenient: a residual at rounding is enough; next to a branch point the rest is not determined.
    """
    v, last = guess, np.inf
    for _ in range(ITERATIONS):
        h, x = track.ask(v, leg)
        image, by_state, by_input = yield h, x
        residual = image - h
        matrix = track.matrix(by_state, by_input, leg)
        if not (np.isfinite(residual).all() and np.isfinite(matrix).all()):
            return None
        rounding = 8 * np.finfo(float).eps * np.sqrt(len(h)) * (1 + np.abs(h).max())
        arrived = lenient and np.abs(residual).max() <= rounding
        step = np.zeros(len(v)) if arrived else _solved(matrix, row, np.append(-residual, 0.0))
        length = float(np.linalg.norm(step))
        if not np.isfinite(length) or length > 2 * last:
            return None
        v, last = v + step, length
        if length <= TOLERANCE * (1 + np.linalg.norm(v)):
            tangent = tangent_of(matrix, row, along)
            determinant = float(np.linalg.slogdet(matrix[:, :-1])[0])
            return Spot(v, tangent, eigenvalues(by_state), determinant, (by_state, by_input))
    return None


def _solved(matrix: Array, row: Array, right: Array) -> Array:
    """Solution of the matrix bordered by a row; not finite if it is singular."""
    try:
        return np.linalg.solve(np.vstack([matrix, row]), right)
    except np.linalg.LinAlgError:
        return np.full(len(right), np.inf)


def tangent_of(matrix: Array, row: Array, along: Array) -> Array:
    """The direction [state + 1] that the matrix [state, state + 1] maps to zero, of length 1 and
    pointing along `along`: dh/ds = (I - dF/dh)^-1 dF/dx dx/ds, without its singularity at folds."""
    unit = np.append(np.zeros(len(matrix)), 1.0)
    found = _solved(matrix, row, unit)
    if not np.isfinite(found).all():
        found = np.linalg.svd(matrix)[2][-1]
    found = found / np.linalg.norm(found)
    return found if found @ along >= 0 else -found


def walked(track: Track, start: Spot, stride: Stride) -> Walk:
    """The branch from a point along its tangent, the point included, and how the walk ended."""
    spots, here, step = [start.slim], start, stride.first
    leg = _leg_ahead(track.path, here, first := track.path.leg(start.s))
    if leg is None:
        return spots, _end(start.s)
    here = here if leg == first else _renewed(track, here, leg)
    while len(spots) < stride.points:
        new = yield from _advanced(track, here, step, leg)
        if new is None:
            step /= 2
            if step < stride.shortest:
                return spots, "lost"
            continue
        if len(spots) > 2 and _passes(start.v, here, new) and start.tangent @ new.tangent > TURN:
            return [*spots, start.slim], "closed"
        spots.append(new.slim)
        far = float(np.linalg.norm(new.v[:-1]))
        if far > stride.farthest:
            return spots, "diverged"
        turn = new.tangent @ here.tangent
        step = min(step * (1.5 if turn > 0.99 else 1.0), stride.longest * max(1.0, far))
        ahead = _leg_ahead(track.path, new, leg)
        if ahead is None:
            return spots, _end(new.s)
        here = new if ahead == leg else _renewed(track, new, ahead)
        leg = ahead
    return spots, "points"


def _advanced(track: Track, here: Spot, step: float, leg: int) -> Correction:
    """The point one step on, or where the piece of the path ends; None if the step is too long."""
    guess, row = here.v + step * here.tangent, here.tangent
    low, high = track.path.s[leg : leg + 2]
    if not low < guess[-1] < high:
        knot = high if guess[-1] >= high else low
        if here.s == knot:
            return None
        guess = here.v + (knot - here.s) / here.tangent[-1] * here.tangent
        guess[-1] = knot
        row = np.append(np.zeros(len(guess) - 1), 1.0)
    new = yield from corrected(track, guess, row, leg, here.tangent)
    if new is None or not low <= new.s <= high:
        return None
    near = np.linalg.norm(new.v - guess) <= step / 2
    return new if near and new.tangent @ here.tangent > TURN else None


def _leg_ahead(path: Path, spot: Spot, leg: int) -> int | None:
    """The piece on which the branch goes on from a point of a piece; None where the path ends."""
    if spot.tangent[-1] > 0 and spot.s >= path.s[leg + 1]:
        return leg + 1 if leg + 1 < path.legs else None
    if spot.tangent[-1] < 0 and spot.s <= path.s[leg]:
        return leg - 1 if leg > 0 else None
    return leg


def _renewed(track: Track, spot: Spot, leg: int) -> Spot:
    """The same point with the tangent that the branch has on a piece of the path: on along the
    path, though states may turn back with a path that does."""
    if spot.matrices is None:
        raise RuntimeError("a point without its matrices has no tangent on another piece")
    matrix = track.matrix(*spot.matrices, leg)
    ahead = np.append(np.zeros(len(spot.v) - 1), np.sign(spot.tangent[-1]))
    return replace(spot, tangent=tangent_of(matrix, ahead, ahead))


def _end(s: float) -> str:
    return "end" if s > 0.5 else "beginning"


def _passes(v: Array, before: Spot, after: Spot) -> bool:
    """Whether the way from one point to the next leads past v."""
    way = after.v - before.v
    share = (v - before.v) @ way / (way @ way)
    off = np.linalg.norm(before.v + share * way - v)
    return bool(0 <= share <= 1 and off <= 0.1 * np.linalg.norm(way))


def together(
    walks: Mapping[Any, Generator[Ask, Answer, Any]],
    answer: Callable[[Array, Array], Answer],
) -> dict[Any, Any]:
    """What each of the generators returns; all that they ask in a round is answered at once."""
    results: dict[Any, Any] = {}
    asked: dict[Any, Ask] = {}

    def resume(name: Any, sent: Answer | None) -> None:
        try:
            asked[name] = walks[name].send(sent)  # type: ignore[arg-type]
        except StopIteration as stop:
            asked.pop(name, None)
            results[name] = stop.value

    for name in walks:
        resume(name, None)
    while asked:
        names = list(asked)
        answers = answer(*(np.stack(part) for part in zip(*asked.values(), strict=True)))
        for name, *sent in zip(names, *answers, strict=True):
            resume(name, (sent[0], sent[1], sent[2]))
    return results
