"""Claim that networks of different values of a factor are alike within a margin."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.analyses.distances.controls import PLANTED, TRAINED
from rnnstudy.analyses.factors.fields import factor_values, strata_of
from rnnstudy.claims.base import Claim, average_by_group, no_evidence
from rnnstudy.claims.evidence.control_runs import Interval, jackknifed_difference
from rnnstudy.claims.evidence.measurements import Measurements, class_distances
from rnnstudy.claims.evidence.negative import shuffle_factor
from rnnstudy.claims.evidence.record import (
    ControlResult,
    Evidence,
    Outcome,
    Part,
    collect_parts,
)
from rnnstudy.claims.separation import factor_misfit, shortage_evidence
from rnnstudy.comparison.statistics.equivalence import (
    SMALLEST_GROUP,
    Equivalence,
    LevelDifferences,
    equivalence_test,
    level_differences,
)
from rnnstudy.comparison.statistics.informative import detection_test
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import lower_first
from rnnstudy.tasks import Task


class AlikeAcross(Claim):
    """Networks of different values of a grid factor are alike, by an equivalence test.

    The difference of two levels is the mean distance between them minus the mean of those within.
    It is averaged over strata, which are the combinations of all other factors. Each pair of levels
    must be within the margin by two one-sided tests. The verdict is `alike`, `different` or
    `undecided`.

    Sameness needs a measure that could have seen a difference. A planted difference in the networks
    of each level must be detected, and be at least as large as the margin. Without it the verdict
    is `different` or `uninformative`. Records of classes make the copies themselves, by a method
    `plant`.

    References
    ----------
    Schuirmann 1987, A comparison of the two one-sided tests procedure and the power approach.

    Examples
    --------
    >>> claim = AlikeAcross(
    ...     of="graph_distances_topology_unweighted", factor="cell", margin=0.1,
    ...     justification="a tenth of the links of a cube",
    ... )
    >>> claim.words
    ('alike', 'undecided', 'different')
    """

    kind: ClassVar[str] = "alike_across"
    needs_planted: ClassVar[bool] = True

    words: ClassVar[tuple[Outcome, Outcome, Outcome]] = ("alike", "undecided", "different")

    of: str
    """Name of an analysis of distances, or of `solution_classes`. Two networks of one class have
    the distance 0, of two classes 1."""

    factor: str
    """Field of the grid: cell, activation, units, ..."""

    margin: Annotated[float, Field(gt=0)]
    """Largest difference that counts as alike, in the unit of the distances."""

    justification: str
    """Reason for the margin. It must not use the observed effect."""

    min_networks: Annotated[int, Field(ge=3)] = 3
    """Smallest number of networks per value of the factor; below it there is no verdict."""

    permutations: Annotated[int, Field(ge=19)] = 4999
    """Number of permutations of the test of a difference."""

    @field_validator("justification")
    @classmethod
    def _check_justification(cls, text: str) -> str:
        if not text.strip():
            raise ValueError(
                "justification must say why a smaller difference does not matter, got an empty "
                "text. State a reason that does not use the observed effect."
            )
        return text

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_alike_across_{self.factor}"

    @property
    def statistic(self) -> str:
        return f"largest difference of two levels of {self.factor}"

    @property
    def effect(self) -> str:
        return (
            f"largest difference of two levels of {self.factor}: mean distance between them minus "
            "mean distance within, 0 if they do not differ"
        )

    @property
    def null(self) -> str:
        return f"some pair of levels of {self.factor} differs by {self.margin:g} or more"

    @property
    def rule(self) -> str:
        return (
            f"each pair of levels differs by less than {self.margin:g} (margin: "
            f"{self.justification.rstrip('.')})"
        )

    def question(self, titles: Mapping[str, str]) -> str:
        return (
            f"Are networks that differ in the {self.factor} alike "
            f"({lower_first(titles.get(self.of, self.of))})?"
        )

    def statement(self, task: Task) -> str:
        return (
            f"Networks that differ in {self.factor} are alike ({self.of}), within a margin of "
            f"{self.margin:g}."
        )

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return factor_misfit(self.factor, known)

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        record = inputs[self.of]
        if isinstance(record, Mapping):
            records = {
                TRAINED: record,
                **self.control_records(inputs),
                PLANTED: _plant_copies(record),
            }
            return class_distances({
                training: {member: _class_of(each, self.of) for member, each in of_each.items()}
                for training, of_each in records.items()
            })  # fmt: skip
        return _with_bound(self.distances(inputs, self.of))

    def test(self, measurements: Measurements) -> Evidence:
        trained = measurements.of(TRAINED)
        labels, strata = self._labels(trained.members)
        if shortage := shortage_evidence(labels, self.min_networks):
            return shortage
        differences = level_differences(
            trained.values, labels, strata, bound=trained.bound, permutations=self.permutations
        )
        missing = [pair for pair, d in zip(differences.pairs, differences.difference, strict=True)
                   if np.isnan(d)]  # fmt: skip
        if missing:
            a, b = missing[0]
            return no_evidence(f"no combination of the other factors has 3 networks of {a} and {b}")
        most = np.inf if trained.bound is None else max(trained.bound, trained.values.max())
        test = equivalence_test(differences, self.margin)
        return self._evidence(differences, test, labels, float(most))

    def _evidence(
        self, differences: LevelDifferences, test: Equivalence, labels: Sequence[str], most: float
    ) -> Evidence:
        """Return the evidence of differences that are at most `most`."""
        groups, sizes, _ = average_by_group(labels, np.zeros(len(labels)))
        low, high = (np.clip(each, -most, most) for each in (differences.low, differences.high))
        at, sizes_of_pairs = test.largest, differences.networks.sum(axis=1)
        largest = float(differences.difference[at])
        # A pair within the margin is no difference, however sure it is.
        candidates = (differences.low > 0.0) & ~test.within
        return Evidence(
            statistic=largest,
            effect=largest,
            low=float(low[at]),
            high=float(high[at]),
            p=test.p,
            p_opposite=float(np.min(test.p_different[candidates], initial=1.0)),
            floor=0.0,
            holds=bool((np.abs(differences.difference) < self.margin).all()),
            groups=groups,
            networks=sizes,
            values=np.array([
                max(d for pair, d in zip(differences.pairs, differences.difference, strict=True)
                    if group in pair) for group in groups
            ]),
            parts=collect_parts([
                Part(f"{a} and {b}", float(differences.difference[i]), float(low[i]),
                     float(high[i]), float(test.p_within[i]),
                     bool(differences.difference[i] < self.margin), int(sizes_of_pairs[i]))
                for i, (a, b) in enumerate(differences.pairs)
            ]),
        )  # fmt: skip

    def planted_controls(self, measurements: Measurements) -> Sequence[ControlResult]:
        items = measurements.only([*measurements.at(TRAINED), *measurements.at(PLANTED)])
        if not items.at(PLANTED):
            return [ControlResult("there is none to look for", "planted", np.nan)]
        labels, strata = self._labels(items.members)
        planted = [learnt == PLANTED for learnt in items.learnt]
        test = detection_test(items.values, labels, planted, self.margin, strata, bound=items.bound)
        rows = zip(test.levels, test.difference, test.low, test.p, test.detected, strict=True)
        return [
            ControlResult(
                f"a planted difference of {level} networks",
                "planted",
                float(difference),
                low=float(low),
                p=float(p),
                holds=bool(detected),
            )
            for level, difference, low, p, detected in rows
        ]

    @property
    def exchange(self) -> str:
        return (
            f"values of {self.factor} are exchanged; a small p is evidence of a difference, not of "
            "sameness"
        )

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        return shuffle_factor(measurements, self.factor, generator)

    def finding_p(self, evidence: Evidence) -> float:
        return evidence.p_opposite

    def learnt(self, measurements: Measurements) -> Interval:
        """Return the difference of the pair that differs most, minus that of untrained twins."""
        trained = measurements.of(TRAINED)
        pairs = combinations(dict.fromkeys(self._labels(trained.members)[0]), 2)
        estimates = {pair: self._difference(trained, pair) for pair in pairs}
        largest = max(estimates, key=lambda pair: np.nan_to_num(estimates[pair], nan=-np.inf))
        used = self._strata(trained, largest)
        return jackknifed_difference(
            lambda items: self._difference(items.of(TRAINED), largest, used), measurements
        )

    def _difference(
        self, trained: Measurements, pair: tuple[str, str], used: Collection[str] | None = None
    ) -> float:
        """Return the difference of two levels without its test, by default over `_strata`."""
        labels, strata = (np.array(each) for each in self._labels(trained.members))
        masks = [
            [(labels == level) & (strata == stratum) for level in pair]
            for stratum in (self._strata(trained, pair) if used is None else used)
        ]
        layers = np.array([_mean_difference(trained.values, *both) for both in masks])
        return float(layers[np.isfinite(layers)].mean()) if np.isfinite(layers).any() else np.nan

    def _strata(self, trained: Measurements, pair: tuple[str, str]) -> list[str]:
        """Return the strata with enough networks of both levels."""
        items = Counter(zip(*self._labels(trained.members), strict=True))
        return [
            stratum
            for stratum in dict.fromkeys(stratum for _, stratum in items)
            if min(items[level, stratum] for level in pair) >= SMALLEST_GROUP
        ]

    def _labels(self, members: Sequence[Member]) -> tuple[list[str], list[str]]:
        """Return the level of the factor, and the stratum, of each network."""
        return factor_values(self.factor, members), strata_of(self.factor, members)


def _with_bound(measurements: Measurements) -> Measurements:
    """Return measurements with the distance of an unseen network, if all trained ones are equal.

    It is the largest distance to a planted network, so that the interval does not vanish.
    """
    if measurements.of(TRAINED).values.max(initial=0.0) > 0.0:
        return measurements
    among = measurements.only([*measurements.at(TRAINED), *measurements.at(PLANTED)]).values
    return replace(measurements, bound=float(np.nanmax(among, initial=0.0)))


def _mean_difference(distances: Array, first: Array, second: Array) -> float:
    """Return the mean distance between two groups minus that within; NaN for single networks."""
    return (
        _mean_distance(distances, first, second)
        - 0.5 * _mean_distance(distances, first, first)
        - 0.5 * _mean_distance(distances, second, second)
    )


def _mean_distance(distances: Array, first: Array, second: Array) -> float:
    """Return the mean distance of pairs of two networks of two groups, or of one."""
    block = distances[np.ix_(first, second)]
    pairs = block.size - int((first & second).sum())
    return float(block.sum() / pairs) if pairs else float("nan")


def _plant_copies(records: Mapping[Member, Any]) -> dict[Member, Any]:
    """Return a copy with a known change of each record of a class that makes them."""
    return {m: each.plant() for m, each in records.items() if hasattr(each, "plant")}


def _class_of(record: Any, name: str) -> str:
    """Return the label of a network's class of solution."""
    label = getattr(record, "label", None)
    if not isinstance(label, str):
        raise TypeError(
            f"'{name}' must yield distances, or records with the label of a class, got "
            f"{type(record).__name__}. Name another analysis."
        )
    return label
