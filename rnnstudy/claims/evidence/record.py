"""Records of the evidence on a claim, of its controls and of its parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Literal, NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array

Outcome = Literal[
    "supported",
    "not supported",
    "alike",
    "different",
    "undecided",
    "uninformative",
    "not enough networks",
]
"""Words of verdicts on claims with evidence."""

NO_CONTROL = "it declares no control"
"""Reason of a claim whose evidence has no positive control."""


class ControlResult(NamedTuple):
    """Result of one control of a claim."""

    name: str
    """Words for tables: `trained against untrained`, `noise`, ..."""
    role: str
    """Role of the control: positive, planted, negative, untrained or learnt."""
    effect: float
    """Effect of the control, on the scale of the claim's effect unless it is positive."""
    low: float = nan
    """Lower end of the 95 % interval of the effect; NaN without one."""
    high: float = nan
    """Upper end of the interval."""
    p: float = nan
    """p of the control's test; for positive controls corrected over them (Holm)."""
    p_opposite: float = nan
    """p of the opposite statement; NaN without one."""
    holds: bool = False
    """True if the effect is as large as the rule requires."""
    informative: bool = False
    """True if the measure with these numbers passes its positive controls."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ClaimControls(Record):
    """Controls of a claim, one row each.

    Examples
    --------
    >>> rows = [ControlResult("noise", "negative", effect=0.1, p=0.4)]
    >>> [row.name for row in collect_controls(rows)]
    ['noise']
    """

    names: tuple[str, ...] = ()
    """Words for tables."""
    roles: tuple[str, ...] = ()
    """Role of each control: positive, planted, negative, untrained or learnt."""
    effect: Array = array("control")
    """Effect of each control."""
    low: Array = array("control")
    """Lower end of the 95 % interval of each effect; NaN without one."""
    high: Array = array("control")
    """Upper end of the interval."""
    p: Array = array("control")
    """p of each control's test; for positive controls corrected over them (Holm)."""
    p_opposite: Array = array("control")
    """p of the opposite statement; NaN without one."""
    holds: Array = array("control")
    """True where the effect is as large as the rule requires."""
    informative: Array = array("control")
    """True where the measure passes its positive controls."""
    shuffled_p: Array = array("shuffle")
    """p of the claim after each shuffle of labels; 1 where a shuffle could not pass the rule."""

    def __iter__(self) -> Iterator[ControlResult]:
        for i, (name, role) in enumerate(zip(self.names, self.roles, strict=True)):
            yield ControlResult(
                name,
                role,
                effect=float(self.effect[i]),
                low=float(self.low[i]),
                high=float(self.high[i]),
                p=float(self.p[i]),
                p_opposite=float(self.p_opposite[i]),
                holds=bool(self.holds[i]),
                informative=bool(self.informative[i]),
            )

    def __len__(self) -> int:
        return len(self.names)

    def of(self, *roles: str) -> list[ControlResult]:
        """Return the controls of some roles, in order."""
        return [row for row in self if row.role in roles]


def collect_controls(
    rows: Sequence[ControlResult] = (), shuffled_p: Sequence[float] = ()
) -> ClaimControls:
    """Return the record of some controls, and of the p of shuffled labels."""
    return ClaimControls(
        names=tuple(row.name for row in rows),
        roles=tuple(row.role for row in rows),
        effect=np.array([row.effect for row in rows], float),
        low=np.array([row.low for row in rows], float),
        high=np.array([row.high for row in rows], float),
        p=np.array([row.p for row in rows], float),
        p_opposite=np.array([row.p_opposite for row in rows], float),
        holds=np.array([row.holds for row in rows], bool),
        informative=np.array([row.informative for row in rows], bool),
        shuffled_p=np.array(shuffled_p, float),
    )


