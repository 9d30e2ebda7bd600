"""Points that are linked, and labelled by what they store: what graph distances ask of records."""

from typing import NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record


class Links(NamedTuple):
    """Weighted links between labels, each combination of labels once.

    labels [link, end, bit]: of what is linked, -1, 0 or 1 (or the values of a pulse); weight
    [link]; place [link]: what else tells links apart, such as the constant input.
    """

    labels: Array
    weight: Array
    place: Array


class Linked(Record):
    """A record of points of one network that lead to one another."""

    def links(self, directions: bool = False) -> Links:
        """The links by labels: of points of one label, the mean.

        directions: whether links from points with different numbers of unstable directions are told
        apart. ValueError if the points of the task have no labels.
        """
        raise NotImplementedError

    def matrix(self) -> Array:
        """The links' weights [row, point], whatever the points' labels."""
        raise NotImplementedError


def means(labels: Array, weight: Array, place: Array, source: int | slice, points: Array) -> Links:
    """Links [link, end, bit] of single points as those of labels.

    source: which end they start from; points [link]: the point there. Weights of points of one
    label and place are averaged, links between the same labels added up.
    """
    _, group = np.unique(_rows(labels[:, source], place), axis=0, return_inverse=True)
    members = np.unique(np.stack([group.ravel(), points], axis=1), axis=0)
    size = np.bincount(members[:, 0])
    rows, which = np.unique(_rows(labels, place), axis=0, return_inverse=True)
    total = np.bincount(which.ravel(), weight / size[group.ravel()], minlength=len(rows))
    return Links(rows[:, 1:].reshape(len(rows), *labels.shape[1:]), total, rows[:, 0])


def _rows(labels: Array, place: Array) -> Array:
    flat = labels.reshape(len(labels), int(np.prod(labels.shape[1:])))
    return np.concatenate([place[:, None], flat], axis=1)


def no_words() -> ValueError:
    """What to raise where points have no labels."""
    return ValueError(
        "the answers of this task are not signs, so its points have no words for labels: compare "
        "by distance: spectral"
    )
