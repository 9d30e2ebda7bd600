"""The record of invariant circles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Space3D, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.invariant_circles.fourier import curve_at
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.dynamics.states.records import SearchRecord, count_noun

CIRCLE_OUTCOMES = Outcomes(
    {
        "circle": "The start reached an invariant circle.",
        "fixed point": (
            "The start reached a fixed point.",
            "Use `find_fixed_points` to study it.",
        ),
        "periodic": (
            "The start reached a periodic orbit.",
            "Use `find_cycles` to study it.",
        ),
        "unsettled": (
            "The motion was not quasi-periodic within the largest number of steps.",
            "Raise the number of steps. Chaotic motion stays unsettled.",
        ),
        "escaped": (
            "The state left every bounded region.",
            "Check the weights, or start closer to visited states.",
        ),
    }
)
"""Outcomes of the starts of a search for invariant circles."""

CIRCLE, FIXED, PERIODIC, UNSETTLED, ESCAPED = CIRCLE_OUTCOMES.codes


@dataclass(frozen=True, eq=False)
class Circles(CountedOutcomes, SearchRecord):
    """Distinct invariant circles of one or many networks.

    A circle is a curve K with F(K(phase)) = K(phase + rotation), with phases in turns. `len` and
    indices count circles.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def rotate(inputs, state):
    ...     z = tf.complex(state[:, 0], state[:, 1])
    ...     z = z * tf.exp(tf.constant(0.7j, z.dtype)) / tf.cast(tf.abs(z) ** 0.1, z.dtype)
    ...     return tf.stack([tf.math.real(z), tf.math.imag(z)], axis=1)
    >>> circles = rnnstudy.find_circles(rotate, starts=np.array([[0.5, 0.0]]), dt=0.01)
    >>> circles
    1 invariant circle; starts: 1 circle
    >>> circles.hertz.round(3).tolist()
    [11.141]
    """

    axis: ClassVar[str] = "circle"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {
        "circle": ("member", "input_index"),
        "start": ("start_member", "start_input"),
    }
    outcome_table: ClassVar[Outcomes] = CIRCLE_OUTCOMES

    series: Array = array("circle", "harmonic", "state")
    """Complex Fourier coefficients of order 0, 1, ..., zero beyond `harmonics`."""
    phase: Array = array("phase")
    """Phases of `curve`, in turns."""
    rotation: Array = array("circle")
    """Rotation number, in cycles per step, 0 to 1/2."""
    amplitude: Array = array("circle")
    """Root mean square Euclidean distance of the curve from its mean."""
    residual: Array = array("circle")
    """Root mean square of F(K(phase)) - K(phase + rotation), as a share of the amplitude."""
    exponent: Array = array("circle")
    """Largest Lyapunov exponent across the circle, in nats per step."""
    harmonics: Array = array("circle")
    """Highest order of the series."""
    inputs: Array = array("circle", "input")
    """Constant input."""
    member: Array = array("circle")
    """Position of the network."""
    input_index: Array = array("circle")
    """Position of the constant input."""
    n_starts: Array = array("circle")
    """Number of starts that ended on the circle."""
    outcome: Array = array("start")
    """Outcome of each start, a code of CIRCLE_OUTCOMES."""
    period: Array = array("start")
    """Period of starts that became periodic, in steps; else 0."""
    start_member: Array = array("start")
    """Member of each start."""
    start_input: Array = array("start")
    """Input index of each start."""
    margin: float = 1e-6
    """Exponent, in nats per step, within which a circle is neutral."""
    dt: float | None = None
    """Length of a step in seconds, if known."""

    @property
    def mean(self) -> Array:
        """Centre of each curve, `[circle, state]`."""
        centre: Array = self.series[:, 0].real
        return centre

    @property
    def curve(self) -> Array:
        """States `[circle, phase, state]`."""
        return self.at(self.phase)

    def at(self, phases: Array) -> Array:
        """Return states K(phase) `[circle, phase, state]` at any phases in turns."""
        values = np.atleast_1d(np.asarray(phases, np.float64))
        if not len(self):
            return np.empty((0, len(values), self.size("state")))
        return np.stack([curve_at(series, values) for series in self.series])

    @property
    def hertz(self) -> Array:
        """Rotation number in cycles per second, `[circle]`; ValueError if dt is not known."""
        if self.dt is None:
            raise ValueError(
                "dt must be known for hertz, got None. Use find_circles(..., dt=seconds)."
            )
        return self.rotation / self.dt

    @property
    def kind(self) -> Array:
        """Kind of each circle, `[circle]`: attracting, neutral or repelling."""
        near = np.abs(self.exponent) <= self.margin
        return np.select([near, self.exponent < 0], ["neutral", "attracting"], "repelling")

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per circle."""
        columns = {
            "member": self.member,
            "input_index": self.input_index,
            "kind": self.kind,
            "rotation": self.rotation,
            "amplitude": self.amplitude,
            "exponent": self.exponent,
            "residual": self.residual,
            "harmonics": self.harmonics,
            "n_starts": self.n_starts,
        }
        return pd.DataFrame(columns if self.dt is None else columns | {"hertz": self.hertz})

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the curves in three principal components of their states, and a table."""
        curves = self.curve
        states = curves.reshape(-1, curves.shape[-1])
        places = principal_components(states).project(states).reshape(*curves.shape[:2], 3)
        return (
            Space3D(
                title="Invariant circles",
                caption="Each curve, and a mark where its phase is 0.",
                lines=[np.concatenate([line, line[:1]]) for line in places],
                points=places[:, 0],
                point_groups=self.kind.tolist(),
                point_labels=[f"{rho:.6g} cycles per step" for rho in self.rotation],
                group_label="circles",
            ),
            Table(
                title="Invariant circles",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def __repr__(self) -> str:
        circles = count_noun(len(self), "invariant circle", "invariant circles")
        ends = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return f"{circles}; starts: {ends}"
