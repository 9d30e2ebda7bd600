"""Losses that networks are trained on. A new loss is one file and one line in `LOSSES`."""

from typing import Annotated

from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.tasks.losses.base import Loss
from rnnstudy.tasks.losses.cross_entropy import CrossEntropy
from rnnstudy.tasks.losses.mean_squared_error import MeanSquaredError

LOSSES: dict[str, type[Loss]] = catalogue(MeanSquaredError, CrossEntropy)

AnyLoss = Annotated[Loss, CatalogueField("loss", LOSSES)]

__all__ = ["LOSSES", "AnyLoss", "CrossEntropy", "Loss", "MeanSquaredError"]
