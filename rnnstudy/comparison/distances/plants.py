"""Planted differences: known changes of states, ordered points and graphs.

A distance that calls networks alike must see a difference that is there. A planted copy of a
network has such a difference. The change is the same for all networks of one shape, so that planted
copies are as alike among themselves as the networks are.
"""

import numpy as np

from rnnstudy.comparison.distances.graphs import LinkTable
from rnnstudy.core.arrays import Array

PLANTED_SHARE = 0.5
"""Share of the variance, or of the points, that a planted difference concerns."""

MIN_SHUFFLED = 2
"""Smallest number of positions that can be exchanged."""


def shuffled_positions(count: int) -> Array:
    """Return the positions 0 to `count` in an order that keeps none in its place, [position].

    The order depends on the number alone. A single position stays.

    Examples
    --------
    >>> bool((shuffled_positions(5) == np.arange(5)).any())
    False
    """
    cycle = np.random.default_rng(count).permutation(count)
    order = np.empty(count, int)
    order[cycle] = np.roll(cycle, 1)
    return order


def plant_in_states(states: Array) -> Array:
    """Return states whose leading principal components come from other trials.

    The components are the fewest that explain half of the variance. Their scores on each trial are
    those of another trial. The other components, and each unit's mean, are unchanged. With a single
    trial the scores are those of other times.

    Parameters
    ----------
    states : array [trial, time, unit]
        States of a network.

    Returns
    -------
    array [trial, time, unit]
        Changed states of the same precision.

    Raises
    ------
    ValueError
        If the states have other axes.

    Examples
    --------
    >>> states = np.array([[[1.0, 0.1]], [[-1.0, -0.1]]])
    >>> plant_in_states(states).round(6).tolist()
    [[[-1.0, -0.1]], [[1.0, 0.1]]]
    """
    if states.ndim != 3:
        raise ValueError(f"states must be [trial, time, unit], got shape {states.shape}.")
    mean = states.mean(axis=(0, 1), dtype=np.float64)
    moved = states - mean
    leading = _leading_components(moved.reshape(-1, moved.shape[-1]))
    scores = moved @ leading
    axis = 0 if len(states) >= MIN_SHUFFLED else 1
    others = np.take(scores, shuffled_positions(states.shape[axis]), axis=axis)
    changed: Array = moved + (others - scores) @ leading.T + mean
    return changed.astype(states.dtype)


def _leading_components(rows: Array) -> Array:
    """Return the fewest principal directions with half of the variance, [unit, component]."""
    variances, directions = np.linalg.eigh(rows.T @ rows)
    variances, directions = np.maximum(variances[::-1], 0.0), directions[:, ::-1]
    enough = np.cumsum(variances) >= PLANTED_SHARE * variances.sum()
    return np.asarray(directions[:, : int(enough.argmax()) + 1])


def plant_in_order(points: Array) -> Array:
    """Return points of which half have exchanged places in the order.

    Parameters
    ----------
    points : array [point, axis]
        Ordered points; a row with NaN is missing and can be exchanged, too.

    Returns
    -------
    array [point, axis]
        The same points in another order. Fewer than 2 points are unchanged.

    Examples
    --------
    >>> points = np.arange(6.0)[:, None]
    >>> int((plant_in_order(points) != points).sum())
    3
    """
    count = len(points)
    chosen = max(MIN_SHUFFLED, int(PLANTED_SHARE * count))
    if count < chosen:
        return points
    places = np.sort(np.random.default_rng(count).permutation(count)[:chosen])
    order = np.arange(count)
    order[places] = places[shuffled_positions(chosen)]
    return points[order]


def plant_in_links(links: LinkTable) -> LinkTable:
    """Return the links of a graph without one stable point.

    Links end at stable points. The stable point with the lowest label goes, with all links from it
    and to it.

    Parameters
    ----------
    links : (array [link, end, bit], array [link], array [link])
        Labels, weights and groups of the links. The last end is that to which a link leads, the one
        before it that from which it comes.

    Returns
    -------
    tuple of arrays
        Labels, weights and groups of the remaining links. A graph without links is unchanged.

    Examples
    --------
    >>> labels = np.array([[[-1.0], [-1.0]], [[0.0], [-1.0]], [[0.0], [1.0]], [[1.0], [1.0]]])
    >>> left = plant_in_links((labels, np.ones(4), np.zeros(4)))
    >>> left[0][:, :, 0].tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    labels, weights, groups = links
    if not len(labels):
        return links
    lowest = np.unique(labels[:, -1], axis=0)[0]
    at_point = (labels[:, -2:] == lowest).all(axis=2).any(axis=1)
    return labels[~at_point], weights[~at_point], groups[~at_point]


def plant_in_matrix(weights: Array) -> Array:
    """Return the matrix of a graph's links without one stable point.

    The first point to which a link leads goes, with its rows and its column.

    Parameters
    ----------
    weights : array [row, point]
        Weights of the links. There is a row for each point, or one for each point and condition,
        condition after condition.

    Returns
    -------
    array [row, point]
        Weights of the remaining links. A graph without links is unchanged.

    Examples
    --------
    >>> plant_in_matrix(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])).tolist()
    [[1.0, 0.0], [0.5, 0.0]]
    """
    reached = np.flatnonzero(weights.sum(axis=0) > 0.0)
    if not len(reached):
        return weights
    rows = np.arange(len(weights)) % weights.shape[1] == reached[0]
    return np.delete(weights[~rows], reached[0], axis=1)
