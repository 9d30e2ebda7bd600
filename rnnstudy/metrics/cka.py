"""Linear centred kernel alignment."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, centred, narrowed, settled


class CKA(ProductMetric):
    """Linear centred kernel alignment (Kornblith et al. 2019, section 3).

    |Y'X|^2 / (|X'X| |Y'Y|) in Frobenius norms, of centred representations X and Y. It does not
    change under rotations, reflections and one common scale of the units. The estimate is the
    paper's own, which is biased upwards where samples are few.

    `debiased` puts the unbiased estimator of the Hilbert-Schmidt independence criterion (Song et
    al. 2012, HSIC_1) in place of the three norms: of unrelated representations it is 0 in the
    mean, and may be below. It needs 4 samples.

    A representation that does not vary has similarity 1 to another of that kind, 0 to all else.
    """

    kind: ClassVar[str] = "cka"

    debiased: bool = False
    """Whether to use the estimator without bias."""

    def prepare(self, states: Array) -> Form:
        """Centred states, transposed and scaled to a criterion of 1 with themselves: [row, sample].

        No more rows than samples, but for a first row where `debiased`.
        """
        x = centred(states).T
        if self.debiased and x.shape[1] < 4:
            raise ValueError(f"debiased CKA needs at least 4 samples, not {x.shape[1]}")
        x = narrowed(x)
        x /= np.linalg.norm(x) or 1.0
        form = self._form(x)
        criterion = float(self._criterion(form["rows"] @ form["rows"].T, form, form))
        if criterion <= np.finfo(float).eps:
            return self._form(0.0 * x)
        return self._form(x / criterion**0.25)

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of forms."""
        still = (a["total"] == 0.0) & (b["total"] == 0.0)
        return settled(np.where(still, 1.0, self._criterion(products, a, b)), lowest=-1.0)

    def _form(self, x: Array) -> dict[str, Array]:
        """Rows and sums from which the criterion of a pair follows by one product.

        Song's three sums, for X and Y of zero mean, are |X'Y|^2 less sums over the squared lengths
        d of the samples: d_x'd_y n / (n - 2) and -(1'd_x) (1'd_y) / ((n - 1) (n - 2)).
        """
        samples, lengths = x.shape[1], (x**2).sum(axis=0)
        if not self.debiased:
            return {"rows": x, "total": lengths.sum()}
        first = lengths * np.sqrt(samples / (samples - 2.0))
        total = lengths.sum() / np.sqrt((samples - 1.0) * (samples - 2.0))
        return {"rows": np.vstack([first, x]), "total": total}

    def _criterion(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Criterion of each pair, up to a factor that is the same for all."""
        states = products[..., 1:, 1:] if self.debiased else products
        alignment = np.einsum("...ij,...ij->...", states, states)
        if not self.debiased:
            return alignment
        return alignment - products[..., 0, 0] + a["total"] * b["total"]
