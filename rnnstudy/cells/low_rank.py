"""Rate network whose connections have a low rank."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.cells.base import Weight, Weights
from rnnstudy.cells.initialisers import AnyInitialiser, Initialiser
from rnnstudy.cells.rate import Rate
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf


class UnitVariance:
    """Vectors [unit, rank] of an initialiser, scaled so that its normal entries have variance 1."""

    def __init__(self, initialiser: Initialiser) -> None:
        self.initialiser = initialiser

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        """Return a block [row, column] in float64."""
        return np.sqrt(rows) * self.initialiser.draw(generator, rows, columns)


class LowRank(Rate):
    """Leaky rate network with W = M N' / units of a given rank.

    M [unit, rank] are the output vectors, N [unit, rank] the input-selection vectors. They are
    trained. The recurrent dynamics stay in the space of M, and all other modes leak: at least
    units - rank eigenvalues are 1 - dt / tau.

    References
    ----------
    Mastrogiuseppe & Ostojic (2018), "Linking connectivity, dynamics, and computations in low-rank
    recurrent neural networks".
    Dubreuil, Valente, Beiran, Mastrogiuseppe & Ostojic (2022), "The role of population structure in
    computations through neural dynamics".

    Examples
    --------
    >>> from rnnstudy.cells.low_rank import LowRank
    >>> LowRank(units=8, rank=2).weights(inputs=1)["output_vectors"].shape
    (8, 2)
    """

    kind: ClassVar[str] = "low_rank"

    rank: Annotated[int, Field(ge=1)] = 1
    """Rank of the connections, at most the number of units."""

    recurrent_initializer: AnyInitialiser = Rate.model_fields["recurrent_initializer"].default
    """Initialiser of both sets of vectors, times the square root of the number of units."""

    @model_validator(mode="after")
    def _rank_is_low(self) -> Self:
        if self.rank > self.units:
            raise ValueError(f"rank must be at most units, got {self.rank} and {self.units}")
        return self

    def weights(self, inputs: int) -> dict[str, Weight]:
        vectors = Weight((self.units, self.rank), UnitVariance(self.recurrent_initializer))
        return {
            "kernel": Weight((inputs, self.units), self.kernel_initializer),
            "output_vectors": vectors,
            "selection_vectors": vectors,
            "bias": Weight((self.units,)),
        }

    def connectivity(self, w: Weights) -> Tensor:
        outputs = tf.linalg.matrix_transpose(w["output_vectors"])
        return w["selection_vectors"] @ outputs / self.units

    def propagate(self, w: Weights, rates: Tensor) -> Tensor:
        latent = rates @ w["selection_vectors"] / self.units
        return latent @ tf.linalg.matrix_transpose(w["output_vectors"])
