"""Bifurcations between the points of a branch: what crosses the unit circle, and exactly where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.continuation.pseudo_arclength import Answer, Spot, Track, corrected, together
from rnnstudy.dynamics.linearisation.modes import eigenvalues

KINDS = ("fold", "branch point", "flip", "Neimark-Sacker")

SAME_ANGLE = 1e-6
"""Angle from 0 or 180 degrees within which an eigenvalue is real: a double one is rounded to a
pair 1e-8 apart."""

WIDTH = 1e-12
"""Share of the way between two points within which a bifurcation is located."""

SHORT = 1e-6
"""Length, in the units of the stride, below which a branch is straight: off by its square."""

SHORT_TURN = 1e-3
"""The same at a pitchfork that the branch enters sideways: F(h) - h falls with the third power of
the distance there, and is rounding within some 1e-5."""

BESIDE = (0.1, 0.3)
"""How far from a meeting of branches points are looked for, as shares of the stretch."""

SPLITS = 8
"""How often the way is halved to tell several crossings apart."""


@dataclass(frozen=True, eq=False)
class Event:
    """A bifurcation of some kind at a point of a branch."""

    kind: str
    spot: Spot
    eigenvalue: complex
    """The one on the unit circle, with an angle of 0 to 180 degrees."""
    change: int
    """How many more directions are unstable behind it."""
    width: float
    """Length of branch, in the units of the stride, within which it was located."""


class _Astray(Exception):
    """The branch was not found between two of its points."""


@dataclass(frozen=True, eq=False)
class _Stretch:
    """The branch between two of its points: share 0 to 1 of the way -> point."""

    track: Track
    answer: Callable[[Array, Array], Answer]
    before: Spot
    after: Spot

    @property
    def way(self) -> Array:
        return self.after.v - self.before.v

    def at(self, share: float) -> Spot:
        """The point in the plane across the straight way at this share of it."""
        row = self.way / np.linalg.norm(self.way)
        guess = self.before.v + share * self.way
        leg = self.track.path.leg(guess[-1])
        search = corrected(self.track, guess, row, leg, row, lenient=True)
        found: Spot | None = together({0: search}, self.answer)[0]
        if found is None:
            raise _Astray
        return found

    def root(self, test: Callable[[Spot], float]) -> tuple[Spot, float]:
        """Where a test function changes its sign, and the length within which that is known."""
        length = float(np.linalg.norm(self.way))
        try:
            share = brentq(lambda share: test(self.at(share)), 0.0, 1.0, xtol=WIDTH)
            return self.at(share), max(WIDTH * length, np.finfo(float).eps)
        except (_Astray, ValueError):
            # Signs at the very ends may be lost in rounding.
            return self.narrowed(test, SHORT)

    def narrowed(self, test: Callable[[Spot], float], short: float) -> tuple[Spot, float]:
        """The same where branches meet. Newton's method fails there, so only points beside the
        zero are looked at, on an ever shorter stretch, and a short one is taken as straight."""
        part, values = self, (test(self.at(0.0)), test(self.at(1.0)))
        while np.linalg.norm(part.way) > short and values[0] * values[1] < 0:
            shorter = next(filter(None, (_shortened(part, values, test, m) for m in BESIDE)), None)
            if shorter is None:
                break
            part, values = shorter
        length = float(np.linalg.norm(part.way))
        share = values[0] / (values[0] - values[1]) if values[0] * values[1] < 0 else 0.5
        spot = part.beheld(part.before.v + share * part.way)
        return spot, length if length > short else max(length**2, np.finfo(float).eps)

    def beheld(self, v: Array) -> Spot:
        """A point as it is, not corrected."""
        leg = self.track.path.leg(v[-1])
        h, x = self.track.ask(v, leg)
        _, by_state, by_input = (values[0] for values in self.answer(h[None], x[None]))
        direction = self.way / np.linalg.norm(self.way)
        return Spot(v, direction, eigenvalues(by_state), 0.0, (by_state, by_input))

    def halves(self) -> tuple["_Stretch", "_Stretch"]:
        middle = self.at(0.5).slim
        first = _Stretch(self.track, self.answer, self.before, middle)
        return first, _Stretch(self.track, self.answer, middle, self.after)


def _shortened(
    stretch: _Stretch,
    values: tuple[float, float],
    test: Callable[[Spot], float],
    beside: float,
) -> tuple[_Stretch, tuple[float, float]] | None:
    """A part that holds the zero of a test function with these values at the ends, from points at
    a share `beside` of the way on either side of where it seems to be; None if they are not found.
    """
    share = values[0] / (values[0] - values[1])
    places = np.clip([share - beside, share + beside], beside / 4, 1 - beside / 4)
    try:
        middle = [stretch.at(place) for place in places]
    except _Astray:
        return None
    spots = [stretch.before, *middle, stretch.after]
    heights = [values[0], *map(test, middle), values[1]]
    i = next(i for i in range(3) if heights[i] * heights[i + 1] <= 0)
    part = replace(stretch, before=spots[i].slim, after=spots[i + 1].slim)
    return part, (heights[i], heights[i + 1])


def bifurcations(
    track: Track,
    answer: Callable[[Array, Array], Answer],
    spots: Sequence[Spot],
    margin: float,
) -> list[tuple[int, Event]]:
    """Those along a branch, in order, each with the position of the point before it.

    A point that has an eigenvalue within the margin of the unit circle is on neither side, and is
    passed over: a bifurcation needs a point before it and one behind it.
    """
    sides = [i for i, spot in enumerate(spots) if _decided(spot, margin)]
    found: list[tuple[int, Event]] = []
    for i, j in pairwise(sides):
        if _signature(spots[i]) != _signature(spots[j]):
            events = _between(_Stretch(track, answer, spots[i], spots[j]), SPLITS)
            way = spots[j].v - spots[i].v
            events.sort(key=lambda event, way=way: event.spot.v @ way)  # type: ignore[misc]
            found += [(i, event) for event in events]
    return found


def _decided(spot: Spot, margin: float) -> bool:
    return bool((np.abs(np.abs(spot.eigenvalues) - 1) > margin).all())


def _signature(spot: Spot) -> tuple[bool, float, int, int, int]:
    """Direction along the path, orientation, and how many eigenvalues lie outside the unit circle:
    real above 1, real below -1, complex."""
    outside = spot.eigenvalues[np.abs(spot.eigenvalues) > 1]
    real = outside.imag == 0
    above = int((real & (outside.real > 0)).sum())
    below = int(real.sum()) - above
    forward = bool(spot.tangent[-1] > 0)
    return forward, _orientation(spot), above, below, len(outside) - above - below


def _orientation(spot: Spot) -> float:
    """Sign of the determinant that changes at branch points and nowhere else: that of the whole
    derivative bordered by the tangent, which is det(dF/dh - I) over ds/dv by Cramer's rule."""
    return spot.determinant * float(np.sign(spot.tangent[-1]))


