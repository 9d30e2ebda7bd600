"""Separation scores: agreement of labels and distances, network by network.

Each network has a score, and the statistic is their mean. Tests and intervals are therefore over
networks, not over pairs.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.permutation import PERMUTATION_CHUNK, integer_codes
from rnnstudy.core.arguments import as_distances
from rnnstudy.core.arrays import Array

Labels = Sequence[Hashable]


@dataclass(frozen=True)
class SeparationScore(ABC):
    """Score per network, made of the sums of a matrix over each group of networks."""

    name: str
    """Words for tables."""
    lowest: float
    """Least possible score; the largest is 1."""

    @abstractmethod
    def matrix(self, distances: Array) -> Array:
        """Return the matrix [item, item] that is summed over groups."""

    @abstractmethod
    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        """Return scores [..., item] from sums [..., item, group].

        codes [..., item]: groups of the items. sizes [..., group]: sizes of the groups.
        """

    @abstractmethod
    def leave_one_out(self, distances: Array, codes: Array) -> Array:
        """Return the statistic without each one of the networks: [item]."""

    def scores(self, distances: Array, labels: Labels) -> Array:
        """Return a score for each network [item], from distances [item, item] and labels."""
        codes, sizes = group_codes(distances, labels)
        scores: Array = self.permuted_scores(self.matrix(distances), codes[None], sizes)[0]
        return scores

    def permuted_scores(self, matrix: Array, codes: Array, sizes: Array) -> Array:
        """Return scores [permutation, item] for labellings, codes [permutation, item]."""
        return self.score(group_sums(matrix, codes, len(sizes)), codes, sizes)


class _MeanDistanceScore(SeparationScore):
    """Score of a network's mean distances to its own group and to other groups."""

    def matrix(self, distances: Array) -> Array:
        return np.asarray(distances, float)

    def leave_one_out(self, distances: Array, codes: Array) -> Array:
        distances, sizes = self.matrix(distances), np.bincount(codes)
        sums = group_sums(distances, codes[None], len(sizes))[0]
        means = [
            self._without(items, distances, sums, codes, sizes) for items in _chunks(len(codes))
        ]
        return np.concatenate(means)

    def _without(
        self, items: Array, distances: Array, sums: Array, codes: Array, sizes: Array
    ) -> Array:
        """Return the statistic without each of some items: [len(items)]."""
        removed = one_hot(codes[items], len(sizes))
        rest = sums - distances[items][:, :, None] * removed[:, None, :]
        scores = self.score(rest, np.broadcast_to(codes, rest.shape[:2]), sizes - removed)
        scores[np.arange(len(items)), items] = 0.0
        means: Array = scores.sum(axis=1) / (len(codes) - 1)
        return means


class Silhouette(_MeanDistanceScore):
    """Silhouette width, (b - a) / max(a, b) (Rousseeuw 1987); 0 for a group of one.

    a is a network's mean distance to its own group, b that to the nearest other group.
    """

    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        within, membership = _mean_within(sums, codes, sizes), one_hot(codes, sums.shape[-1])
        counts = np.broadcast_to(np.expand_dims(sizes, -2), sums.shape)
        is_other = (membership == 0) & (counts > 0)
        other = np.where(is_other, sums / np.maximum(counts, 1), np.inf).min(axis=-1)
        return _zero_for_singletons(other - within, np.maximum(within, other), codes, sizes)


class Contrast(_MeanDistanceScore):
    """Contrast, (b - a) / (b + a); 0 without separation and for a group of one.

    a is a network's mean distance to its own group, b that to all others. It is 1 if groups are
    points.
    """

    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        within, group = _mean_within(sums, codes, sizes), _group_sizes(sizes, codes)
        others = sizes.sum(axis=-1)[..., None] - group
        other = (sums.sum(axis=-1) - within_group_sums(sums, codes)) / np.maximum(others, 1)
        return _zero_for_singletons(other - within, other + within, codes, sizes)


