"""Pseudo-arclength continuation: predictor and corrector along a branch of fixed points h*(s).

The unknown is v = (h / scale, s). The scale makes states comparable with the arclength s on the
path of inputs. Branches are generators: they yield states and inputs, and receive linearisations.
`run_in_batches` advances many of them by one compiled call per round (Keller 1977).
"""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.continuation.input_path import InputPath
from rnnstudy.dynamics.continuation.problem import (
    ContinuationPoint,
    ContinuationProblem,
    Linearisation,
    Linearise,
    Query,
)
from rnnstudy.dynamics.continuation.settings import ContinuationSettings
from rnnstudy.dynamics.states.outcomes import Outcomes

MAX_CORRECTIONS = 5
"""Largest number of Newton steps of the corrector. More mean a predictor that was too far off."""

CORRECTOR_TOLERANCE = 1e-10
"""Last Newton step, in units of v. Its square is the error."""

MIN_COSINE = 0.9
"""Least cosine between the tangents of successive points: about 25 degrees."""

STRAIGHT_COSINE = 0.99
"""Cosine between successive tangents above which the step grows."""

STEP_GROWTH = 1.5
"""Factor of the step where the branch is straight."""

BRANCH_OUTCOMES = Outcomes(
    {
        "end": "The branch reached the end of the input path.",
        "beginning": "The branch reached the beginning of the input path.",
        "closed": "The branch is closed: it came back to its start.",
        "points": (
            "The branch has the largest number of points.",
            "Raise `max_points`.",
        ),
        "diverged": (
            "The branch left the region of the continuation.",
            "Raise `max_norm`.",
        ),
        "lost": (
            "No step was short enough for the corrector to converge.",
            "Lower `ds_min`.",
        ),
        "no fixed point": (
            "The start is not a fixed point at the first input.",
            "Start from points of `find_fixed_points` at that input.",
        ),
        "": "The branch was not followed in this direction.",
    }
)
"""Outcomes of a branch in one direction."""


Correction = Generator[Query, Linearisation, ContinuationPoint | None]
Trace = Generator[Query, Linearisation, tuple[list[ContinuationPoint], str]]


def newton_correct(
    problem: ContinuationProblem,
    guess: Array,
    normal: Array,
    segment: int,
    direction: Array,
    lenient: bool = False,
) -> Correction:
    """Return the point of the branch near a guess, in the plane through it.

    Parameters
    ----------
    problem
        Equation of the branch.
    guess
        Predicted point, `[state + 1]`.
    normal
        Normal of the plane, `[state + 1]`.
    segment
        Segment of the path.
    direction
        Direction along which the tangent points, `[state + 1]`.
    lenient
        Whether a residual of the size of rounding is enough. Next to a branch point Newton's step
        is not determined.

    Returns
    -------
    ContinuationPoint or None
        None if Newton's method does not converge in a few steps.
    """
    v, previous = guess, np.inf
    for _ in range(MAX_CORRECTIONS):
        h, x = problem.query(v, segment)
        image, by_state, by_input = yield h, x
        residual = image - h
        matrix = problem.derivative(by_state, by_input, segment)
        if not (np.isfinite(residual).all() and np.isfinite(matrix).all()):
            return None
        rounding = 8 * np.finfo(float).eps * np.sqrt(len(h)) * (1 + np.abs(h).max())
        if lenient and np.abs(residual).max() <= rounding:
            step = np.zeros(len(v))
        else:
            step = _solve_bordered(matrix, normal, np.append(-residual, 0.0))
        length = float(np.linalg.norm(step))
        if not np.isfinite(length) or length > 2 * previous:
            return None
        v, previous = v + step, length
        if length <= CORRECTOR_TOLERANCE * (1 + np.linalg.norm(v)):
            tangent = tangent_of(matrix, normal, direction)
            determinant = float(np.linalg.slogdet(matrix[:, :-1])[0])
            return problem.point(v, tangent, determinant, by_state, by_input)
    return None


def _solve_bordered(matrix: Array, row: Array, right: Array) -> Array:
    """Return the solution of the matrix bordered by a row, not finite if it is singular."""
    try:
        return np.linalg.solve(np.vstack([matrix, row]), right)
    except np.linalg.LinAlgError:
        return np.full(len(right), np.inf)


def tangent_of(matrix: Array, row: Array, direction: Array) -> Array:
    """Return the unit tangent of a branch, `[state + 1]`.

    It is the null vector of the derivative, dh/ds = (I - dF/dh)^-1 dF/dx dx/ds without its
    singularity at folds.

    Parameters
    ----------
    matrix
        Derivative of F(h; x(s)) - h by v, `[state, state + 1]`.
    row
        Row that borders the matrix, `[state + 1]`.
    direction
        Direction along which the tangent points, `[state + 1]`.
    """
    unit = np.append(np.zeros(len(matrix)), 1.0)
    tangent = _solve_bordered(matrix, row, unit)
    if not np.isfinite(tangent).all():
        tangent = np.linalg.svd(matrix)[2][-1]
    tangent = tangent / np.linalg.norm(tangent)
    oriented: Array = tangent if tangent @ direction >= 0 else -tangent
    return oriented


