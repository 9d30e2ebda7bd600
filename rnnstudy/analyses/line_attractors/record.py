"""What is known of one network's line attractors: the record of `line_attractor`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.distances.point_geometry import Arranged
from rnnstudy.comparison.distances.point_geometry import (
    correlation,
    geodesic_correlation,
    participation_ratio,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import array
from rnnstudy.dynamics.linearisation.impulse_response import n_modes_for_share

PLACES = 11
"""Points of each context that stand for its line when networks are compared."""

FEWEST = 8
"""Slow points below which nothing is said of a context's line."""


def evenly(count: int, chosen: int) -> Array:
    """Positions of so many of a number of things, evenly from the first to the last."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(chosen, count))).astype(int))


@dataclass(frozen=True, eq=False)
class LineAttractor(Arranged):
    """One network in every context of an integration, at zero stimulus.

    Slow points are flat, context after context, in each of them from the lowest readout to the
    highest; what is said per context is NaN where it has fewer than 8 of them.
    """

    length: int
    """Time steps of a trial."""
    slow_share: Array = array("context")
    """Share of the states left to themselves that came to a slow point."""
    linear_fit: Array = array("context")
    """Share of the network's response to a unit pulse that its linearisation predicts."""
    readout_share: Array = array("context", "mode")
    """Share of the linearised readout's response to a unit pulse of the relevant stream that the k
    slowest modes give, k = 1, 2, ..., all slow points together."""
    state_share: Array = array("context", "mode")
    """The same of the state's response."""
    context_of: Array = array("point")
    state: Array = array("point", "state")
    speed: Array = array("point")
    """|F(h) - h| as a share of the starts' spread."""
    first_readout: Array = array("point", "output")
    """Where the state came from."""
    readout: Array = array("point", "output")
    later_readout: Array = array("point", "output")
    """A trial's length after the slow point."""
    eigenvalues: Array = array("point", "mode")
    """Largest modulus first."""
    alignment: Array = array("point")
    """Cosine of the angle between the slowest right mode and the line of slow points: 1 where that
    mode is motion along the line, and all others contract across it."""
    selection: Array = array("point", "stream")
    """Cosine of the angle between the slowest left mode and the effect of a stream's input on the
    state: what that stream moves along the line (selection vector of Mante et al. 2013)."""
    gain: Array = array("point", "stream")
    """What a unit pulse of a stream adds to the readout by the slowest mode, before it decays."""

    @property
    def contexts(self) -> int:
        """Number of contexts."""
        return self.size("context")

    @property
    def leading(self) -> Array:
        """Median modulus of the largest eigenvalue, along the line: [context]."""
        return self._each(lambda own: float(np.median(np.abs(self.eigenvalues[own, 0]))))

    @property
    def second(self) -> Array:
        """Median modulus of the second eigenvalue: contraction across the line: [context]."""
        if self.size("mode") < 2:
            return np.full(self.contexts, np.nan)
        return self._each(lambda own: float(np.median(np.abs(self.eigenvalues[own, 1]))))

    @property
    def aligned(self) -> Array:
        """Median alignment of the slowest mode with the line: [context]."""
        return self._each(lambda own: float(np.median(self.alignment[own])))

    @property
    def slow_modes(self) -> Array:
        """Median number of modes that outlast a trial, above exp(-1 / length): [context]."""
        slow = np.abs(self.eigenvalues) > np.exp(-1.0 / self.length)
        return self._each(lambda own: float(np.median(slow[own].sum(axis=1))))

    @property
    def dimension(self) -> Array:
        """Dimensions over which the slow points spread (participation ratio): [context]."""
        return self._each(lambda own: participation_ratio(self.state[own]))

    @property
    def order(self) -> Array:
        """Correlation of ways along the slow points with differences in readout; 1 on a line, even
        a bent one, along which the readout rises: [context]."""
        return self._each(
            lambda own: geodesic_correlation(self.state[own], self.readout[own, 0], 4)
        )

    @property
    def kept(self) -> Array:
        """Correlation of the readout at the slow points with that at their starts: [context]."""
        return self._each(lambda own: correlation(self.first_readout[own, 0], self.readout[own, 0]))

    @property
    def span(self) -> Array:
        """Range of the readout over the slow points: [context]."""
        return self._each(lambda own: float(np.ptp(self.readout[own, 0])))

    @property
    def drift(self) -> Array:
        """Root mean square change of the readout within a further trial's length, in standard
        deviations of the readout over the slow points: [context]."""

        def moved(own: Array) -> float:
            change = self.later_readout[own, 0] - self.readout[own, 0]
            spread = self.readout[own, 0].std()
            return float(np.sqrt(np.mean(change**2)) / spread) if spread > 0 else float("nan")

        return self._each(moved)

    @property
    def relevant(self) -> Array:
        """|cosine| of selection and input for the stream that counts, median: [context]."""
        return self._streams(np.abs(self.selection), relevant=True)

    @property
    def irrelevant(self) -> Array:
        """The same for the other streams, in their mean; NaN if there are none: [context]."""
        return self._streams(np.abs(self.selection), relevant=False)

    @property
    def relevant_gain(self) -> Array:
        """Median gain of the stream that counts, to be compared with the task's: [context]."""
        return self._streams(self.gain, relevant=True)

    @property
    def irrelevant_gain(self) -> Array:
        """Median size of the gain of the other streams: [context]."""
        return self._streams(np.abs(self.gain), relevant=False)

    def modes_for(self, share: float = 0.9) -> Array:
        """Slowest modes that give such a share of the readout's response; 0 if all of them don't
        (or there are too few slow points): [context]."""
        known = ~np.isnan(self.readout_share).any(axis=1)
        found = [n_modes_for_share(own, share) if good else 0
                 for own, good in zip(self.readout_share, known, strict=True)]  # fmt: skip
        return np.array(found)

    def lines(
        self, slow: float = 0.8, kept: float = 0.9, order: float = 0.9, dimension: float = 2.0
    ) -> Array:
        """Where there is an approximate line attractor: [context].

        The network comes to slow points from at least a share `slow` of the states on its trials;
        what is read out there correlates with what was by `kept`; the points lie along a line on
        which the readout rises evenly (`order`), over less than so many dimensions.
        """
        found: Array = (
            (self.slow_share >= slow)
            & (self.kept >= kept)
            & (self.order >= order)
            & (self.dimension < dimension)
        )
        return found

    @property
    def is_line(self) -> bool:
        """Whether there is an approximate line attractor in every context."""
        return bool(self.lines().all())

    @property
    def arranged(self) -> Array:
        """For each context points from the lowest readout to the highest, evenly by rank."""
        places = np.full((self.contexts, PLACES, self.size("state")), np.nan)
        for context in range(self.contexts):
            own = np.flatnonzero(self.context_of == context)
            if len(own) >= PLACES:
                places[context] = self.state[own[evenly(len(own), PLACES)]]
        return places.reshape(-1, self.size("state"))

    def _each(self, value: Callable[[Array], float]) -> Array:
        """A number for the points of each context that has enough of them."""
        every = [np.flatnonzero(self.context_of == context) for context in range(self.contexts)]
        return np.array([value(own) if len(own) >= FEWEST else np.nan for own in every])

    def _streams(self, values: Array, relevant: bool) -> Array:
        """Median over points of the relevant stream's values [point, stream], or of the mean of
        the others'; what no left mode tells is passed over."""
        if not relevant and values.shape[1] < 2:
            return np.full(self.contexts, np.nan)

        def median(own: Array) -> float:
            stream = self.context_of[own[0]]
            chosen = values[own, stream]
            if not relevant:
                chosen = np.delete(values[own], stream, axis=1).mean(axis=1)
            known = chosen[np.isfinite(chosen)]
            return float(np.median(known)) if len(known) else float("nan")

        return self._each(median)