class Part(NamedTuple):
    """Part of a claim: one level of a factor, one pair of levels, one cell."""

    name: str
    """Name of the level, the pair or the cell."""
    effect: float
    """Effect of the part, on the scale of the claim's effect."""
    low: float
    """Lower end of its 95 % interval; NaN without one."""
    high: float
    """Upper end of the interval."""
    p: float
    """p of the part alone, not corrected."""
    holds: bool
    """True if the part's effect is as large as the rule requires."""
    networks: int
    """Number of networks of the part."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Parts(Record):
    """Parts of a claim with an effect each: levels of a factor, pairs of levels, cells.

    Examples
    --------
    >>> parts = collect_parts([Part("tanh", 0.2, 0.1, 0.3, 0.01, True, 24)])
    >>> [part.name for part in parts]
    ['tanh']
    """

    names: tuple[str, ...] = ()
    """Name of each part."""
    effect: Array = array("part")
    """Effect of each part."""
    low: Array = array("part")
    """Lower end of the 95 % interval of each effect; NaN without one."""
    high: Array = array("part")
    """Upper end of the interval."""
    p: Array = array("part")
    """p of each part alone, not corrected."""
    holds: Array = array("part")
    """True where the effect is as large as the rule requires."""
    networks: Array = array("part")
    """Number of networks of each part."""

    def __iter__(self) -> Iterator[Part]:
        for i, name in enumerate(self.names):
            yield Part(
                name,
                effect=float(self.effect[i]),
                low=float(self.low[i]),
                high=float(self.high[i]),
                p=float(self.p[i]),
                holds=bool(self.holds[i]),
                networks=int(self.networks[i]),
            )

    def __len__(self) -> int:
        return len(self.names)


def collect_parts(parts: Sequence[Part] = ()) -> Parts:
    """Return the record of some parts."""
    return Parts(
        names=tuple(part.name for part in parts),
        effect=np.array([part.effect for part in parts], float),
        low=np.array([part.low for part in parts], float),
        high=np.array([part.high for part in parts], float),
        p=np.array([part.p for part in parts], float),
        holds=np.array([part.holds for part in parts], bool),
        networks=np.array([part.networks for part in parts], int),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence(Record):
    """Evidence of the networks of one task on a claim, before p is corrected for other claims.

    Examples
    --------
    >>> evidence = Evidence(
    ...     statistic=0.9, effect=0.9, low=0.6, high=1.0, p=0.01, floor=0.001, holds=True,
    ...     groups=("gru", "lstm"), networks=np.array([5, 5]), values=np.array([0.8, 1.0]),
    ... )
    >>> evidence.uninformative
    'it declares no control'
    """

    statistic: float
    """Statistic of the test."""
    effect: float
    """Size of the effect on the scale of its interval."""
    low: float
    """Lower end of the 95 % interval of the effect; NaN without one."""
    high: float
    """Upper end of the 95 % interval of the effect; NaN without one."""
    p: float
    """Probability of a statistic as large under the null; NaN with too few networks."""
    floor: float
    """Smallest p of the test with so many networks."""
    holds: bool
    """True if the effect is as large as the rule demands."""
    p_opposite: float = nan
    """p of the opposite statement, such as `different` of a claim of sameness; NaN without one."""
    shortage: str = ""
    """Reason why there are too few networks; empty if there are enough."""
    uninformative: str = NO_CONTROL
    """Reason why the measure earns no verdict; empty if it passes its positive controls."""
    groups: tuple[str, ...]
    """Names of the groups of networks that the claim compares."""
    networks: Array = array("group")
    """Number of networks of each group."""
    values: Array = array("group")
    """Value of each group that the rule concerns."""
    parts: Parts = field(default_factory=collect_parts)
    """Parts of the claim with an effect each; none by default."""
    controls: ClaimControls = field(default_factory=collect_controls)
    """Results of the controls; none before they are run."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.groups) != len(self.networks):
            raise ValueError(
                f"networks must have one number per group ({len(self.groups)}), got "
                f"{len(self.networks)}. Pass one number for each name in groups."
            )
