"""Similarity measures of representations. A new metric is one file and one line in `METRICS`."""

from typing import Annotated, Any

from rnnstudy.core.arguments import check_instance, check_name
from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.metrics.alignment import AligningMetric
from rnnstudy.metrics.base import Metric, UndefinedMetric
from rnnstudy.metrics.cca import CCA
from rnnstudy.metrics.cka import CKA
from rnnstudy.metrics.linear_dynamics.dsa import DSA
from rnnstudy.metrics.linear_dynamics.input_dsa import InputDSA
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
    InputDSA,
)

AnyMetric = Annotated[Metric, CatalogueField("metric", METRICS)]


def as_metric(metric: Any) -> Metric:
    """Return a metric, or the metric of a name with its default settings.

    Parameters
    ----------
    metric
        Metric, or its kind as text, for example `cka`.

    Raises
    ------
    ValueError
        The name is unknown; the message suggests the nearest one.
    TypeError
        The argument is neither a metric nor a name.

    Examples
    --------
    >>> as_metric("cka")
    CKA(debiased=False)
    """
    if isinstance(metric, str):
        return METRICS[check_name("metric", metric, METRICS)]()
    remedy = "Construct one, like rnnstudy.metrics.CKA(), or pass its name, like 'cka'."
    return check_instance("metric", metric, Metric, remedy)  # type: ignore[type-abstract]


__all__ = [
    "CCA",
    "CKA",
    "DSA",
    "METRICS",
    "PWCCA",
    "RSA",
    "SVCCA",
    "AligningMetric",
    "AnyMetric",
    "InputDSA",
    "Metric",
    "PrincipalAngles",
    "Procrustes",
    "UndefinedMetric",
    "as_metric",
]
