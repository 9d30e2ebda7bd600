"""Representational similarity analysis."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import (
    Form,
    ProductMetric,
    UndefinedMetric,
    centre_states,
    require_samples,
    require_variation,
    round_similarity,
)


class RSA(ProductMetric):
    """Correlation of representational distance matrices (RSA).

    The distance matrix of a representation has the Euclidean distances between its samples. The
    similarity is the correlation of two distance matrices over pairs of samples. It is negative
    for opposed distances.

    Invariant to: rotations, reflections and one common scale of the units. With `spearman` also
    every map that preserves the order of the distances.
    A metric: no.
    Held-out samples: `fit` learns nothing, and `score` is the similarity of other samples among
    themselves. There is no `transform`: distances between samples are compared, and no units.
    Special cases: it is undefined, and refused, for a representation whose distances are all equal,
    such as one that does not vary.

    References
    ----------
    Kriegeskorte, Mur & Bandettini (2008), "Representational similarity analysis: connecting the
    branches of systems neuroscience".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import RSA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> RSA().similarity(x, 2.0 * x[:, ::-1])
    1.0
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "rsa"

    correlation: Literal["spearman", "pearson"] = "spearman"
    """Correlation of the ranks of distances (`spearman`), or of the distances (`pearson`)."""

    samples: Annotated[int, Field(ge=3, le=20_000)] = 500
    """Largest number of samples. More samples are reduced to a random selection, the same for all
    networks, since memory and time grow with the square."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the random selection of samples."""

    def prepare(self, states: Array) -> Form:
        """Return distances or ranks with mean 0 and norm 1, as one row [1, pair]."""
        from scipy.spatial.distance import pdist
        from scipy.stats import rankdata

        x = centre_states(states)
        require_samples(self.kind, x, 3, "the correlation of a single distance has no meaning")
        require_variation(x)
        if len(x) > self.samples:
            subset = np.random.default_rng(self.seed).choice(len(x), self.samples, replace=False)
            x = x[np.sort(subset)]
        distances = pdist(x)
        # Rounded, so that equal distances have equal ranks in a rotated copy too.
        distances = np.round(distances / (distances.max(initial=0.0) or 1.0), 10)
        distances = rankdata(distances) if self.correlation == "spearman" else distances
        distances -= distances.mean()
        size = np.linalg.norm(distances)
        if size <= 1e-9 * len(distances):
            raise UndefinedMetric(
                f"distances between states must differ, got {len(distances)} that are all equal. "
                "Add trials or time steps."
            )
        return {"rows": distances[None] / size}

    def stored_bytes(self, samples: int) -> int:
        count = min(samples, self.samples)
        return 8 * count * (count - 1) // 2

    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...] from products of rows."""
        return round_similarity(products[..., 0, 0], lowest=-1.0)
