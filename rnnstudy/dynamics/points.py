"""The record of fixed points: what was found, of which network, at which input."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnstudy.dynamics.hunt import OUTCOMES, VERDICTS
from rnnstudy.dynamics.modes import kinds, time_constants
from rnnstudy.lazy import pd
from rnnstudy.record import Array, Record, array, arrays


@dataclass(frozen=True, eq=False)
class FixedPoints(Record):
    """Distinct, converged fixed points of one or many networks, flat: point after point.

    Ordered by member, input, number of unstable directions.
    """

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
    hits: Array = array("point")
    """Number of starts that ended here."""
    outcome: Array = array("start")
    """What became of each start, as a position in OUTCOMES; rounds follow each other."""
    start_member: Array = array("start")
    start_input: Array = array("start")
    searches: dict[str, Array] = arrays("search")
    """The certificate's columns, one row per member and input."""
    margin: float = 1e-6
    """Distance of a modulus from 1 within which a point counts as marginal."""

    def __len__(self) -> int:
        return len(self.state)

    @property
    def kind(self) -> Array:
        """stable, saddle, repeller or marginal: [point]."""
        return kinds(self.eigenvalues, self.margin)

    @property
    def certificate(self) -> Any:
        """How complete the points are: a `pandas.DataFrame`, one row per member and input.

        The verdict is `consistent` if the indices add up to 1, a further round found nothing new
        and an estimate of unseen points is below one half; `points missing` if the sum is not 1;
        `not saturated`; or `not applicable` where the cell is unbounded or all starts diverged.
        """
        columns = dict(self.searches)
        columns["verdict"] = np.array(VERDICTS, object)[columns["verdict"]]
        return pd.DataFrame(columns)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many starts met each fate."""
        return {name: int((self.outcome == code).sum()) for code, name in enumerate(OUTCOMES)}

    def of(self, member: int | None = None, input_index: int | None = None) -> Self:
        """What belongs to one member, one input, or both."""
        chosen = self
        owners = {
            "point": (self.member, self.input_index),
            "start": (self.start_member, self.start_input),
            "search": (self.searches["member"], self.searches["input_index"]),
        }
        for axis, (members, positions) in owners.items():
            of_member = True if member is None else members == member
            of_input = True if input_index is None else positions == input_index
            mask = np.ones(len(members), bool) & of_member & of_input
            chosen = chosen.select(axis, mask)
        return chosen

    def alone(self, member: int) -> Self:
        """One member's points, as if it had been the only one: member 0."""
        own = self.of(member=member)
        return dataclasses.replace(
            own,
            member=np.zeros_like(own.member),
            start_member=np.zeros_like(own.start_member),
            searches={**own.searches, "member": np.zeros_like(own.searches["member"])},
        )

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per point; time constants in steps."""
        leading = self.eigenvalues[:, 0]
        return pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "kind": self.kind,
                "n_unstable": self.n_unstable,
                "index": self.index,
                "speed": self.speed,
                "hits": self.hits,
                "leading_modulus": np.abs(leading),
                "leading_angle": np.angle(leading),
                "time_constant": time_constants(leading),
            }
        )
