"""Distances between networks for the page: matrices, their order, and nearest neighbours."""

from typing import Any, NamedTuple

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.report.explorer.packing import Coarse

MOST_NEIGHBOURS = 10
"""Nearest networks that are listed for each network."""

FINE_ITEMS = 1000
"""Networks up to which a distance takes two bytes. A larger matrix takes one byte for each."""

ORDERED_LEAVES = 300
"""Networks up to which neighbouring leaves of the clustering are as near as possible."""


class NetworkDistances(NamedTuple):
    """Distances of one analysis between the networks of one task."""

    title: str
    """Name of the analysis."""
    task: str
    items: Array
    """Position of each network in the study, `[item]`."""
    values: Array
    """Distances `[item, item]`."""


def network_distances(
    title: str, task: str, distances: Distances, positions: dict[str, int]
) -> NetworkDistances:
    """Return the distances between networks, without rows of controls.

    Parameters
    ----------
    title
        Name of the analysis.
    task
        Name of the task.
    distances
        Its record.
    positions
        Name of a network -> its position in the study.
    """
    rows = [i for i, label in enumerate(distances.labels) if label in positions]
    items = np.array([positions[distances.labels[i]] for i in rows], int)
    return NetworkDistances(title, task, items, distances.values[np.ix_(rows, rows)])


def matrix_content(matrix: NetworkDistances) -> dict[str, Any]:
    """Return the distances above the diagonal, row by row, and the order of a clustering."""
    rows, columns = np.triu_indices(len(matrix.items), 1)
    bits: Any = 16 if len(matrix.items) <= FINE_ITEMS else 8
    return {
        "title": matrix.title,
        "task": matrix.task,
        "items": matrix.items,
        "upper": Coarse(matrix.values[rows, columns], bits),
        "clustered": clustered_order(matrix.values),
    }


def clustered_order(values: Array) -> Array:
    """Return the positions of items by average linkage of their distances [item, item].

    References
    ----------
    Sokal and Michener 1958 (average linkage); Bar-Joseph et al. 2001 (order of leaves).

    Examples
    --------
    >>> x = np.array([0.0, 9.0, 0.1, 9.1])
    >>> order = clustered_order(np.abs(x[:, None] - x)).tolist()
    >>> sorted(map(sorted, (order[:2], order[2:])))
    [[0, 2], [1, 3]]
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    count = len(values)
    if count < 3:
        return np.arange(count)
    upper = squareform((values + values.T) / 2, checks=False)
    tree = linkage(upper, "average", optimal_ordering=count <= ORDERED_LEAVES)
    return np.asarray(leaves_list(tree), int)


def nearest_networks(matrix: NetworkDistances) -> dict[int, dict[str, Any]]:
    """Return position of a network -> its nearest networks and their distances."""
    count = len(matrix.items)
    most = min(MOST_NEIGHBOURS, count - 1)
    neighbours = {}
    for row, position in enumerate(matrix.items.tolist()):
        order = np.argsort(matrix.values[row], kind="stable")
        order = order[order != row][: max(most, 0)]
        neighbours[position] = {
            "title": matrix.title,
            "of": count,
            "network": matrix.items[order],
            "distance": matrix.values[row, order],
        }
    return neighbours
