"""Representational similarity analysis."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, centred, settled


class RSA(ProductMetric):
    """Correlation of representational distance matrices (Kriegeskorte, Mur & Bandettini 2008).

    A representation is seen through the Euclidean distances between its samples; two are alike as
    these distances correlate, over all pairs of samples. It does not change under rotations and one
    scale of the units, nor, by ranks, under anything that keeps the order of the distances.
    Similarities below 0, of opposed distances, are possible.

    A representation all of whose distances are equal has similarity 1 to another of that kind, 0 to
    all else.
    """

    kind: ClassVar[str] = "rsa"

    correlation: Literal["spearman", "pearson"] = "spearman"
    """Of the ranks of distances, or of the distances themselves."""

    samples: Annotated[int, Field(ge=3, le=20_000)] = 500
    """Where there are more samples, so many of them are drawn, the same for all networks: memory
    and time go with their square."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Decides which samples are drawn."""

    def prepare(self, states: Array) -> Form:
        """Distances of samples, or their ranks, of mean 0 and norm 1: a single row [1, pair]."""
        from scipy.spatial.distance import pdist
        from scipy.stats import rankdata

        x = centred(states)
        if len(x) > self.samples:
            drawn = np.random.default_rng(self.seed).choice(len(x), self.samples, replace=False)
            x = x[np.sort(drawn)]
        found = pdist(x)
        # Rounded, since distances that are equal should have equal ranks in a rotated copy, too.
        found = np.round(found / (found.max(initial=0.0) or 1.0), 10)
        found = rankdata(found) if self.correlation == "spearman" else found
        found -= found.mean()
        size = np.linalg.norm(found)
        still = size <= 1e-9 * len(found)
        return {"rows": found[None] * 0.0 if still else found[None] / size,
                "varies": np.array(float(not still))}  # fmt: skip

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of rows."""
        still = (a["varies"] == 0.0) & (b["varies"] == 0.0)
        return settled(np.where(still, 1.0, products[..., 0, 0]), lowest=-1.0)
