"""Shape distances after the optimal rotation."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.alignment import AligningMetric, Alignment
from rnnstudy.metrics.base import (
    TWO_SAMPLES,
    Form,
    UndefinedMetric,
    centre_states,
    form_arrays,
    reduce_rows,
    require_samples,
    require_variation,
    round_similarity,
    rounding_error,
)
from rnnstudy.metrics.subspaces import require_partial


class Procrustes(AligningMetric):
    """Shape distance after the optimal rotation or reflection (generalised Procrustes analysis).

    Each centred representation X is first partially whitened. Its singular values s become
    alpha s + (1 - alpha) c, where c is the root mean square of the singular values above rounding
    error. With N the nuclear norm of X'Y (the trace after the optimal rotation), `angular` is the
    angle arccos(N / (|X| |Y|)) in radians. `euclidean` is the root of |X|^2 + |Y|^2 - 2 N. The
    narrower representation is padded with constant units.

    Invariant to: rotations, reflections and, with `scaled` or `angular`, one common scale of the
    units. With `alpha: 0` every invertible affine map.
    A metric: yes, both measures (Williams et al. 2021, proposition 1).
    Held-out samples: `fit` learns the means, the partial whitening, the rotation and the ratio of
    the norms. `transform` places x among the units of y. `score` is the cosine of placed x and y in
    other samples, or 2 <X, Y> / (|X|^2 + |Y|^2) if sizes count.
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

    def align(self, x: Array, y: Array) -> Alignment:
        """Return the maps of x and y [sample, unit] to shapes, with x rotated to the units of y."""
        for states in (x, y):
            self.prepare(states)  # raises for states without a shape
        maps = [self._shape_map(states) for states in (x, y)]
        shapes = [centre_states(z) @ shape for z, shape in zip((x, y), maps, strict=True)]
        width = max(x.shape[1], y.shape[1])
        products = np.zeros((width, width))
        products[: x.shape[1], : y.shape[1]] = shapes[0].T @ shapes[1]
        left, _, right = np.linalg.svd(products)
        norms = [np.linalg.norm(shape) for shape in shapes]
        ratio = 1.0 if self._sizes_count else norms[1] / norms[0]
        return Alignment(
            (x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)),
            (ratio * maps[0] @ (left @ right)[: x.shape[1]], maps[1] @ np.eye(y.shape[1], width)),
            np.ones(width),
        )

    def agreement(self, alignment: Alignment, x: Array, y: Array) -> float:
        """Return the cosine of the placed shapes, or their product if sizes count."""
        first, second = alignment.coordinates(x, 0), alignment.coordinates(y, 1)
        sizes = np.linalg.norm(first), np.linalg.norm(second)
        divisor = sizes[0] * sizes[1]
        if self._sizes_count:
            divisor = (sizes[0] ** 2 + sizes[1] ** 2) / 2.0
        if not divisor:
            raise UndefinedMetric(
                f"x and y must differ from their means of the fit, got {len(x)} samples that do "
                "not. Score more samples."
            )
        return float((first * second).sum() / divisor)

    @property
    def _sizes_count(self) -> bool:
        return self.measure == "euclidean" and not self.scaled

    def _shape_map(self, states: Array) -> Array:
        """Return the map [unit, unit] of centred states to their partially whitened shape."""
        if self.alpha == 1.0:
            return np.eye(states.shape[1])
        _, sizes, right = np.linalg.svd(centre_states(states), full_matrices=False)
        wanted = self._even_sizes(sizes, rounding_error(states), len(states))
        gains = np.divide(wanted, sizes, out=np.zeros_like(sizes), where=wanted > 0.0)
        return (right.T * gains) @ right

    def _whiten(self, x: Array, noise: float) -> Array:
        """Return the partially whitened shape [row, sample], without rounding errors."""
        left, sizes, right = np.linalg.svd(x, full_matrices=False)
        return (left * self._even_sizes(sizes, noise, x.shape[1])) @ right

    def _even_sizes(self, sizes: Array, noise: float, samples: int) -> Array:
        """Return singular values nearer to their root mean square; 0 for rounding errors."""
        sizes = np.where(sizes > noise, sizes, 0.0)
        count = max(1, int(np.count_nonzero(sizes)))
        if self.alpha == 0.0:
            require_partial(count, samples)
        even = np.sqrt((sizes**2).sum() / count)
        return np.where(sizes > 0.0, self.alpha * sizes + (1.0 - self.alpha) * even, 0.0)
