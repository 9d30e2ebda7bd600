"""The contract of a claim: a statement, what the networks say to it, and a rule for the verdict."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Annotated, Any, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Entry
from rnnstudy.core.record import Record, array
from rnnstudy.tasks import Task

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence(Record):
    """What the networks of one task say to a claim, before p is corrected for other claims."""

    statistic: float
    effect: float
    """Size of the effect on the scale of its interval."""
    low: float
    """Lower end of the 95 % interval of the effect ..."""
    high: float
    """... and its upper end; NaN where there is none."""
    p: float
    """Probability of a statistic as large, were the claim wrong; NaN if too few networks."""
    floor: float
    """Smallest p that the test could have given with these networks."""
    holds: bool
    """Whether the effect is as large as the rule asks for."""
    lacking: str = ""
    """Why there are too few networks; empty if there are enough."""
    groups: tuple[str, ...]
    """Names of the groups into which the claim sorts the networks."""
    networks: Array = array("group")
    """Number of networks of each group."""
    values: Array = array("group")
    """What the rule says of each group, by itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.groups) != len(self.networks):
            raise ValueError(f"{len(self.groups)} groups, {len(self.networks)} numbers of networks")


class Claim(Entry):
    """A statement about a task's networks, which a study may or may not bear out.

    `weigh` is given what the analyses in `needs()` found, as a task analysis is: `parts[i][m]`, for
    member m, of those that look at single networks, and `shared[i]` of the others, both in the
    order of `needs()`. ValueError says why that cannot be judged. A whole claim, which a spec names
    as `{kind: "mine:Holds", of: fixed_points}`:

        from scipy.stats import binomtest
        from rnnstudy import Claim, FixedPoints
        from rnnstudy.claims import Evidence, grouped, too_few

        class Holds(Claim):
            takes = FixedPoints
            of: str

            @property
            def statistic(self): return "share of networks with a stable point"

            @property
            def null(self): return "at most half of the networks have a stable point"

            @property
            def rule(self): return "most networks of each combination have a stable point"

            def needs(self): return (self.of,)

            def statement(self, task): return f"Networks that learn {task.title} have memories."

            def weigh(self, task, members, parts, shared):
                has = [bool((points.n_unstable == 0).any()) for points in parts[0]]
                groups, count, share = grouped([member.combination for member in members], has)
                test = binomtest(sum(has), len(has), 0.5, alternative="greater")
                low, high = binomtest(sum(has), len(has)).proportion_ci()
                return Evidence(
                    statistic=sum(has) / len(has), effect=sum(has) / len(has), low=low, high=high,
                    p=test.pvalue, floor=0.5 ** len(has), holds=bool(min(share) > 0.5),
                    lacking=too_few(groups, count, self.networks),
                    groups=groups, networks=count, values=share,
                )
    """

    noun: ClassVar[str] = "claim"

    labels: ClassVar[frozenset[str]] = frozenset({"name", "alpha"})

    takes: ClassVar[type[Record]] = Record
    """Class of the records of `needs()`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None
    """What to call the claim; default: see each claim."""

    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Level of the test, against p as corrected for all claims and tasks of the study (Holm)."""

    networks: Annotated[int, Field(ge=1)] = 2
    """Number of networks that each group needs before the claim is judged at all."""

    @property
    def title(self) -> str:
        """The name under which the claim is known in its study."""
        return self.name or self.kind.rpartition(":")[2].lower()

    @property
    @abstractmethod
    def statistic(self) -> str:
        """What the number `Evidence.statistic` is."""

    @property
    def effect(self) -> str:
        """What the number `Evidence.effect` is, and what its values mean."""
        return self.statistic

    @property
    @abstractmethod
    def null(self) -> str:
        """What the test assumes, to be refuted, as a clause."""

    @property
    @abstractmethod
    def rule(self) -> str:
        """What a supported claim takes beside a small p, as a clause."""

    @abstractmethod
    def statement(self, task: Task) -> str:
        """The claim as a sentence about the networks of a task."""

    def applies(self, task: Task) -> bool:
        """Whether the claim says anything about networks that learn this task."""
        return True

    def misfit(self, fields: Mapping[str, Any]) -> str:
        """Why the claim cannot be about networks with these fields of the grid (cell, activation,
        ...), as the end of a sentence that begins with its name; empty if it can."""
        return ""

    def needs(self) -> tuple[str, ...]:
        """Names of the analyses, listed in the spec, whose records the claim reads."""
        return ()

    @abstractmethod
    def weigh(
        self,
        task: Task,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        """What the networks of a task say to the claim."""


def required(record: Record, kind: type[R], claim: Claim) -> R:
    """The record, if it is of the class that a claim reads; ValueError if not."""
    if not isinstance(record, kind):
        raise ValueError(
            f"{claim.title} needs {kind.__name__}, it is given {type(record).__name__}"
        )
    return record


def no_evidence(why: str, groups: tuple[str, ...] = (), sizes: Array | None = None) -> Evidence:
    """What there is to say where networks lack."""
    return Evidence(
        statistic=nan,
        effect=nan,
        low=nan,
        high=nan,
        p=nan,
        floor=1.0,
        holds=False,
        lacking=why,
        groups=groups,
        networks=np.zeros(len(groups), int) if sizes is None else sizes,
        values=np.full(len(groups), nan),
    )


def grouped(
    labels: Sequence[str], values: Sequence[float] | Array
) -> tuple[tuple[str, ...], Array, Array]:
    """Groups in order of first appearance, the size of each, and the mean of its values."""
    names = tuple(dict.fromkeys(labels))
    where = [np.array([label == name for label in labels]) for name in names]
    found = np.asarray(values, float)
    sizes = np.array([int(mask.sum()) for mask in where], int)
    return names, sizes, np.array([found[mask].mean() for mask in where])


def too_few(groups: Sequence[str], sizes: Array, needed: int, least: int = 1) -> str:
    """Which groups are too small, or that there are too few of them; empty if all is well."""
    if len(groups) < least:
        what = f"only {groups[0]}" if len(groups) else "no networks"
        return f"{what}; it takes {least} groups" if least > 1 else what
    small = [
        f"{group} has {size}" for group, size in zip(groups, sizes, strict=True) if size < needed
    ]
    return f"{', '.join(small)}; it takes {needed} of each" if small else ""
