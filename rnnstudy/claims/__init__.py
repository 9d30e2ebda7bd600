"""Catalogue of claims. A new claim is one file in this folder and one line in this file."""

from typing import Annotated

from rnnstudy.claims.alike_across import AlikeAcross
from rnnstudy.claims.base import Claim, average_by_group, group_size_error
from rnnstudy.claims.cube import Cube
from rnnstudy.claims.cube_graph import CubeGraph
from rnnstudy.claims.evidence.measurements import Measurements, distances_of, values_of
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.claims.frequency_follows import FrequencyFollows
from rnnstudy.claims.geometry_depends_on import GeometryDependsOn
from rnnstudy.claims.integration_modes import OneModeOrSeveral
from rnnstudy.claims.line_attractor import LineAttractorClaim
from rnnstudy.claims.nearer_untrained import NearerUntrained
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.catalogue import CatalogueField, catalogue

CLAIMS: dict[str, type[Claim]] = catalogue(
    Cube,
    CubeGraph,
    GeometryDependsOn,
    AlikeAcross,
    FrequencyFollows,
    LineAttractorClaim,
    OneModeOrSeveral,
    NearerUntrained,
)

AnyClaim = Annotated[Claim, CatalogueField("claim", CLAIMS)]

__all__ = [
    "CLAIMS",
    "AnyClaim",
    "Claim",
    "Evidence",
    "Measurements",
    "Prevalent",
    "average_by_group",
    "distances_of",
    "group_size_error",
    "values_of",
]
