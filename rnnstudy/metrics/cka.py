"""Linear centred kernel alignment."""

from typing import ClassVar

import numpy as np

from rnnstudy.metrics.base import Array, Metric, centred, settled


class CKA(Metric):
    """Linear centred kernel alignment (Kornblith et al. 2019, section 3).

    |Y'X|^2 / (|X'X| |Y'Y|) in Frobenius norms, of centred representations X and Y. It does not
    change under rotations, reflections and one common scale of the units. The estimate is the
    paper's own, which is biased upwards where samples are few.

    A representation that does not vary has similarity 1 to another of that kind, 0 to all else.
    """

    kind: ClassVar[str] = "cka"

    def prepare(self, states: Array) -> Array:
        """Centred states scaled to |X'X| = 1: [sample, column], no more columns than samples."""
        x = centred(states)
        if x.shape[1] > x.shape[0]:
            # X'X enters only through X X', which a square factor of as many samples has as well.
            x = np.linalg.qr(x.T)[1].T
        size = np.linalg.norm(x)
        return x / (size * np.sqrt(np.linalg.norm(_product(x / size, x / size)))) if size else x

    def compare(self, a: Array, b: Array) -> Array:
        """Similarities [...] of forms a and b [..., sample, column], broadcast."""
        alignment = (_product(a, b) ** 2).sum(axis=(-2, -1))
        return settled(np.where(_still(a) & _still(b), 1.0, alignment))


def _product(a: Array, b: Array) -> Array:
    return np.swapaxes(a, -1, -2) @ b


def _still(form: Array) -> Array:
    return ~np.any(form, axis=(-2, -1))
