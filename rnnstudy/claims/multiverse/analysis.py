"""Analysis that repeats a claim over choices and tests all specifications jointly."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.analyses.base import Inputs, Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.conditions import has_values
from rnnstudy.analyses.factors.evaluation import Evaluation
from rnnstudy.analyses.factors.fields import varying_factors
from rnnstudy.analyses.factors.loss_matching import match_by_loss
from rnnstudy.claims import AnyClaim
from rnnstudy.claims.base import Claim
from rnnstudy.claims.evidence.control_runs import is_informative, sees_planted
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
from rnnstudy.comparison.statistics.permutation import p_value
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

    Labels are shuffled as the claim does it, jointly over all specifications, so that the median
    effect has one p: that of an effect as large under labels that mean nothing. For a claim of
    sameness a small p is evidence of a difference.

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
    version: ClassVar[int] = 2
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
        null = self._null_medians(all_specifications, measured)
        return MultiverseResult(
            claim=self.claim.title,
            effect_label=self.claim.effect,
            exchange=self.claim.exchange,
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
    ) -> Array:
        """Return the median effect of each joint shuffle."""
        rows = [
            (_quick(each.claim), numbers)
            for each, numbers in zip(all_specifications, measured, strict=True)
            if numbers is not None
        ]
        items = _all_items([numbers for _, numbers in rows])
        medians = [
            _median(np.array([
                _estimate(claim, _shuffle(claim, numbers, items, seed)) for claim, numbers in rows
            ]))
            for seed in range(self.shuffles)
        ]  # fmt: skip
        return np.array([each if np.isfinite(each) else -np.inf for each in medians])

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if isinstance(result, MultiverseResult):
            yield from result.exhibits()


def _all_items(measured: Sequence[Measurements]) -> Measurements:
    """Return the items of all measurements, each once, without numbers."""
    items = {key: member for each in measured for key, member in _keys_of(each)}
    return Measurements(
        members=tuple(items.values()),
        learnt=tuple(learnt for _, learnt in items),
        values=np.zeros(len(items)),
    )


def _keys_of(measured: Measurements) -> list[tuple[tuple[str, str], Member]]:
    """Return the network of each item under its name and its training."""
    rows = zip(measured.members, measured.learnt, strict=True)
    return [((member.name, learnt), member) for member, learnt in rows]


def _shuffle(claim: Claim, measured: Measurements, items: Measurements, seed: int) -> Measurements:
    """Return measurements under labels that mean nothing.

    All specifications have one shuffle of all items, also those that some of them leave out.
    """
    changed = claim.shuffle(items, np.random.default_rng(seed))
    keys = [key for key, _ in _keys_of(items)]
    places = dict(zip(keys, zip(changed.members, changed.learnt, strict=True), strict=True))
    labels = [places[key] for key, _ in _keys_of(measured)]
    return replace(
        measured,
        members=tuple(member for member, _ in labels),
        learnt=tuple(learnt for _, learnt in labels),
    )


def _left_out(needs: Iterable[str], inputs: Inputs) -> list[frozenset[str]]:
    """Return the names of the networks without distances, for each of the inputs."""
    records = (inputs[name] for name in needs)
    return [frozenset(r.left_out if isinstance(r, Distances) else ()) for r in records]


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
    sees = is_informative(claim, measured) and sees_planted(claim, measured)
    return evidence, "" if sees else "uninformative"


def _supports(claim: Claim, evidence: Evidence | None, reason: str) -> bool:
    return bool(evidence and not reason and evidence.holds and evidence.p < claim.alpha)


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
