"""Branch switching at the branch points of a continuation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.continuation.bifurcations import Bifurcation, find_bifurcations
from rnnstudy.dynamics.continuation.problem import ContinuationPoint, ContinuationProblem, Linearise
from rnnstudy.dynamics.continuation.pseudo_arclength import Trace, run_in_batches, trace_branch
from rnnstudy.dynamics.continuation.settings import ContinuationSettings

DIFFERENCE_STEP = 1e-4
"""Half the length of the differences that approximate second derivatives, in units of v."""

SIMPLE_SHARE = 1e-4
"""Second smallest singular value, as a share of the largest, above which only two branches meet."""

SAME_POINT = 1e-3
"""Distance, in units of v, of branch points that are one."""

MAX_SWITCHED = 64
"""Largest number of branches that are switched to."""


@dataclass(frozen=True, eq=False)
class Branch:
    """A branch of fixed points.

    Parameters
    ----------
    points
        Points in order.
    outcome
        Names of the outcomes, backward and forward.
    bifurcations
        Bifurcations, each with the index of the point before it.
    origin
        Branch and bifurcation at which it was switched to, -1 for a branch from a start.
    """

    points: Sequence[ContinuationPoint]
    outcome: tuple[str, str]
    bifurcations: Sequence[tuple[int, Bifurcation]]
    origin: tuple[int, int] = (-1, -1)


def reverse(points: Sequence[ContinuationPoint]) -> list[ContinuationPoint]:
    """Return the points of a trace behind its start, in the opposite order and direction."""
    return [replace(point, tangent=-point.tangent) for point in points[:0:-1]]


def switch_branches(
    problem: ContinuationProblem,
    linearise: Linearise,
    branches: Sequence[Branch],
    settings: ContinuationSettings,
) -> list[Branch]:
    """Return the branches that known ones meet, and those that these meet.

    A branch point on two known branches needs no switching. Where more than two branches meet at
    once, none is switched to.

    Parameters
    ----------
    problem
        Equation of the branches.
    linearise
        Linearisations of many states and inputs.
    branches
        Known branches.
    settings
        Settings of the continuation.
    """
    every, visited = list(branches), list[Array]()
    while len(every) < len(branches) + MAX_SWITCHED:
        origin = _unvisited_branch_point(every, visited)
        if origin is None:
            break
        i, k = origin
        point = every[i].bifurcations[k][1].point
        visited.append(point.v)
        tangent = other_tangent(problem, linearise, point)
        if tangent is not None:
            points, outcome = _trace_both_directions(problem, linearise, point, tangent, settings)
            bifurcations = find_bifurcations(problem, linearise, points, settings.margin)
            every.append(Branch(points, outcome, bifurcations, origin))
    return every[len(branches) :]


def _unvisited_branch_point(
    branches: Sequence[Branch], visited: Sequence[Array]
) -> tuple[int, int] | None:
    """Return branch and number of the first branch point on one branch only, not yet visited."""
    branch_points = [
        (i, k, bifurcation.point.v)
        for i, branch in enumerate(branches)
        for k, (_, bifurcation) in enumerate(branch.bifurcations)
        if bifurcation.kind == "branch point"
    ]
    for i, k, v in branch_points:
        count = sum(np.linalg.norm(other - v) < SAME_POINT for _, _, other in branch_points)
        if count == 1 and all(np.linalg.norm(other - v) >= SAME_POINT for other in visited):
            return i, k
    return None


def other_tangent(
    problem: ContinuationProblem, linearise: Linearise, point: ContinuationPoint
) -> Array | None:
    """Return the tangent of the other branch at a branch point, `[state + 1]`.

    With G(v) = F(h; x(s)) - h, let t be the tangent, u the other null vector of dG/dv, and w its
    left null vector. The tangents a t + b u solve w'G_vv(a t + b u)(a t + b u) = 0. This algebraic
    bifurcation equation has the root b = 0. The other root is returned.

    Returns
    -------
    array or None
        None if more than two branches meet, or if they touch without crossing.

    References
    ----------
    Keller (1977), Numerical solution of bifurcation and nonlinear eigenvalue problems.
    """
    segment = problem.path.segment_at(point.s)
    derivative = partial(_derivative_at, problem, linearise, segment)
    left, values, right = np.linalg.svd(derivative(point.v))
    if len(values) > 1 and values[-2] < SIMPLE_SHARE * values[0]:
        return None
    weak, plane = left[:, -1], right[-2:]
    along = plane @ point.tangent / np.linalg.norm(plane @ point.tangent)
    t, u = along @ plane, np.array([-along[1], along[0]]) @ plane

    def second_derivative(direction: Array) -> Array:
        step = DIFFERENCE_STEP * direction
        difference = derivative(point.v + step) - derivative(point.v - step)
        second: Array = weak @ difference / (2.0 * DIFFERENCE_STEP)
        return second

    mixed, double = second_derivative(t) @ u, second_derivative(u) @ u
    size = np.linalg.norm(second_derivative(u))
    if abs(mixed) <= SIMPLE_SHARE * max(abs(double), size, DIFFERENCE_STEP):
        return None
    other: Array = u - double / (2.0 * mixed) * t
    unit: Array = other / np.linalg.norm(other)
    return unit


def _derivative_at(
    problem: ContinuationProblem, linearise: Linearise, segment: int, v: Array
) -> Array:
    """Return the derivative of F(h; x(s)) - h by v."""
    h, x = problem.query(v, segment)
    _, by_state, by_input = (values[0] for values in linearise(h[None], x[None]))
    return problem.derivative(by_state, by_input, segment)


def _trace_both_directions(
    problem: ContinuationProblem,
    linearise: Linearise,
    point: ContinuationPoint,
    tangent: Array,
    settings: ContinuationSettings,
) -> tuple[list[ContinuationPoint], tuple[str, str]]:
    """Return the branch through a point, without the point, and its outcomes.

    No side of a bifurcation is decided at the point itself.
    """
    traces: dict[int, Trace] = {
        sign: trace_branch(problem, replace(point, tangent=sign * tangent), settings)
        for sign in (-1, 1)
    }
    results = run_in_batches(traces, linearise)
    (backward, backward_outcome), (forward, forward_outcome) = results[-1], results[1]
    before = [] if forward_outcome == "closed" else reverse(backward)
    return [*before, *forward[1:]], (backward_outcome, forward_outcome)
