"""Distances between all networks of a task under a metric of their states."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rnnstudy.analyses.base import MemberAnalysis, Section, of_weights
from rnnstudy.analyses.distances.all_pairs import (
    AllPairs,
    DistanceRow,
    distance_matrix_exhibit,
)
from rnnstudy.analyses.distances.controls import Controls, control_labels
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.training.train import WeightsOf


class Pairs(AllPairs):
    """Distances between all networks of a task under a metric of their states on the probe.

    Examples
    --------
    >>> Pairs(metric="svcca", weights="untrained").title
    'svcca_untrained'
    """

    kind: ClassVar[str] = "pairs"
    chapter: ClassVar[str] = "geometry"
    leads_chapter: ClassVar[bool] = False
    yields: ClassVar[type[Record]] = Distances

    recipe_names: ClassVar[Mapping[str, str]] = {"weights": "networks"}

    weights: WeightsOf = "trained"
    """Weights of the networks, as of `representations`; imported networks have trained ones."""

    @property
    def title(self) -> str:
        return self.name or self.metric_title + self._representations.weights_suffix

    @property
    def title_in_words(self) -> str:
        return f"{self.metric.title_in_words} distances{of_weights(self.weights)}"

    @property
    def _representations(self) -> Representations:
        return Representations(weights=self.weights)

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        return (self._representations,)

    def with_controls(self, planted: bool = True) -> Controls | None:
        """Return the same distances with controls; None for networks that are not trained."""
        if self.weights != "trained":
            return None
        return Controls(
            metric=self.metric, between=self.between, planted=planted, **control_labels(self)
        )

    def label(self, row: DistanceRow) -> str:
        return row.member.name

    def show(self, section: Section) -> Iterable[Exhibit]:
        return distance_matrix_exhibit(
            section,
            self.title,
            "Each row and column is a network; 0 means the same representation of the probe "
            "trials. Blocks along the diagonal are networks of one cell and activation.",
        )
