"""Populations that never were: members, distances and records with a planted effect, or none."""

from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.comparison.pairs import Distances

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
