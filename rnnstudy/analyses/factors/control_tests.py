"""Tests of trained networks against controls: untrained networks and those of other tasks."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, ClassVar, Literal

import numpy as np

from rnnstudy.analyses.base import Inputs, Member, Section
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, ControlDistances
from rnnstudy.analyses.factors.control_exhibits import control_exhibits
from rnnstudy.analyses.factors.control_record import (
    ControlTests,
    GainLine,
    NearnessRow,
    collect_control_tests,
)
from rnnstudy.analyses.factors.factor_analysis import FactorAnalysis
from rnnstudy.analyses.factors.fields import factor_values, strata_of, varying_factors
from rnnstudy.analyses.factors.loss_matching import match_by_loss, matching_summary
from rnnstudy.analyses.factors.reference_groups import (
    ITSELF,
    control_trainings,
    mean_distances,
    nearness_to_controls,
    other_value,
    same_kind,
    same_network,
)
from rnnstudy.comparison.statistics.group_tests import agreement_test, paired_test
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class ControlTestAnalysis(FactorAnalysis):
    """Trained networks against untrained ones and networks of other tasks, under one metric.

    Three questions are tested. Is a trained network nearer to untrained ones of its kind than to
    trained ones that differ in a factor? Is it nearer to networks of its kind that were trained on
    another task? Do distances separate a factor already before training? Compared networks agree in
    everything else but the seed.

    References
    ----------
    Maheswaranathan et al. 2019, on the limits of such metrics.

    Examples
    --------
    >>> ControlTestAnalysis(of="svcca_controls").title
    'control_tests_svcca_controls'
    """

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "control_tests"
    chapter: ClassVar[str] = "controls"
    yields: ClassVar[type[Record]] = ControlTests
    takes: ClassVar[type[Record]] = ControlDistances

    performance: Literal["ignored", "matched"] = "ignored"
    """Treatment of the loss. Matched: only networks in sets of one per combination of the factors
    with similar losses, with their untrained twins."""

    def run(self, task: Task, inputs: Inputs) -> ControlTests:
        distances: ControlDistances = inputs[self.of]
        members = _trained_members(distances)
        factors, constant = varying_factors(members, self.factors)
        matching = {}
        if self.member_inputs():
            losses = self.losses(members, inputs)
            sets = match_by_loss(members, losses, factors, self.caliper)
            excluded = {members[i].name for i in np.flatnonzero(sets.sets < 0)}
            networks = enumerate(distances.networks)
            distances = distances.only([i for i, name in networks if name not in excluded])
            matching = matching_summary(sets)
        left_out = dict.fromkeys(constant, "does not vary")
        return collect_control_tests(
            labels=[member.name for member in _trained_members(distances)],
            factors=factors,
            matching=matching,
            distances=_distances_by_kind(distances, factors),
            rows=_nearness_rows(distances, factors, left_out),
            lines=self._gain_lines(distances, factors, left_out),
            left_out=left_out,
        )

    def _gain_lines(
        self, distances: ControlDistances, factors: Sequence[str], left_out: dict[str, str]
    ) -> list[GainLine]:
        distances = _with_twins(distances)
        members, (after, before) = _trained_members(distances), _after_and_before(distances)
        lines = []
        for name in factors:
            labels, strata = factor_values(name, members), strata_of(name, members)
            how: dict[str, Any] = {"permutations": self.permutations, "strata": strata}
            try:
                trained, untrained = (
                    agreement_test(NEAREST_NEIGHBOUR, each, labels, **how)
                    for each in (after, before)
                )
                gain = paired_test(after, before, labels, **how)
                lines.append(GainLine(name, trained, untrained, gain))
            except ValueError as error:
                left_out[name] = str(error)
        return lines

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if isinstance(result, ControlTests):
            yield from control_exhibits(self.of, self.performance, result, section)


def _trained_members(distances: ControlDistances) -> list[Member]:
    members = distances.members
    return [members[i] for i in distances.at(TRAINED)]


def _with_twins(distances: ControlDistances) -> ControlDistances:
    """Return the record without networks that have no untrained twin.

    A twin whose states are not finite is no item.
    """
    networks = distances.networks
    twins = {networks[i] for i in distances.at(UNTRAINED)}
    return distances.only([i for i, name in enumerate(networks) if name in twins])


def _after_and_before(distances: ControlDistances) -> tuple[Array, Array]:
    """Return distances between trained networks, and between the same before training."""
    twins = {distances.networks[i]: i for i in distances.at(UNTRAINED)}
    after = distances.at(TRAINED)
    before = [twins[distances.labels[i]] for i in after]
    return distances.among(after), distances.among(before)


def _nearness_rows(
    distances: ControlDistances, factors: Sequence[str], left_out: dict[str, str]
) -> list[NearnessRow]:
    controls = control_trainings(distances) if distances.at(TRAINED) else ()
    rows = []
    for factor, control in product(factors, controls):
        try:
            nearness, _ = nearness_to_controls(distances, control, factor)
            rows.append(NearnessRow(factor, control, nearness))
        except ValueError as error:
            left_out[f"{factor}, {control}"] = str(error)
            continue
        levels = dict.fromkeys(factor_values(factor, _trained_members(distances)))
        for level in levels:
            try:
                nearness, _ = nearness_to_controls(distances, control, factor, level)
                rows.append(NearnessRow(factor, control, nearness, level))
            except ValueError as error:
                left_out[f"{factor} {level}, {control}"] = str(error)
    return rows


def _distances_by_kind(distances: ControlDistances, factors: Sequence[str]) -> dict[str, Array]:
    """Return the mean distance of each trained network to each kind of others."""
    masks = {"same kind": same_kind(distances, TRAINED), ITSELF: same_network(distances)}
    masks |= {each: same_kind(distances, each) for each in control_trainings(distances)}
    masks |= {f"other {factor}": other_value(distances, factor) for factor in factors}
    means = {name: mean_distances(distances, mask) for name, mask in masks.items()}
    return {name: values for name, values in means.items() if np.isfinite(values).any()}
