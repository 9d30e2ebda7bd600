"""Initialisers of weights, which draw from the member's own NumPy generator."""

from abc import abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.core.component import Entry


class Initialiser(Entry):
    """Base class of initialisers: a distribution of weight blocks [row, column].

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.initialisers import INITIALISERS
    >>> INITIALISERS["identity"](gain=2.0).draw(np.random.default_rng(0), 1, 1).tolist()
    [[2.0]]
    """

    noun: ClassVar[str] = "initialiser"

    @abstractmethod
    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        """Return a block [row, column] in float64."""


class Orthogonal(Initialiser):
    """Random orthogonal matrix, uniform under rotations (Mezzadri 2007), times a gain.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.initialisers import Orthogonal
    >>> Orthogonal().draw(np.random.default_rng(0), rows=3, columns=2).shape
    (3, 2)
    """

    kind: ClassVar[str] = "orthogonal"

    gain: float = Field(1.0, gt=0)
    """Common singular value of the block."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        # The signs of R's diagonal make the distribution uniform.
        q = q * np.sign(np.diagonal(r))
        return self.gain * (q if rows >= columns else q.T)


class Normal(Initialiser):
    """Independent normal entries of standard deviation gain / sqrt(rows).

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.initialisers import Normal
    >>> Normal().draw(np.random.default_rng(0), rows=3, columns=2).shape
    (3, 2)
    """

    kind: ClassVar[str] = "normal"

    gain: float = Field(1.0, gt=0)
    """Standard deviation of the product with a unit-variance input."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        return self.gain * generator.standard_normal((rows, columns)) / np.sqrt(rows)


class GlorotUniform(Initialiser):
    """Independent uniform entries in +-gain sqrt(6 / (rows + columns)).

    References
    ----------
    Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.initialisers import GlorotUniform
    >>> block = GlorotUniform().draw(np.random.default_rng(0), rows=3, columns=3)
    >>> bool((np.abs(block) <= 1.0).all())
    True
    """

    kind: ClassVar[str] = "glorot_uniform"

    gain: float = Field(1.0, gt=0)
    """Factor of the bound; at 1 the variance is 2 / (rows + columns)."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        bound = self.gain * np.sqrt(6.0 / (rows + columns))
        return generator.uniform(-bound, bound, (rows, columns))


class Identity(Initialiser):
    """Identity matrix times a gain (Le, Jaitly & Hinton 2015, for relu at gain 1).

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.initialisers import Identity
    >>> Identity().draw(np.random.default_rng(0), rows=3, columns=2).shape
    (3, 2)
    """

    kind: ClassVar[str] = "identity"

    gain: float = Field(1.0, gt=0)
    """Diagonal entry."""

    def draw(self, generator: np.random.Generator, rows: int, columns: int) -> Array:
        return self.gain * np.eye(rows, columns)


INITIALISERS: dict[str, type[Initialiser]] = catalogue(
    Orthogonal,
    Normal,
    GlorotUniform,
    Identity,
)

AnyInitialiser = Annotated[Initialiser, CatalogueField("initialiser", INITIALISERS)]
