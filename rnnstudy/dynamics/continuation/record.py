"""The record of branches: fixed points along a path of inputs, and where they change their kind."""

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
from rnnstudy.dynamics.continuation.bifurcations import KINDS
from rnnstudy.dynamics.continuation.pseudo_arclength import BRANCH_OUTCOMES
from rnnstudy.dynamics.states.records import count_noun


@dataclass(frozen=True, eq=False)
class Branches(Record):
    """Branches of fixed points h*(s) of one network along a path of inputs x(s), flat: point after
    point of each branch, in its order."""

    s: Array = array("point")
    """Place on the path, as a share of its length."""
    inputs: Array = array("point", "input")
    state: Array = array("point", "state")
    eigenvalues: Array = array("point", "mode")
    """Of dF/dh, largest modulus first."""
    n_unstable: Array = array("point")
    """Number of eigenvalues of modulus above 1 + margin."""
    branch: Array = array("point")
    """To which of the branches a point belongs: first those of the starts, in their order."""
    outcome: Array = array("branch", "direction")
    """How each walk ended, backwards and forwards, as a code of BRANCH_OUTCOMES."""
    origin: Array = array("branch")
    """Row of the whole record's `events` at which a branch was switched to; -1 for a start's."""
    events: dict[str, Array] = arrays("event")
    """Columns of `bifurcations`; `kind` as a position in KINDS, `point` the one before it."""
    member: int = 0
    margin: float = 1e-6

    def __len__(self) -> int:
        return len(self.outcome)

    def __repr__(self) -> str:
        kinds = Counter(self.bifurcations["kind"])
        met = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        branches = count_noun(len(self), "branch", "branches")
        return f"{branches} of fixed points; {met or 'no bifurcation'}"

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Per branch how it ended, backwards and forwards: `end` or `beginning` of the path,
        `closed` (back at its start), `points` (budget spent), `diverged`, `lost`, `no fixed point`
        (at the start), or nothing where it was not followed."""
        return [(names[0], names[1]) for names in BRANCH_OUTCOMES.names_of(self.outcome)]

    @property
    def bifurcations(self) -> Any:
        """A `pandas.DataFrame` with one row per bifurcation: branch, kind, s, `eigenvalue` on the
        unit circle, its `frequency` in cycles per step, the `change` in unstable directions, the
        length of branch within which it was `located`, and the `point` before it. `events` has its
        input and state too."""
        columns = {name: values for name, values in self.events.items() if values.ndim == 1}
        columns["kind"] = np.array(KINDS, object)[columns["kind"]]
        return pd.DataFrame(columns)

    def of(self, branch: int) -> Self:
        """One branch and its bifurcations, at its old number; the outcomes of all stay."""
        mask = self.branch == branch
        own = self.select("point", mask).select("event", self.events["branch"] == branch)
        place = own.events["point"] - int(np.argmax(mask))
        return replace(own, events={**own.events, "point": place})

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per point."""
        columns: dict[str, Array] = {"branch": self.branch, "s": self.s}
        columns |= {f"input_{i}": values for i, values in enumerate(self.inputs.T)}
        leading = self.eigenvalues[:, 0] if self.eigenvalues.size else np.zeros(len(self.s))
        columns |= {"n_unstable": self.n_unstable, "leading_modulus": np.abs(leading)}
        return pd.DataFrame(columns | {"leading_angle": np.angle(leading)})

    def exhibits(self) -> Sequence[Exhibit]:
        """The diagram of the branches, and a table of their bifurcations."""
        return (
            Curves(
                title="Branches of fixed points",
                caption="Along the path of inputs: states by their first principal component, and "
                "the largest modulus of an eigenvalue; dashed where a direction is unstable.",
                curves=[*self._curves()],
                x_label="share of the path",
                y_label="",
            ),
            Table(
                title="Bifurcations",
                caption="The frequency, in cycles per step, is that of the eigenvalue on the unit "
                "circle.",
                columns={
                    name: [str(value) if np.iscomplexobj(value) else value for value in values]
                    for name, values in self.bifurcations.items()
                },
            ),
        )

    def _curves(self) -> Iterator[Curve]:
        heights = {"state": _first_component(self.state), "largest modulus": self._leading()}
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
        return np.abs(self.eigenvalues).max(axis=1, initial=0.0)

    def _runs(self) -> Iterator[tuple[slice, int]]:
        """Stretches of a branch with as many unstable directions; each reaches to the next."""
        changes = (np.diff(self.branch) != 0) | (np.diff(self.n_unstable) != 0)
        bounds = [0, *(np.flatnonzero(changes) + 1), len(self.s)]
        for begin, end in pairwise(bounds):
            joined = end < len(self.s) and self.branch[end] == self.branch[begin]
            if end > begin:
                yield slice(begin, end + joined), int(self.n_unstable[begin])


def _first_component(states: Array) -> Array:
    """Heights [point] of states along the direction in which they differ most."""
    if not len(states) or states.shape[1] == 1:
        return states[:, 0]
    centred = states - states.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    # Its sign is arbitrary: the largest entry is made positive.
    heights: Array = centred @ axis * np.sign(axis[np.argmax(np.abs(axis))])
    return heights
