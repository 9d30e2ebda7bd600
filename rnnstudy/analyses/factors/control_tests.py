"""Does it take training to make networks alike, or unlike? Controls for distances of states."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, Controlled
from rnnstudy.analyses.factors.control_exhibits import shown
from rnnstudy.analyses.factors.control_record import TwinRecord
from rnnstudy.analyses.factors.evaluation import Evaluated, Evaluation
from rnnstudy.analyses.factors.fields import strata_of, unknown, values_of, varying
from rnnstudy.analyses.factors.loss_matching import Caliper, by_loss, summary
from rnnstudy.analyses.factors.reference_groups import (
    ITSELF,
    controls_of,
    itself,
    mean_distances,
    nearer_to,
    other_value,
    same_kind,
)
from rnnstudy.comparison.statistics.group_tests import PairedTestResult, agreement_test, paired_test
from rnnstudy.comparison.statistics.matching import CALIPER, Matching
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.nearness import Nearness
from rnnstudy.comparison.statistics.permutation import PermutationTestResult
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record


class _Near(NamedTuple):
    """Controls of one's kind against trained networks of another value of a factor."""

    factor: str
    control: str
    found: Nearness


class _Told(NamedTuple):
    """What distances tell of a factor, after training and before."""

    factor: str
    trained: PermutationTestResult
    untrained: PermutationTestResult
    gain: PairedTestResult


