"""How well labels and distances agree, network by network: each network has a score, and the
statistic is their mean. So networks, not pairs, are what tests and intervals are over."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.permutation import PERMUTATION_CHUNK, integer_codes
from rnnstudy.core.arrays import Array

Labels = Sequence[Hashable]


@dataclass(frozen=True)
class SeparationScore(ABC):
    """A score per network, made of the sums of a matrix over each group of networks."""

    name: str
    lowest: float
    """Least score there is; the largest is 1."""

    @abstractmethod
    def matrix(self, distances: Array) -> Array:
        """What is summed over groups: [item, item], from distances [item, item]."""

    @abstractmethod
    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        """Scores [..., item]; sums [..., item, group], codes [..., item], sizes [..., group]."""

    @abstractmethod
    def left_out(self, distances: Array, codes: Array) -> Array:
        """The statistic without each one of the networks: [item]."""

    def scores(self, distances: Array, labels: Labels) -> Array:
        """One number per network [item], from distances [item, item] and a label each."""
        codes, sizes = group_codes(distances, labels)
        return self.permuted(self.matrix(distances), codes[None], sizes)[0]

    def permuted(self, matrix: Array, codes: Array, sizes: Array) -> Array:
        """Scores [permutation, item] under several labellings, codes [permutation, item]."""
        return self.score(group_sums(matrix, codes, len(sizes)), codes, sizes)


class _MeanDistances(SeparationScore):
    """A measure of a network's mean distances to its own group and to others."""

    def matrix(self, distances: Array) -> Array:
        return np.asarray(distances, float)

    def left_out(self, distances: Array, codes: Array) -> Array:
        distances, sizes = self.matrix(distances), np.bincount(codes)
        sums = group_sums(distances, codes[None], len(sizes))[0]
        found = [
            self._without(items, distances, sums, codes, sizes) for items in _chunks(len(codes))
        ]
        return np.concatenate(found)

    def _without(
        self, items: Array, distances: Array, sums: Array, codes: Array, sizes: Array
    ) -> Array:
        """The statistic without each of some items: [len(items)]."""
        gone = one_hot(codes[items], len(sizes))
        rest = sums - distances[items][:, :, None] * gone[:, None, :]
        scores = self.score(rest, np.broadcast_to(codes, rest.shape[:2]), sizes - gone)
        scores[np.arange(len(items)), items] = 0.0
        return scores.sum(axis=1) / (len(codes) - 1)


class Silhouette(_MeanDistances):
    """Silhouette width (Rousseeuw 1987): (b - a) / max(a, b), with a network's mean distance a to
    its own group and b to the nearest other group; 0 for a group of one."""

    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        own, at_home = _mean_within(sums, codes, sizes), one_hot(codes, sums.shape[-1])
        counts = np.broadcast_to(np.expand_dims(sizes, -2), sums.shape)
        away = np.where((at_home > 0) | (counts == 0), np.inf, sums / np.maximum(counts, 1))
        other = away.min(axis=-1)
        return _zero_for_singletons(other - own, np.maximum(own, other), codes, sizes)


class Contrast(_MeanDistances):
    """(b - a) / (b + a), with a network's mean distance a to its own group and b to all others: 0
    without separation, 1 where groups are points; 0 for a group of one."""

    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        own, mine = _mean_within(sums, codes, sizes), _group_sizes(sizes, codes)
        others = sizes.sum(axis=-1)[..., None] - mine
        other = (sums.sum(axis=-1) - within_group_sums(sums, codes)) / np.maximum(others, 1)
        return _zero_for_singletons(other - own, other + own, codes, sizes)


