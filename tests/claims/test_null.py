"""Where labels mean nothing, every claim of the catalogue is supported at its stated rate only."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from claims.populations import apart, by_rule, controlled, population
from claims.test_contract import claim_of, tasks_of
from claims.test_cube_graph import connected
from claims.test_integration_modes import line, oscillation
from claims.test_prevalence import fixed_points
from scipy.stats import binom
from task_inputs import evidence_of

from rnnstudy.analyses.base import Member
from rnnstudy.claims import CLAIMS, Claim
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record

STUDIES = 200
"""Simulated studies for a rate; a true rate of 5 % gives more than LIMIT once in a thousand."""

LIMIT = int(binom.ppf(0.999, STUDIES, 0.05))

MEMBERS = population(3)

TARGETS = np.linspace(0.01, 0.05, 21)


class Null(NamedTuple):
    """A claim whose rule asks for no effect, so that its test alone decides, and what it reads in
    the study of a number: records of each network, and shared ones."""

    claim: Claim
    given: Callable[[int], tuple[list[list[Record]], list[Record]]]


def coins(yes: Record, no: Record, share: float = 0.5) -> Callable[[int], Any]:
    """Each network has a property with this probability, the edge of the null."""

    def given(study: int) -> list[list[Record]]:
        drawn = np.random.default_rng(study).random(len(MEMBERS)) < share
        return [[yes if one else no for one in drawn]]

    return given


def among(pool: Sequence[Record]) -> Callable[[int], Any]:
    """Each network has any of the records, whatever its cell."""

    def given(study: int) -> list[list[Record]]:
        drawn = np.random.default_rng(study).integers(0, len(pool), len(MEMBERS))
        return [[pool[i] for i in drawn]]

    return given


def shuffled(members: list[Member], study: int) -> Distances:
    """Distances of networks that lie apart by cell, under names that were dealt out anew."""
    found = apart(members, "cell", 2.0, study)
    order = np.random.default_rng(study).permutation(len(members))
    return Distances(tuple(found.labels[i] for i in order), found.values)


def at_margin(study: int) -> Distances:
    """Distances of points on a line whose cells differ by the margin: |x| of standard deviation 1
    and a distance of means with E|x - y| - E|x - x'| = 3 between neighbouring cells at least."""
    generator = np.random.default_rng(study)
    places = {"vanilla": 0.0, "ugrnn": 0.0, "gru": 0.0, "lstm": 4.128}
    points = np.array([places[m.fields["cell"]] for m in MEMBERS])
    points += generator.standard_normal(len(MEMBERS))
    return Distances(tuple(m.name for m in MEMBERS), np.abs(points[:, None] - points))


NULLS: dict[str, Null] = {
    "cube": Null(
        claim_of("cube", min_networks=1),
        coins(fixed_points([8, 12, 6, 1]), fixed_points([8, 12, 7])),
    ),
    "cube_graph": Null(claim_of("cube_graph", min_networks=1), coins(connected(), connected([0]))),
    "geometry_depends_on": Null(
        claim_of("geometry_depends_on", permutations=199, least=0.0),
        lambda study: [shuffled(MEMBERS, study)],
    ),
    "alike_across": Null(
        # Distances of points in the plane, so far apart by cell that levels differ by the margin.
        claim_of("alike_across", permutations=99),
        lambda study: [at_margin(study)],
    ),
    "nearer_untrained": Null(
        claim_of("nearer_untrained"),
        lambda study: [controlled(MEMBERS, study, activation=3.0, training=3.0, guests=False)],
    ),
    "frequency_follows": Null(
        claim_of("frequency_follows", min_networks=1),
        coins(oscillation(TARGETS), oscillation(TARGETS[::-1].copy())),
    ),
    "line_attractor": Null(
        claim_of("line_attractor", min_networks=1), coins(line(), line(slow=0.5))
    ),
    "one_mode_or_several": Null(
        claim_of("one_mode_or_several", permutations=199),
        among([line((k, k)) for k in range(1, 5)]),
    ),
}


def once_per_record(has: Callable[..., bool]) -> Callable[..., bool]:
    """Return a method that looks at each record once; the records must stay alive."""
    known: dict[int, bool] = {}

    def has_once(claim: Any, record: Record, task: Any) -> bool:
        if id(record) not in known:
            known[id(record)] = has(claim, record, task)
        return known[id(record)]

    return has_once


@pytest.mark.parametrize("kind", CLAIMS)
def test_without_an_effect_a_claim_passes_at_its_level(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """p alone, whatever the rule says of the effect; and so no more verdicts than that."""
    assert kind in NULLS, "a new claim: what do networks of which it is not true look like?"
    claim, given = NULLS[kind]
    if isinstance(claim, Prevalent):  # of the same few records, again and again
        monkeypatch.setattr(type(claim), "has", once_per_record(type(claim).has))
    (task, *_), small, words = tasks_of(claim), 0, []
    for study in range(STUDIES):
        evidence = evidence_of(claim, task, MEMBERS, *given(study))
        assert not evidence.shortage
        small += evidence.p < claim.alpha
        words.append(by_rule(claim, evidence).outcome)
    assert small <= LIMIT
    assert words.count(claim.words[0]) <= small
    assert set(words) <= set(claim.words)


def test_frequencies_of_other_cues_follow_nothing() -> None:
    """Whatever the test: of 21 frequencies dealt out among the cues none is a network's own."""
    claim, generator = claim_of("frequency_follows"), np.random.default_rng(0)
    task = tasks_of(claim)[0]
    dealt = [oscillation(generator.permutation(TARGETS)) for _ in range(2000)]
    # A correlation of 0.9 of 21 pairs has a p of about 1e-8.
    assert not any(claim.has(record, task) for record in dealt)  # type: ignore[attr-defined]
