"""Labelled edges between points, averaged by label for graph distances."""

from typing import NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record

ROUNDED_READOUT = 1e-9
"""Absolute readout below which its sign is rounding error. Answers of a memory are -1 and 1."""


def readout_signs(outputs: Array) -> Array:
    """Return the signs of readouts, 0 where they are 0 up to rounding.

    The stable point of most untrained networks is the origin, whose readout has no sign.

    Examples
    --------
    >>> readout_signs(np.array([[0.9, -1e-14]])).tolist()
    [[1, 0]]
    """
    return np.where(np.abs(outputs) < ROUNDED_READOUT, 0, np.sign(outputs)).astype(int)


class LabelledEdges(NamedTuple):
    """Weighted edges between labels, each combination of labels once.

    Parameters
    ----------
    labels
        Labels of the ends, `[edge, end, bit]`: -1, 0 or 1, or the values of a pulse.
    weight
        Weight of each edge, `[edge]`.
    group
        Further property that tells edges apart, such as the constant input, `[edge]`.
    """

    labels: Array
    weight: Array
    group: Array


class LabelledGraph(Record):
    """Base of records of one network's points that lead to one another.

    Examples
    --------
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> graph = rnnstudy.connections(bistable, points)
    >>> graph.matrix().shape
    (3, 3)
    """

    def links(self, directions: bool = False) -> LabelledEdges:
        """Return the edges by labels, averaged over points of one label.

        Parameters
        ----------
        directions
            Whether edges from points with different numbers of unstable directions are told apart.

        Raises
        ------
        ValueError
            If the points of the task have no labels.
        """
        raise NotImplementedError

    def matrix(self) -> Array:
        """Return the edges' weights `[row, point]` without labels."""
        raise NotImplementedError


def average_by_label(
    labels: Array, weight: Array, group: Array, source: int | slice, points: Array
) -> LabelledEdges:
    """Return edges between labels from edges between points.

    Weights of points of one label and group are averaged. Edges between the same labels add up.

    Parameters
    ----------
    labels
        Labels of the ends, `[edge, end, bit]`.
    weight
        Weight of each edge, `[edge]`.
    group
        Further property that tells edges apart, `[edge]`.
    source
        Ends at which edges begin.
    points
        Point at which each edge begins, `[edge]`.
    """
    _, from_label = np.unique(_rows(labels[:, source], group), axis=0, return_inverse=True)
    members = np.unique(np.stack([from_label.ravel(), points], axis=1), axis=0)
    size = np.bincount(members[:, 0])
    rows, row = np.unique(_rows(labels, group), axis=0, return_inverse=True)
    total = np.bincount(row.ravel(), weight / size[from_label.ravel()], minlength=len(rows))
    return LabelledEdges(rows[:, 1:].reshape(len(rows), *labels.shape[1:]), total, rows[:, 0])


def _rows(labels: Array, group: Array) -> Array:
    flat = labels.reshape(len(labels), int(np.prod(labels.shape[1:])))
    return np.concatenate([group[:, None], flat], axis=1)


def no_labels() -> ValueError:
    """Return the error for points without labels."""
    return ValueError(
        "This task has no discrete outputs, so fixed points cannot be labelled by output signs. "
        "Use `distance: spectral`."
    )
