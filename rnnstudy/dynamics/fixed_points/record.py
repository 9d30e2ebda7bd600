"""The records of fixed points and slow points: what was found, of which network, at which input."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array, arrays
from rnnstudy.dynamics.fixed_points.continua_record import Continua
from rnnstudy.dynamics.fixed_points.exhibits import portraits
from rnnstudy.dynamics.linearisation.modes import (
    Modes,
    is_near_unit_circle,
    modes,
    stability_kinds,
    time_constants,
)
from rnnstudy.dynamics.linearisation.non_normality import NonNormality, non_normality
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.records import SearchRecord, count_noun

FIXED_POINT_OUTCOMES = Outcomes(
    {
        "converged": "The start reached an isolated fixed point.",
        "slow": (
            "The start reached a local minimum of the speed that is not a fixed point.",
            "See `slow` for the points.",
        ),
        "degenerate": (
            "The start reached a root where I - J is singular, as at a closed gate.",
            "See `continua` for lines and planes of fixed points.",
        ),
        "outside": (
            "The start reached a root outside the invariant box, where none can be.",
            "Start inside the box, or correct `bound`.",
        ),
        "diverged": (
            "The state or the residual became infinite or NaN.",
            "Check the weights, or start closer to visited states.",
        ),
        "limit": (
            "The solver reached its largest number of steps.",
            "Raise `limit` of the solver.",
        ),
    }
)
"""Outcomes of the starts of a search for fixed points."""

CONVERGED, SLOW, DEGENERATE, OUTSIDE, DIVERGED, LIMIT = FIXED_POINT_OUTCOMES.codes


VERDICTS = ("consistent", "points missing", "not saturated", "not applicable")


CONSISTENT, MISSING, NOT_SATURATED, NOT_APPLICABLE = range(len(VERDICTS))


@dataclass(frozen=True, eq=False)
class SlowPoints(SearchRecord):
    """Local minima of the speed that are not fixed points, flat: point after point."""

    axis: ClassVar[str] = "slow"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {"slow": ("member", "input_index")}

    state: Array = array("slow", "state")
    inputs: Array = array("slow", "input")
    """The constant input at which it is slow."""
    speed: Array = array("slow")
    """q = 1/2 |F(h) - h|^2."""
    jacobian: Array = array("slow", "state", "state")
    """dF/dh."""
    eigenvalues: Array = array("slow", "mode")
    """Of the Jacobian, largest modulus first."""
    member: Array = array("slow")
    input_index: Array = array("slow")
    n_starts: Array = array("slow")
    """Number of starts that ended here."""

    @classmethod
    def none(cls, state: int, inputs: int) -> Self:
        """No slow points of states and inputs of these sizes."""
        count = np.zeros(0, int)
        return cls(
            state=np.empty((0, state)),
            inputs=np.empty((0, inputs)),
            speed=np.empty(0),
            jacobian=np.empty((0, state, state)),
            eigenvalues=np.empty((0, state), complex),
            member=count,
            input_index=count,
            n_starts=count,
        )

    @property
    def kind(self) -> Array:
        """`slow` for each."""
        return np.full(len(self), "slow")

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per slow point; time constants in steps."""
        owner = {"member": self.member, "input_index": self.input_index, "kind": self.kind}
        found = {"speed": self.speed, "n_starts": self.n_starts}
        return pd.DataFrame(owner | found | _leading(self.eigenvalues))

    def __repr__(self) -> str:
        if not len(self):
            return "no slow points"
        return (
            f"{count_noun(len(self), 'slow point', 'slow points')} of speed "
            f"{self.speed.min():.1e} to {self.speed.max():.1e}"
        )


