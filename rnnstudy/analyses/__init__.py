"""Named questions. A new analysis is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.analyses.base import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.component import OneOf

ANALYSES: dict[str, type[Analysis]] = {}

AnyAnalysis = Annotated[Analysis, OneOf("analysis", ANALYSES)]

__all__ = ["ANALYSES", "Analysis", "AnyAnalysis", "MemberAnalysis", "TaskAnalysis"]
