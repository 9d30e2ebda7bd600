"""The record of basins: what became of states that were followed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.stats import binomtest

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Panels, Scatter, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.dynamics.basins.follow import ATTRACTOR, BASIN_OUTCOMES
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.records import count_noun

SHOWN = 8
"""Networks and inputs that are drawn."""


@dataclass(frozen=True, eq=False)
class Basins(CountedOutcomes, Record):
    """What became of states that were followed, one row per start of a member at an input."""

    outcome_table: ClassVar[Outcomes] = BASIN_OUTCOMES

    state: Array = array("start", "state")
    end: Array = array("start", "state")
    """The last state that was looked at."""
    outcome: Array = array("start")
    """`attractor`, `elsewhere` (stands still at none of the attractors), `cycling` (periodic),
    `escaped` or `moving` (budget spent: slow, quasi-periodic or chaotic), as a code of
    BASIN_OUTCOMES."""
    attractor: Array = array("start")
    """Position among the attractors; -1 for other outcomes."""
    steps: Array = array("start")
    """Number of steps until the outcome was clear."""
    period: Array = array("start")
    """Of a cycle, in steps; else 0."""
    member: Array = array("start")
    input_index: Array = array("start")
    attractors: dict[str, Array] = arrays("attractor")
    """Columns `state`, `member`, `input_index`, and `point`, the position in what was given."""
    confidence: float = 0.95

    def __len__(self) -> int:
        return len(self.state)

    def __repr__(self) -> str:
        ends = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return f"{count_noun(len(self), 'state', 'states')} followed to: {ends or 'none'}"

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with a row per attractor and per other outcome that occurred: of how
        many starts it is the end, their share with its interval (Wilson 1927), and the median
        number of steps there. Of uniform starts the share is the volume of the basin."""
        return pd.DataFrame(
            [self._row(*key) for key in self._ends()],
            columns=["member", "input_index", "outcome", "attractor", "starts", "share", "low",
                     "high", "median_steps"],
        )  # fmt: skip

    def _ends(self) -> Iterator[tuple[int, int, int, int]]:
        """Member, input, outcome and attractor of each possible end, in order."""
        owners = zip(self.attractors["member"], self.attractors["input_index"], strict=True)
        ends = {(m, x, ATTRACTOR, a) for a, (m, x) in enumerate(owners)}
        columns = (self.member, self.input_index, self.outcome, self.attractor)
        met = {tuple(map(int, row)) for row in zip(*columns, strict=True)}
        yield from sorted((int(m), int(x), code, a) for m, x, code, a in ends | met)

    def _row(self, member: int, position: int, code: int, attractor: int) -> tuple[Any, ...]:
        own = (self.member == member) & (self.input_index == position)
        here = own & (self.outcome == code) & (self.attractor == attractor)
        count, total = int(here.sum()), int(own.sum())
        interval = binomtest(count, total).proportion_ci(self.confidence, method="wilson")
        median = float(np.median(self.steps[here])) if count else float("nan")
        return (member, position, BASIN_OUTCOMES.name_of(code), attractor, count, count / total,
                float(interval.low), float(interval.high), median)  # fmt: skip

    def exhibits(self) -> Sequence[Exhibit]:
        """Starts in the plane by where they end, and the table of shares."""
        pairs = sorted(set(zip(self.member.tolist(), self.input_index.tolist(), strict=True)))
        return (
            Panels(
                title="Basins",
                caption="Starts in their first two principal components, by where they end.",
                exhibits=[self._scatter(*pair) for pair in pairs[:SHOWN]],
            ),
            Table(
                title="Basins",
                caption=f"Shares of the starts, with {self.confidence:.0%} intervals.",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _scatter(self, member: int, position: int) -> Scatter:
        own = self.select("start", (self.member == member) & (self.input_index == position))
        groups = [
            f"attractor {attractor}" if attractor >= 0 else BASIN_OUTCOMES.name_of(code)
            for attractor, code in zip(own.attractor, own.outcome, strict=True)
        ]
        return Scatter(
            title=f"member {member}, input {position}",
            points=_plane(own.state),
            labels=[str(i) for i in range(len(own))],
            groups={"end": groups},
            x_label="PC 1",
            y_label="PC 2" if own.state.shape[1] > 1 else "",
        )


def _plane(states: Array) -> Array:
    """States [start, state] in their first two principal components."""
    centred = states - states.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    points: Array = np.zeros((len(states), 2))
    points[:, : len(axes)] = centred @ axes.T
    return points
