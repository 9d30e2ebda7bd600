"""Record of the tests of grid factors: rows of statistics and an analysis of variance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.comparison.statistics.permutation import PermutationTestResult
from rnnstudy.comparison.statistics.variance.permanova import Permanova
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array


class Row(NamedTuple):
    """One statistic of one factor."""

    factor: str
    statistic: str
    result: PermutationTestResult


@dataclass(frozen=True, eq=False)
class FactorTests(Record):
    """Separation of networks by grid factors.

    A row is one statistic of one factor. A line is one term of the analysis of variance.

    Examples
    --------
    >>> record = collect_tests(
    ...     [], None, order=0, labels=("a", "b"), factors=(), left_out={"cell": "does not vary"},
    ...     adjust=lambda p: p,
    ... )
    >>> len(record.to_frame()), record.left_out
    (0, {'cell': 'does not vary'})
    """

    labels: tuple[str, ...]
    """Names of the networks."""
    factors: tuple[str, ...]
    """Tested factors."""
    left_out: dict[str, str]
    """Factor without a test -> the reason."""
    matching: dict[str, float]
    """Summary of the matching by loss (`loss_matching.matching_summary`); empty without one."""
    factor: tuple[str, ...]
    """Factor of each row."""
    statistic: tuple[str, ...]
    """Statistic of each row."""
    term: tuple[str, ...]
    """Term of each line: a factor, or an interaction as `cell x activation`."""
    order: int
    """Number of factors in the largest interaction; 0 without an analysis of variance."""
    residual_share: float
    """Share of the sum of squared distances that no term explains."""
    residual_freedom: int
    """Degrees of freedom of the residual."""
    permutations: int
    """Number of permutations."""
    value: Array = array("row")
    """Value of the statistic."""
    expected: Array = array("row")
    """Mean over permutations, which is the value by chance."""
    null_low: Array = array("row")
    """5 % quantile over permutations."""
    null_high: Array = array("row")
    """95 % quantile over permutations."""
    low: Array = array("row")
    """Lower end of the 95 % interval over networks."""
    high: Array = array("row")
    """Upper end of the 95 % interval over networks."""
    p: Array = array("row")
    """p by permutation."""
    corrected_p: Array = array("row")
    """p corrected over the factors of one statistic (Holm)."""
    share: Array = array("line")
    """Explained share of the sum of squared distances (R2)."""
    adjusted_share: Array = array("line")
    """Share without that by chance (omega squared)."""
    freedom: Array = array("line")
    """Degrees of freedom."""
    pseudo_f: Array = array("line")
    """Pseudo-F of the term."""
    term_p: Array = array("line")
    """p of the term by permutation."""
    corrected_term_p: Array = array("line")
    """p of the term corrected over the terms (Holm)."""

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per factor and statistic."""
        return pd.DataFrame({"factor": self.factor, "statistic": self.statistic, **self.columns()})

    def columns(self) -> dict[str, Array]:
        """Return the numbers of the rows, by name."""
        return {name: value for name, axes, _, value in self._arrays() if axes == ("row",)}

    def to_term_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per term of the analysis of variance."""
        numbers = {name: value for name, axes, _, value in self._arrays() if axes == ("line",)}
        return pd.DataFrame({"term": self.term, **numbers})


def collect_tests(
    rows: Sequence[Row],
    explained: Permanova | None,
    *,
    order: int,
    labels: tuple[str, ...],
    factors: tuple[str, ...],
    left_out: Mapping[str, str],
    adjust: Callable[[Array], Array],
) -> FactorTests:
    """Return the record of rows and terms, with p corrected by `adjust`."""

    def numbers(field: str) -> Array:
        return np.array([getattr(row.result, field) for row in rows], float)

    p, corrected = numbers("p"), numbers("p")
    for statistic in {row.statistic for row in rows}:
        alike = [i for i, row in enumerate(rows) if row.statistic == statistic]
        corrected[alike] = adjust(p[alike])
    terms = explained.terms if explained else ()
    term_p = np.array([term.pseudo_f.p for term in terms], float)
    return FactorTests(
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
        permutations=rows[0].result.permutations if rows else 0,
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
