"""Bifurcations between the points of a branch, located by the roots of test functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.continuation.problem import ContinuationPoint, ContinuationProblem, Linearise
from rnnstudy.dynamics.continuation.pseudo_arclength import newton_correct, run_in_batches

BIFURCATION_KINDS = ("fold", "branch point", "flip", "Neimark-Sacker", "Hopf")
"""Kinds in the order of their codes. Flips and Neimark-Sacker bifurcations are those of maps, Hopf
bifurcations those of vector fields."""

REAL_ANGLE = 1e-6
"""Angle from 0 or 180 degrees within which an eigenvalue is real. A double eigenvalue is rounded to
a pair 1e-8 apart. For a vector field it is an imaginary part as a share of the typical rate."""

ROOT_SHARE = 1e-12
"""Share of a segment within which a bifurcation is located."""

STRAIGHT_LENGTH = 1e-6
"""Length, in units of v, below which a branch is straight. The error is its square."""

STRAIGHT_TURN = 1e-3
"""The same length at a pitchfork that the branch enters sideways. There F(h) - h falls with the
third power of the distance, and is rounding within some 1e-5."""

BESIDE_ROOT = (0.1, 0.3)
"""Distances from a branch point at which points are corrected, as shares of the segment."""

MAX_HALVINGS = 8
"""Largest number of times that a segment is halved to separate several crossings."""

TestFunction = Callable[[ContinuationPoint], float]
"""A function of points whose sign changes at a bifurcation."""


@dataclass(frozen=True, eq=False)
class Bifurcation:
    """A bifurcation on a branch.

    Parameters
    ----------
    kind
        One of BIFURCATION_KINDS.
    point
        Point of the branch.
    eigenvalue
        Eigenvalue on the unit circle, or on the imaginary axis, in the upper half plane.
    change
        Increase of the number of unstable directions.
    width
        Length of branch, in units of v, within which it was located.
    """

    kind: str
    point: ContinuationPoint
    eigenvalue: complex
    change: int
    width: float


class _CorrectorFailed(Exception):
    """The corrector did not converge between two points of a branch."""


@dataclass(frozen=True, eq=False)
class BranchSegment:
    """The branch between two of its points. Shares run from 0 to 1 along the straight line."""

    problem: ContinuationProblem
    linearise: Linearise
    before: ContinuationPoint
    after: ContinuationPoint

    @property
    def line(self) -> Array:
        """Difference of the two points, `[state + 1]`."""
        difference: Array = self.after.v - self.before.v
        return difference

    @property
    def length(self) -> float:
        """Distance of the two points."""
        return float(np.linalg.norm(self.line))

    def at(self, share: float) -> ContinuationPoint:
        """Return the point of the branch in the plane across the line at a share of it."""
        normal = self.line / np.linalg.norm(self.line)
        guess = self.before.v + share * self.line
        segment = self.problem.path.segment_at(guess[-1])
        correction = newton_correct(self.problem, guess, normal, segment, normal, lenient=True)
        point: ContinuationPoint | None = run_in_batches({0: correction}, self.linearise)[0]
        if point is None:
            raise _CorrectorFailed
        return point

    def root(self, test: TestFunction) -> tuple[ContinuationPoint, float]:
        """Return the root of a test function, and the length within which it is known."""
        try:
            share = brentq(lambda share: test(self.at(share)), 0.0, 1.0, xtol=ROOT_SHARE)
            return self.at(share), max(ROOT_SHARE * self.length, np.finfo(float).eps)
        except (_CorrectorFailed, ValueError):
            # Rounding may hide the signs at the very ends.
            return self.bisect_beside(test, STRAIGHT_LENGTH)

    def bisect_beside(
        self, test: TestFunction, straight_length: float
    ) -> tuple[ContinuationPoint, float]:
        """Return the root of a test function where branches meet.

        Newton's method fails at such a point. Only points beside it are corrected, on ever shorter
        parts of the segment. A part of `straight_length` is taken as straight.
        """
        part, values = self, (test(self.at(0.0)), test(self.at(1.0)))
        while part.length > straight_length and values[0] * values[1] < 0:
            parts = (_shorten(part, values, test, margin) for margin in BESIDE_ROOT)
            shorter = next(filter(None, parts), None)
            if shorter is None:
                break
            part, values = shorter
        share = values[0] / (values[0] - values[1]) if values[0] * values[1] < 0 else 0.5
        point = part.point_at(part.before.v + share * part.line)
        if part.length > straight_length:
            return point, part.length
        return point, max(part.length**2, np.finfo(float).eps)

    def point_at(self, v: Array) -> ContinuationPoint:
        """Return a point at v itself."""
        segment = self.problem.path.segment_at(v[-1])
        h, x = self.problem.query(v, segment)
        _, by_state, by_input = (values[0] for values in self.linearise(h[None], x[None]))
        direction = self.line / np.linalg.norm(self.line)
        return self.problem.point(v, direction, 0.0, by_state, by_input)

    def halves(self) -> tuple["BranchSegment", "BranchSegment"]:
        """Return the two halves of the segment."""
        middle = self.at(0.5).without_matrices
        return replace(self, after=middle), replace(self, before=middle)


def _shorten(
    segment: BranchSegment, values: tuple[float, float], test: TestFunction, margin: float
) -> tuple[BranchSegment, tuple[float, float]] | None:
    """Return a part that contains the root of a test function, and the values at its ends.

    The values at the ends of the segment estimate the root. The part ends at a share `margin` on
    either side of it. None if the corrector fails there.
    """
    share = values[0] / (values[0] - values[1])
    shares = np.clip([share - margin, share + margin], margin / 4, 1 - margin / 4)
    try:
        middle = [segment.at(share) for share in shares]
    except _CorrectorFailed:
        return None
    points = [segment.before, *middle, segment.after]
    heights = [values[0], *map(test, middle), values[1]]
    i = next(i for i in range(3) if heights[i] * heights[i + 1] <= 0)
    before, after = points[i].without_matrices, points[i + 1].without_matrices
    return replace(segment, before=before, after=after), (heights[i], heights[i + 1])


def find_bifurcations(
    problem: ContinuationProblem,
    linearise: Linearise,
    points: Sequence[ContinuationPoint],
    margin: float,
) -> list[tuple[int, Bifurcation]]:
    """Return the bifurcations along a branch in order, each with the index of the point before it.

    A point with an eigenvalue within the margin of the unit circle, or of the imaginary axis, is
    skipped, since it is on neither side. A bifurcation needs a point before it and one behind it.

    Parameters
    ----------
    problem
        Equation of the branch.
    linearise
        Linearisations of many states and inputs.
    points
        Points of the branch in order.
    margin
        Distance of a modulus from 1, or of a real part from 0, within which an eigenvalue is on
        neither side.
    """
    decided = [i for i, point in enumerate(points) if _is_decided(point, margin)]
    located: list[tuple[int, Bifurcation]] = []
    for i, j in pairwise(decided):
        if _signature(points[i]) != _signature(points[j]):
            segment = BranchSegment(problem, linearise, points[i], points[j])
            between = _bifurcations_on(segment, MAX_HALVINGS)
            line = segment.line
            between.sort(key=lambda each, line=line: each.point.v @ line)  # type: ignore[misc]
            located += [(i, bifurcation) for bifurcation in between]
    return located


def _is_decided(point: ContinuationPoint, margin: float) -> bool:
    return bool((np.abs(point.growth) > margin).all())


def _signature(point: ContinuationPoint) -> tuple[bool, float, int, int, int]:
    """Return direction along the path, orientation, and counts of eigenvalues of growing modes.

    The counts are those of real ones above 1, of real ones below -1, and of complex ones. For a
    vector field they are those of positive ones, 0, and of complex ones.
    """
    outside = point.eigenvalues[point.growth > 0]
    real = outside.imag == 0
    above = int((real & (outside.real > 0)).sum())
    below = int(real.sum()) - above
    forward = bool(point.tangent[-1] > 0)
    return forward, _orientation(point), above, below, len(outside) - above - below


def _orientation(point: ContinuationPoint) -> float:
    """Return the sign of a determinant that changes at branch points only.

    It is that of the derivative bordered by the tangent. By Cramer's rule it is det(dF/dh - I) over
    ds/dv.
    """
    return point.determinant * float(np.sign(point.tangent[-1]))


def _bifurcations_on(segment: BranchSegment, halvings: int) -> list[Bifurcation]:
    """Return the bifurcations on a segment. Several crossings are searched on its halves."""
    before, after = _signature(segment.before), _signature(segment.after)
    above, below, pairs = (abs(b - a) for a, b in zip(before[2:], after[2:], strict=True))
    if halvings and above + below + pairs / 2 > 1:
        try:
            halves = segment.halves()
        except _CorrectorFailed:
            return _locate(segment)
        return [each for half in halves for each in _bifurcations_on(half, halvings - 1)]
    return _locate(segment)


def _locate(segment: BranchSegment) -> list[Bifurcation]:
    """Return a fold or a branch point, if any, and the crossings that these do not explain."""
    before, after = segment.before, segment.after
    change = _count_outside(after) - _count_outside(before)
    has_fold = (before.tangent[-1] > 0) != (after.tangent[-1] > 0)
    has_branch_point = _orientation(before) != _orientation(after)
    located = []
    if has_fold or has_branch_point:
        test = _path_direction if has_fold else _bordered_determinant(segment)
        if has_branch_point:
            straight_length = STRAIGHT_TURN if has_fold else STRAIGHT_LENGTH
            point, width = segment.bisect_beside(test, straight_length)
        else:
            point, width = segment.root(test)
        kind = "branch point" if has_branch_point else "fold"
        step = int(np.sign(change)) if has_branch_point != has_fold else 0
        critical = _eigenvalue_at_root(point)
        located.append(Bifurcation(kind, point.without_matrices, critical, step, width))
    if abs(change) > sum(abs(each.change) for each in located):
        located += _crossings(segment, bool(located))
    return located


def _crossings(segment: BranchSegment, has_crossing_at_one: bool) -> list[Bifurcation]:
    """Return the crossings of the unit circle, or of the imaginary axis, one by one.

    The k-th largest growth passes 0 for each k between the numbers outside before and behind.
    """
    fewer, more = sorted((_count_outside(segment.before), _count_outside(segment.after)))
    sign = 1 if _count_outside(segment.after) == more else -1
    crossings, k = [], fewer
    while k < more:
        point, width = segment.root(lambda point, k=k: point.growth[k])  # type: ignore[misc]
        critical = complex(point.eigenvalues[k])
        critical = complex(critical.real, abs(critical.imag))
        kind = _kind(critical, segment.problem.continuous)
        count = 2 if kind in ("Neimark-Sacker", "Hopf") else 1
        if not (has_crossing_at_one and kind == "branch point"):
            crossing = Bifurcation(kind, point.without_matrices, critical, sign * count, width)
            crossings.append(crossing)
        k += count
    return crossings


def _kind(critical: complex, continuous: bool) -> str:
    angle = abs(critical.imag) if continuous else abs(np.angle(critical))
    if angle < REAL_ANGLE:
        # Only an even number of crossings at once escapes the tests for folds and branch points.
        return "branch point"
    if continuous:
        return "Hopf"
    return "flip" if np.pi - angle < REAL_ANGLE else "Neimark-Sacker"


def _path_direction(point: ContinuationPoint) -> float:
    """Return ds along the branch, zero at a fold."""
    return float(point.tangent[-1])


def _bordered_determinant(segment: BranchSegment) -> TestFunction:
    """Return the determinant whose sign is the orientation, times a constant."""
    scale: list[float] = []

    def test(point: ContinuationPoint) -> float:
        if point.matrices is None:
            raise RuntimeError("a point without matrices has no determinant")
        path_segment = segment.problem.path.segment_at(point.s)
        matrix = segment.problem.derivative(*point.matrices, path_segment)
        sign, size = np.linalg.slogdet(np.vstack([matrix, point.tangent]))
        scale.append(size)
        return float(sign * np.exp(size - scale[0]))

    return test


def _count_outside(point: ContinuationPoint) -> int:
    return int((point.growth > 0).sum())


def _eigenvalue_at_root(point: ContinuationPoint) -> complex:
    """Return the eigenvalue nearest to 1, or to 0 for a vector field."""
    critical = 0.0 if point.continuous else 1.0
    return complex(point.eigenvalues[np.argmin(np.abs(point.eigenvalues - critical))])