class NearestNeighbour(SeparationScore):
    """Whether the nearest other network has a network's label; of several that are equally near,
    the share that has it."""

    def matrix(self, distances: Array) -> Array:
        return _nearest_weights(_without_self(distances), distances)

    def score(self, sums: Array, codes: Array, sizes: Array) -> Array:
        return within_group_sums(sums, codes)

    def left_out(self, distances: Array, codes: Array) -> Array:
        others, same = _without_self(distances), codes[:, None] == codes
        first = _nearest_weights(others, distances)
        nearest = first > 0
        then = _nearest_weights(np.where(nearest, np.inf, others), distances)
        score, next_score = (first * same).sum(axis=1), (then * same).sum(axis=1)
        count = nearest.sum(axis=1)
        # Without one of several nearest the others remain; without the only one, the next are.
        fewer = (count * score)[:, None] - same
        left = np.where(count[:, None] > 1, fewer / np.maximum(count - 1, 1)[:, None],
                        next_score[:, None])  # fmt: skip
        left = np.where(nearest, left, score[:, None])
        np.fill_diagonal(left, 0.0)
        return left.sum(axis=0) / (len(codes) - 1)


def group_codes(distances: Array, labels: Labels) -> tuple[Array, Array]:
    """Codes [item] and sizes [group] of the labels; ValueError where nothing can be compared."""
    shape, codes = np.shape(distances), integer_codes(labels)
    if shape != (len(codes), len(codes)):
        raise ValueError(f"{len(codes)} labels for distances of shape {list(shape)}")
    if not np.isfinite(distances).all():
        raise ValueError("distances should be finite")
    if not len(codes):
        raise ValueError("there are no networks; a comparison needs two labels")
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise ValueError("all networks have one label; a comparison needs two labels")
    if sizes.max() < 2:
        raise ValueError("each network has a label of its own; some label needs two networks")
    return codes, sizes


def one_hot(codes: Array, count: int) -> Array:
    """Codes [..., item] as membership [..., item, group]."""
    return (codes[..., None] == np.arange(count)).astype(float)


def group_sums(matrix: Array, codes: Array, count: int) -> Array:
    """Row sums of a matrix over each group, for several labellings: codes [permutation, item] ->
    [permutation, item, group], as one large product."""
    labellings, items = codes.shape
    members = np.moveaxis(one_hot(codes, count), 0, 1).reshape(items, labellings * count)
    return np.moveaxis((matrix @ members).reshape(len(matrix), labellings, count), 1, 0)


def within_group_sums(sums: Array, codes: Array) -> Array:
    """Of sums [..., item, group], each item's over its own group: [..., item]."""
    found: Array = np.take_along_axis(sums, codes[..., None], axis=-1)[..., 0]
    return found


def _group_sizes(sizes: Array, codes: Array) -> Array:
    """The size of each item's group: sizes [..., group] -> [..., item]."""
    wide = np.broadcast_to(sizes, (*codes.shape[:-1], sizes.shape[-1]))
    found: Array = np.take_along_axis(wide, codes, axis=-1)
    return found


def _mean_within(sums: Array, codes: Array, sizes: Array) -> Array:
    """Mean distance to the others of one's own group; 0 for a group of one."""
    return within_group_sums(sums, codes) / np.maximum(_group_sizes(sizes, codes) - 1, 1)


def _zero_for_singletons(difference: Array, scale: Array, codes: Array, sizes: Array) -> Array:
    """difference / scale; 0 where all distances are, and for a group of one."""
    with np.errstate(invalid="ignore"):
        value = difference / np.maximum(scale, np.finfo(float).tiny)
    return np.where((_group_sizes(sizes, codes) > 1) & np.isfinite(value), value, 0.0)


def _without_self(distances: Array) -> Array:
    """Distances with nobody at hand for oneself."""
    return np.where(np.eye(len(distances), dtype=bool), np.inf, distances)


def _nearest_weights(others: Array, distances: Array) -> Array:
    """Of each row, equal weights for its nearest items, with sum 1 (0 where none is left)."""
    nearest = others.min(axis=1, keepdims=True)
    # Distances that differ by rounding are ties.
    tied = np.isfinite(others) & (others <= nearest + 1e-9 * np.max(distances, initial=0.0))
    return tied / np.maximum(tied.sum(axis=1, keepdims=True), 1)


def _chunks(items: int) -> Iterator[Array]:
    for start in range(0, items, PERMUTATION_CHUNK):
        yield np.arange(start, min(start + PERMUTATION_CHUNK, items))


NEAREST_NEIGHBOUR = NearestNeighbour("nearest neighbour", 0.0)
SILHOUETTE = Silhouette("silhouette", -1.0)
CONTRAST = Contrast("contrast", -1.0)