class NearestNeighbour(SeparationScore):
    """Share of a network's nearest other networks that have its label.

    There is one nearest network, or several that are equally near.
    """

    def matrix(self, distances: Array) -> Array:
        return _nearest_weights(_without_self(distances), distances)

    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        return within_group_sums(sums, codes)

    def leave_one_out(self, distances: Array, codes: Array) -> Array:
        others, same = _without_self(distances), codes[:, None] == codes
        first = _nearest_weights(others, distances)
        nearest = first > 0
        second = _nearest_weights(np.where(nearest, np.inf, others), distances)
        score, next_score = (first * same).sum(axis=1), (second * same).sum(axis=1)
        count = nearest.sum(axis=1)
        # Without one of several nearest the others remain; without the only one, the next are.
        fewer = ((count * score)[:, None] - same) / np.maximum(count - 1, 1)[:, None]
        remaining = np.where(count[:, None] > 1, fewer, next_score[:, None])
        remaining = np.where(nearest, remaining, score[:, None])
        np.fill_diagonal(remaining, 0.0)
        means: Array = remaining.sum(axis=0) / (len(codes) - 1)
        return means


def group_codes(distances: Array, labels: Labels) -> tuple[Array, Array]:
    """Return codes [item] and sizes [group] of the labels.

    Raises ValueError if nothing can be compared.
    """
    codes = integer_codes(labels)
    as_distances(distances, len(codes))
    if not len(codes):
        raise ValueError("networks must have two labels or more, got no networks")
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise ValueError("networks must have two labels or more, got one label")
    if sizes.max() < 2:
        raise ValueError("some label must have two networks, got a different label for each")
    return codes, sizes


def one_hot(codes: Array, count: int) -> Array:
    """Return codes [..., item] as membership [..., item, group]."""
    membership: Array = (codes[..., None] == np.arange(count)).astype(float)
    return membership


def group_sums(matrix: Array, codes: Array, count: int) -> Array:
    """Return row sums of a matrix over each group: [permutation, item, group].

    codes [permutation, item]: several labellings, which are summed in one large product.
    """
    labellings, items = codes.shape
    members = np.moveaxis(one_hot(codes, count), 0, 1).reshape(items, labellings * count)
    return np.moveaxis((matrix @ members).reshape(len(matrix), labellings, count), 1, 0)


def within_group_sums(sums: Array, codes: Array) -> Array:
    """Select each item's sum over its own group from sums [..., item, group]: [..., item]."""
    selected: Array = np.take_along_axis(sums, codes[..., None], axis=-1)[..., 0]
    return selected


def _group_sizes(sizes: Array, codes: Array) -> Array:
    """Return the size of each item's group: sizes [..., group] -> [..., item]."""
    wide = np.broadcast_to(sizes, (*codes.shape[:-1], sizes.shape[-1]))
    selected: Array = np.take_along_axis(wide, codes, axis=-1)
    return selected


def _mean_within(sums: Array, codes: Array, sizes: Array) -> Array:
    """Return the mean distance to the others of an item's group; 0 for a group of one."""
    others = np.maximum(_group_sizes(sizes, codes) - 1, 1)
    means: Array = within_group_sums(sums, codes) / others
    return means


def _zero_for_singletons(difference: Array, scale: Array, codes: Array, sizes: Array) -> Array:
    """Return difference / scale; 0 if all distances are 0, and for a group of one."""
    with np.errstate(invalid="ignore"):
        value = difference / np.maximum(scale, np.finfo(float).tiny)
    return np.where((_group_sizes(sizes, codes) > 1) & np.isfinite(value), value, 0.0)


def _without_self(distances: Array) -> Array:
    """Return distances with infinity on the diagonal."""
    return np.where(np.eye(len(distances), dtype=bool), np.inf, distances)


def _nearest_weights(others: Array, distances: Array) -> Array:
    """Return equal weights for the nearest items of each row, with sum 1 (0 without any)."""
    nearest = others.min(axis=1, keepdims=True)
    # Distances that differ by rounding are ties.
    tied = np.isfinite(others) & (others <= nearest + 1e-9 * np.max(distances, initial=0.0))
    weights: Array = tied / np.maximum(tied.sum(axis=1, keepdims=True), 1)
    return weights


def _chunks(items: int) -> Iterator[Array]:
    for start in range(0, items, PERMUTATION_CHUNK):
        yield np.arange(start, min(start + PERMUTATION_CHUNK, items))


NEAREST_NEIGHBOUR = NearestNeighbour("nearest neighbour", 0.0)
SILHOUETTE = Silhouette("silhouette", -1.0)
CONTRAST = Contrast("contrast", -1.0)
