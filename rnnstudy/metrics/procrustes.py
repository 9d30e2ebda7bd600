"""Shape distances after the optimal rotation."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import (
    TWO_SAMPLES,
    Form,
    ProductMetric,
    centre_states,
    form_arrays,
    reduce_rows,
    require_samples,
    require_variation,
    round_similarity,
    rounding_error,
)
from rnnstudy.metrics.subspaces import require_partial


class Procrustes(ProductMetric):
    """Shape distance after the optimal rotation or reflection (generalised Procrustes analysis).

    Each centred representation X is first partially whitened. Its singular values s become
    alpha s + (1 - alpha) c, where c is the root mean square of the singular values above rounding
    error. With N the nuclear norm of X'Y (the trace after the optimal rotation), `angular` is the
    angle arccos(N / (|X| |Y|)) in radians. `euclidean` is the root of |X|^2 + |Y|^2 - 2 N. The
    narrower representation is padded with constant units.

    Invariant to: rotations, reflections and, with `scaled` or `angular`, one common scale of the
    units. With `alpha: 0` every invertible affine map.
    A metric: yes, both measures (Williams et al. 2021, proposition 1).
    Special cases: `alpha: 1` is Procrustes analysis. With `alpha: 0` the cosine of the angle is the
    mean canonical correlation, if both have equally many directions. It then refuses n samples that
    vary in n - 1 directions, as `cca` does. A representation that does not vary has no shape, and
    is refused. `{measure: euclidean, scaled: false}` compares its norm of 0.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman (2021), "Generalized shape metrics on neural
    representations".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import Procrustes
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> Procrustes().similarity(x, 2.0 * x[:, ::-1])
    1.0
    """

    kind: ClassVar[str] = "procrustes"

    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    """Weight of the singular values, from 0 (equal values, CCA) to 1 (unchanged, Procrustes)."""

    measure: Literal["angular", "euclidean"] = "angular"
    """Angle between shapes in radians, or length of their difference."""

    scaled: bool = True
    """Scale representations to norm 1. Otherwise `euclidean` distances depend on the norms, in
    units of the states. `angular` distances never do."""

    def prepare(self, states: Array) -> Form:
        """Return the partially whitened shape, [row, sample] of norm 1, and its norm."""
        x = reduce_rows(centre_states(states).T)
        require_samples(self.kind, x.T, 3, TWO_SAMPLES)
        if self.scaled or self.measure == "angular":
            require_variation(x.T)
        shape = self._whiten(x, rounding_error(states)) if self.alpha < 1.0 and x.any() else x
        size = np.linalg.norm(shape)
        norm = 1.0 if self.scaled and size else size
        return {"rows": shape / (size or 1.0), "size": np.asarray(norm)}

    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...]: N / (|X| |Y|), or 2 N / (|X|^2 + |Y|^2) if `euclidean`."""
        nuclear = np.linalg.svd(products, compute_uv=False).sum(axis=-1)
        still = (a["size"] == 0.0) & (b["size"] == 0.0)
        if self.measure == "euclidean":
            both = a["size"] ** 2 + b["size"] ** 2
            nuclear = nuclear * 2.0 * a["size"] * b["size"] / np.where(still, 1.0, both)
        return round_similarity(np.where(still, 1.0, nuclear))

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Return distances in radians, or in units of the states."""
        if self.measure == "angular":
            return np.arccos(similarity)
        both = form_arrays(a)["size"] ** 2 + form_arrays(b)["size"] ** 2
        return np.sqrt(both * (1.0 - similarity))

    def _whiten(self, x: Array, noise: float) -> Array:
        """Return the partially whitened shape [row, sample], without rounding errors."""
        left, sizes, right = np.linalg.svd(x, full_matrices=False)
        sizes = np.where(sizes > noise, sizes, 0.0)
        count = max(1, int(np.count_nonzero(sizes)))
        if self.alpha == 0.0:
            require_partial(count, x.shape[1])
        even = np.sqrt((sizes**2).sum() / count)
        sizes = np.where(sizes > 0.0, self.alpha * sizes + (1.0 - self.alpha) * even, 0.0)
        return (left * sizes) @ right
