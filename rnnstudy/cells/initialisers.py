"""How weights begin: NumPy draws from a generator of the member's own, never from its place."""

from abc import abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.core.catalogue import OneOf
from rnnstudy.core.component import Entry


class Initialiser(Entry):
    """Draws one weight block of shape [row, column]."""

    noun: ClassVar[str] = "initialiser"

    @abstractmethod
    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        """The block [row, column] in float64."""


class Orthogonal(Initialiser):
    """A random orthogonal matrix, uniform under rotations (Mezzadri 2007), times a gain."""

    kind: ClassVar[str] = "orthogonal"

    gain: float = Field(1.0, gt=0)
    """Common singular value of the block."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        # Without the signs of R's diagonal, QR does not give the uniform distribution.
        q = q * np.sign(np.diagonal(r))
        return self.gain * (q if rows >= columns else q.T)


class Normal(Initialiser):
    """Independent normal entries of standard deviation gain / sqrt(rows)."""

    kind: ClassVar[str] = "normal"

    gain: float = Field(1.0, gt=0)
    """Standard deviation of the product with a unit-variance input."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        return self.gain * generator.standard_normal((rows, columns)) / np.sqrt(rows)


class Identity(Initialiser):
    """The identity matrix times a gain (Le, Jaitly & Hinton 2015, for relu at gain 1)."""

    kind: ClassVar[str] = "identity"

    gain: float = Field(1.0, gt=0)
    """The diagonal entry."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        return self.gain * np.eye(rows, columns)


INITIALISERS: dict[str, type[Initialiser]] = {
    "orthogonal": Orthogonal,
    "normal": Normal,
    "identity": Identity,
}

AnyInitialiser = Annotated[Initialiser, OneOf("initialiser", INITIALISERS)]
