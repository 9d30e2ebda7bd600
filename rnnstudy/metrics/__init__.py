"""What alike means. A new metric is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.core.catalogue import OneOf
from rnnstudy.metrics.base import Metric
from rnnstudy.metrics.cca import CCA
from rnnstudy.metrics.cka import CKA
from rnnstudy.metrics.dsa import DSA
from rnnstudy.metrics.principal_angles import PrincipalAngles
from rnnstudy.metrics.procrustes import Procrustes
from rnnstudy.metrics.pwcca import PWCCA
from rnnstudy.metrics.rsa import RSA
from rnnstudy.metrics.svcca import SVCCA

METRICS: dict[str, type[Metric]] = {
    "svcca": SVCCA,
    "cca": CCA,
    "pwcca": PWCCA,
    "cka": CKA,
    "procrustes": Procrustes,
    "principal_angles": PrincipalAngles,
    "rsa": RSA,
    "dsa": DSA,
}

AnyMetric = Annotated[Metric, OneOf("metric", METRICS)]

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
