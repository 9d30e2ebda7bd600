"""Distances between graphs whose links have weights: label by label, up to renaming, or by spectra.

A graph is given as its links, each once: labels [link, end, bit], weight [link], place [link]
(links of different places never match); or, without labels, as a matrix of weights [row, point].
"""

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array

LinkTable = tuple[Array, Array, Array]

MAX_BITS = 5
"""Up to isomorphism, 2^b b! names are tried: 3,840 for five bits, 46,080 for six."""


class AlignedGraphs(NamedTuple):
    """Graphs over one set of links: weights [graph, link] of codes [link, 1 + end * bit], the place
    first; ends: number of them."""

    weights: Array
    codes: Array
    ends: int


def labelled_distances(graphs: Sequence[LinkTable], names: Sequence[str]) -> Distances:
    """Root of the summed squared differences of weights (Frobenius norm); absent links weigh 0.

    ValueError if the graphs' labels are of different sizes.
    """
    return _euclidean(_align(graphs).weights, names)


def isomorphic_distances(graphs: Sequence[LinkTable], names: Sequence[str]) -> Distances:
    """The least labelled distance over all permutations of bits and flips of their signs.

    These are the symmetries of the cube (the hyperoctahedral group; 48 for three bits), the same
    for all ends of all links. ValueError beyond so many bits that they cannot all be tried.
    """
    bits = graphs[0][0].shape[2] if len(graphs) else 0
    if bits > MAX_BITS:
        raise ValueError(
            f"up to isomorphism, graphs of at most {MAX_BITS} bits can be compared, these have "
            f"{bits}; compare by distance: labelled or spectral"
        )
    found = _close_under_symmetries(_align(graphs))
    own = found.weights
    best = np.full((len(own), len(own)), -np.inf)
    chosen = np.zeros(best.shape, int)
    moves = [_column_map(found, *symmetry) for symmetry in cube_symmetries(bits)]
    for i, move in enumerate(moves):
        # |a - gb|^2 is least where <a, gb> is largest: the symmetries keep the norm.
        agreement = own @ own[:, move].T
        better = agreement > best
        best[better], chosen[better] = agreement[better], i
    return _label(_least_distances(own, moves, chosen), names)


def spectral_distances(matrices: Sequence[Array], names: Sequence[str]) -> Distances:
    """Euclidean distance of the singular values [value], largest first, absent ones 0.

    It knows no labels and no order of points, and is never more than the Frobenius norm of the
    difference of two matrices, whatever the order of their rows and columns (Mirsky 1960).
    """
    values = [np.linalg.svd(matrix, compute_uv=False) for matrix in matrices]
    most = max(map(len, values), default=0)
    stack = np.array([np.pad(value, (0, most - len(value))) for value in values])
    return _euclidean(stack.reshape(len(matrices), most), names)


def cube_symmetries(bits: int) -> Iterator[tuple[Array, Array]]:
    """Each symmetry of a cube: new bit i is sign[i] times the old bit order[i]."""
    for order in permutations(range(bits)):
        for sign in product((1, -1), repeat=bits):
            yield np.array(order, int), np.array(sign, int)


def _euclidean(vectors: Array, names: Sequence[str]) -> Distances:
    # Here, because a plan is checked without it and it takes a while to import.
    from scipy.spatial.distance import pdist, squareform

    if len(vectors) < 2:
        return _label(np.zeros((len(vectors), len(vectors))), names)
    return _label(squareform(pdist(vectors)), names)


def _label(values: Array, names: Sequence[str]) -> Distances:
    return Distances(tuple(names), values)


def _align(graphs: Sequence[LinkTable]) -> AlignedGraphs:
    """The graphs over all links that any of them has."""
    shapes = sorted({labels.shape[1:] for labels, _, _ in graphs})
    if len(shapes) > 1:
        raise ValueError(f"labels should be [end, bit] of one size, they are of {shapes}")
    if not graphs:
        return AlignedGraphs(np.zeros((0, 0)), np.zeros((0, 1)), 1)
    rows = [
        np.concatenate([place[:, None], labels.reshape(len(labels), np.prod(shapes[0]))], axis=1)
        for labels, _, place in graphs
    ]
    codes, column = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
    owner = np.repeat(np.arange(len(graphs)), [len(part) for part in rows])
    weights = np.zeros((len(graphs), len(codes)))
    weights[owner, column.ravel()] = np.concatenate([weight for _, weight, _ in graphs])
    return AlignedGraphs(weights, codes, shapes[0][0])


def _close_under_symmetries(graphs: AlignedGraphs) -> AlignedGraphs:
    """The same over all links that any symmetry makes of theirs."""
    bits = (graphs.codes.shape[1] - 1) // graphs.ends
    codes = graphs.codes
    while True:
        moved = [_transform_codes(codes, graphs.ends, *symmetry) for symmetry in _generators(bits)]
        larger = np.unique(np.concatenate([codes, *moved]), axis=0)
        if len(larger) == len(codes):
            break
        codes = larger
    weights = np.zeros((len(graphs.weights), len(codes)))
    weights[:, _row_positions(codes, graphs.codes)] = graphs.weights
    return AlignedGraphs(weights, codes, graphs.ends)


def _generators(bits: int) -> Iterator[tuple[Array, Array]]:
    """Symmetries from which all others come: a flip, and swaps of neighbouring bits."""
    for bit in range(bits):
        order, sign = np.arange(bits), np.ones(bits, int)
        if bit:
            order[[bit - 1, bit]] = order[[bit, bit - 1]]
        else:
            sign[0] = -1
        yield order, sign


def _column_map(graphs: AlignedGraphs, order: Array, sign: Array) -> Array:
    """Which column each column becomes."""
    return _row_positions(graphs.codes, _transform_codes(graphs.codes, graphs.ends, order, sign))


def _transform_codes(codes: Array, ends: int, order: Array, sign: Array) -> Array:
    bits = codes[:, 1:].reshape(len(codes), ends, len(order))
    moved = (bits[:, :, order] * sign).reshape(len(codes), ends * len(order))
    # No negative zeros: they would be sorted beside the others.
    return np.concatenate([codes[:, :1], moved], axis=1) + 0.0


def _row_positions(codes: Array, wanted: Array) -> Array:
    """Positions of rows among sorted, distinct rows that hold them all."""
    _, place = np.unique(np.concatenate([codes, wanted + 0.0]), axis=0, return_inverse=True)
    return place.ravel()[len(codes) :]


def _least_distances(own: Array, moves: Sequence[Array], chosen: Array) -> Array:
    """Distances [graph, graph] under the chosen symmetry of each pair."""
    values = np.zeros(chosen.shape)
    for i, move in enumerate(moves):
        moved = own[:, move]
        for first, row in enumerate(np.triu(chosen == i, 1)):
            (second,) = np.nonzero(row)
            values[first, second] = np.linalg.norm(own[first] - moved[second], axis=1)
    return values + values.T
