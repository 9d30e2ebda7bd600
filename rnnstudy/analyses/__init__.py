"""Catalogue of analyses. A new analysis is one file in this folder and one line in this file."""

from typing import Annotated

from rnnstudy.analyses.base import Analysis, Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.distances.controls import Controls
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.point_geometry import PointGeometry, PointGeometryControls
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.analyses.factors.control_tests import ControlTestAnalysis
from rnnstudy.analyses.factors.evaluation import Evaluation
from rnnstudy.analyses.factors.factor_tests import FactorTestAnalysis
from rnnstudy.analyses.factors.geometry_against_topology import GeometryAgainstTopology
from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.analyses.fixed_points.graph_distances import GraphControls, GraphDistances
from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.analyses.fixed_points.transitions import TransitionAnalysis
from rnnstudy.analyses.generalisation.analysis import GeneralisationAnalysis
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.analyses.solution_classes.analysis import SolutionClasses
from rnnstudy.core.catalogue import CatalogueField, catalogue

ANALYSES: dict[str, type[Analysis]] = catalogue(
    FixedPointAnalysis,
    Representations,
    Pairs,
    Embedding,
    Topology,
    TransitionAnalysis,
    GraphDistances,
    Oscillations,
    LineAttractors,
    SolutionClasses,
    PointGeometry,
    Evaluation,
    GeneralisationAnalysis,
    FactorTestAnalysis,
    GeometryAgainstTopology,
    Controls,
    GraphControls,
    PointGeometryControls,
    ControlTestAnalysis,
)

AnyAnalysis = Annotated[Analysis, CatalogueField("analysis", ANALYSES)]

__all__ = [
    "ANALYSES",
    "Analysis",
    "AnyAnalysis",
    "Member",
    "MemberAnalysis",
    "Section",
    "TaskAnalysis",
]
