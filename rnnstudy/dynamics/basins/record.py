"""Record of basins of attraction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.stats import binomtest

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Panels, Scatter, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array, arrays
from rnnstudy.dynamics.basins.follow import ATTRACTOR, BASIN_OUTCOMES
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.dynamics.states.records import SearchRecord, count_noun

MAX_PANELS = 8
"""Largest number of panels of a picture."""


@dataclass(frozen=True, eq=False)
class Basins(CountedOutcomes, SearchRecord):
    """Ends of states of one or many networks, one row per start of a member at an input.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> record = rnnstudy.basins(bistable, np.array([[0.5], [0.2], [-0.4]]), points)
    >>> record.to_frame()["starts"].tolist()
    [1, 2]
    """

    axis: ClassVar[str] = "start"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {
        "start": ("member", "input_index"),
        "attractor": ("attractors.member", "attractors.input_index"),
    }
    references: ClassVar[Mapping[str, str]] = {"attractor": "attractor"}
    outcome_table: ClassVar[Outcomes] = BASIN_OUTCOMES

    state: Array = array("start", "state")
    """First states."""
    end: Array = array("start", "state")
    """Last states."""
    outcome: Array = array("start")
    """Outcome of each start, a code of BASIN_OUTCOMES."""
    attractor: Array = array("start")
    """Position among the attractors, -1 for other outcomes."""
    steps: Array = array("start")
    """Number of steps until the outcome was clear, or the time for a vector field."""
    period: Array = array("start")
    """Period of a cycle in steps or units of time, else 0."""
    member: Array = array("start")
    """Position of the network."""
    input_index: Array = array("start")
    """Position of the constant input."""
    attractors: dict[str, Array] = arrays("attractor")
    """Columns `state`, `member`, `input_index`, and `point`, the position in the argument."""
    confidence: float = 0.95
    """Level of the intervals of the shares."""
    continuous: bool = False
    """The states follow a vector field dh/dt = f(h; x). Steps and periods are then times."""

    def __repr__(self) -> str:
        ends = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return f"{count_noun(len(self), 'state', 'states')} followed to: {ends or 'none'}"

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with a row per attractor and per other outcome that occurred.

        It has the number of starts, their share with its interval (Wilson 1927), and the median
        number of steps, or the median time. The share of uniform starts is the volume of the basin.
        """
        return pd.DataFrame(
            [self._row(*key) for key in self._ends()],
            columns=["member", "input_index", "outcome", "attractor", "starts", "share", "low",
                     "high", "median_time" if self.continuous else "median_steps"],
        )  # fmt: skip

    def _ends(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield member, input, outcome and attractor of each possible end, in order."""
        owners = zip(self.attractors["member"], self.attractors["input_index"], strict=True)
        ends = {(m, x, ATTRACTOR, a) for a, (m, x) in enumerate(owners)}
        columns = (self.member, self.input_index, self.outcome, self.attractor)
        occurring = {tuple(map(int, row)) for row in zip(*columns, strict=True)}
        yield from sorted((int(m), int(x), code, a) for m, x, code, a in ends | occurring)

    def _row(self, member: int, position: int, code: int, attractor: int) -> tuple[Any, ...]:
        of_system = (self.member == member) & (self.input_index == position)
        at_end = of_system & (self.outcome == code) & (self.attractor == attractor)
        count, total = int(at_end.sum()), int(of_system.sum())
        interval = binomtest(count, total).proportion_ci(self.confidence, method="wilson")
        median = float(np.median(self.steps[at_end])) if count else float("nan")
        return (member, position, BASIN_OUTCOMES.name_of(code), attractor, count, count / total,
                float(interval.low), float(interval.high), median)  # fmt: skip

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the starts in a plane by their ends, and the table of shares."""
        pairs = sorted(set(zip(self.member.tolist(), self.input_index.tolist(), strict=True)))
        return (
            Panels(
                title="Basins",
                caption="Starts in their first two principal components, by where they end.",
                exhibits=[self._scatter(*pair) for pair in pairs[:MAX_PANELS]],
            ),
            Table(
                title="Basins",
                caption=f"Shares of the starts, with {self.confidence:.0%} intervals.",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _scatter(self, member: int, position: int) -> Scatter:
        part = self.of(member, position)
        numbers = self.attractor[(self.member == member) & (self.input_index == position)]
        groups = [
            f"attractor {attractor}" if attractor >= 0 else BASIN_OUTCOMES.name_of(code)
            for attractor, code in zip(numbers, part.outcome, strict=True)
        ]
        return Scatter(
            title=f"member {member}, input {position}",
            points=principal_components(part.state, 2).project(part.state),
            labels=[str(i) for i in range(len(part))],
            groups={"end": groups},
            x_label="PC 1",
            y_label="PC 2" if part.state.shape[1] > 1 else "",
        )
