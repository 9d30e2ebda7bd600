"""Record of transitions between stable points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.connections.links import (
    LabelledEdges,
    LabelledGraph,
    average_by_label,
    no_labels,
    readout_signs,
)

MAX_PANELS = 8
"""Largest number of panels of a picture."""


@dataclass(frozen=True, eq=False)
class Transitions(LabelledGraph):
    """Numbers of trials that began at one stable point and ended at another.

    Points have the numbers that they have in the record of fixed points. There is one row per
    start, pulse and end, also where no trial ended.

    Examples
    --------
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> moved = rnnstudy.transitions(bistable, points, noise=0.5, trials=50)
    >>> int(moved.count.sum())
    100
    """

    source: Array = array("transition")
    """Point at which trials began."""
    target: Array = array("transition")
    """Point at which trials ended, -1 for none."""
    pulse: Array = array("transition")
    """Position of the pulse."""
    count: Array = array("transition")
    """Number of trials."""
    member: Array = array("transition")
    """Position of the network."""
    input_index: Array = array("transition")
    """Position of the constant input."""
    pulses: Array = array("pulse", "input")
    """Pulses on the constant input, zeros if there were none."""
    stable: Array = array("stable")
    """Numbers of the stable points."""
    outputs: Array = array("stable", "output")
    """Readout at the stable points, without columns if it is not known."""
    trials: int = 1
    """Number of trials per start and pulse."""
    confidence: float = 0.95
    """Level of the intervals."""
    has_labels: bool = False
    """True if signs of the outputs are the task's answers, and so the labels of points."""

    def __len__(self) -> int:
        return len(self.source)

    def single_member(self, member: int, first: int = 0) -> Self:
        """Return one member's transitions as those of member 0.

        Its first fixed point has the number `first` in this record.
        """
        part = self.select("transition", self.member == member)
        known = np.isin(self.stable, part.source)
        return replace(
            part,
            member=np.zeros(len(part), int),
            source=part.source - first,
            target=np.where(part.target >= 0, part.target - first, -1),
            stable=self.stable[known] - first,
            outputs=self.outputs[known],
        )

    @property
    def signs(self) -> Array:
        """Labels of the stable points, -1, 0 and 1, `[stable, output]`."""
        return readout_signs(self.outputs)

    def links(self, directions: bool = False) -> LabelledEdges:
        """Return the edges by labels: of the pulse, the source and the target.

        The pulse is part of the group where inputs are not counterparts of the outputs. All points
        are stable, so `directions` has no effect.
        """
        if not self.has_labels:
            raise no_labels()
        arrived = self.select("transition", self.target >= 0)
        ends = np.stack([self._position(arrived.source), self._position(arrived.target)], 1)
        labels, group = self.signs[ends], arrived.input_index
        pulses = self.pulses[arrived.pulse]
        if pulses.shape[1] == labels.shape[2]:
            labels = np.concatenate([pulses[:, None], labels], axis=1)
            # A label for each pulse: points are averaged, pulses are not.
            return average_by_label(labels, arrived.share, group, slice(0, 2), arrived.source)
        group = group * len(self.pulses) + arrived.pulse
        return average_by_label(labels, arrived.share, group, 0, arrived.source)

    def matrix(self) -> Array:
        """Return the shares `[row, point]` with a row for each pulse and source."""
        shares = np.zeros((len(self.pulses), len(self.stable), len(self.stable)))
        arrived = self.select("transition", self.target >= 0)
        ends = self._position(arrived.source), self._position(arrived.target)
        shares[arrived.pulse, *ends] = arrived.share
        return shares.reshape(len(self.pulses) * len(self.stable), len(self.stable))

    def _position(self, points: Array) -> Array:
        return np.searchsorted(self.stable, points)

    @property
    def share(self) -> Array:
        """Share of the trials from a start under a pulse, `[transition]`."""
        return self.count / self.trials

    def intervals(self) -> Array:
        """Return the low and high end of each probability, `[transition, 2]` (Wilson 1927)."""
        # Imported late: a plan is checked without it and it takes a while to import.
        from scipy.stats import binomtest

        intervals = {
            int(count): binomtest(int(count), self.trials).proportion_ci(
                self.confidence, method="wilson"
            )
            for count in np.unique(self.count)
        }
        ends = [(intervals[int(count)].low, intervals[int(count)].high) for count in self.count]
        return np.array(ends, np.float64).reshape(len(self), 2)

    def counts(self, member: int = 0, input_index: int = 0) -> tuple[Array, Array]:
        """Return the stable points of a member at an input, and the numbers of trials.

        The numbers of the points are `[stable]`. The counts `[pulse, stable, stable]` lack trials
        that ended at no stable point. Raises ValueError if the member has no stable point at the
        input.
        """
        mask = (self.member == member) & (self.input_index == input_index)
        stable = np.unique(self.source[mask])
        if not len(stable):
            raise ValueError(
                f"member {member} must have a stable point at input {input_index}, got none."
            )
        mask &= self.target >= 0
        counts = np.zeros((len(self.pulses), len(stable), len(stable)), int)
        ends = (np.searchsorted(stable, points[mask]) for points in (self.source, self.target))
        counts[self.pulse[mask], *ends] = self.count[mask]
        return stable, counts

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with a row per start, pulse and end that occurred.

        It has the number of trials, and their share with its interval.
        """
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
        """Return a graph per network, input and pulse, and the table with intervals."""
        owners = np.stack([self.member, self.input_index, self.pulse], axis=1)
        return (
            Panels(
                title="Transitions",
                caption=f"Shares of {self.trials} trials that began at a stable point and ended at "
                "another.",
                exhibits=[
                    self._graph(*key) for key in np.unique(owners, axis=0).tolist()[:MAX_PANELS]
                ],
            ),
            Table(
                title="Transitions",
                caption=f"With {self.confidence:.0%} intervals; target -1 is no stable point.",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _graph(self, member: int, input_index: int, pulse: int) -> Graph:
        stable, counts = self.counts(member, input_index)
        share = counts[pulse] / self.trials
        np.fill_diagonal(share, 0.0)
        edges = zip(*np.nonzero(share), strict=True)
        return Graph(
            title=f"member {member}, input {input_index}, pulse {pulse}",
            nodes=[str(point) for point in stable],
            groups=["stable"] * len(stable),
            edges=[(int(a), int(b), float(share[a, b])) for a, b in edges],
        )
