"""The record of invariant circles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Space3D, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.invariant_circles.fourier import curve
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.projection import project_to_components
from rnnstudy.dynamics.states.records import (
    SearchRecord,
    check_equal_sizes,
    count_noun,
    ownership_mask,
)

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
    """Distinct invariant circles of one or many networks: curves K with
    F(K(phase)) = K(phase + rotation), phases in turns."""

    axis: ClassVar[str] = "circle"
    outcome_table: ClassVar[Outcomes] = CIRCLE_OUTCOMES

    series: Array = array("circle", "harmonic", "state")
    """Fourier coefficients, complex, of order 0, 1, ...; zero beyond those that are known."""
    phase: Array = array("phase")
    """Where `curve` is taken."""
    rotation: Array = array("circle")
    """Cycles per step, 0 to 1/2."""
    amplitude: Array = array("circle")
    """Root mean square Euclidean distance from the mean."""
    residual: Array = array("circle")
    """Root mean square of F(K(phase)) - K(phase + rotation), as a share of the amplitude."""
    exponent: Array = array("circle")
    """Largest Lyapunov exponent across the circle, in nats per step."""
    harmonics: Array = array("circle")
    """Highest order of the series."""
    inputs: Array = array("circle", "input")
    """The constant input."""
    member: Array = array("circle")
    input_index: Array = array("circle")
    n_starts: Array = array("circle")
    """Number of starts that ended here."""
    outcome: Array = array("start")
    """What became of each start, as a code of CIRCLE_OUTCOMES."""
    period: Array = array("start")
    """Of those that are periodic, in steps; else 0."""
    start_member: Array = array("start")
    start_input: Array = array("start")
    margin: float = 1e-6
    """Exponent within which a circle counts as neutral."""
    dt: float | None = None
    """Seconds per step, if known."""

    @property
    def mean(self) -> Array:
        """Centre of each curve: [circle, state]."""
        centre: Array = self.series[:, 0].real
        return centre

    @property
    def curve(self) -> Array:
        """States [circle, phase, state]."""
        return self.at(self.phase)

    def at(self, phases: Array) -> Array:
        """States [circle, phase, state] at any phases in turns: K(phase)."""
        given = np.atleast_1d(np.asarray(phases, np.float64))
        if not len(self):
            return np.empty((0, len(given), self.size("state")))
        return np.stack([curve(series, given) for series in self.series])

    @property
    def hertz(self) -> Array:
        """Cycles per second [circle]; ValueError if dt is not known."""
        if self.dt is None:
            raise ValueError("hertz need the length of a step: find_circles(..., dt=seconds)")
        return self.rotation / self.dt

    @property
    def kind(self) -> Array:
        """attracting, neutral or repelling: [circle]."""
        near = np.abs(self.exponent) <= self.margin
        return np.select([near, self.exponent < 0], ["neutral", "attracting"], "repelling")

    def of(self, member: int | None = None, input_index: int | None = None) -> Self:
        """What belongs to one member, one input, or both."""
        mine = ownership_mask(self.start_member, self.start_input, member, input_index)
        return super().of(member, input_index).select("start", mine)

    def shift_indices(self, members: int = 0, inputs: int = 0) -> Self:
        """The same with so much added to the numbers of members and of inputs."""
        return replace(
            super().shift_indices(members, inputs),
            start_member=self.start_member + members,
            start_input=self.start_input + inputs,
        )

    @classmethod
    def join(cls, records: Sequence[Self], axis: str | None = None) -> Self:
        """Records end to end along one axis, or along all of them if it is None.

        ValueError if there are none, or if they differ in sizes of state or input.
        """
        if not records or axis is not None:
            return super().join(records, axis or cls.axis)
        check_equal_sizes(records)
        starts = super().join(records, "start")
        names = ("outcome", "period", "start_member", "start_input")
        return replace(
            super().join(records, cls.axis), **{name: getattr(starts, name) for name in names}
        )

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per circle."""
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
        """The curves in the first three principal components of their states, and a table."""
        curves = self.curve
        count, phases, size = curves.shape
        places = project_to_components(curves.reshape(-1, size)).reshape(count, phases, 3)
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
        found = count_noun(len(self), "invariant circle", "invariant circles")
        fates = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return f"{found}; starts: {fates}"
