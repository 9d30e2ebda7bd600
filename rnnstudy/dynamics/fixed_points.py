"""All fixed points of trained networks, with a certificate of how complete they are."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnstudy.dynamics.hunt import OUTCOMES, VERDICTS, Hunt, Roots
from rnnstudy.dynamics.modes import kinds, time_constants
from rnnstudy.dynamics.search import Search, run_search
from rnnstudy.dynamics.starts import usable, visited_states
from rnnstudy.lazy import pd
from rnnstudy.population.population import Population
from rnnstudy.record import Array, Record, array, arrays


@dataclass(frozen=True, eq=False)
class FixedPoints(Record):
    """Distinct, converged fixed points of one or many networks, flat: point after point.

    Ordered by member, input, number of unstable directions.
    """

    state: Array = array("point", "state")
    inputs: Array = array("point", "input")
    """The constant input at which it is a fixed point."""
    speed: Array = array("point")
    """q = 1/2 |F(h) - h|^2."""
    jacobian: Array = array("point", "state", "state")
    """dF/dh."""
    eigenvalues: Array = array("point", "mode")
    """Of the Jacobian, largest modulus first."""
    n_unstable: Array = array("point")
    """Number of eigenvalues of modulus above 1 + margin."""
    index: Array = array("point")
    """Sign of det(I - J); the indices of a bounded network's points add up to 1."""
    member: Array = array("point")
    input_index: Array = array("point")
    hits: Array = array("point")
    """Number of starts that ended here."""
    outcome: Array = array("start")
    """What became of each start, as a position in OUTCOMES; rounds follow each other."""
    start_member: Array = array("start")
    start_input: Array = array("start")
    searches: dict[str, Array] = arrays("search")
    """The certificate's columns, one row per member and input."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which a point counts as marginal."""

    def __len__(self) -> int:
        return len(self.state)

    @property
    def kind(self) -> Array:
        """stable, saddle, repeller or marginal: [point]."""
        return kinds(self.eigenvalues, self.margin)

    @property
    def certificate(self) -> Any:
        """How complete the points are: a `pandas.DataFrame`, one row per member and input.

        The verdict is `consistent` if the indices add up to 1, a further round found nothing new
        and an estimate of unseen points is below one half; `points missing` if the sum is not 1;
        `not saturated`; or `not applicable` where the cell is unbounded or all starts diverged.
        """
        columns = dict(self.searches)
        columns["verdict"] = np.array(VERDICTS, object)[columns["verdict"]]
        return pd.DataFrame(columns)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many starts met each fate."""
        return {name: int((self.outcome == code).sum()) for code, name in enumerate(OUTCOMES)}

    def of(self, member: int | None = None, input_index: int | None = None) -> Self:
        """What belongs to one member, one input, or both."""
        chosen = self
        owners = {
            "point": (self.member, self.input_index),
            "start": (self.start_member, self.start_input),
            "search": (self.searches["member"], self.searches["input_index"]),
        }
        for axis, (members, positions) in owners.items():
            of_member = True if member is None else members == member
            of_input = True if input_index is None else positions == input_index
            mask = np.ones(len(members), bool) & of_member & of_input
            chosen = chosen.select(axis, mask)
        return chosen

    def alone(self, member: int) -> Self:
        """One member's points, as if it had been the only one: member 0."""
        own = self.of(member=member)
        return dataclasses.replace(
            own,
            member=np.zeros_like(own.member),
            start_member=np.zeros_like(own.start_member),
            searches={**own.searches, "member": np.zeros_like(own.searches["member"])},
        )

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per point; time constants in steps."""
        leading = self.eigenvalues[:, 0]
        return pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "kind": self.kind,
                "n_unstable": self.n_unstable,
                "index": self.index,
                "speed": self.speed,
                "hits": self.hits,
                "leading_modulus": np.abs(leading),
                "leading_angle": np.angle(leading),
                "time_constant": time_constants(leading),
            }
        )


def find_fixed_points(
    network: Population,
    inputs: Array | None = None,
    starts: Array | None = None,
    visited: Array | None = None,
    search: Search | None = None,
) -> FixedPoints:
    """All fixed points h = F(h; x) of every network of a population, in double precision.

    inputs: [input point, input], constant inputs x; None: one point, zeros.
    starts: [start, state], where round 1 starts, as given; later rounds start near them.
    visited: [member, visited, state], of which round 1 takes a sample, with noise; None, with no
    starts given: states on trajectories under random inputs.
    A network whose weights are not finite has no points and the outcome `diverged`.
    """
    search = search or Search()
    population = network.as_float64()
    held = _inputs(population, inputs)
    pool = _pool(population, starts, visited)
    hunts = [
        Hunt(
            member=member,
            input_index=position,
            visited=pool[member] if starts is not None else usable(pool[member]),
            exact=starts is not None,
            bound=population.cell.bound,
            roots=Roots.none(population.cell.state_size),
        )
        for member in range(len(population))
        for position in range(len(held))
    ]
    run_search(search, population, held, hunts)
    return _record(hunts, held, search)


def _inputs(population: Population, inputs: Array | None) -> Array:
    held = np.zeros((1, population.inputs)) if inputs is None else np.asarray(inputs, np.float64)
    if held.ndim != 2 or held.shape[1] != population.inputs or not len(held):
        raise ValueError(
            f"inputs should be [input point, {population.inputs}], their shape is {held.shape}"
        )
    return held


def _pool(population: Population, starts: Array | None, visited: Array | None) -> Array:
    """The states [member, visited, state] from which the search begins."""
    size, members = population.cell.state_size, len(population)
    if starts is not None:
        given = np.asarray(starts, np.float64)
        if given.ndim != 2 or given.shape[1] != size or not len(given):
            raise ValueError(f"starts should be [start, {size}], their shape is {given.shape}")
        return np.broadcast_to(given, (members, *given.shape))
    pool = visited_states(population) if visited is None else np.asarray(visited, np.float64)
    if pool.ndim != 3 or (pool.shape[0], pool.shape[2]) != (members, size) or not pool.shape[1]:
        raise ValueError(
            f"visited should be [{members} members, visited, {size}], its shape is {pool.shape}"
        )
    return pool


def _record(hunts: Sequence[Hunt], inputs: Array, search: Search) -> FixedPoints:
    found = [_ordered(hunt.roots.fixed, search.margin) for hunt in hunts]
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
        n_unstable=_unstable(roots, search.margin),
        index=roots.index,
        member=np.repeat(member, counts),
        input_index=np.repeat(position, counts),
        hits=roots.hits,
        outcome=np.concatenate([part for hunt in hunts for part in hunt.outcomes]),
        start_member=np.repeat(member, starts),
        start_input=np.repeat(position, starts),
        searches=_searches(hunts, starts),
        margin=search.margin,
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
