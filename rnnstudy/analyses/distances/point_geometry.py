"""Distances between networks by the geometry of ordered points in state space."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.distances.all_pairs import distance_matrix_exhibit
from rnnstudy.analyses.distances.record_distances import (
    RecordControls,
    RecordDistances,
    control_fields,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.plants import plant_in_order
from rnnstudy.comparison.distances.point_geometry import point_geometry_distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record

MIN_PRESENT = 2
"""Smallest number of points that a network must have. One point has no neighbour."""


class OrderedPoints(Record):
    """Base of records with points in an order that is the same for all networks of a task.

    Examples
    --------
    >>> class Corners(OrderedPoints):
    ...     @property
    ...     def ordered_points(self):
    ...         return [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> len(Corners().ordered_points)
    3
    """

    @property
    def ordered_points(self) -> Array:
        """The points in order, [point, state]; NaN for a point that a network lacks."""
        raise NotImplementedError


class PointGeometry(RecordDistances):
    """Distances between networks by the geometry of their ordered points.

    In `oscillations` they are the fixed points of the sine's cues. In `line_attractor` they are the
    slow points of each context of an integration, in the order of the readout. Two networks whose
    points have the same neighbours have the distance 0, whatever their states. A network with fewer
    than 2 points is left out.

    Examples
    --------
    >>> PointGeometry(of="oscillations").title
    'point_geometry_oscillations'
    """

    kind: ClassVar[str] = "point_geometry"
    chapter: ClassVar[str] = "fixed_points"
    leads_chapter: ClassVar[bool] = False
    takes: ClassVar[type[Record]] = OrderedPoints

    of: str
    """Name of the analysis of the points."""

    neighbours: Annotated[int, Field(ge=1)] | None = 2
    """Number of nearest neighbours that a point is linked to; null: distances are compared instead
    of links."""

    @property
    def title(self) -> str:
        return self.name or f"point_geometry_{self.of}"

    def form(self, record: OrderedPoints) -> Array:
        return record.ordered_points

    def reason_against(self, form: Array) -> str:
        points = np.asarray(form, float)
        if np.isinf(points).any():
            return f"a point of '{self.of}' is not finite"
        present = points[~np.isnan(points).any(axis=1)]
        if len(present) < MIN_PRESENT:
            return f"there are fewer than {MIN_PRESENT} points of '{self.of}'"
        if self.neighbours is None and not np.ptp(present, axis=0).any():
            return f"all points of '{self.of}' are at one place"
        return ""

    def compare(self, forms: Sequence[Array], names: Sequence[str]) -> Distances:
        return point_geometry_distances(forms, names, self.neighbours)

    def plant(self, form: Array) -> Array:
        """Return the points, of which half have exchanged places in the order."""
        return plant_in_order(form)

    def with_controls(self, planted: bool = True) -> RecordControls:
        return PointGeometryControls(planted=planted, **control_fields(self))

    def show(self, section: Section) -> Iterable[Exhibit]:
        compared = "distances" if self.neighbours is None else "nearest neighbours"
        return distance_matrix_exhibit(
            section,
            self.title,
            f"Each row and column is a network. 0: the points of '{self.of}' have the same "
            f"{compared}; 1: they have nothing in common.",
        )


class PointGeometryControls(RecordControls, PointGeometry):
    """Distances as in `point_geometry`, together with untrained networks and planted copies.

    In a planted copy half of the points have exchanged places in the order.

    Examples
    --------
    >>> PointGeometry(of="oscillations").with_controls().title
    'point_geometry_oscillations_controls'
    """

    kind: ClassVar[str] = "point_geometry_controls"
    chapter: ClassVar[str] = "controls"
