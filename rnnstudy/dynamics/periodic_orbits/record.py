"""The record of periodic orbits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Space3D, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.linearisation.modes import (
    is_marginal,
    stability_kinds,
    time_constants,
)
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.dynamics.states.records import SearchRecord, count_noun

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


def transverse(multipliers: Array) -> Array:
    """Return the multipliers `[orbit, mode]` of orbits of a vector field without the trivial one.

    It is the one nearest to 1, for displacements along the orbit.
    """
    count, size = multipliers.shape
    trivial = np.abs(multipliers - 1.0).argmin(axis=1) if size else np.zeros(count, int)
    others = np.arange(size) != trivial[:, None]
    rest: Array = multipliers[others].reshape(count, max(size - 1, 0))
    return rest


@dataclass(frozen=True, eq=False)
class Cycles(CountedOutcomes, SearchRecord):
    """Distinct periodic orbits of one or many networks, each once at its least period.

    `len` and indices count orbits. The states of all orbits are one after the other, each orbit in
    the order of its steps. For a vector field the states are evenly spaced in time, and the period
    is a time. One of the multipliers is 1 but for rounding, that of displacements along the orbit.
    It does not count for kind, index and numbers of modes.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def flip(inputs, state):
    ...     return tf.tanh(-2.0 * state)
    >>> orbits = rnnstudy.find_cycles(flip, starts=np.array([[0.5], [0.9]]))
    >>> orbits.orbit(0).round(2).ravel().tolist()
    [-0.96, 0.96]
    """

    axis: ClassVar[str] = "orbit"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {
        "orbit": ("member", "input_index"),
        "start": ("start_member", "start_input"),
    }
    references: ClassVar[Mapping[str, str]] = {"cycle": "orbit"}
    parts: ClassVar[Mapping[str, str]] = {"step": "cycle"}
    outcome_table: ClassVar[Outcomes] = ORBIT_OUTCOMES

    state: Array = array("step", "state")
    """States of the orbits."""
    cycle: Array = array("step")
    """Position of the orbit of each state."""
    period: Array = array("orbit")
    """Least period in steps, or in units of time."""
    multipliers: Array = array("orbit", "mode")
    """Floquet multipliers per period: eigenvalues of dF^p/dh, largest modulus first."""
    n_unstable: Array = array("orbit")
    """Number of multipliers of modulus above 1 + margin."""
    index: Array = array("orbit")
    """Sign of det(I - dF^p/dh), the index of each state as a fixed point of F^p. For a vector field
    it is that of the return to a plane across the orbit."""
    residual: Array = array("orbit")
    """Root mean square of F(h_i) - h_(i+1), or of the gaps between integrated segments."""
    inputs: Array = array("orbit", "input")
    """Constant input."""
    member: Array = array("orbit")
    """Position of the network."""
    input_index: Array = array("orbit")
    """Position of the constant input."""
    n_starts: Array = array("orbit")
    """Number of starts that ended on the orbit."""
    outcome: Array = array("start")
    """Outcome of each start, a code of ORBIT_OUTCOMES, one period after the other."""
    start_member: Array = array("start")
    """Member of each start."""
    start_input: Array = array("start")
    """Input index of each start."""
    start_period: Array = array("start")
    """Number of states of each start. For a vector field, the period of its orbit, 0 for none."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which an orbit is marginal."""
    continuous: bool = False
    """The orbits are those of a vector field dh/dt = f(h; x)."""

    @property
    def kind(self) -> Array:
        """Kind of each orbit, `[orbit]`: stable, saddle, repeller or marginal."""
        return stability_kinds(self._deciding_multipliers, self.margin)

    @property
    def n_marginal(self) -> Array:
        """Number of multipliers whose modulus is within the margin of 1, `[orbit]`."""
        count: Array = is_marginal(self._deciding_multipliers, self.margin).sum(axis=1)
        return count

    @property
    def _deciding_multipliers(self) -> Array:
        return transverse(self.multipliers) if self.continuous else self.multipliers

    def orbit(self, i: int) -> Array:
        """Return the states `[step, state]` of one orbit."""
        states: Array = self.state[self.cycle == i]
        return states

    def with_n_starts(self, n_starts: Array) -> Self:
        """Return the same orbits with other numbers of starts `[orbit]`."""
        return replace(self, n_starts=n_starts)

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per orbit.

        Time constants are in steps, or in units of time of a vector field.
        """
        leading = self._deciding_multipliers[:, 0]
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
        """Return the orbits in three principal components of their states, and a table."""
        places = principal_components(self.state).project(self.state)
        groups = self.n_unstable[self.cycle]
        orbits = [places[self.cycle == i] for i in range(len(self))]
        return (
            Space3D(
                title="Periodic orbits",
                caption="States of each orbit, joined in the order in which they are visited.",
                lines=[np.concatenate([states, states[:1]]) for states in orbits],
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
        parts = [f"{periods[p]} of period {p:.6g}" for p in sorted(periods)]
        orbits = count_noun(len(self), "periodic orbit", "periodic orbits")
        return orbits + (": " + ", ".join(parts) if parts else "")
