"""Shape distances after the best rotation."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, centred, narrowed, parts, rounding, settled


class Procrustes(ProductMetric):
    """Distance of two shapes after the best rotation or reflection (Williams et al. 2021).

    Each centred representation X is first whitened in part: its singular values s become
    alpha s + (1 - alpha) c, with c the root mean square of those that are not rounding, so that the
    scale of X does not matter to the mixture. `alpha` 1 is Procrustes analysis, which does not
    change under rotations and one scale; `alpha` 0 is canonical correlation analysis (the angle's
    cosine is then the mean canonical correlation if both have as many directions).

    With N the nuclear norm of X'Y (the trace after the best rotation), `angular` is the angle
    arccos(N / (|X| |Y|)) in radians and `euclidean` the root of |X|^2 + |Y|^2 - 2 N, both metrics
    (proposition 1). The narrower representation is filled up with still units.

    A representation that does not vary has similarity 1 to another of that kind, 0 to all else.
    """

    kind: ClassVar[str] = "procrustes"

    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    """From 0 (singular values made equal, as in CCA) to 1 (as they are, Procrustes)."""

    measure: Literal["angular", "euclidean"] = "angular"
    """Angle between shapes, or length of their difference."""

    scaled: bool = True
    """Whether representations are brought to size 1; if not, `euclidean` distances are in units of
    the states, and sizes count (`angular` ones do not see them)."""

    def prepare(self, states: Array) -> Form:
        """The partly whitened shape, transposed: [row, sample], of norm 1; and its size."""
        x = narrowed(centred(states).T)
        shape = self._whitened(x, rounding(states)) if self.alpha < 1.0 and x.any() else x
        size = np.linalg.norm(shape)
        kept = 1.0 if self.scaled and size else size
        return {"rows": shape / (size or 1.0), "size": np.asarray(kept)}

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of shapes: N / (|X| |Y|), or if sizes count
        2 N / (|X|^2 + |Y|^2), which differs where they do."""
        nuclear = np.linalg.svd(products, compute_uv=False).sum(axis=-1)
        still = (a["size"] == 0.0) & (b["size"] == 0.0)
        if self.measure == "euclidean":
            both = a["size"] ** 2 + b["size"] ** 2
            nuclear = nuclear * 2.0 * a["size"] * b["size"] / np.where(still, 1.0, both)
        return settled(np.where(still, 1.0, nuclear))

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Radians, or units of the states."""
        if self.measure == "angular":
            return np.arccos(similarity)
        both = parts(a)["size"] ** 2 + parts(b)["size"] ** 2
        return np.sqrt(both * (1.0 - similarity))

    def _whitened(self, x: Array, noise: float) -> Array:
        """Shape [row, sample] with more equal singular values; rounding is left out."""
        left, sizes, right = np.linalg.svd(x, full_matrices=False)
        sizes = np.where(sizes > noise, sizes, 0.0)
        kept = max(1, np.count_nonzero(sizes))
        even = np.sqrt((sizes**2).sum() / kept)
        sizes = np.where(sizes > 0.0, self.alpha * sizes + (1.0 - self.alpha) * even, 0.0)
        return (left * sizes) @ right
