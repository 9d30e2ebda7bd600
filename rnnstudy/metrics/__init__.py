"""Similarity measures of representations. A new metric is one file and one line in `METRICS`."""

from typing import Annotated

from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.metrics.base import Metric
from rnnstudy.metrics.cca import CCA
from rnnstudy.metrics.cka import CKA
from rnnstudy.metrics.dsa import DSA
from rnnstudy.metrics.principal_angles import PrincipalAngles
from rnnstudy.metrics.procrustes import Procrustes
from rnnstudy.metrics.pwcca import PWCCA
from rnnstudy.metrics.rsa import RSA
from rnnstudy.metrics.svcca import SVCCA

METRICS: dict[str, type[Metric]] = catalogue(
    SVCCA,
    CCA,
    PWCCA,
    CKA,
    Procrustes,
    PrincipalAngles,
    RSA,
    DSA,
)

AnyMetric = Annotated[Metric, CatalogueField("metric", METRICS)]

__all__ = [
    "CCA",
    "CKA",
    "DSA",
    "METRICS",
    "PWCCA",
    "RSA",
    "SVCCA",
    "AnyMetric",
    "Metric",
    "PrincipalAngles",
    "Procrustes",
]
