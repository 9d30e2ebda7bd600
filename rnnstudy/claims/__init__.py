"""What is claimed of networks. A new claim is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.claims.base import Claim, Evidence, grouped, too_few
from rnnstudy.claims.cube import Cube
from rnnstudy.claims.cube_graph import CubeGraph
from rnnstudy.claims.depends_less import DependsLess
from rnnstudy.claims.frequency_follows import FrequencyFollows
from rnnstudy.claims.geometry_depends_on import GeometryDependsOn
from rnnstudy.claims.integration_modes import OneModeOrSeveral
from rnnstudy.claims.line_attractor import Line
from rnnstudy.claims.nearer_untrained import NearerUntrained
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.catalogue import OneOf

CLAIMS: dict[str, type[Claim]] = {
    "cube": Cube,
    "cube_graph": CubeGraph,
    "geometry_depends_on": GeometryDependsOn,
    "depends_less": DependsLess,
    "frequency_follows": FrequencyFollows,
    "line_attractor": Line,
    "one_mode_or_several": OneModeOrSeveral,
    "nearer_untrained": NearerUntrained,
}

AnyClaim = Annotated[Claim, OneOf("claim", CLAIMS)]

__all__ = ["CLAIMS", "AnyClaim", "Claim", "Evidence", "Prevalent", "grouped", "too_few"]
