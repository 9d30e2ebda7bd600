"""The record of transitions between stable points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.connections.links import Linked, Links, means, no_words

SHOWN = 8
"""Networks, inputs and pulses that are drawn."""


@dataclass(frozen=True, eq=False)
class Transitions(Linked):
    """How often trials that began at one stable point ended at another; points are numbered as in
    the record of fixed points. One row per start, pulse and end, those of no trial included."""

    source: Array = array("transition")
    target: Array = array("transition")
    """Where trials ended; -1: at no stable point."""
    pulse: Array = array("transition")
    """Which of the pulses came first."""
    count: Array = array("transition")
    member: Array = array("transition")
    input_index: Array = array("transition")
    pulses: Array = array("pulse", "input")
    """What was added to the constant input; zeros if there were no pulses."""
    stable: Array = array("stable")
    """Numbers of the stable points."""
    outputs: Array = array("stable", "output")
    """What the network puts out there; no columns if that is not known."""
    trials: int = 1
    """Trials per start and pulse."""
    confidence: float = 0.95
    words: bool = False
    """Whether signs of the outputs are the task's answers, and so the words that points store."""

    def __len__(self) -> int:
        return len(self.source)

    def single_member(self, member: int, first: int = 0) -> Self:
        """One member's transitions, as if it had been the only one: member 0.

        first: the number of its first fixed point.
        """
        own = self.select("transition", self.member == member)
        known = np.isin(self.stable, own.source)
        return replace(
            own,
            member=np.zeros(len(own), int),
            source=own.source - first,
            target=np.where(own.target >= 0, own.target - first, -1),
            stable=self.stable[known] - first,
            outputs=self.outputs[known],
        )

    @property
    def signs(self) -> Array:
        """The words of the stable points, -1, 0 and 1: [stable, output]."""
        return np.sign(self.outputs).astype(int)

    def links(self, directions: bool = False) -> Links:
        """The pulse comes first, then source and target; where inputs are not the outputs'
        counterparts, the pulse is a place. All points are stable, whatever `directions`."""
        if not self.words:
            raise no_words()
        there = self.select("transition", self.target >= 0)
        labels = self.signs[np.stack([self._place(there.source), self._place(there.target)], 1)]
        place = there.input_index
        pulses = self.pulses[there.pulse]
        if pulses.shape[1] == labels.shape[2]:
            labels = np.concatenate([pulses[:, None], labels], axis=1)
            # A label and a place for each pulse: points are averaged, pulses are not.
            return means(labels, there.share, place, slice(0, 2), there.source)
        return means(labels, there.share, place * len(self.pulses) + there.pulse, 0, there.source)

    def matrix(self) -> Array:
        """A row for each pulse and source."""
        found = np.zeros((len(self.pulses), len(self.stable), len(self.stable)))
        there = self.select("transition", self.target >= 0)
        places = self._place(there.source), self._place(there.target)
        found[there.pulse, *places] = there.share
        return found.reshape(len(self.pulses) * len(self.stable), len(self.stable))

    def _place(self, points: Array) -> Array:
        return np.searchsorted(self.stable, points)

    @property
    def share(self) -> Array:
        """Of the trials from its start under its pulse: [transition]."""
        return self.count / self.trials

    def intervals(self) -> Array:
        """Low and high end [transition, 2] of the probability (Wilson 1927)."""
        # Here, because a plan is checked without it and it takes a while to import.
        from scipy.stats import binomtest

        found = {
            int(count): binomtest(int(count), self.trials).proportion_ci(
                self.confidence, method="wilson"
            )
            for count in np.unique(self.count)
        }
        ends = [(found[int(count)].low, found[int(count)].high) for count in self.count]
        return np.array(ends, np.float64).reshape(len(self), 2)

    def counts(self, member: int = 0, input_index: int = 0) -> tuple[Array, Array]:
        """The stable points' numbers [stable] of a member at an input, and how many trials led from
        each to each under each pulse [pulse, stable, stable]; rows lack those that ended nowhere.

        ValueError if the member has no stable point at the input.
        """
        own = (self.member == member) & (self.input_index == input_index)
        stable = np.unique(self.source[own])
        if not len(stable):
            raise ValueError(f"member {member} has no stable point at input {input_index}")
        own &= self.target >= 0
        found = np.zeros((len(self.pulses), len(stable), len(stable)), int)
        places = (np.searchsorted(stable, part[own]) for part in (self.source, self.target))
        found[self.pulse[own], *places] = self.count[own]
        return stable, found

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with a row per start, pulse and end that occurred: number, share and
        its interval."""
        low, high = self.intervals().T
        frame = pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "pulse": self.pulse,
                "source": self.source,
                "target": self.target,
                "count": self.count,
                "share": self.share,
                "low": low,
                "high": high,
            }
        )
        return frame[frame["count"] > 0].reset_index(drop=True)

    def exhibits(self) -> Sequence[Exhibit]:
        """A graph per network, input and pulse, and the table with intervals."""
        owners = np.stack([self.member, self.input_index, self.pulse], axis=1)
        return (
            Panels(
                title="Transitions",
                caption=f"Shares of {self.trials} trials that began at a stable point and ended at "
                "another.",
                exhibits=[self._graph(*key) for key in np.unique(owners, axis=0).tolist()[:SHOWN]],
            ),
            Table(
                title="Transitions",
                caption=f"With {self.confidence:.0%} intervals; target -1 is no stable point.",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _graph(self, member: int, input_index: int, pulse: int) -> Graph:
        stable, found = self.counts(member, input_index)
        share = found[pulse] / self.trials
        np.fill_diagonal(share, 0.0)
        edges = zip(*np.nonzero(share), strict=True)
        return Graph(
            title=f"member {member}, input {input_index}, pulse {pulse}",
            nodes=[str(point) for point in stable],
            groups=["stable"] * len(stable),
            edges=[(int(a), int(b), float(share[a, b])) for a, b in edges],
        )
