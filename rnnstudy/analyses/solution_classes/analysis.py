"""Class of each network's solution: attractors, fixed points by index, and their links."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import NO_INPUTS, Cost, MemberAnalysis, MemberInputs, Section
from rnnstudy.analyses.solution_classes.condition import Attractor, ClassSearch, ConditionState
from rnnstudy.analyses.solution_classes.exhibits import class_exhibits
from rnnstudy.analyses.solution_classes.links import LinkSettings, trace_links
from rnnstudy.analyses.solution_classes.measures import condition_measures
from rnnstudy.analyses.solution_classes.record import SolutionClass
from rnnstudy.analyses.solution_classes.starts import condition_starts
from rnnstudy.analyses.solution_classes.thresholds import ClassThresholds
from rnnstudy.analyses.solution_classes.verdict import ATTRACTORS
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.basins.known_points import KnownPoints
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.invariant_circles.search import CircleSearch
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.networks.interface import Networks
from rnnstudy.dynamics.states.sampling import finite_states, flatten_trajectories, scale_of
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.tasks.sine import Sine

NUMBERS = 280
"""Typical number of numbers that a record has for each condition."""

SEARCH = "fixed_points"
"""Kind of the analysis that searches for fixed points in the same way."""

MIN_STARTS = 8
"""Least number of starts for each condition."""


class SolutionClasses(MemberAnalysis):
    """Class of each network's solution, comparable between networks of a task.

    Under each constant input of the task, states on probe trials are followed. They reach isolated
    attractors, or stay on a family of slow points or of oscillations, or on nothing within the
    horizon. Fixed points are counted by their number of unstable directions. Saddles with one
    unstable direction link the attractors. Two networks have one class if all this is equal up to
    isomorphism.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks. Tolmachev & Engel 2025, Single-unit activations confer
    inductive biases for emergent circuit solutions to cognitive tasks.

    Examples
    --------
    >>> SolutionClasses().needs(), SolutionClasses(of="fixed_points").needs()
    ((), ('fixed_points',))
    """

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "solution_classes"
    chapter: ClassVar[str] = "solutions"
    yields: ClassVar[type[Record]] = SolutionClass
    takes: ClassVar[type[Record]] = FixedPoints

    of: str | None = None
    """Name of an analysis of the fixed points at the task's constant inputs; null: they are
    searched for."""

    detail: Literal["attractors", "points", "graph"] = "graph"
    """Detail of the class: attractors alone, also the number of fixed points by unstable
    directions, or also the graph of their links."""

    starts: Annotated[int, Field(ge=MIN_STARTS)] = 96
    """Number of states on probe trials that are followed. Conditions share them, and each has at
    least eight."""

    noise: Annotated[float, Field(ge=0)] = 0.05
    """Noise on these states, as a share of their root mean square, so that none stays at an
    unstable point."""

    directions: Annotated[int, Field(ge=1)] = 32
    """Number of random directions in the unstable subspace of a point, for the words of points of
    a memory."""

    unit: Annotated[int, Field(ge=2)] | None = None
    """Number of steps of the unit of time of the thresholds; null: the length of a trial."""

    thresholds: ClassThresholds = ClassThresholds()
    """Times and thresholds that decide the class."""

    search: FixedPointSearch = FixedPointSearch()
    """Settings of the search for fixed points, if `of` is null."""

    circles: CircleSearch = CircleSearch(exponent_steps=250)
    """Settings of the analysis of cycles: steps, harmonics and tolerance."""

    def needs(self) -> tuple[str, ...]:
        return () if self.of is None else (self.of,)

    def begins_with(self, other: MemberAnalysis) -> bool:
        if self.of is not None or other.kind != SEARCH or other.weights != self.weights:
            return False
        return bool(getattr(other, "search", None) == self.search)

    def cost(self, cell: Cell, task: Task) -> Cost:
        conditions = len(task.static_inputs().values)
        unit = self._unit(task)
        windows = self.thresholds.settling + 2 * self.thresholds.window
        each = self.thresholds.steps(windows, unit)
        steps = self._starts_each(conditions) * conditions * each
        searches = conditions if self.of is None else 0
        return Cost(
            {"steps": steps, "searches for fixed points": searches}, 8 * NUMBERS * conditions
        )

    def run(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[SolutionClass]:
        return [compute() for compute in self.record_functions(population, task, inputs)]

    def record_functions(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Callable[[], SolutionClass]]:
        count = self._starts_each(len(task.static_inputs().values))
        starts = condition_starts(population, task, count, self.noise)
        points = self._points(population, task, inputs)
        return [
            partial(
                self._of_member, population.select("member", [member]), task, starts[member], record
            )
            for member, record in enumerate(points)
        ]

    def _unit(self, task: Task) -> int:
        return self.unit or task.length

    def _starts_each(self, conditions: int) -> int:
        return max(MIN_STARTS, self.starts // conditions)

    def _points(
        self, population: Population, task: Task, inputs: MemberInputs
    ) -> Sequence[FixedPoints]:
        """Return the fixed points of each network."""
        if records := inputs.get(self.of or SEARCH):
            return records
        points = find_fixed_points(
            population,
            inputs=task.static_inputs().values,
            visited=flatten_trajectories(population.unroll(np.asarray(task.probe().inputs))),
            search=self.search,
        )
        return [points.single_member(member) for member in range(len(population))]

    @one_thread()
    def _of_member(
        self, network: Population, task: Task, starts: Array, points: FixedPoints
    ) -> SolutionClass:
        """Return the class of one network from starts `[condition, start, state]`."""
        unit, static = self._unit(task), task.static_inputs()
        networks = as_networks(network)
        conditions = [
            _begin(networks, constant_input, position, states, points)
            for position, (constant_input, states) in enumerate(
                zip(static.values, starts, strict=True)
            )
        ]
        ClassSearch(conditions, unit, self.thresholds, self.circles).run()
        isolated = [each for each in conditions if each.kind == ATTRACTORS]
        settings = LinkSettings(
            self.directions,
            self.thresholds.steps(self.thresholds.horizon, unit),
            self.thresholds.tolerance,
        )
        links, words = trace_links(points, isolated, settings, task.words)
        attractors, first = _attractor_columns(isolated)
        return SolutionClass(
            conditions=static.labels,
            is_ordered=isinstance(task, Sine),
            detail=self.detail,
            unit=unit,
            kind=np.array([each.kind for each in conditions]),
            measures=condition_measures(conditions, points, starts, unit),
            points={
                "condition": points.input_index,
                "n_unstable": points.n_unstable,
                "word": words,
            },
            attractors=attractors,
            links={
                "source": np.array([source for source, _, _ in links], int),
                "target": np.array(
                    [first[points.input_index[source]] + end for source, end, _ in links], int
                ),
                "ways": np.array([ways for _, _, ways in links], int),
            },
        )

    def show(self, section: Section) -> Iterable[Exhibit]:
        return class_exhibits(section, self.title)


def _begin(
    networks: Networks, constant_input: Array, position: int, starts: Array, points: FixedPoints
) -> ConditionState:
    """Return the state of the search under one constant input."""
    scale = scale_of(finite_states(starts))
    system = AutonomousSystem(networks, 0, constant_input, position, scale)
    index = np.flatnonzero(points.input_index == position)
    known = KnownPoints(system, index, points.state[index], points.n_unstable[index])
    finite = finite_states(starts)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.sqrt(np.mean(np.sum((finite - finite.mean(axis=0)) ** 2, axis=1)))
    usable = bool(np.isfinite(spread)) and spread > 0.0
    return ConditionState(system, starts, known, float(spread) if usable else scale)


def _attractor_columns(
    conditions: Sequence[ConditionState],
) -> tuple[dict[str, Array], dict[int, int]]:
    """Return the attractors of all conditions, and the position of the first of each."""
    first: dict[int, int] = {}
    owners: list[tuple[ConditionState, Attractor]] = []
    for condition in conditions:
        first[condition.system.input_index] = len(owners)
        owners += [(condition, attractor) for attractor in condition.attractors]
    points = [int(c.known.index[a.point]) if a.point >= 0 else -1 for c, a in owners]
    return {
        "condition": np.array([c.system.input_index for c, _ in owners], int),
        "kind": np.array([a.kind for _, a in owners], int),
        "point": np.array(points, int),
        "share": np.array([a.share for _, a in owners], float),
        "period": np.array([a.period for _, a in owners], int),
        "rotation": np.array([a.rotation for _, a in owners], float),
        "exponent": np.array([a.exponent for _, a in owners], float),
    }, first
