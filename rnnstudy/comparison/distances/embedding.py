"""Points in a few dimensions whose distances are like the given ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array

MAX_MAJORISATION_STEPS = 300
"""At most so many steps of stress majorisation."""


@dataclass(frozen=True, eq=False)
class Coordinates(Record):
    """An embedding of labelled items, and how far it can be trusted."""

    labels: tuple[str, ...]
    negative_share: float
    """Share of negative eigenvalues in the sum of magnitudes; 0 for Euclidean distances."""
    stress: float
    """Kruskal's stress 1, root of the squared errors over the squared distances; 0 is exact."""
    points: Array = array("item", "dimension")
    placed: Array = array("item")
    """Whether an item was placed on the map of the others, which it has no part in."""
    eigenvalues: Array = array("mode")
    """The whole spectrum of the centred matrix, largest first."""

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per item and one column per dimension."""
        columns = [f"dimension {i + 1}" for i in range(self.points.shape[1])]
        return pd.DataFrame(self.points, index=list(self.labels), columns=columns)


def classical_mds(distances: Distances, dimensions: int = 2) -> Coordinates:
    """Classical scaling (Torgerson 1952): principal axes of the doubly centred squared distances.

    Dimensions beyond the positive eigenvalues are 0. Along each dimension the first of the items
    farthest from the origin is on the positive side, so that the picture does not flip by chance.
    """
    values, points = _principal_points(gower_centre(distances.values), dimensions)
    return _coordinates(distances, values, points)


def stress_mds(distances: Distances, dimensions: int = 2) -> Coordinates:
    """Metric scaling by stress (Kruskal 1964): the points whose distances are nearest to the given.

    SMACOF (de Leeuw 1977) from the classical solution, so that the result needs no seed and its
    stress is never above the classical one; the minimum is a local one. Points are turned to their
    principal axes, with signs as in `classical_mds`.
    """
    from sklearn.manifold import smacof

    values, start = _principal_points(gower_centre(distances.values), dimensions)
    scale = float(np.max(distances.values, initial=0.0))
    if scale == 0.0:
        return _coordinates(distances, values, start)
    found, _ = smacof(
        distances.values / scale,
        n_components=dimensions,
        init=start / scale,
        n_init=1,
        max_iter=MAX_MAJORISATION_STEPS,
        eps=1e-6,
        normalized_stress=False,
    )
    centred = scale * (found - found.mean(axis=0))
    _, turned = _principal_points(centred @ centred.T, dimensions)
    return _coordinates(distances, values, turned)


def _principal_points(products: Array, dimensions: int) -> tuple[Array, Array]:
    """All eigenvalues of scalar products, largest first, and the points [item, dimension] on their
    principal axes."""
    if dimensions < 1:
        raise ValueError(f"dimensions is {dimensions}, should be at least 1")
    values, vectors = np.linalg.eigh(products)
    values, vectors = values[::-1], vectors[:, ::-1]
    points = np.zeros((len(vectors), dimensions))
    kept = vectors[:, :dimensions] * np.sqrt(np.maximum(values[:dimensions], 0.0))
    points[:, : kept.shape[1]] = _fix_signs(kept)
    return values, points


def _coordinates(distances: Distances, eigenvalues: Array, points: Array) -> Coordinates:
    return Coordinates(
        labels=distances.labels,
        points=points,
        placed=np.zeros(len(points), bool),
        eigenvalues=eigenvalues,
        negative_share=_share(np.maximum(-eigenvalues, 0.0).sum(), np.abs(eigenvalues).sum()),
        stress=kruskal_stress(distances.values, points),
    )


def gower_centre(distances: Array) -> Array:
    """Scalar products about the centroid: -1/2 J D^2 J (Gower 1966)."""
    squares = distances**2
    rows = squares - squares.mean(axis=0, keepdims=True)
    return -0.5 * (rows - rows.mean(axis=1, keepdims=True))


def _fix_signs(points: Array) -> Array:
    """Points [item, dimension] with each dimension's sign fixed; near ties go to the first item."""
    size = np.abs(points)
    farthest = np.argmax(size >= (1.0 - 1e-9) * size.max(axis=0, initial=0.0), axis=0)
    signs = np.sign(points[farthest, np.arange(points.shape[1])])
    return points * np.where(signs == 0.0, 1.0, signs)


def kruskal_stress(wanted: Array, points: Array) -> float:
    """Kruskal's stress 1 of points [item, dimension] for wanted distances [item, item]."""
    from scipy.spatial.distance import pdist, squareform

    errors = squareform(pdist(points)) - wanted
    return float(np.sqrt(_share((errors**2).sum(), (wanted**2).sum())))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0.0 else 0.0
