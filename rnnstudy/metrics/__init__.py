"""What alike means. A new metric is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.component import OneOf
from rnnstudy.metrics.base import Metric
from rnnstudy.metrics.cka import CKA
from rnnstudy.metrics.svcca import SVCCA

METRICS: dict[str, type[Metric]] = {"svcca": SVCCA, "cka": CKA}

AnyMetric = Annotated[Metric, OneOf("metric", METRICS)]

__all__ = ["CKA", "METRICS", "SVCCA", "AnyMetric", "Metric"]
