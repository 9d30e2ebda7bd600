"""Populations that never were: members, distances and records with a planted effect, or none."""

from dataclasses import replace
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.controls import TRAINED, TWIN, UNTRAINED, ControlDistances
from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.verdict import Verdict, verdicts
from rnnstudy.comparison.distances.pairs import Distances

CELLS = ("vanilla", "ugrnn", "gru", "lstm")
ACTIVATIONS = ("tanh", "relu")


def population(seeds: int, cells: tuple[str, ...] = CELLS) -> list[Member]:
    """Networks of every cell and activation."""
    return [
        Member(f"{c}-{a}-{s}", {"task": "t", "cell": c, "activation": a, "units": 8, "seed": s})
        for c in cells
        for a in ACTIVATIONS
        for s in range(seeds)
    ]


def apart(members: list[Member], factor: str, gap: float, seed: int, **how: Any) -> Distances:
    """Distances of points in five dimensions, normal around a centre for each value of a factor."""
    generator = np.random.default_rng(seed)
    values = list(dict.fromkeys(member.fields[factor] for member in members))
    centres = gap * generator.standard_normal((len(values), 5))
    points = generator.standard_normal((len(members), 5))
    points += centres[[values.index(member.fields[factor]) for member in members]]
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    return Distances(tuple(member.name for member in members), np.sqrt(squares))


def controlled(
    members: list[Member], seed: int, *, activation: float = 0.0, training: float = 0.0,
    other_task: float = 0.0, cell: float = 0.0, guests: bool = True, dimensions: int = 6,
) -> ControlDistances:  # fmt: skip
    """Networks, their untrained twins and networks of another task: points around centres that lie
    apart by activation, by training, by task (each along an axis of its own) and by cell."""
    generator = np.random.default_rng(seed)
    strangers = [Member(f"other-{m.name}", {**m.fields, "task": "other"}) for m in members]
    learnt = [(TRAINED, m) for m in members] + [(UNTRAINED, m) for m in members]
    learnt += [("trained on other", m) for m in strangers if guests]
    points = generator.standard_normal((len(learnt), dimensions))
    for point, (state, member) in zip(points, learnt, strict=True):
        point[0] += activation * ACTIVATIONS.index(member.fields["activation"])
        point[1] += training * (state == UNTRAINED)
        point[2] += other_task * (state == "trained on other")
        point[3] += cell * CELLS.index(member.fields["cell"])
    return ControlDistances(
        labels=tuple(m.name + TWIN * (state == UNTRAINED) for state, m in learnt),
        values=np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1)),
        learnt=tuple(state for state, _ in learnt),
        fields=tuple(dict(m.fields) for _, m in learnt),
    )


def by_rule(claim: Claim, evidence: Evidence) -> Verdict:
    """The verdict of the test and the rule alone, as if the measure had passed its controls."""
    return verdicts([claim], [replace(evidence, uninformative="")])[0]
