"""What alike means. A new metric is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.component import OneOf
from rnnstudy.metrics.base import Metric

METRICS: dict[str, type[Metric]] = {}

AnyMetric = Annotated[Metric, OneOf("metric", METRICS)]

__all__ = ["METRICS", "AnyMetric", "Metric"]