def _between(stretch: _Stretch, splits: int) -> list[Event]:
    """Bifurcations on a stretch; where several cross, on the halves of it."""
    before, after = _signature(stretch.before), _signature(stretch.after)
    above, below, pairs = (abs(b - a) for a, b in zip(before[2:], after[2:], strict=True))
    if splits and above + below + pairs / 2 > 1:
        try:
            halves = stretch.halves()
        except _Astray:
            return _located(stretch)
        return [event for half in halves for event in _between(half, splits - 1)]
    return _located(stretch)


def _located(stretch: _Stretch) -> list[Event]:
    """A turn or a branch point, if any, and the crossings that these do not account for."""
    before, after = stretch.before, stretch.after
    change = _outside(after) - _outside(before)
    turned = (before.tangent[-1] > 0) != (after.tangent[-1] > 0)
    branched = _orientation(before) != _orientation(after)
    events = []
    if turned or branched:
        test = _along if turned else _bordered(stretch)
        short = SHORT_TURN if turned else SHORT
        spot, width = stretch.narrowed(test, short) if branched else stretch.root(test)
        kind = "branch point" if branched else "fold"
        step = int(np.sign(change)) if branched != turned else 0
        events.append(Event(kind, spot.slim, _nearest_one(spot), step, width))
    if abs(change) > sum(abs(event.change) for event in events):
        events += _crossings(stretch, bool(events))
    return events


def _crossings(stretch: _Stretch, met_one: bool) -> list[Event]:
    """Crossings of the unit circle one by one: the k-th largest modulus passes 1 for each k between
    the numbers outside before and behind."""
    fewer, more = sorted((_outside(stretch.before), _outside(stretch.after)))
    sign = 1 if _outside(stretch.after) == more else -1
    events, k = [], fewer
    while k < more:
        spot, width = stretch.root(lambda spot, k=k: np.abs(spot.eigenvalues[k]) - 1.0)  # type: ignore[misc]
        critical = complex(spot.eigenvalues[k])
        critical = complex(critical.real, abs(critical.imag))
        kind = _kind(critical)
        count = 2 if kind == "Neimark-Sacker" else 1
        if not (met_one and kind == "branch point"):
            events.append(Event(kind, spot.slim, critical, sign * count, width))
        k += count
    return events


def _kind(critical: complex) -> str:
    angle = abs(np.angle(critical))
    if angle < SAME_ANGLE:
        # Only an even number of crossings at once escapes the test for turns and branch points.
        return "branch point"
    return "flip" if np.pi - angle < SAME_ANGLE else "Neimark-Sacker"


def _along(spot: Spot) -> float:
    """ds along the branch: zero at a turn."""
    return float(spot.tangent[-1])


def _bordered(stretch: _Stretch) -> Callable[[Spot], float]:
    """The determinant that `_orientation` gives the sign of, times a constant."""
    scale: list[float] = []

    def test(spot: Spot) -> float:
        if spot.matrices is None:
            raise RuntimeError("a point without its matrices has no determinant")
        matrix = stretch.track.matrix(*spot.matrices, stretch.track.path.leg(spot.s))
        sign, size = np.linalg.slogdet(np.vstack([matrix, spot.tangent]))
        scale.append(size)
        return float(sign * np.exp(size - scale[0]))

    return test


def _outside(spot: Spot) -> int:
    return int((np.abs(spot.eigenvalues) > 1).sum())


def _nearest_one(spot: Spot) -> complex:
    return complex(spot.eigenvalues[np.argmin(np.abs(spot.eigenvalues - 1))])
