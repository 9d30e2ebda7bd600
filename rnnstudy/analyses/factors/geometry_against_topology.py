"""Explained shares of grid factors for several kinds of distances, side by side."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, Member, Section, TaskAnalysis
from rnnstudy.analyses.distances.all_pairs import left_out_sentences
from rnnstudy.analyses.factors.fields import (
    factor_values,
    strata_of,
    unknown_factor_error,
    varying_factors,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.variance.dispersion import dispersion_test
from rnnstudy.comparison.statistics.variance.explained_shares import (
    ExplainedShare,
    explained_shares,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import lower_first
from rnnstudy.core.exhibit import Exhibit, Intervals, Note, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class FactorShares(Record):
    """Shares of squared distances that factors explain, for several kinds of distances.

    Examples
    --------
    >>> record = FactorShares(
    ...     distances=("svcca",), factor=("cell",), networks=np.array([24]), share=np.array([0.4]),
    ...     low=np.array([0.3]), high=np.array([0.5]), p=np.array([0.001]),
    ...     dispersion=np.array([1.2]), dispersion_p=np.array([0.4]), permutations=999,
    ... )
    >>> record.to_frame()["share"].tolist()
    [0.4]
    """

    distances: tuple[str, ...]
    """Analysis of the distances of each row."""
    factor: tuple[str, ...]
    """Factor of each row, or an interaction as `cell x activation`."""
    permutations: int
    """Number of permutations."""
    networks: Array = array("row")
    """Number of networks."""
    share: Array = array("row")
    """Partial omega squared; 0 for a factor that explains nothing."""
    low: Array = array("row")
    """Lower end of the 95 % interval over networks."""
    high: Array = array("row")
    """Upper end of the 95 % interval over networks."""
    p: Array = array("row")
    """p by permutation, not corrected."""
    dispersion: Array = array("row")
    """Largest mean distance to the centre of a combination over the smallest, over levels.

    NaN for an interaction."""
    dispersion_p: Array = array("row")
    """Permutation p of equal dispersions; NaN for an interaction."""

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per kind of distances and factor."""
        numbers = {name: value for name, axes, _, value in self._arrays() if axes == ("row",)}
        return pd.DataFrame({"distances": self.distances, "factor": self.factor, **numbers})


