"""Negative controls: numbers without information, and labels that were shuffled."""

from collections.abc import Iterator
from dataclasses import replace
from zlib import crc32

import numpy as np

from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED
from rnnstudy.analyses.factors.fields import strata_of
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.comparison.statistics.permutation import random_orders
from rnnstudy.core.arrays import Array

SHUFFLES = 40
"""Number of shuffles of the labels of a claim."""


def uninformative_measurements(
    measurements: Measurements,
) -> Iterator[tuple[str, Measurements]]:
    """Yield measurements with noise, zeros and ones in place of the numbers, by name.

    Noise in place of distances is uniform from 0 to 1. Noise in place of other numbers is drawn
    from those of the trained networks, so that a property keeps its share. All items have the same
    distribution.
    """
    values = np.asarray(measurements.values)
    noise = _noise(measurements, generator_of(measurements))
    ones = np.ones_like(values)
    if measurements.is_distance:
        ones = ones - np.eye(len(values))
    for name, each in (("noise", noise), ("zeros", np.zeros_like(values)), ("ones", ones)):
        yield name, measurements.with_values(each)


def generator_of(measurements: Measurements) -> np.random.Generator:
    """Return a generator of random numbers whose seed follows from the names of the networks."""
    names = " ".join(member.name for member in measurements.members)
    return np.random.default_rng(crc32(names.encode()))


def _noise(measurements: Measurements, generator: np.random.Generator) -> Array:
    values = np.asarray(measurements.values)
    if not measurements.is_distance:
        pool = values[measurements.at(TRAINED)]
        drawn: Array = pool[generator.integers(0, len(pool), len(values))]
        return drawn
    upper = np.triu(generator.random(values.shape), 1)
    return upper + upper.T


def shuffle_factor(
    measurements: Measurements, factor: str, generator: np.random.Generator
) -> Measurements:
    """Exchange the names of trained networks that agree in all but a factor and the seed."""
    at = measurements.at(TRAINED)
    members = [measurements.members[i] for i in at]
    seed = int(generator.integers(2**32))
    ((order,),) = random_orders(len(at), 1, seed, strata_of(factor, members))
    changed = list(measurements.members)
    for position, i in zip(at, order, strict=True):
        changed[position] = members[i]
    return measurements.with_members(changed)


def shuffle_training(measurements: Measurements, generator: np.random.Generator) -> Measurements:
    """Exchange a network and its untrained twin at random, each with probability one half."""
    learnt = list(measurements.learnt)
    for trained, untrained in measurements.twins():
        if generator.random() < 0.5:
            learnt[trained], learnt[untrained] = UNTRAINED, TRAINED
    return replace(measurements, learnt=tuple(learnt))