def trace_branch(
    problem: ContinuationProblem, start: ContinuationPoint, settings: ContinuationSettings
) -> Trace:
    """Return the branch from a point along its tangent, and the name of the outcome.

    The start is the first point.
    """
    points, current, step = [start.without_matrices], start, settings.ds
    first = problem.path.segment_at(start.s)
    segment = _next_segment(problem.path, current, first)
    if segment is None:
        return points, _end_of_path(start.s)
    current = current if segment == first else _tangent_on_segment(problem, current, segment)
    while len(points) < settings.max_points:
        new = yield from _predict_and_correct(problem, current, step, segment)
        if new is None:
            step /= 2
            if step < settings.ds_min:
                return points, "lost"
            continue
        is_long = len(points) > 2
        if is_long and _passes(start.v, current, new) and start.tangent @ new.tangent > MIN_COSINE:
            return [*points, start.without_matrices], "closed"
        points.append(new.without_matrices)
        norm = float(np.linalg.norm(new.v[:-1]))
        if norm > settings.max_norm:
            return points, "diverged"
        is_straight = new.tangent @ current.tangent > STRAIGHT_COSINE
        growth = STEP_GROWTH if is_straight else 1.0
        step = min(step * growth, settings.ds_max * max(1.0, norm))
        following = _next_segment(problem.path, new, segment)
        if following is None:
            return points, _end_of_path(new.s)
        current = new if following == segment else _tangent_on_segment(problem, new, following)
        segment = following
    return points, "points"


def _predict_and_correct(
    problem: ContinuationProblem, current: ContinuationPoint, step: float, segment: int
) -> Correction:
    """Return the point one step on, or at the end of the segment; None if the step is too long."""
    guess, normal = current.v + step * current.tangent, current.tangent
    low, high = problem.path.s[segment : segment + 2]
    if not low < guess[-1] < high:
        knot = high if guess[-1] >= high else low
        if current.s == knot:
            return None
        guess = current.v + (knot - current.s) / current.tangent[-1] * current.tangent
        guess[-1] = knot
        normal = np.append(np.zeros(len(guess) - 1), 1.0)
    new = yield from newton_correct(problem, guess, normal, segment, current.tangent)
    if new is None or not low <= new.s <= high:
        return None
    is_near = np.linalg.norm(new.v - guess) <= step / 2
    return new if is_near and new.tangent @ current.tangent > MIN_COSINE else None


def _next_segment(path: InputPath, point: ContinuationPoint, segment: int) -> int | None:
    """Return the segment on which the branch continues; None at the end of the path."""
    if point.tangent[-1] > 0 and point.s >= path.s[segment + 1]:
        return segment + 1 if segment + 1 < path.n_segments else None
    if point.tangent[-1] < 0 and point.s <= path.s[segment]:
        return segment - 1 if segment > 0 else None
    return segment


def _tangent_on_segment(
    problem: ContinuationProblem, point: ContinuationPoint, segment: int
) -> ContinuationPoint:
    """Return the same point with the tangent of the branch on a segment, further along the path."""
    if point.matrices is None:
        raise RuntimeError("a point without matrices has no tangent on another segment")
    matrix = problem.derivative(*point.matrices, segment)
    direction = np.append(np.zeros(len(point.v) - 1), np.sign(point.tangent[-1]))
    return replace(point, tangent=tangent_of(matrix, direction, direction))


def _end_of_path(s: float) -> str:
    return "end" if s > 0.5 else "beginning"


def _passes(v: Array, before: ContinuationPoint, after: ContinuationPoint) -> bool:
    """Return True if the line from one point to the next passes v."""
    line = after.v - before.v
    share = (v - before.v) @ line / (line @ line)
    distance = np.linalg.norm(before.v + share * line - v)
    return bool(0 <= share <= 1 and distance <= 0.1 * np.linalg.norm(line))


def run_in_batches(
    generators: Mapping[Any, Generator[Query, Linearisation, Any]], linearise: Linearise
) -> dict[Any, Any]:
    """Run generators together, with one call of `linearise` per round for all their queries.

    Parameters
    ----------
    generators
        Generators that yield queries and receive linearisations.
    linearise
        Linearisations of many queries at once.

    Returns
    -------
    dict
        Value that each generator returns.
    """
    results: dict[Any, Any] = {}
    queries: dict[Any, Query] = {}

    def resume(name: Any, linearisation: Linearisation | None) -> None:
        try:
            queries[name] = generators[name].send(linearisation)  # type: ignore[arg-type]
        except StopIteration as stop:
            queries.pop(name, None)
            results[name] = stop.value

    for name in generators:
        resume(name, None)
    while queries:
        names = list(queries)
        answers = linearise(*(np.stack(part) for part in zip(*queries.values(), strict=True)))
        for name, image, by_state, by_input in zip(names, *answers, strict=True):
            resume(name, (image, by_state, by_input))
    return results
