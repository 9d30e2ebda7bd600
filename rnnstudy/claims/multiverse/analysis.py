"""Analysis that repeats a claim over choices and tests all specifications jointly."""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.analyses.base import Inputs, Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.conditions import has_values
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED
from rnnstudy.analyses.factors.evaluation import Evaluation
from rnnstudy.analyses.factors.fields import strata_of, varying_factors
from rnnstudy.analyses.factors.loss_matching import match_by_loss
from rnnstudy.claims import AnyClaim
from rnnstudy.claims.base import Claim
from rnnstudy.claims.evidence.control_runs import is_informative
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.claims.multiverse.record import MultiverseResult
from rnnstudy.claims.multiverse.specifications import (
    MATCHED,
    Specification,
    choice_errors,
    specifications,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.matching import CALIPER
from rnnstudy.comparison.statistics.permutation import p_value, random_orders
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf

QUICK = 99
"""Permutations of a claim's own test under joint permutations."""


class Multiverse(TaskAnalysis):
    """A claim under all combinations of choices, with its specification curve.

    There are four kinds of choices:

    - a field of the claim, such as `of` or `by`.
    - `where.FIELD`: networks with one value of a field, such as `where.protocol`.
    - `matched`: all networks, or those matched by loss.
    - `ANALYSIS.FIELD`: a setting of an analysis, such as `svcca.metric.dimensions`. It applies
      where the claim reads that analysis.

    Labels are permuted jointly over all specifications, so that the median effect has one p.
    A claim with a `factor` permutes its values among networks that agree in all else but the seed.
    Other claims exchange networks with their untrained twins.

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), Specification curve analysis.
    Steegen, Tuerlinckx, Gelman & Vanpaemel (2016), Increasing transparency through a multiverse
    analysis.

    Examples
    --------
    >>> from rnnstudy.claims import CLAIMS
    >>> claim = CLAIMS["geometry_depends_on"](of="svcca", factor="cell")
    >>> multiverse = Multiverse(
    ...     claim=claim, choices={"of": ("svcca", "cka"), "svcca.metric.dimensions": (5, 10)}
    ... )
    >>> multiverse.needs()
    ('svcca_dimensions_5', 'svcca_dimensions_10', 'cka')
    """

    kind: ClassVar[str] = "multiverse"
    chapter: ClassVar[str] = "choices"
    yields: ClassVar[type[Record]] = MultiverseResult

    claim: AnyClaim
    """Claim whose effect is computed under each specification."""

    choices: dict[str, tuple[Any, ...]]
    """Choice -> its values."""

    shuffles: Annotated[int, Field(ge=19)] = 199
    """Number of joint permutations."""

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        for error in choice_errors(self.claim, self.choices):
            raise ValueError(error)
        return self

    @property
    def title(self) -> str:
        return self.name or f"multiverse_{self.claim.title}"

    @property
    def specifications(self) -> tuple[Specification, ...]:
        """All combinations of choices."""
        return tuple(specifications(self.claim, self.choices))

    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for each in self.specifications for n in each.claim.needs()))

    def applies(self, task: Task) -> bool:
        return self.claim.applies(task)

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return self.claim.misfit(known)

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        return (Evaluation(),) if MATCHED in self.choices else ()

    def control_weights(self) -> tuple[WeightsOf, ...]:
        return self.claim.control_weights()

    def run(self, task: Task, inputs: Inputs) -> MultiverseResult:
        all_specifications = self.specifications
        measured = [self._measure(each, task, inputs) for each in all_specifications]
        rows = [
            _evidence(each.claim, numbers)
            for each, numbers in zip(all_specifications, measured, strict=True)
        ]
        effect = np.array([row.effect if row else np.nan for row, _ in rows])
        supports = [
            _supports(each.claim, row, reason)
            for each, (row, reason) in zip(all_specifications, rows, strict=True)
        ]
        median = _median(effect)
        null = self._null_medians(all_specifications, measured, self._compared_members(inputs))
        return MultiverseResult(
            claim=self.claim.title,
            effect_label=self.claim.effect,
            shuffles=self.shuffles,
            choices=tuple(dict(each.choices) for each in all_specifications),
            reasons=tuple(reason for _, reason in rows),
            median=median,
            median_p=p_value(median, null) if np.isfinite(median) else 1.0,
            effect=effect,
            low=np.array([row.low if row else np.nan for row, _ in rows]),
            high=np.array([row.high if row else np.nan for row, _ in rows]),
            p=np.array([row.p if row else np.nan for row, _ in rows]),
            supports=np.array(supports, bool),
        )

    def _measure(
        self, specification: Specification, task: Task, inputs: Inputs
    ) -> Measurements | None:
        """Return the measurements of the networks of a specification; None if not possible."""
        try:
            measured = specification.claim.measure(task, inputs)
        except ValueError:
            return None
        left_out = frozenset[str]().union(*_left_out(specification.claim.needs(), inputs))
        present = [m for m in inputs.members if m.name not in left_out]
        members = [m for m in present if has_values(m.fields, specification.where)]
        if specification.matched:
            members = self._match(members, inputs)
        names = {member.name for member in members}
        others = {member.name for member in measured.members} - {m.name for m in inputs.members}
        keep = [i for i, m in enumerate(measured.members) if m.name in names | others]
        return measured.only(keep)

    def _compared_members(self, inputs: Inputs) -> tuple[Member, ...]:
        """Return the networks that have distances in some specification."""
        left_out = _left_out(self.needs(), inputs)
        absent = left_out[0].intersection(*left_out) if left_out else frozenset()
        return tuple(member for member in inputs.members if member.name not in absent)

    def _match(self, members: list[Member], inputs: Inputs) -> list[Member]:
        records = inputs[Evaluation().title]
        known = [member for member in members if member in records]
        losses = np.array([float(records[member].loss) for member in known])
        factors, _ = varying_factors(known, None)
        sets = match_by_loss(known, losses, factors, CALIPER)
        return [known[i] for i in sets.items]

    def _null_medians(
        self,
        all_specifications: tuple[Specification, ...],
        measured: list[Measurements | None],
        members: tuple[Member, ...],
    ) -> Array:
        """Return the median effect of each joint permutation."""
        if not members:
            return np.full(self.shuffles, -np.inf)
        quick = [_quick(each.claim) for each in all_specifications]
        medians = []
        for number in range(self.shuffles):
            shuffle = _JointShuffle(members, getattr(self.claim, "factor", None), number)
            effects = [
                _estimate(claim, shuffle.apply(numbers)) if numbers is not None else np.nan
                for claim, numbers in zip(quick, measured, strict=True)
            ]
            medians.append(_median(np.array(effects)))
        return np.array([each if np.isfinite(each) else -np.inf for each in medians])

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if isinstance(result, MultiverseResult):
            yield from result.exhibits()


