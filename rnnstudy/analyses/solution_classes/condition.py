"""Search for the attractors of one network under each of its constant inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rnnstudy.analyses.solution_classes.family import covered_share, orbit_distances
from rnnstudy.analyses.solution_classes.observation import Observation, observe
from rnnstudy.analyses.solution_classes.thresholds import ClassThresholds
from rnnstudy.analyses.solution_classes.verdict import (
    ATTRACTORS,
    ESCAPE,
    NONE,
    family_dimension,
    family_kind,
    is_attracting,
    is_isolated,
    is_kept,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.dynamics.basins.follow import ESCAPE_RADIUS
from rnnstudy.dynamics.basins.known_points import KnownPoints, nearest
from rnnstudy.dynamics.invariant_circles.find import classify_trajectory
from rnnstudy.dynamics.invariant_circles.record import CIRCLE, FIXED, PERIODIC
from rnnstudy.dynamics.invariant_circles.search import CircleSearch
from rnnstudy.dynamics.lyapunov import lyapunov_exponents
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem, simulate_systems
from rnnstudy.dynamics.periodic_orbits.find import find_cycles
from rnnstudy.dynamics.periodic_orbits.search import OrbitSearch

POINT, ORBIT, CYCLE = range(3)
"""Kinds of isolated attractors: fixed point, short periodic orbit, and any other closed curve."""

SAMPLED_STEPS = 200
"""Steps of an attractor by which it is recognised."""

CONTRACTION_ORBITS = 3
"""Orbits of a family along which its contraction is measured."""

MIN_EXPONENT_STEPS = 60
"""Smallest number of steps along which exponents are measured."""

EXTRA_EXPONENTS = 3
"""Exponents that are computed beyond those along a family."""

ORBIT_COPIES = 4
"""Copies of the orbits in memory at the peak."""

COVERING_STEPS = 400
"""Steps of an orbit that show whether it passes along others."""

COVERED = 0.2
"""Distance at which an orbit passes along another one, as a share of the extent of all."""

SAME_CURVE = 0.02
"""Distance of two closed curves that are one, as a share of their size."""


@dataclass(frozen=True, eq=False)
class Attractor:
    """An isolated attractor of one system.

    Parameters
    ----------
    kind
        POINT, ORBIT or CYCLE.
    states
        States on it, `[time, state]`.
    point
        Position of a fixed point among the known ones, -1 for none.
    share
        Share of the starts that reach it.
    period
        Period in steps, 0 for an invariant circle.
    rotation
        Turns per step, NaN for a fixed point.
    exponent
        Largest exponent across it, in nats per step; NaN if it is not known.
    """

    kind: int
    states: Array
    point: int = -1
    share: float = 0.0
    period: int = 0
    rotation: float = float("nan")
    exponent: float = float("nan")


@dataclass(eq=False)
class ConditionState:
    """State of the search of one network under one constant input.

    Parameters
    ----------
    system
        The network at the constant input.
    ends
        Starts, and later the states to which they were followed, `[start, state]`.
    known
        Its fixed points.
    spread
        Root mean square distance of the starts from their mean.
    window
        Bounded orbits in both windows, `[start, time, state]`.
    bounded_share
        Share of the starts whose orbits are bounded.
    steps
        Number of steps that the starts were followed.
    remaining
        Number of steps that remain until the horizon.
    arrived
        Share of the starts that are at known stable points.
    exponents
        Exponent along a family, and the largest across it, in nats per step.
    attractors
        Isolated attractors.
    """

    system: AutonomousSystem
    ends: Array
    known: KnownPoints
    spread: float
    window: Array = field(default_factory=lambda: np.empty((0, 0, 0)))
    bounded_share: float = 1.0
    observed: Observation | None = None
    kind: int = NONE
    steps: int = 0
    arrived: float = 0.0
    remaining: int = 0
    exponents: Array = field(default_factory=lambda: np.full(2, np.nan))
    attractors: list[Attractor] = field(default_factory=list)
    is_decided: bool = False

    def decide(self, kind: int) -> None:
        """Set the kind of the attracting set."""
        self.kind, self.is_decided = kind, True


class ClassSearch:
    """Search for the attracting set of one network under all conditions of a task.

    Parameters
    ----------
    conditions
        States of the search, which change.
    unit
        Length of a trial in steps.
    thresholds, circles
        Settings.
    """

    def __init__(
        self,
        conditions: Sequence[ConditionState],
        unit: int,
        thresholds: ClassThresholds,
        circles: CircleSearch,
    ) -> None:
        self.conditions, self.unit = conditions, unit
        self.thresholds, self.circles = thresholds, circles

    def run(self) -> None:
        """Observe the orbits after settling, and the undecided ones later, up to the horizon."""
        for skip in self.thresholds.skips(self.unit):
            undecided = [each for each in self.conditions if not each.is_decided]
            self._observe(undecided, skip)
            self._resolve_sets([each for each in undecided if not each.is_decided])

    def _observe(self, conditions: Sequence[ConditionState], skip: int) -> None:
        """Follow the states of conditions through both windows, and decide those that are clear."""
        steps = 2 * self.thresholds.steps(self.thresholds.window, self.unit)
        bytes_each = 8 * ORBIT_COPIES * steps * max((c.ends.size for c in conditions), default=1)
        for part in batches(len(conditions), bytes_each):
            group = conditions[part]
            for condition, states in zip(group, _simulate(group, skip, steps), strict=True):
                condition.steps += skip + steps
                self._decide(condition, states)

    def _decide(self, condition: ConditionState, states: Array) -> None:
        """Decide the kind of one condition from states `[start, time, state]` in both windows."""
        # A comparison with NaN is false.
        limit = ESCAPE_RADIUS * condition.system.scale
        is_bounded = (np.abs(states) <= limit).all(axis=(1, 2))
        condition.bounded_share *= float(is_bounded.mean())
        states = states[is_bounded]
        if condition.bounded_share < self.thresholds.share:
            condition.decide(ESCAPE)
            return
        condition.window, condition.ends = states, states[:, -1]
        condition.observed = observe(states, condition.spread, self.unit, self.thresholds)
        if self._reached_points(condition):
            condition.decide(ATTRACTORS)
            return
        if self._is_one_oscillation(condition, condition.observed):
            sets = np.zeros_like(condition.observed.sets)
            condition.observed = replace(condition.observed, sets=sets)
        if not is_isolated(condition.observed, self.thresholds):
            self._decide_family(condition, condition.observed)

    def _is_one_oscillation(self, condition: ConditionState, observed: Observation) -> bool:
        """Return whether one orbit, followed longer, passes along nearly all others.

        Near a resonance the states of a short window leave gaps on a closed curve. Orbits of one
        curve then seem to be a family.
        """
        is_still = observed.motion[1] <= self.thresholds.slow
        if is_still or is_isolated(observed, self.thresholds):
            return False
        first, *others = observed.compared
        path = condition.system.simulate(condition.ends[[first]], 0, COVERING_STEPS)[0]
        radius = COVERED * observed.extent[1] * condition.spread
        share = covered_share(condition.window[others], path, radius)
        return share >= self.thresholds.share

    def _reached_points(self, condition: ConditionState) -> bool:
        """Return whether enough states are at known stable points, and note which they reach."""
        known, ends = condition.known, condition.ends
        stable = known.stable
        shares = np.zeros(len(stable))
        if len(stable):
            distance, position = nearest(known.state[stable], ends)
            arrived = distance <= known.radius(self.thresholds.tolerance)[stable][position]
            shares = np.bincount(position[arrived], minlength=len(stable)) / len(ends)
        condition.arrived = float(shares.sum())
        condition.attractors = [
            Attractor(POINT, known.state[[point]], int(point), float(share))
            for point, share in zip(stable, shares, strict=True)
        ]
        return condition.arrived >= self.thresholds.share

    def _decide_family(self, condition: ConditionState, observed: Observation) -> None:
        """Decide for a line, ring or plane if the orbits fill one that is kept and attracts."""
        thresholds = self.thresholds
        if not is_kept(observed, self.unit, thresholds):
            return
        kind = family_kind(observed, self.unit, thresholds)
        if kind == NONE:
            return
        dimension = family_dimension(kind, observed)
        exponents = self._exponents(condition, dimension)
        remaining = np.exp(exponents * condition.steps)
        first = max(dimension, int(np.sum(remaining > thresholds.contraction)))
        across = exponents[first] if first < len(exponents) else -np.inf
        condition.exponents = np.array([exponents[0], across])
        if is_attracting(kind, dimension, remaining, thresholds):
            condition.decide(kind)

    def _exponents(self, condition: ConditionState, dimension: int) -> Array:
        """Return the median exponents, in nats per step, along orbits of a family."""
        window = condition.window
        chosen = np.linspace(0, len(window) - 1, CONTRACTION_ORBITS + 2).astype(int)[1:-1]
        steps = max(4 * self.unit, MIN_EXPONENT_STEPS)
        exponents = lyapunov_exponents(
            condition.system.networks,
            window[chosen, 0],
            condition.system.constant_input,
            steps=steps,
            transient=min(self.unit, steps // 4),
            count=min(window.shape[2], dimension + EXTRA_EXPONENTS),
            member=condition.system.member,
        ).exponents
        return np.median(exponents, axis=0)

    def _resolve_sets(self, conditions: Sequence[ConditionState]) -> None:
        """Decide for isolated attractors where one orbit of each set reaches one."""
        isolated = [
            each
            for each in conditions
            if each.observed and is_isolated(each.observed, self.thresholds)
        ]
        owners = [
            (each, start, share)
            for each in isolated
            if each.observed
            for start, share in zip(*each.observed.representatives(), strict=True)
        ]
        if not owners:
            return
        systems = [each.system for each, _, _ in owners]
        starts = np.stack([each.ends[[start]] for each, start, _ in owners])
        skip = self.thresholds.steps(self.thresholds.window, self.unit)
        horizon = self.thresholds.steps(self.thresholds.horizon, self.unit)
        trajectories = simulate_systems(systems, starts, skip, self.circles.steps)[:, 0]
        settled = dict.fromkeys(map(id, isolated), 0.0)
        reached: dict[int, list[Attractor]] = {id(each): [] for each in isolated}
        for (each, _, share), trajectory in zip(owners, trajectories, strict=True):
            each.remaining = horizon - each.steps - skip
            attractor = self._attractor(each, trajectory, float(share))
            if attractor is not None:
                settled[id(each)] += attractor.share
                reached[id(each)].append(attractor)
        for each in isolated:
            if settled[id(each)] >= self.thresholds.share - 1e-9:
                each.attractors = _merge(each, reached[id(each)])
                each.steps += skip + self.circles.steps
                each.decide(ATTRACTORS)

    def _attractor(
        self, condition: ConditionState, states: Array, share: float
    ) -> Attractor | None:
        """Return the attractor on which states `[time, state]` are, None if they are on none."""
        system, sample = condition.system, states[-SAMPLED_STEPS:]
        outcome, period, circle = classify_trajectory(self.circles, system, states)
        if outcome == FIXED:
            if not self._is_in_time(condition, states):
                return None
            return Attractor(POINT, states[-1:], self._point_at(condition, states[-1]), share)
        if outcome == PERIODIC and period <= self.thresholds.longest_orbit:
            exponent = _orbit_exponent(system, sample[-1], period)
            return Attractor(ORBIT, sample, -1, share, period, 1.0 / period, exponent)
        if outcome == PERIODIC:
            return Attractor(CYCLE, sample, -1, share, period, 1.0 / period)
        if outcome == CIRCLE and circle is not None:
            return Attractor(CYCLE, sample, -1, share, 0, circle.rotation, circle.exponent)
        return None

    def _is_in_time(self, condition: ConditionState, states: Array) -> bool:
        """Return whether states `[time, state]` are at their last state by the horizon."""
        at_horizon = states[min(max(condition.remaining, 0), len(states) - 1)]
        size = self.thresholds.tolerance * condition.system.scale * np.sqrt(states.shape[1])
        return bool(np.linalg.norm(at_horizon - states[-1]) <= size)

    def _point_at(self, condition: ConditionState, state: Array) -> int:
        """Return the position of the known fixed point at a state, -1 if there is none."""
        known = condition.known
        if not len(known.state):
            return -1
        distance, position = nearest(known.state, state[None])
        is_near = distance[0] <= known.radius(self.thresholds.tolerance)[position[0]]
        return int(position[0]) if is_near else -1


def _simulate(conditions: Sequence[ConditionState], skip: int, steps: int) -> list[Array]:
    """Return the orbits `[start, time, state]` of each condition after `skip` steps."""
    width = max(len(each.ends) for each in conditions)
    starts = np.stack([each.ends[np.arange(width) % len(each.ends)] for each in conditions])
    states = simulate_systems([each.system for each in conditions], starts, skip, steps)
    return [part[: len(each.ends)] for part, each in zip(states, conditions, strict=True)]


def _orbit_exponent(system: AutonomousSystem, state: Array, period: int) -> float:
    """Return the largest exponent of a periodic orbit, by its Floquet multipliers."""
    orbits = find_cycles(
        system.networks,
        system.constant_input[None],
        period,
        state[None],
        OrbitSearch(candidates=1, rounds=0),
    )
    orbits = orbits.of(member=system.member)
    if not len(orbits):
        return float("nan")
    with np.errstate(divide="ignore"):
        return float(np.log(np.abs(orbits.multipliers[0]).max()) / period)


def _merge(condition: ConditionState, reached: Sequence[Attractor]) -> list[Attractor]:
    """Return the known stable points, and the reached attractors, each once, with their shares."""
    distinct: list[Attractor] = []
    for new in reached:
        same = [i for i, each in enumerate(distinct) if _is_same(each, new)]
        if same:
            old = distinct[same[0]]
            distinct[same[0]] = _with_share(old, old.share + new.share)
        else:
            distinct.append(new)
    points = {each.point for each in distinct if each.kind == POINT}
    unreached = [
        _with_share(each, 0.0) for each in condition.attractors if each.point not in points
    ]
    return sorted([*distinct, *unreached], key=lambda each: (each.kind, each.point, each.period))


def _with_share(attractor: Attractor, share: float) -> Attractor:
    return replace(attractor, share=share)


def _is_same(a: Attractor, b: Attractor) -> bool:
    if a.kind != b.kind:
        return False
    if a.kind == POINT and min(a.point, b.point) >= 0:
        return a.point == b.point
    count = min(len(a.states), len(b.states))
    pair = np.stack([a.states[-count:], b.states[-count:]])
    size = np.sqrt(np.mean(np.sum((pair[0] - pair[0].mean(axis=0)) ** 2, axis=1)))
    size = max(size, np.sqrt(np.mean(np.sum(pair[0] ** 2, axis=1))) * 1e-3)
    return bool(orbit_distances(pair)[0, 1] <= SAME_CURVE * size)
