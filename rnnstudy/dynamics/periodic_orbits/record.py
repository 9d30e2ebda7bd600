"""The record of periodic orbits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Space3D, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.dynamics.linearisation.modes import (
    is_near_unit_circle,
    stability_kinds,
    time_constants,
)
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.projection import project_to_components
from rnnstudy.dynamics.states.records import (
    SearchRecord,
    check_equal_sizes,
    count_noun,
    ownership_mask,
    resolve_index,
)

ORBIT_OUTCOMES = Outcomes(
    {
        "converged": "The start reached an orbit whose least period is the requested one.",
        "fixed point": (
            "The start reached a fixed point.",
            "Use `find_fixed_points` to study it.",
        ),
        "shorter period": (
            "The start reached an orbit whose least period divides the requested one.",
            "Request that period too.",
        ),
        "degenerate": (
            "The start reached an orbit of a continuum, or a small residual far from any orbit.",
            "Use `find_circles` for quasi-periodic motion.",
        ),
        "outside": (
            "The start reached an orbit outside the invariant box, where none can be.",
            "Start inside the box, or correct `bound`.",
        ),
        "not converged": (
            "The residual did not vanish within the largest number of steps.",
            "Raise the number of steps, or start closer to an orbit.",
        ),
        "diverged": (
            "The state or the residual became infinite or NaN.",
            "Check the weights, or start closer to visited states.",
        ),
    }
)
"""Outcomes of the starts of a search for periodic orbits."""

CONVERGED, FIXED, SHORTER, DEGENERATE, OUTSIDE, UNSETTLED, DIVERGED = ORBIT_OUTCOMES.codes


@dataclass(frozen=True, eq=False)
class Cycles(CountedOutcomes, SearchRecord):
    """Distinct periodic orbits of one or many networks, each once at its least period.

    `len` and indices count orbits; the states of all lie one after the other, in the order in which
    F visits them.
    """

    axis: ClassVar[str] = "orbit"
    outcome_table: ClassVar[Outcomes] = ORBIT_OUTCOMES

    state: Array = array("step", "state")
    cycle: Array = array("step")
    """To which orbit a state belongs."""
    period: Array = array("orbit")
    """Number of steps after which it comes round."""
    multipliers: Array = array("orbit", "mode")
    """Floquet multipliers per period: eigenvalues of dF^p/dh, largest modulus first."""
    n_unstable: Array = array("orbit")
    """Number of multipliers of modulus above 1 + margin."""
    index: Array = array("orbit")
    """Sign of det(I - dF^p/dh): its share in the Lefschetz number of F^p, once per state."""
    residual: Array = array("orbit")
    """Root mean square of F(h_i) - h_(i+1)."""
    inputs: Array = array("orbit", "input")
    """The constant input."""
    member: Array = array("orbit")
    input_index: Array = array("orbit")
    n_starts: Array = array("orbit")
    """Number of starts that ended here."""
    outcome: Array = array("start")
    """What became of each start, as a code of ORBIT_OUTCOMES; one period after the other."""
    start_member: Array = array("start")
    start_input: Array = array("start")
    start_period: Array = array("start")
    """Number of states with which it was begun."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which an orbit counts as marginal."""

    @property
    def kind(self) -> Array:
        """stable, saddle, repeller or marginal: [orbit]."""
        return stability_kinds(self.multipliers, self.margin)

    @property
    def n_marginal(self) -> Array:
        """Number of multipliers whose modulus is within the margin of 1: [orbit]."""
        return is_near_unit_circle(self.multipliers, self.margin).sum(axis=1)

    def orbit(self, i: int) -> Array:
        """States [step, state] of one orbit."""
        states: Array = self.state[self.cycle == i]
        return states

    def counted_anew(self, n_starts: Array) -> Self:
        """The same orbits with other numbers of hits [orbit]."""
        return replace(self, n_starts=n_starts)

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

    def select(self, axis: str, indices: Any) -> Self:
        """The record at some positions of an axis; an orbit takes its states with it."""
        if axis != self.axis:
            return super().select(axis, indices)
        chosen = resolve_index(indices, len(self), axis)
        states = [np.flatnonzero(self.cycle == i) for i in chosen]
        part = super().select(axis, chosen)
        part = Record.select(part, "step", np.concatenate([chosen[:0], *states]))
        return replace(part, cycle=np.repeat(np.arange(len(chosen)), [*map(len, states)]))

    @classmethod
    def join(cls, records: Sequence[Self], axis: str | None = None) -> Self:
        """Records end to end along one axis, or along all of them if it is None.

        ValueError if there are none, or if they differ in margin or in sizes of state or input.
        """
        if not records or axis not in (None, cls.axis):
            return super().join(records, axis or cls.axis)
        check_equal_sizes(records)
        if len({record.margin for record in records}) > 1:
            raise ValueError("records of orbits should have one margin")
        sizes = np.cumsum([0, *(len(record) for record in records)])
        shifted = [
            replace(record, cycle=record.cycle + size)
            for record, size in zip(records, sizes[:-1], strict=True)
        ]
        orbits, steps = super().join(shifted, cls.axis), super().join(shifted, "step")
        orbits = replace(orbits, state=steps.state, cycle=steps.cycle)
        if axis is not None:
            return orbits
        names = ("outcome", "start_member", "start_input", "start_period")
        starts = super().join(records, "start")
        return replace(orbits, **{name: getattr(starts, name) for name in names})

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per orbit; time constants in steps."""
        leading = self.multipliers[:, 0]
        return pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "period": self.period,
                "kind": self.kind,
                "n_unstable": self.n_unstable,
                "index": self.index,
                "residual": self.residual,
                "n_starts": self.n_starts,
                "leading_modulus": np.abs(leading),
                "leading_angle": np.angle(leading),
                "time_constant": self.period * time_constants(leading),
            }
        )

    def exhibits(self) -> Sequence[Exhibit]:
        """The orbits in the first three principal components of their states, and a table."""
        places = project_to_components(self.state)
        groups = self.n_unstable[self.cycle]
        rounds = [places[self.cycle == i] for i in range(len(self))]
        return (
            Space3D(
                title="Periodic orbits",
                caption="States of each orbit, joined in the order in which they are visited.",
                lines=[np.concatenate([states, states[:1]]) for states in rounds],
                points=places,
                point_groups=[str(count) for count in groups],
                point_labels=[f"orbit {i}" for i in self.cycle],
            ),
            Table(
                title="Periodic orbits",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def __repr__(self) -> str:
        periods = Counter(self.period.tolist())
        parts = [f"{periods[p]} of period {p}" for p in sorted(periods)]
        found = count_noun(len(self), "periodic orbit", "periodic orbits")
        return found + (": " + ", ".join(parts) if parts else "")
