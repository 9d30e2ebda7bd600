"""Records of fixed points and slow points."""

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
from rnnstudy.dynamics.fixed_points.spectrum import spectrum
from rnnstudy.dynamics.linearisation.modes import (
    Modes,
    frequencies,
    is_marginal,
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
"""Verdicts of a certificate, in the order of their codes."""

CONSISTENT, MISSING, NOT_SATURATED, NOT_APPLICABLE = range(len(VERDICTS))


@dataclass(frozen=True, eq=False)
class SlowPoints(SearchRecord):
    """Local minima of the speed, and states on slow manifolds, that are not fixed points.

    Examples
    --------
    >>> SlowPoints.none(2, 1)
    no slow points
    """

    axis: ClassVar[str] = "slow"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {"slow": ("member", "input_index")}

    state: Array = array("slow", "state")
    """The slow states."""
    inputs: Array = array("slow", "input")
    """Constant input of the point."""
    speed: Array = array("slow")
    """Speed q = 1/2 |F(h) - h|^2, or 1/2 |f(h)|^2 of a vector field."""
    jacobian: Array = array("slow", "state", "state")
    """Jacobian dF/dh, or df/dh."""
    eigenvalues: Array = array("slow", "mode")
    """Eigenvalues of the Jacobian, largest modulus first, or largest real part."""
    member: Array = array("slow")
    """Network of the point."""
    input_index: Array = array("slow")
    """Position of its input."""
    n_starts: Array = array("slow")
    """Number of starts that ended here."""
    continuous: bool = False
    """The points are those of a vector field dh/dt = f(h; x)."""

    @classmethod
    def none(cls, state: int, inputs: int, continuous: bool = False) -> Self:
        """Return no slow points, of states and inputs of these sizes."""
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
            continuous=continuous,
        )

    @property
    def kind(self) -> Array:
        """`slow` for each."""
        return np.full(len(self), "slow")

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per slow point.

        Time constants are in steps, or in units of time of a vector field.
        """
        owner = {"member": self.member, "input_index": self.input_index, "kind": self.kind}
        columns = {"speed": self.speed, "n_starts": self.n_starts}
        return pd.DataFrame(owner | columns | _leading_mode(self.eigenvalues, self.continuous))

    def __repr__(self) -> str:
        if not len(self):
            return "no slow points"
        speeds = dict.fromkeys(f"{speed:.1e}" for speed in (self.speed.min(), self.speed.max()))
        return (
            f"{count_noun(len(self), 'slow point', 'slow points')} of speed {' to '.join(speeds)}"
        )


@dataclass(frozen=True, eq=False)
class FixedPoints(CountedOutcomes, SearchRecord):
    """Distinct fixed points of one or many networks, point after point.

    They are ordered by member, input and number of unstable directions. A position, a slice or a
    mask selects points: `fps[3]`, `fps[fps.kind == "stable"]`. The certificate and the outcomes of
    the starts stay. `a + b` joins the networks of a and b, with the members of b counted after a's.

    Examples
    --------
    >>> import rnnstudy, tensorflow as tf
    >>> step = lambda inputs, states: tf.tanh(2.0 * states)
    >>> fps = rnnstudy.find_fixed_points(step, starts=np.linspace(-1, 1, 9)[:, None])
    >>> fps[fps.kind == "stable"].n_unstable.tolist()
    [0, 0]
    """

    axis: ClassVar[str] = "point"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {
        "point": ("member", "input_index"),
        "start": ("start_member", "start_input"),
        "search": ("searches.member", "searches.input_index"),
    }
    outcome_table: ClassVar[Outcomes] = FIXED_POINT_OUTCOMES

    slow: SlowPoints
    """Slow points, where the search reached a local minimum of the speed."""
    continua: Continua
    """Lines, planes and other continua of fixed points, which are not counted as points."""
    state: Array = array("point", "state")
    """The fixed points."""
    inputs: Array = array("point", "input")
    """Constant input of the point."""
    speed: Array = array("point")
    """Speed q = 1/2 |F(h) - h|^2, or 1/2 |f(h)|^2 of a vector field."""
    jacobian: Array = array("point", "state", "state")
    """Jacobian dF/dh, or df/dh."""
    eigenvalues: Array = array("point", "mode")
    """Eigenvalues of the Jacobian, largest modulus first, or largest real part."""
    n_unstable: Array = array("point")
    """Number of eigenvalues of modulus above 1 + margin, or real part above the margin."""
    index: Array = array("point")
    """Sign of det(I - J), or det(-J). The indices of all points of a bounded network add up to 1.
    """
    member: Array = array("point")
    """Network of the point."""
    input_index: Array = array("point")
    """Position of its input."""
    n_starts: Array = array("point")
    """Number of starts that ended here."""
    outcome: Array = array("start")
    """Outcome of each start, round after round, as a code of FIXED_POINT_OUTCOMES."""
    start_member: Array = array("start")
    """Network of the start."""
    start_input: Array = array("start")
    """Position of its input."""
    searches: dict[str, Array] = arrays("search")
    """Columns of the certificate, one row per member and input."""
    margin: float = 1e-6
    """Distance of a modulus from 1, or of a real part from 0, within which a point is marginal."""
    continuous: bool = False
    """The points are those of a vector field dh/dt = f(h; x)."""
    dt: float | None = None
    """Seconds per time step, or per unit of time of a vector field, if known."""

    @property
    def kind(self) -> Array:
        """`stable`, `saddle`, `repeller` or `marginal`, `[point]`."""
        return stability_kinds(self.eigenvalues, self.margin, self.continuous)

    def modes(self, dt: float | None = None) -> Modes:
        """Return eigenvectors, time constants and frequencies.

        dt: seconds per time step, or per unit of time of a vector field. None: that of the record.
        """
        return modes(self, self.dt if dt is None else dt)

    def non_normality(self) -> NonNormality:
        """Return departure from normality and transient growth."""
        return non_normality(self)

    @property
    def certificate(self) -> Any:
        """Certificate of completeness: a `pandas.DataFrame` with one row per member and input.

        The verdict is `consistent` if three conditions hold. The indices add up to 1. The last
        rounds reached no new point: one round, or more if many had reached some. At least three
        starts reached each point. The verdict is `points missing` if the sum is not 1, and
        `not saturated` if another condition fails. It is `not applicable` without an invariant box,
        or if all starts diverged. A consistent certificate is necessary for completeness, not
        sufficient. `fresh` counts new points of the last round. `unseen` estimates missing points
        from those that were reached once or twice (Chao 1984).
        """
        columns = dict(self.searches)
        columns["verdict"] = np.array(VERDICTS, object)[columns["verdict"]]
        return pd.DataFrame(columns)

    @property
    def n_marginal(self) -> Array:
        """Number of eigenvalues within the margin of the border of stability, `[point]`."""
        count: Array = is_marginal(self.eigenvalues, self.margin, self.continuous).sum(axis=1)
        return count

    def __add__(self, other: Self) -> Self:
        return type(self).join([self, other]) if isinstance(other, FixedPoints) else NotImplemented

    @classmethod
    def join(
        cls,
        records: Sequence[Self],
        axis: str | None = None,
        later: Literal["members", "inputs"] = "members",
    ) -> Self:
        """Return records end to end along one axis, or along all of them if it is None.

        Then the members of later records are counted after those of earlier ones. With
        `later="inputs"` the inputs are, for the same networks at other inputs. Raises ValueError if
        there are none, or if they differ in margin or in sizes of state or input.
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
        """Return a `pandas.DataFrame` with one row per point.

        Time constants are in steps, or in units of time of a vector field. With `dt` there are
        columns in seconds and hertz, too.
        """
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
            | _leading_mode(self.eigenvalues, self.continuous, self.dt)
        )

    def _variables(self) -> dict[str, tuple[tuple[str, ...], Array]]:
        """Return name -> dimensions and values; slow points and continua by `slow.`, `continua.`"""
        variables = {**super()._variables(), "kind": (("point",), self.kind)}
        for name in ("slow", "continua"):
            inner = getattr(self, name)._variables()
            variables |= {f"{name}.{part}": values for part, values in inner.items()}
        return variables

    def exhibits(self, trajectories: Any = None, dimensions: int = 3) -> Sequence[Exhibit]:
        """Return a picture of the points in principal components.

        The components are those of trajectories `[trial, time, state]` if there are any, which may
        be of an LSTM's h alone. Raises ValueError if they fit no state, or for several networks.
        """
        return (portraits(self, trajectories, dimensions),)

    def spectrum(self) -> Exhibit:
        """Return the eigenvalues in the complex plane, for `rnnstudy.plot`."""
        return spectrum(self)

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
        counts = Counter(VERDICTS[verdict] for verdict in self.searches["verdict"])
        if len(counts) < 2:
            return next(iter(counts), "none")
        return ", ".join(f"{counts[name]} {name}" for name in VERDICTS if name in counts)


def _leading_mode(
    eigenvalues: Array, continuous: bool, dt: float | None = None
) -> dict[str, Array]:
    """Return columns about the leading eigenvalue."""
    leading = eigenvalues[:, 0]
    frequency, time_constant = (
        values(leading, continuous) for values in (frequencies, time_constants)
    )
    if continuous:
        columns = {"leading_real_part": leading.real, "leading_frequency": frequency}
    else:
        columns = {"leading_modulus": np.abs(leading), "leading_angle": np.angle(leading)}
    columns["time_constant"] = time_constant
    if dt is not None:
        columns |= {"seconds": dt * time_constant, "hertz": frequency / dt}
    return columns


def _kinds(kind: Array) -> list[str]:
    """Return the number of points of each kind, with its noun."""
    counts = Counter(kind.tolist())
    nouns = {"saddle": "saddles", "repeller": "repellers"}
    known = ("stable", "saddle", "repeller", "marginal")
    return [
        count_noun(counts[name], name, nouns.get(name, name)) for name in known if name in counts
    ]
