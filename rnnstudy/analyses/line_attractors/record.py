"""Record of the line attractors of one network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.distances.point_geometry import OrderedPoints
from rnnstudy.analyses.line_attractors.mode_counts import (
    MODE_MEASURES,
    ModeMeasureName,
    n_slow_modes,
)
from rnnstudy.comparison.distances.point_geometry import (
    correlation,
    geodesic_correlation,
    participation_ratio,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import array

LINE_POINTS = 11
"""Points of each context that represent its line when networks are compared."""

MIN_SLOW_POINTS = 8
"""Smallest number of slow points of a context with measures of its line."""


def evenly_spaced(count: int, chosen: int) -> Array:
    """Return at most `chosen` positions among `count`, evenly from the first to the last."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(chosen, count))).astype(int))


@dataclass(frozen=True, eq=False)
class LineAttractor(OrderedPoints):
    """One network in every context of an integration, without stimulus.

    Slow points are in one flat list, context after context. Those of a context are ordered by their
    readout. Measures per context are NaN for fewer than 8 slow points.

    Examples
    --------
    >>> numbers = np.linspace(-1.0, 1.0, 20)
    >>> points, modes = np.stack([numbers, 0 * numbers], axis=1), np.ones((20, 2))
    >>> record = LineAttractor(
    ...     length=50, slow_modulus=0.8, horizon=50, slow_share=np.ones(1),
    ...     context_of=np.zeros(20, int), state=points, speed=np.zeros(20),
    ...     first_readout=points[:, :1], readout=points[:, :1], later_readout=points[:, :1],
    ...     eigenvalues=modes, alignment=np.ones(20), selection=np.ones((20, 1)),
    ...     gain=np.ones((20, 1)), linear_fit=np.ones(20), readout_share=modes,
    ...     state_share=modes, mean_error=0 * modes, hankel=modes,
    ... )
    >>> record.is_line, record.retention.round(3), record.n_modes()
    (True, array([1.]), array([1.]))
    """

    length: int
    """Time steps of a trial."""
    slow_modulus: float
    """Smallest modulus of a slow mode."""
    horizon: int
    """Time steps of past inputs and of future outputs of the Hankel singular values."""
    slow_share: Array = array("context")
    """Share of the starts that reach a slow point."""
    context_of: Array = array("point")
    """Position of the context of each slow point."""
    state: Array = array("point", "state")
    """Slow points."""
    speed: Array = array("point")
    """|F(h) - h| as a share of the spread of the starts."""
    first_readout: Array = array("point", "output")
    """Readout at the start that leads to the slow point."""
    readout: Array = array("point", "output")
    """Readout at the slow point."""
    later_readout: Array = array("point", "output")
    """Readout one trial's length after the slow point."""
    eigenvalues: Array = array("point", "mode")
    """Eigenvalues of the Jacobian, largest modulus first."""
    alignment: Array = array("point")
    """Cosine of the angle between the slowest right mode and the line of slow points. At 1 this
    mode is motion along the line, and all others contract across it."""
    selection: Array = array("point", "stream")
    """Cosine of the angle between the slowest left mode and the effect of a stream's input on the
    state (selection vector of Mante et al. 2013)."""
    gain: Array = array("point", "stream")
    """Effect of a unit pulse of a stream on the readout by the slowest mode, before it decays."""
    linear_fit: Array = array("point")
    """Share of the network's response to a unit pulse that its linearisation predicts."""
    readout_share: Array = array("point", "mode")
    """Share (R2) of the readout's linearised response to a unit pulse of the relevant stream that
    the k slowest modes give, k = 1, 2, ..."""
    state_share: Array = array("point", "mode")
    """Same share of the state's response."""
    mean_error: Array = array("point", "mode")
    """Relative error of the readout's mean response over time with the k slowest modes."""
    hankel: Array = array("point", "value")
    """Hankel singular values from the relevant stream to the readout, largest first."""

    @property
    def contexts(self) -> int:
        """Number of contexts."""
        return self.size("context")

    @property
    def leading(self) -> Array:
        """Median modulus of the largest eigenvalue, along the line: [context]."""
        return self._each(lambda rows: float(np.median(np.abs(self.eigenvalues[rows, 0]))))

    @property
    def second(self) -> Array:
        """Median modulus of the second eigenvalue, which contracts across the line: [context]."""
        if self.size("mode") < 2:
            return np.full(self.contexts, np.nan)
        return self._each(lambda rows: float(np.median(np.abs(self.eigenvalues[rows, 1]))))

    @property
    def aligned(self) -> Array:
        """Median alignment of the slowest mode with the line: [context]."""
        return self._each(lambda rows: float(np.median(self.alignment[rows])))

    @property
    def slow_modes(self) -> Array:
        """Median number of modes of modulus above `slow_modulus`: [context]."""
        return self.n_modes("slow_modes", self.slow_modulus)

    @property
    def lasting_modes(self) -> Array:
        """Median number of modes that outlast a trial, above exp(-1 / length): [context]."""
        return self._median(n_slow_modes(self.eigenvalues, np.exp(-1.0 / self.length)))

    @property
    def fit(self) -> Array:
        """Median share of the response to a pulse that the linearisation predicts: [context]."""
        return self._median(self.linear_fit)

    @property
    def dimension(self) -> Array:
        """Dimension of the slow points (participation ratio): [context]."""
        return self._each(lambda rows: participation_ratio(self.state[rows]))

    @property
    def order(self) -> Array:
        """Correlation of distances along the slow points with differences in readout: [context].

        It is 1 on a line, also on a bent one, along which the readout rises.
        """
        return self._each(
            lambda rows: geodesic_correlation(self.state[rows], self.readout[rows, 0], 4)
        )

    @property
    def retention(self) -> Array:
        """Correlation of the readout at the slow points with that at their starts: [context]."""
        return self._each(
            lambda rows: correlation(self.first_readout[rows, 0], self.readout[rows, 0])
        )

    @property
    def span(self) -> Array:
        """Range of the readout over the slow points: [context]."""
        return self._each(lambda rows: float(np.ptp(self.readout[rows, 0])))

    @property
    def drift(self) -> Array:
        """Root mean square change of the readout within a further trial's length: [context].

        The unit is the standard deviation of the readout over the slow points.
        """

        def relative_change(rows: Array) -> float:
            change = self.later_readout[rows, 0] - self.readout[rows, 0]
            spread = self.readout[rows, 0].std()
            return float(np.sqrt(np.mean(change**2)) / spread) if spread > 0 else float("nan")

        return self._each(relative_change)

    @property
    def relevant(self) -> Array:
        """Median |cosine| of selection and input of the relevant stream: [context]."""
        return self._streams(np.abs(self.selection), relevant=True)

    @property
    def irrelevant(self) -> Array:
        """Same for the mean of the other streams; NaN without any: [context]."""
        return self._streams(np.abs(self.selection), relevant=False)

    @property
    def relevant_gain(self) -> Array:
        """Median gain of the relevant stream: [context]."""
        return self._streams(self.gain, relevant=True)

    @property
    def irrelevant_gain(self) -> Array:
        """Median |gain| of the other streams: [context]."""
        return self._streams(np.abs(self.gain), relevant=False)

    def n_modes(
        self, measure: ModeMeasureName = "readout", threshold: float | None = None
    ) -> Array:
        """Return the median number of modes over the slow points of each context, [context].

        It is infinite where half of the points never reach the threshold. It is NaN with too few
        slow points. A conjugate pair counts as two modes.

        Parameters
        ----------
        measure
            Rule that counts the modes of a point: `mean_output`, `readout`, `state`, `slow_modes`
            or `hankel`.
        threshold
            Threshold of the rule; default: that of the measure.
        """
        rule = MODE_MEASURES[measure]
        threshold = rule.threshold if threshold is None else threshold
        return self._median(rule.count(getattr(self, rule.field), threshold))

    def mean_n_modes(
        self, measure: ModeMeasureName = "readout", threshold: float | None = None
    ) -> float:
        """Return the mean of `n_modes` over the contexts where it is known; NaN without any."""
        counts = self.n_modes(measure, threshold)
        known = counts[~np.isnan(counts)]
        return float(known.mean()) if len(known) else float("nan")

    def has_line(
        self, slow: float = 0.8, retention: float = 0.9, order: float = 0.9, dimension: float = 2.0
    ) -> Array:
        """Return whether each context has an approximate line attractor, [context].

        Parameters
        ----------
        slow
            Smallest share of starts that reach a slow point.
        retention
            Smallest correlation of the readout at slow points with that at their starts.
        order
            Smallest correlation of distances along the slow points with differences in readout.
        dimension
            Upper limit of the dimension of the slow points.
        """
        mask: Array = (
            (self.slow_share >= slow)
            & (self.retention >= retention)
            & (self.order >= order)
            & (self.dimension < dimension)
        )
        return mask

    @property
    def is_line(self) -> bool:
        """True if every context has an approximate line attractor."""
        return bool(self.has_line().all())

    @property
    def ordered_points(self) -> Array:
        """Points of each context from the lowest readout to the highest, evenly by rank."""
        points = np.full((self.contexts, LINE_POINTS, self.size("state")), np.nan)
        for context in range(self.contexts):
            rows = np.flatnonzero(self.context_of == context)
            if len(rows) >= LINE_POINTS:
                points[context] = self.state[rows[evenly_spaced(len(rows), LINE_POINTS)]]
        return points.reshape(-1, self.size("state"))

    def known_rows(self, context: int) -> Array:
        """Return the points of a context whose response is known, [row]; none if too few."""
        is_known = ~np.isnan(self.readout_share).any(axis=1)
        rows = np.flatnonzero((self.context_of == context) & is_known)
        return rows if len(rows) >= MIN_SLOW_POINTS else rows[:0]

    def _each(self, value: Callable[[Array], float]) -> Array:
        """Return a number for the points of each context that has enough of them."""
        points = [np.flatnonzero(self.context_of == context) for context in range(self.contexts)]
        is_known = [len(rows) >= MIN_SLOW_POINTS for rows in points]
        return np.array([
            value(rows) if known else np.nan for rows, known in zip(points, is_known, strict=True)
        ])  # fmt: skip

    def _median(self, values: Array) -> Array:
        """Return medians of values [point] over the points of each context that has enough of them.

        Points without a value are left out.
        """

        def median(rows: Array) -> float:
            known = values[rows][~np.isnan(values[rows])]
            return float(np.median(known)) if len(known) >= MIN_SLOW_POINTS else float("nan")

        return self._each(median)

    def _streams(self, values: Array, relevant: bool) -> Array:
        """Return medians over points of the relevant stream's values, or of the mean of the others.

        values: [point, stream]. Points without left modes are left out.
        """
        if not relevant and values.shape[1] < 2:
            return np.full(self.contexts, np.nan)

        def median(rows: Array) -> float:
            stream = self.context_of[rows[0]]
            chosen = values[rows, stream]
            if not relevant:
                chosen = np.delete(values[rows], stream, axis=1).mean(axis=1)
            finite = chosen[np.isfinite(chosen)]
            return float(np.median(finite)) if len(finite) else float("nan")

        return self._each(median)