@dataclass(frozen=True, eq=False)
class FixedPoints(CountedOutcomes, SearchRecord):
    """Distinct, converged fixed points of one or many networks, flat: point after point.

    Ordered by member, input, number of unstable directions. A position, a slice or a mask chooses
    points (`fps[3]`, `fps[fps.kind == "stable"]`); what is said of the search stays. `a + b` are
    the points of the networks of a, then those of b, whose members are counted on from there.
    """

    axis: ClassVar[str] = "point"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {
        "point": ("member", "input_index"),
        "start": ("start_member", "start_input"),
        "search": ("searches.member", "searches.input_index"),
    }
    outcome_table: ClassVar[Outcomes] = FIXED_POINT_OUTCOMES

    slow: SlowPoints
    """Where the search stuck at a local minimum of the speed."""
    continua: Continua
    """Lines, planes and other continua, none of whose points is counted as one."""
    state: Array = array("point", "state")
    inputs: Array = array("point", "input")
    """The constant input at which it is a fixed point."""
    speed: Array = array("point")
    """q = 1/2 |F(h) - h|^2."""
    jacobian: Array = array("point", "state", "state")
    """dF/dh."""
    eigenvalues: Array = array("point", "mode")
    """Of the Jacobian, largest modulus first."""
    n_unstable: Array = array("point")
    """Number of eigenvalues of modulus above 1 + margin."""
    index: Array = array("point")
    """Sign of det(I - J); the indices of a bounded network's points add up to 1."""
    member: Array = array("point")
    input_index: Array = array("point")
    n_starts: Array = array("point")
    """Number of starts that ended here."""
    outcome: Array = array("start")
    """What became of each start, as a code of FIXED_POINT_OUTCOMES; rounds follow each other."""
    start_member: Array = array("start")
    start_input: Array = array("start")
    searches: dict[str, Array] = arrays("search")
    """The certificate's columns, one row per member and input."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which a point counts as marginal."""

    @property
    def kind(self) -> Array:
        """stable, saddle, repeller or marginal: [point]."""
        return stability_kinds(self.eigenvalues, self.margin)

    def modes(self, dt: float | None = None) -> Modes:
        """Eigenvectors, time constants and frequencies; dt: seconds per time step, if known."""
        return modes(self, dt)

    def non_normality(self) -> NonNormality:
        """Departure from normality and transient growth."""
        return non_normality(self)

    @property
    def certificate(self) -> Any:
        """How complete the points are: a `pandas.DataFrame`, one row per member and input.

        The verdict is `consistent` if the indices add up to 1, a further round found nothing new
        and an estimate of unseen points is below one half; `points missing` if the sum is not 1;
        `not saturated`; or `not applicable` where no box is known that steps never leave (unbounded
        cells, others' without `bound`) or all starts diverged.
        """
        columns = dict(self.searches)
        columns["verdict"] = np.array(VERDICTS, object)[columns["verdict"]]
        return pd.DataFrame(columns)

    @property
    def n_marginal(self) -> Array:
        """Number of eigenvalues whose modulus is within the margin of 1: [point]."""
        return is_near_unit_circle(self.eigenvalues, self.margin).sum(axis=1)

    def __add__(self, other: Self) -> Self:
        return type(self).join([self, other]) if isinstance(other, FixedPoints) else NotImplemented

    @classmethod
    def join(
        cls,
        records: Sequence[Self],
        axis: str | None = None,
        later: Literal["members", "inputs"] = "members",
    ) -> Self:
        """Records end to end along one axis, or along all of them if it is None.

        Then the members of later records are counted on from those of earlier ones; with
        `later="inputs"`, where they hold the same networks at other inputs, the inputs are.
        ValueError if there are none, or if they differ in margin or in sizes of state or input.
        """
        if axis is not None or not records:
            return super().join(records, axis)
        column = {"members": "member", "inputs": "input_index"}[later]
        counts = [int(record.searches[column].max(initial=-1)) + 1 for record in records]
        firsts = np.cumsum([0, *counts[:-1]])
        return super().join(
            [
                record.shift_indices(**{later: int(first)})
                for record, first in zip(records, firsts, strict=True)
            ]
        )

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per point; time constants in steps."""
        return pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "kind": self.kind,
                "n_unstable": self.n_unstable,
                "index": self.index,
                "speed": self.speed,
                "n_starts": self.n_starts,
            }
            | _leading(self.eigenvalues)
        )

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` with named dimensions; slow points and continua have their own,
        and names that begin with `slow.` and `continua.`."""
        data = super().to_xarray().assign(kind=("point", self.kind))
        for name in ("slow", "continua"):
            own = getattr(self, name).to_xarray().variables
            data = data.assign({f"{name}.{part}": values for part, values in own.items()})
        return data

    def exhibits(self, trajectories: Any = None, dimensions: int = 3) -> Sequence[Exhibit]:
        """The points in principal components, those of trajectories [trial, time, state] if given,
        which may be of an LSTM's h alone. ValueError if they fit no state, or several networks."""
        return (portraits(self, trajectories, dimensions),)

    def __repr__(self) -> str:
        networks, inputs = (
            len(np.unique(self.searches[column])) for column in ("member", "input_index")
        )
        points = count_noun(len(self), "fixed point", "fixed points")
        owners = f"{count_noun(networks, 'network', 'networks')} at "
        owners += count_noun(inputs, "input", "inputs") + (": " if len(self) else "")
        parts = [f"{points} of {owners}" + ", ".join(_kinds(self.kind))]
        degenerate = 0 if len(self.continua) else int(self.searches["degenerate"].sum())
        parts += [count_noun(degenerate, "degenerate root", "degenerate roots")] * bool(degenerate)
        parts += [repr(more) for more in (self.continua, self.slow) if len(more)]
        return "; ".join([*parts, f"certificate: {self._verdicts()}"])

    def _verdicts(self) -> str:
        found = Counter(VERDICTS[verdict] for verdict in self.searches["verdict"])
        if len(found) < 2:
            return next(iter(found), "none")
        return ", ".join(f"{found[name]} {name}" for name in VERDICTS if name in found)


def _leading(eigenvalues: Array) -> dict[str, Array]:
    """Columns that tell of the leading eigenvalue."""
    leading = eigenvalues[:, 0]
    return {
        "leading_modulus": np.abs(leading),
        "leading_angle": np.angle(leading),
        "time_constant": time_constants(leading),
    }


def _kinds(kind: Array) -> list[str]:
    """How many there are of each kind."""
    found = Counter(kind.tolist())
    nouns = {"saddle": "saddles", "repeller": "repellers"}
    known = ("stable", "saddle", "repeller", "marginal")
    return [count_noun(found[name], name, nouns.get(name, name)) for name in known if name in found]
