"""Embeddings: points in a few dimensions whose distances approximate a matrix of distances."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arguments import check_instance, check_whole
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Scatter
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array

MAX_MAJORISATION_STEPS = 300
"""Largest number of steps of stress majorisation."""


@dataclass(frozen=True, eq=False)
class Coordinates(Record):
    """Embedding of labelled items, with measures of its error.

    Attributes
    ----------
    labels : tuple of str
        Names of the items.
    negative_share : float
        Share of negative eigenvalues in the sum of magnitudes; 0 for Euclidean distances.
    stress : float
        Kruskal's stress 1: root of the squared errors over the squared distances; 0 is exact.
    points : array [item, dimension]
        Coordinates, in the unit of the distances.
    out_of_sample : array [item], bool
        True for an item that was placed on the map of the others.
    eigenvalues : array [mode]
        Whole spectrum of the centred matrix, largest first.

    Examples
    --------
    >>> line = Distances(("a", "b", "c"), np.abs(np.subtract.outer([0.0, 1, 3], [0.0, 1, 3])))
    >>> classical_mds(line, dimensions=1).to_frame().columns.tolist()
    ['dimension 1']
    """

    axis_labels = MappingProxyType({"item": "labels"})

    labels: tuple[str, ...]
    negative_share: float
    stress: float
    points: Array = array("item", "dimension")
    out_of_sample: Array = array("item")
    eigenvalues: Array = array("mode")

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the first two dimensions as a picture; none if there is one dimension."""
        if self.points.shape[1] < 2:
            return []
        return [
            Scatter(
                title="Map of distances",
                caption=f"Stress {self.stress:.2f}; 0 is exact.",
                points=self.points[:, :2],
                labels=self.labels,
                groups={},
                x_label="dimension 1",
                y_label="dimension 2",
            )
        ]

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with a row for each item and a column for each dimension."""
        columns = [f"dimension {i + 1}" for i in range(self.points.shape[1])]
        return pd.DataFrame(self.points, index=list(self.labels), columns=columns)


def classical_mds(distances: Distances, dimensions: int = 2) -> Coordinates:
    """Compute classical scaling: principal axes of the doubly centred squared distances.

    Dimensions beyond the positive eigenvalues are 0. The sign of a dimension is fixed: the first
    of its farthest items is on the positive side.

    Parameters
    ----------
    distances : Distances
        Matrix to approximate.
    dimensions : int, default 2
        Dimensions of the map, at least 1.

    Returns
    -------
    Coordinates
        Points and the spectrum.

    References
    ----------
    Torgerson (1952), Multidimensional scaling: I. Theory and method.

    Examples
    --------
    >>> line = Distances(("a", "b", "c"), np.abs(np.subtract.outer([0.0, 1, 3], [0.0, 1, 3])))
    >>> float(round(classical_mds(line).stress, 6))
    0.0
    """
    check_map(distances, dimensions)
    values, points = _principal_points(gower_centre(distances.values), dimensions)
    return _coordinates(distances, values, points)


def stress_mds(distances: Distances, dimensions: int = 2) -> Coordinates:
    """Compute metric scaling: the points whose distances have the least squared error.

    SMACOF starts at the classical solution. The result needs no seed, and its stress is at most
    that of the classical solution. The minimum is a local one. Points are turned to their principal
    axes, with signs as in `classical_mds`.

    Parameters
    ----------
    distances : Distances
        Matrix to approximate.
    dimensions : int, default 2
        Dimensions of the map, at least 1.

    Returns
    -------
    Coordinates
        Points, and the spectrum of the classical solution.

    References
    ----------
    Kruskal (1964), Multidimensional scaling by optimizing goodness of fit.
    de Leeuw (1977), Applications of convex analysis to multidimensional scaling.

    Examples
    --------
    >>> unit = Distances(("a", "b", "c", "d"), 1.0 - np.eye(4))
    >>> stress_mds(unit).stress <= classical_mds(unit).stress
    True
    """
    from sklearn.manifold import smacof

    check_map(distances, dimensions)
    values, start = _principal_points(gower_centre(distances.values), dimensions)
    scale = float(np.max(distances.values, initial=0.0))
    if scale == 0.0:
        return _coordinates(distances, values, start)
    points, _ = smacof(
        distances.values / scale,
        n_components=dimensions,
        init=start / scale,
        n_init=1,
        max_iter=MAX_MAJORISATION_STEPS,
        eps=1e-6,
        normalized_stress=False,
    )
    centred = scale * (points - points.mean(axis=0))
    _, principal = _principal_points(centred @ centred.T, dimensions)
    return _coordinates(distances, values, principal)


def check_map(distances: Distances, dimensions: int) -> None:
    """Raise TypeError for an array in the place of distances, ValueError for no dimension."""
    check_instance("distances", distances, Distances, "Use Distances(labels, values).")
    check_whole("dimensions", dimensions, least=1, remedy="A map has 2 or 3.")


def _principal_points(products: Array, dimensions: int) -> tuple[Array, Array]:
    """Return all eigenvalues of scalar products, largest first, and principal points
    [item, dimension]."""
    values, vectors = np.linalg.eigh(products)
    values, vectors = values[::-1], vectors[:, ::-1]
    points = np.zeros((len(vectors), dimensions))
    leading = vectors[:, :dimensions] * np.sqrt(np.maximum(values[:dimensions], 0.0))
    points[:, : leading.shape[1]] = _fix_signs(leading)
    return values, points


def _coordinates(distances: Distances, eigenvalues: Array, points: Array) -> Coordinates:
    return Coordinates(
        labels=distances.labels,
        points=points,
        out_of_sample=np.zeros(len(points), bool),
        eigenvalues=eigenvalues,
        negative_share=_share(np.maximum(-eigenvalues, 0.0).sum(), np.abs(eigenvalues).sum()),
        stress=kruskal_stress(distances.values, points),
    )


def gower_centre(distances: Array) -> Array:
    """Return the scalar products about the centroid, -1/2 J D^2 J (Gower 1966)."""
    squares = distances**2
    rows = squares - squares.mean(axis=0, keepdims=True)
    products: Array = -0.5 * (rows - rows.mean(axis=1, keepdims=True))
    return products


def _fix_signs(points: Array) -> Array:
    """Turn each dimension of points [item, dimension]; near ties go to the first item."""
    size = np.abs(points)
    farthest = np.argmax(size >= (1.0 - 1e-9) * size.max(axis=0, initial=0.0), axis=0)
    signs = np.sign(points[farthest, np.arange(points.shape[1])])
    return points * np.where(signs == 0.0, 1.0, signs)


def kruskal_stress(wanted: Array, points: Array) -> float:
    """Return Kruskal's stress 1 of points [item, dimension] for distances [item, item]."""
    from scipy.spatial.distance import pdist, squareform

    errors = squareform(pdist(points)) - wanted
    return float(np.sqrt(_share((errors**2).sum(), (wanted**2).sum())))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0.0 else 0.0
