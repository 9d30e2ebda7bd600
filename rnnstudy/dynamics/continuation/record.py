"""Record of branches of fixed points and their bifurcations."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.dynamics.continuation.bifurcations import BIFURCATION_KINDS
from rnnstudy.dynamics.continuation.pseudo_arclength import BRANCH_OUTCOMES
from rnnstudy.dynamics.linearisation.modes import frequencies
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.dynamics.states.records import count_noun


@dataclass(frozen=True, eq=False)
class Branches(Record):
    """Branches of fixed points h*(s) of one network along a path of inputs x(s).

    The points of all branches are one after the other, each branch in its order. `len` counts
    branches.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def unit(inputs, state):
    ...     return tf.tanh(2.0 * state + inputs)
    >>> branches = rnnstudy.continue_fixed_points(unit, np.array([-0.9993]), [[-2.0], [2.0]])
    >>> branches
    1 branch of fixed points; 2 fold
    >>> branches.outcomes
    [('', 'end')]
    """

    s: Array = array("point")
    """Arclength on the path, as a share of its length."""
    inputs: Array = array("point", "input")
    """Constant input of each point."""
    state: Array = array("point", "state")
    """Fixed point."""
    eigenvalues: Array = array("point", "mode")
    """Eigenvalues of dF/dh, largest modulus first, or of df/dh, largest real part first."""
    n_unstable: Array = array("point")
    """Number of eigenvalues of modulus above 1 + margin, or real part above the margin."""
    branch: Array = array("point")
    """Branch of each point. The branches of the starts are first, in their order."""
    outcome: Array = array("branch", "direction")
    """Outcome of each branch, backward and forward, a code of BRANCH_OUTCOMES."""
    origin: Array = array("branch")
    """Row of the whole record's `events` at which a branch was switched to, -1 for a start's."""
    events: dict[str, Array] = arrays("event")
    """Columns of `bifurcations`, with input and state. `kind` is a code of BIFURCATION_KINDS."""
    member: int = 0
    """Position of the network."""
    margin: float = 1e-6
    """Distance of a modulus from 1, or of a real part from 0, of a neutral eigenvalue."""
    continuous: bool = False
    """The branches are those of a vector field dh/dt = f(h; x)."""

    def __len__(self) -> int:
        return len(self.outcome)

    def __repr__(self) -> str:
        kinds = Counter(self.bifurcations["kind"])
        bifurcations = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        branches = count_noun(len(self), "branch", "branches")
        return f"{branches} of fixed points; {bifurcations or 'no bifurcation'}"

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Outcomes of each branch, backward and forward. `BRANCH_OUTCOMES` explains them."""
        return [(names[0], names[1]) for names in BRANCH_OUTCOMES.names_of(self.outcome)]

    @property
    def bifurcations(self) -> Any:
        """A `pandas.DataFrame` with one row per bifurcation.

        Its columns are branch, kind, s, `eigenvalue` on the unit circle, and its `frequency` in
        cycles per step. For a vector field the eigenvalue is on the imaginary axis, and the
        frequency in cycles per unit of time. `change` is that of the number of unstable directions.
        `located` is the length of branch within which it is known, `point` the point before it.
        """
        columns = {name: values for name, values in self.events.items() if values.ndim == 1}
        columns["kind"] = np.array(BIFURCATION_KINDS, object)[columns["kind"]]
        return pd.DataFrame(columns)

    def of(self, branch: int) -> Self:
        """Return the points and bifurcations of one branch, with the outcomes of all branches."""
        mask = self.branch == branch
        part = self.select("point", mask).select("event", self.events["branch"] == branch)
        position = part.events["point"] - int(np.argmax(mask))
        return replace(part, events={**part.events, "point": position})

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per point."""
        columns: dict[str, Array] = {"branch": self.branch, "s": self.s}
        columns |= {f"input_{i}": values for i, values in enumerate(self.inputs.T)}
        leading = self.eigenvalues[:, 0] if self.eigenvalues.size else np.zeros(len(self.s))
        columns["n_unstable"] = self.n_unstable
        if self.continuous:
            columns["leading_real_part"] = leading.real
            columns["leading_frequency"] = frequencies(leading, continuous=True)
        else:
            columns["leading_modulus"] = np.abs(leading)
            columns["leading_angle"] = np.angle(leading)
        return pd.DataFrame(columns)

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the bifurcation diagram, and a table of the bifurcations."""
        size, border, unit = "modulus", "on the unit circle", "step"
        if self.continuous:
            size, border, unit = "real part", "on the imaginary axis", "unit of time"
        return (
            Curves(
                title="Branches of fixed points",
                caption="Along the path of inputs: states by their first principal component, and "
                f"the largest {size} of an eigenvalue; dashed where a direction is unstable.",
                curves=[*self._curves()],
                x_label="share of the path",
                y_label="",
            ),
            Table(
                title="Bifurcations",
                caption=f"The frequency, in cycles per {unit}, is that of the eigenvalue {border}.",
                columns={
                    name: [str(value) if np.iscomplexobj(value) else value for value in values]
                    for name, values in self.bifurcations.items()
                },
            ),
        )

    def _curves(self) -> Iterator[Curve]:
        size = "real part" if self.continuous else "modulus"
        heights = {"state": _first_component(self.state), f"largest {size}": self._leading()}
        for panel, height in heights.items():
            for run, unstable in self._runs():
                yield Curve(
                    x=self.s[run],
                    y=height[run],
                    label=f"{unstable} unstable",
                    panel=panel,
                    dashed=unstable > 0,
                )

    def _leading(self) -> Array:
        if self.continuous:
            return np.asarray(self.eigenvalues.real.max(axis=1, initial=-np.inf))
        modulus: Array = np.abs(self.eigenvalues).max(axis=1, initial=0.0)
        return modulus

    def _runs(self) -> Iterator[tuple[slice, int]]:
        """Yield runs of points with equally many unstable directions; each reaches to the next."""
        changes = (np.diff(self.branch) != 0) | (np.diff(self.n_unstable) != 0)
        bounds = [0, *(np.flatnonzero(changes) + 1), len(self.s)]
        for begin, end in pairwise(bounds):
            continues = end < len(self.s) and self.branch[end] == self.branch[begin]
            if end > begin:
                yield slice(begin, end + continues), int(self.n_unstable[begin])


def _first_component(states: Array) -> Array:
    """Return the first principal component [point] of states [point, state]."""
    if not len(states) or states.shape[1] == 1:
        return states[:, 0]
    components = principal_components(states, 1)
    axis = components.axes[0]
    # Its sign is arbitrary: the largest entry is made positive.
    heights: Array = (states - components.mean) @ axis * np.sign(axis[np.argmax(np.abs(axis))])
    return heights
