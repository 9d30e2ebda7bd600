"""What statistics say of factors: rows of findings as a record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.comparison.statistics.permanova import Permanova
from rnnstudy.comparison.statistics.permutation import PermutationTestResult
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array


class Row(NamedTuple):
    """One statistic of one factor."""

    factor: str
    statistic: str
    finding: PermutationTestResult


@dataclass(frozen=True, eq=False)
class Grouping(Record):
    """How far factors tell networks apart: a row per factor and statistic, and an analysis of
    variance with a line per term."""

    labels: tuple[str, ...]
    """The networks."""
    factors: tuple[str, ...]
    """Those that were looked at."""
    left_out: dict[str, str]
    """Those that were not -> the reason."""
    matching: dict[str, float]
    """How networks were matched by their loss (`equal_loss.summary`); empty where they were not."""
    factor: tuple[str, ...]
    statistic: tuple[str, ...]
    term: tuple[str, ...]
    """Factors, and interactions as `cell x activation`."""
    order: int
    """Factors in the largest interaction; 0 where networks were too few for shares."""
    residual_share: float
    residual_freedom: int
    permutations: int
    value: Array = array("row")
    expected: Array = array("row")
    """Mean over permutations: what chance gives."""
    null_low: Array = array("row")
    """5 % quantile over permutations."""
    null_high: Array = array("row")
    """95 % quantile over permutations."""
    low: Array = array("row")
    """Lower end of the 95 % interval over networks."""
    high: Array = array("row")
    p: Array = array("row")
    corrected_p: Array = array("row")
    """Holm's, over the factors of one statistic."""
    share: Array = array("line")
    """Of the sum of squared distances (R2)."""
    adjusted_share: Array = array("line")
    """Without what chance gives (omega squared)."""
    freedom: Array = array("line")
    pseudo_f: Array = array("line")
    term_p: Array = array("line")
    corrected_term_p: Array = array("line")
    """Holm's, over the terms."""

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with a row per factor and statistic."""
        return pd.DataFrame({"factor": self.factor, "statistic": self.statistic, **self.columns()})

    def columns(self) -> dict[str, Array]:
        """The numbers of each row, by name."""
        return {name: value for name, axes, _, value in self._arrays() if axes == ("row",)}

    def explained(self) -> Any:
        """A `pandas.DataFrame` with a row per term of the analysis of variance."""
        numbers = {name: value for name, axes, _, value in self._arrays() if axes == ("line",)}
        return pd.DataFrame({"term": self.term, **numbers})


def rows_of(
    rows: Sequence[Row],
    explained: Permanova | None,
    *,
    order: int,
    labels: tuple[str, ...],
    factors: tuple[str, ...],
    left_out: Mapping[str, str],
    adjust: Callable[[Array], Array],
) -> Grouping:
    """Findings as a record, p values corrected by `adjust` over the factors of one statistic."""

    def numbers(field: str) -> Array:
        return np.array([getattr(row.finding, field) for row in rows], float)

    p, corrected = numbers("p"), numbers("p")
    for statistic in {row.statistic for row in rows}:
        alike = [i for i, row in enumerate(rows) if row.statistic == statistic]
        corrected[alike] = adjust(p[alike])
    terms = explained.terms if explained else ()
    term_p = np.array([term.pseudo_f.p for term in terms], float)
    return Grouping(
        labels=labels,
        factors=factors,
        left_out=dict(left_out),
        matching={},
        factor=tuple(row.factor for row in rows),
        statistic=tuple(row.statistic for row in rows),
        term=tuple(term.name for term in terms),
        order=order,
        residual_share=explained.residual_share if explained else 1.0,
        residual_freedom=explained.residual_freedom if explained else 0,
        permutations=rows[0].finding.permutations if rows else 0,
        value=numbers("statistic"),
        expected=numbers("expected"),
        null_low=numbers("null_low"),
        null_high=numbers("null_high"),
        low=numbers("low"),
        high=numbers("high"),
        p=p,
        corrected_p=corrected,
        share=np.array([term.share for term in terms], float),
        adjusted_share=np.array([term.adjusted for term in terms], float),
        freedom=np.array([term.freedom for term in terms], int),
        pseudo_f=np.array([term.pseudo_f.statistic for term in terms], float),
        term_p=term_p,
        corrected_term_p=adjust(term_p),
    )