class GeometryAgainstTopology(TaskAnalysis):
    """Shares of several kinds of distances that each factor of the grid explains.

    A share is partial omega squared of an analysis of variance of squared distances (PERMANOVA),
    with a 95 % interval over networks. A test of dispersion stands beside it. This is a
    description. Shares of different distances are no evidence against each other: a distance that
    is noise has a share of 0. Claims of sameness are tested by `alike_across`.

    References
    ----------
    Anderson (2001), A new method for non-parametric multivariate analysis of variance.
    Anderson (2006), Distance-based tests for homogeneity of multivariate dispersions.

    Examples
    --------
    >>> GeometryAgainstTopology(of=("svcca", "graph_distances")).needs()
    ('svcca', 'graph_distances')
    """

    kind: ClassVar[str] = "geometry_against_topology"
    chapter: ClassVar[str] = "geometry"
    leads_chapter: ClassVar[bool] = False
    yields: ClassVar[type[Record]] = FactorShares
    takes: ClassVar[type[Record]] = Distances

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of the analyses of distances, such as `svcca` and `graph_distances`."""

    factors: tuple[str, ...] | None = None
    """Fields of the grid; default: all that vary."""

    permutations: Annotated[int, Field(ge=19)] = 999
    """Number of permutations of each test."""

    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.of))

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return unknown_factor_error(self.factors, known)

    def run(self, task: Task, inputs: Inputs) -> FactorShares:
        rows = [
            (name, count, share, test)
            for name in self.needs()
            for count, share, test in self._shares(inputs[name], inputs.members)
        ]
        shares = [share for _, _, share, _ in rows]
        tests = [test for _, _, _, test in rows]
        return FactorShares(
            distances=tuple(name for name, _, _, _ in rows),
            factor=tuple(share.name for share in shares),
            permutations=self.permutations,
            networks=np.array([count for _, count, _, _ in rows], int),
            share=np.array([share.share for share in shares], float),
            low=np.array([share.low for share in shares], float),
            high=np.array([share.high for share in shares], float),
            p=np.array([share.p for share in shares], float),
            dispersion=np.array([ratio for ratio, _ in tests], float),
            dispersion_p=np.array([p for _, p in tests], float),
        )

    def _shares(
        self, distances: Distances, members: Sequence[Member]
    ) -> Iterable[tuple[int, ExplainedShare, tuple[float, float]]]:
        """Yield number of networks, share, and ratio and p of dispersions of each term."""
        position = {label: i for i, label in enumerate(distances.labels)}
        usable = [member for member in members if member.name in position]
        rows = [position[member.name] for member in usable]
        among = distances.values[np.ix_(rows, rows)]
        names, _ = varying_factors(usable, self.factors)
        factors = {name: factor_values(name, usable) for name in names}
        if not factors:
            return
        try:
            shares = explained_shares(among, factors, permutations=self.permutations)
        except ValueError:
            if not distances.left_out:
                raise
            return  # too few networks have distances
        for share in shares:
            yield len(usable), share, self._dispersion(share.name, factors, among, usable)

    def _dispersion(
        self,
        name: str,
        factors: Mapping[str, Sequence[str]],
        distances: Array,
        members: Sequence[Member],
    ) -> tuple[float, float]:
        if name not in factors:
            return np.nan, np.nan
        strata = strata_of(name, members)
        test = dispersion_test(distances, factors[name], strata, permutations=self.permutations)
        return test.ratio, test.p

    def show(self, section: Section) -> Iterable[Exhibit]:
        record = section.shared[self.title]
        if not isinstance(record, FactorShares):
            return
        for name in self.needs():
            distances = section.shared.get(name)
            if isinstance(distances, Distances) and distances.left_out:
                yield _left_out(name, distances, name in record.distances)
        if len(record.share):
            yield _figure(record, [section.words(name) for name in record.distances])
            yield _table(record)


def _left_out(name: str, distances: Distances, has_shares: bool) -> Note:
    text = left_out_sentences(distances).strip()
    return Note(
        title=f"Geometry against topology: networks without {name} distances",
        text=text if has_shares else f"{text} Too few networks remain for shares.",
    )


def _share_sentence(record: FactorShares, words: Sequence[str]) -> str:
    """Return the largest share of each distance, as a sentence."""
    largest: dict[str, int] = {}
    for i, name in enumerate(words):
        if name not in largest or record.share[i] > record.share[largest[name]]:
            largest[name] = i
    parts = [
        f"{record.factor[i]} explains {record.share[i]:.0%} of the squared {lower_first(name)}"
        for name, i in largest.items()
    ]
    return f"The largest shares: {'; '.join(parts)}."


def _figure(record: FactorShares, words: Sequence[str]) -> Intervals:
    return Intervals(
        title="Geometry against topology: shares that factors explain",
        caption="Partial omega squared of squared distances (PERMANOVA) with 95 % intervals over "
        "networks. 0: the factor explains nothing. Shares of different distances are no evidence "
        "against each other: a distance that is noise has a share of 0.",
        values=record.share,
        low=record.low,
        high=record.high,
        labels=list(words),
        finding=_share_sentence(record, words),
        panels=list(record.factor),
        value_label="explained share",
        reference=0.0,
    )


def _table(record: FactorShares) -> Table:
    return Table(
        title="Geometry against topology",
        caption="Share: partial omega squared, marginal sums of squares. Interval: 95 % over "
        f"networks. p: {record.permutations} permutations, not corrected. Dispersion: largest over "
        "smallest mean distance to the centre of a combination, over levels of the factor. A small "
        "p of dispersion warns that the share may come from unequal dispersions.",
        columns={
            "distances": record.distances,
            "factor": record.factor,
            "networks": record.networks.tolist(),
            "share": record.share.tolist(),
            "low": record.low.tolist(),
            "high": record.high.tolist(),
            "p": record.p.tolist(),
            "dispersion": _known(record.dispersion),
            "p of dispersion": _known(record.dispersion_p),
        },
    )


def _known(values: Array) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
