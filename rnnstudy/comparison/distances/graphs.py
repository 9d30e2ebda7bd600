"""Distances between weighted graphs: by labels, up to renaming, or by spectra.

A graph is a table of its links, each once: labels [link, end, bit], weights [link], groups [link].
Links of different groups never match. A graph without labels is a matrix of weights [row, point].
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
    """Graphs over one set of links.

    weights [graph, link]; codes [link, 1 + end * bit], the group first; ends: number of ends.
    """

    weights: Array
    codes: Array
    ends: int


def labelled_distances(graphs: Sequence[LinkTable], names: Sequence[str]) -> Distances:
    """Compute the Frobenius norm of the difference of weights; absent links weigh 0.

    Parameters
    ----------
    graphs : sequence of (array [link, end, bit], array [link], array [link])
        Labels, weights and groups of each graph's links.
    names : sequence of str
        Names of the graphs.

    Returns
    -------
    Distances
        Distances in the unit of the weights.

    Examples
    --------
    >>> link = np.array([[[1.0], [-1.0]]])
    >>> graphs = [(link, np.array([weight]), np.zeros(1)) for weight in (1.0, 0.25)]
    >>> labelled_distances(graphs, ["a", "b"]).values[0, 1]
    np.float64(0.75)
    """
    return _euclidean(_align(graphs).weights, names)


def isomorphic_distances(graphs: Sequence[LinkTable], names: Sequence[str]) -> Distances:
    """Compute the least labelled distance over all permutations and sign flips of bits.

    These are the symmetries of the cube (the hyperoctahedral group; 48 for three bits), the same
    for all ends of all links.

    Parameters
    ----------
    graphs : sequence of (array [link, end, bit], array [link], array [link])
        Labels (-1 or 1), weights and groups of each graph's links.
    names : sequence of str
        Names of the graphs.

    Returns
    -------
    Distances
        Distances in the unit of the weights.

    Raises
    ------
    ValueError
        If there are more than `MAX_BITS` bits.

    Examples
    --------
    >>> link = np.array([[[1.0, 1.0], [1.0, -1.0]]])
    >>> graphs = [(bits, np.ones(1), np.zeros(1)) for bits in (link, link[:, :, ::-1])]
    >>> isomorphic_distances(graphs, ["a", "b"]).values[0, 1]
    np.float64(0.0)
    """
    bits = graphs[0][0].shape[2] if len(graphs) else 0
    if bits > MAX_BITS:
        raise ValueError(
            f"graphs that are compared up to isomorphism must have at most {MAX_BITS} bits, got "
            f"{bits}. Compare by distance: labelled or spectral."
        )
    aligned = _close_under_symmetries(_align(graphs))
    weights = aligned.weights
    agreement = np.full((len(weights), len(weights)), -np.inf)
    choice = np.zeros(agreement.shape, int)
    column_maps = [_column_map(aligned, *symmetry) for symmetry in cube_symmetries(bits)]
    for i, columns in enumerate(column_maps):
        # |a - gb|^2 is least where <a, gb> is largest: the symmetries keep the norm.
        products = weights @ weights[:, columns].T
        is_better = products > agreement
        agreement[is_better], choice[is_better] = products[is_better], i
    return _label(_least_distances(weights, column_maps, choice), names)


def spectral_distances(matrices: Sequence[Array], names: Sequence[str]) -> Distances:
    """Compute the Euclidean distance of singular values, largest first, absent ones 0.

    It uses no labels and no order of points. It is at most the Frobenius norm of the difference of
    two matrices, for any order of their rows and columns.

    Parameters
    ----------
    matrices : sequence of arrays [row, point]
        Weights of each graph.
    names : sequence of str
        Names of the graphs.

    Returns
    -------
    Distances
        Distances in the unit of the weights.

    References
    ----------
    Mirsky (1960), Symmetric gauge functions and unitarily invariant norms.

    Examples
    --------
    >>> spectral_distances([np.eye(2), np.eye(2)[::-1]], ["a", "b"]).values[0, 1]
    np.float64(0.0)
    """
    values = [np.linalg.svd(matrix, compute_uv=False) for matrix in matrices]
    largest = max(map(len, values), default=0)
    stack = np.array([np.pad(value, (0, largest - len(value))) for value in values])
    return _euclidean(stack.reshape(len(matrices), largest), names)


def cube_symmetries(bits: int) -> Iterator[tuple[Array, Array]]:
    """Yield each symmetry of a cube: new bit i is sign[i] times the old bit order[i]."""
    for order in permutations(range(bits)):
        for sign in product((1, -1), repeat=bits):
            yield np.array(order, int), np.array(sign, int)


def _euclidean(vectors: Array, names: Sequence[str]) -> Distances:
    # Imported late, because a plan is checked without it and the import is slow.
    from scipy.spatial.distance import pdist, squareform

    if len(vectors) < 2:
        return _label(np.zeros((len(vectors), len(vectors))), names)
    return _label(squareform(pdist(vectors)), names)


def _label(values: Array, names: Sequence[str]) -> Distances:
    return Distances(tuple(names), values)


def _align(graphs: Sequence[LinkTable]) -> AlignedGraphs:
    """Return the graphs over all links that any of them has."""
    shapes = sorted({labels.shape[1:] for labels, _, _ in graphs})
    if len(shapes) > 1:
        raise ValueError(f"labels must be [end, bit] of one size, got {shapes}")
    if not graphs:
        return AlignedGraphs(np.zeros((0, 0)), np.zeros((0, 1)), 1)
    rows = [
        np.concatenate([group[:, None], labels.reshape(len(labels), np.prod(shapes[0]))], axis=1)
        for labels, _, group in graphs
    ]
    codes, column = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
    owner = np.repeat(np.arange(len(graphs)), [len(part) for part in rows])
    weights = np.zeros((len(graphs), len(codes)))
    weights[owner, column.ravel()] = np.concatenate([weight for _, weight, _ in graphs])
    return AlignedGraphs(weights, codes, shapes[0][0])


def _close_under_symmetries(graphs: AlignedGraphs) -> AlignedGraphs:
    """Return the graphs over all links that a symmetry makes of their links."""
    bits = (graphs.codes.shape[1] - 1) // graphs.ends
    codes = graphs.codes
    while True:
        images = [_transform_codes(codes, graphs.ends, *symmetry) for symmetry in _generators(bits)]
        larger = np.unique(np.concatenate([codes, *images]), axis=0)
        if len(larger) == len(codes):
            break
        codes = larger
    weights = np.zeros((len(graphs.weights), len(codes)))
    weights[:, _row_positions(codes, graphs.codes)] = graphs.weights
    return AlignedGraphs(weights, codes, graphs.ends)


def _generators(bits: int) -> Iterator[tuple[Array, Array]]:
    """Yield symmetries that generate all others: a flip, and swaps of neighbouring bits."""
    for bit in range(bits):
        order, sign = np.arange(bits), np.ones(bits, int)
        if bit:
            order[[bit - 1, bit]] = order[[bit, bit - 1]]
        else:
            sign[0] = -1
        yield order, sign


def _column_map(graphs: AlignedGraphs, order: Array, sign: Array) -> Array:
    """Return the column that each column becomes."""
    return _row_positions(graphs.codes, _transform_codes(graphs.codes, graphs.ends, order, sign))


def _transform_codes(codes: Array, ends: int, order: Array, sign: Array) -> Array:
    bits = codes[:, 1:].reshape(len(codes), ends, len(order))
    images = (bits[:, :, order] * sign).reshape(len(codes), ends * len(order))
    # No negative zeros: they would be sorted beside the others.
    return np.concatenate([codes[:, :1], images], axis=1) + 0.0


def _row_positions(codes: Array, wanted: Array) -> Array:
    """Return the positions of rows among sorted, distinct rows that contain them all."""
    _, position = np.unique(np.concatenate([codes, wanted + 0.0]), axis=0, return_inverse=True)
    return position.ravel()[len(codes) :]


def _least_distances(weights: Array, column_maps: Sequence[Array], choice: Array) -> Array:
    """Return distances [graph, graph] under the chosen symmetry of each pair."""
    values = np.zeros(choice.shape)
    for i, columns in enumerate(column_maps):
        images = weights[:, columns]
        for first, row in enumerate(np.triu(choice == i, 1)):
            (second,) = np.nonzero(row)
            values[first, second] = np.linalg.norm(weights[first] - images[second], axis=1)
    return values + values.T
