"""Linear centred kernel alignment."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import (
    TWO_SAMPLES,
    Form,
    ProductMetric,
    UndefinedMetric,
    centre_states,
    reduce_rows,
    require_samples,
    require_variation,
    round_similarity,
)


class CKA(ProductMetric):
    """Linear centred kernel alignment (CKA).

    The similarity is |Y'X|^2 / (|X'X| |Y'Y|) in Frobenius norms, for centred representations X and
    Y. This estimate is biased upwards with few samples. `debiased` replaces the three norms by the
    unbiased estimator HSIC_1 of the Hilbert-Schmidt independence criterion. Its mean over unrelated
    representations is 0, and single values may be negative. It needs at least 4 samples.

    Invariant to: rotations, reflections and one common scale of the units.
    Held-out samples: `fit` learns nothing, and `score` is the similarity of other samples among
    themselves. There is no `transform`: products between samples are compared, and no units.
    A metric: no; the arc cosine of the similarity is one (Williams et al. 2021), without
    `debiased`.
    Special cases: it is undefined, and refused, for a representation that does not vary. With
    `debiased` also for one whose criterion with itself is not above 0.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), "Similarity of neural network representations
    revisited", section 3.
    Song, Smola, Gretton, Bedo & Borgwardt (2012), "Feature selection via dependence maximization"
    (HSIC_1).

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import CKA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> CKA().similarity(x, 2.0 * x[:, ::-1])
    1.0
    """

    kind: ClassVar[str] = "cka"

    debiased: bool = False
    """Use the unbiased estimator."""

    def prepare(self, states: Array) -> Form:
        """Return centred states, [row, sample], scaled to a criterion of 1 with themselves.

        There are at most as many rows as samples, and one more with `debiased`.
        """
        x = centre_states(states).T
        require_samples(self.kind, x.T, 3, TWO_SAMPLES)
        if self.debiased and x.shape[1] < 4:
            raise UndefinedMetric(
                f"states for debiased CKA must have at least 4 samples, got {x.shape[1]}. "
                "Add samples, or set debiased to false."
            )
        require_variation(x.T)
        x = reduce_rows(x)
        x /= np.linalg.norm(x)
        form = self._form(x)
        criterion = float(self._criterion(form["rows"] @ form["rows"].T, form, form))
        if criterion <= np.finfo(float).eps:
            raise UndefinedMetric(
                "the criterion HSIC_1 of states with themselves must be above 0, got "
                f"{criterion:.2g}. Set debiased to false."
            )
        return self._form(x / criterion**0.25)

    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...] from products of forms."""
        return round_similarity(self._criterion(products, a, b), lowest=-1.0)

    def _form(self, x: Array) -> dict[str, Array]:
        """Return rows and sums from which the criterion of a pair follows by one product.

        For X and Y of zero mean, HSIC_1 is |X'Y|^2 minus sums over the squared lengths d of the
        samples: d_x'd_y n / (n - 2) and -(1'd_x) (1'd_y) / ((n - 1) (n - 2)).
        """
        samples, lengths = x.shape[1], (x**2).sum(axis=0)
        if not self.debiased:
            return {"rows": x, "total": lengths.sum()}
        first = lengths * np.sqrt(samples / (samples - 2.0))
        total = lengths.sum() / np.sqrt((samples - 1.0) * (samples - 2.0))
        return {"rows": np.vstack([first, x]), "total": total}

    def _criterion(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Return the criterion of each pair, up to a common factor."""
        states = products[..., 1:, 1:] if self.debiased else products
        alignment = np.einsum("...ij,...ij->...", states, states)
        if not self.debiased:
            return alignment
        return alignment - products[..., 0, 0] + a["total"] * b["total"]