class Twins(TaskAnalysis):
    """Trained networks, their untrained twins and networks of other tasks, under one metric.

    Is a trained network nearer to untrained ones of its own kind than to trained ones that differ
    in a factor (Maheswaranathan et al. 2019, on the limits of such metrics)? To networks of its
    kind that have learnt another task? And do distances tell a factor before training already?
    Compared are networks that agree in everything else but the seed.
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "twins"
    yields: ClassVar[type[Record]] = TwinRecord
    takes: ClassVar[type[Record]] = Controlled

    of: str
    """Name of the `controls` whose distances are looked at."""

    factors: tuple[str, ...] | None = None
    """Fields of the grid: cell, activation, units, l2, ...; default: all that vary."""

    permutations: Annotated[int, Field(ge=19)] = 999
    """Number of permutations of each test."""

    performance: Literal["ignored", "matched"] = "ignored"
    """Matched: only networks, and their twins, in sets of one per combination of the factors that
    have come to like losses."""

    caliper: Caliper = CALIPER
    """Logarithms of matched losses differ by at most so many standard deviations (within
    combinations; Austin 2011)."""

    @property
    def title(self) -> str:
        suffix = "" if self.performance == "ignored" else f"_{self.performance}"
        return self.name or f"twins_{self.of}{suffix}"

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return unknown(self.factors, known)

    def parts(self) -> tuple[MemberAnalysis, ...]:
        return () if self.performance == "ignored" else (Evaluation(),)

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> TwinRecord:
        found = shared[0]
        if not isinstance(found, Controlled):
            raise ValueError(f"'{self.of}' yields a {type(found).__name__}, twins needs controls")
        factors, constant = varying(_trained(found), self.factors)
        left_out = dict.fromkeys(constant, "does not vary")
        matching = {}
        if parts:
            sets = self._matched(found, factors, _losses(members, parts[0]))
            found, matching = _in_sets(found, sets), summary(sets)
        near = _near(found, factors, left_out)
        told = self._told(found, factors, left_out)
        return replace(_recorded(found, factors, left_out, near, told), matching=matching)

    def _matched(
        self, found: Controlled, factors: Sequence[str], losses: dict[str, float]
    ) -> Matching:
        who = _trained(found)
        known = np.array([losses.get(member.name, np.nan) for member in who])
        return by_loss(who, known, factors, self.caliper)

    def _told(
        self, found: Controlled, factors: Sequence[str], left_out: dict[str, str]
    ) -> list[_Told]:
        who, (after, before) = _trained(found), _before_and_after(found)
        lines = []
        for name in factors:
            labels, strata = values_of(name, who), strata_of(name, who)
            how: dict[str, Any] = {"permutations": self.permutations, "strata": strata}
            try:
                trained, untrained = (
                    agreement_test(NEAREST_NEIGHBOUR, each, labels, **how)
                    for each in (after, before)
                )
                gain = paired_test(after, before, labels, **how)
                lines.append(_Told(name, trained, untrained, gain))
            except ValueError as error:
                left_out[name] = str(error)
        return lines

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if isinstance(result, TwinRecord):
            yield from shown(self.of, self.performance, result, section)


def _trained(found: Controlled) -> list[Member]:
    everyone = found.members
    return [everyone[i] for i in found.at(TRAINED)]


def _losses(members: Sequence[Member], parts: Sequence[Record]) -> dict[str, float]:
    return {
        member.name: float(part.loss)
        for member, part in zip(members, parts, strict=True)
        if isinstance(part, Evaluated)
    }


def _in_sets(found: Controlled, sets: Matching) -> Controlled:
    """The record without trained networks, and their twins, that are in no set."""
    lost = {member.name for member, n in zip(_trained(found), sets.sets, strict=True) if n < 0}
    return found.only([i for i, name in enumerate(found.networks) if name not in lost])


def _before_and_after(found: Controlled) -> tuple[Array, Array]:
    """Distances between trained networks, and between the same before training."""
    place = {name: i for i, name in enumerate(found.networks) if found.learnt[i] == UNTRAINED}
    after = found.at(TRAINED)
    return found.among(after), found.among([place[found.labels[i]] for i in after])


def _near(found: Controlled, factors: Sequence[str], left_out: dict[str, str]) -> list[_Near]:
    rows, there = [], found.at(TRAINED)
    for factor, control in product(factors, controls_of(found) if there else ()):
        try:
            rows.append(_Near(factor, control, nearer_to(found, control, factor)[0]))
        except ValueError as error:
            left_out[f"{factor}, {control}"] = str(error)
    return rows


def _kinds(found: Controlled, factors: Sequence[str]) -> dict[str, Array]:
    """Mean distance of each trained network to the kinds of others that there are."""
    masks = {"same kind": same_kind(found, TRAINED), ITSELF: itself(found)}
    masks |= {each: same_kind(found, each) for each in controls_of(found)}
    masks |= {f"other {factor}": other_value(found, factor) for factor in factors}
    means = {name: mean_distances(found, mask) for name, mask in masks.items()}
    return {name: values for name, values in means.items() if np.isfinite(values).any()}


def _recorded(
    found: Controlled,
    factors: Sequence[str],
    left_out: dict[str, str],
    near: Sequence[_Near],
    told: Sequence[_Told],
) -> TwinRecord:
    kinds, labels = _kinds(found, factors), [member.name for member in _trained(found)]
    p, gain_p = _numbers([row.found.p for row in near]), _numbers([line.gain.p for line in told])
    return TwinRecord(
        labels=tuple(labels),
        factors=tuple(factors),
        left_out=left_out,
        matching={},
        others=tuple(kinds),
        factor=tuple(row.factor for row in near),
        control=tuple(row.control for row in near),
        told=tuple(line.factor for line in told),
        distance=np.stack([*kinds.values()], axis=1) if kinds else np.zeros((len(labels), 0)),
        **{
            name: _numbers([getattr(row.found, name) for row in near])
            for name in ("statistic", "low", "high", "share")
        },
        p=p,
        corrected_p=holm(p),
        networks=np.array([len(row.found.first) for row in near], int),
        trained=_numbers([line.trained.statistic for line in told]),
        trained_p=_numbers([line.trained.p for line in told]),
        untrained=_numbers([line.untrained.statistic for line in told]),
        untrained_p=_numbers([line.untrained.p for line in told]),
        chance=_numbers([line.trained.expected for line in told]),
        gain=_numbers([line.gain.statistic for line in told]),
        gain_low=_numbers([line.gain.low for line in told]),
        gain_high=_numbers([line.gain.high for line in told]),
        gain_p=gain_p,
        corrected_gain_p=holm(gain_p),
    )


def _numbers(values: Sequence[float]) -> Array:
    return np.array(values, float)