class _JointShuffle:
    """One permutation of networks that all specifications have in common."""

    def __init__(self, members: tuple[Member, ...], factor: str | None, seed: int) -> None:
        self.factor = factor
        if factor is None:
            exchanged = np.random.default_rng(seed).random(len(members)) < 0.5
            self.exchanged = {m.name for m, e in zip(members, exchanged, strict=True) if e}
        else:
            ((order,),) = random_orders(len(members), 1, seed, strata_of(factor, members))
            self.values = {
                member.name: members[i].fields.get(factor)
                for member, i in zip(members, order, strict=True)
            }

    def apply(self, measured: Measurements) -> Measurements:
        """Return measurements with permuted values of the factor, or with exchanged twins."""
        if self.factor is not None:
            changed = list(measured.members)
            for i in measured.at(TRAINED):
                fields = {**changed[i].fields, self.factor: self.values[changed[i].name]}
                changed[i] = Member(changed[i].name, fields)
            return measured.with_members(changed)
        learnt = list(measured.learnt)
        for trained, untrained in measured.twins():
            if measured.members[trained].name in self.exchanged:
                learnt[trained], learnt[untrained] = UNTRAINED, TRAINED
        return _with_training(measured, learnt)


def _left_out(needs: Iterable[str], inputs: Inputs) -> list[frozenset[str]]:
    """Return the names of the networks without distances, for each of the inputs."""
    records = (inputs[name] for name in needs)
    return [frozenset(r.left_out if isinstance(r, Distances) else ()) for r in records]


def _with_training(measured: Measurements, learnt: list[str]) -> Measurements:
    return Measurements(
        members=measured.members,
        learnt=tuple(learnt),
        values=measured.values,
        is_distance=measured.is_distance,
        bound=measured.bound,
    )


def _evidence(claim: Claim, measured: Measurements | None) -> tuple[Evidence | None, str]:
    """Return the evidence of a specification, and why it supports nothing, if so."""
    if measured is None:
        return None, "cannot be measured"
    try:
        evidence = claim.test(measured)
    except ValueError as error:
        return None, str(error)
    if evidence.shortage:
        return None, f"not enough networks: {evidence.shortage}"
    return evidence, "" if is_informative(claim, measured) else "uninformative"


def _supports(claim: Claim, evidence: Evidence | None, reason: str) -> bool:
    return bool(evidence and not reason and evidence.holds and evidence.p <= claim.alpha)


def _quick(claim: Claim) -> Claim:
    has_permutations = getattr(claim, "permutations", 0) > QUICK
    return claim.replace(permutations=QUICK) if has_permutations else claim


def _estimate(claim: Claim, measured: Measurements) -> float:
    try:
        return float(claim.estimate(measured))
    except ValueError:
        return float("nan")


def _median(effects: Array) -> float:
    known = effects[np.isfinite(effects)]
    return float(np.median(known)) if len(known) else float("nan")
