"""Record of lines, planes and other continua of fixed points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.states.records import SearchRecord, count_noun


@dataclass(frozen=True)
class Continuum:
    """A connected set of fixed points, of one network at one input: state [sample, state].

    hits: number of starts that ended on it.
    """

    state: Array
    dimension: int
    n_starts: int


@dataclass(frozen=True, eq=False)
class Continua(SearchRecord):
    """Lines, planes and other connected sets of fixed points, each by evenly spaced samples.

    `len` and indices count continua. The samples of all continua lie one after the other.

    Examples
    --------
    >>> len(Continua.none(3, 1))
    0
    """

    axis: ClassVar[str] = "continuum"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {"continuum": ("member", "input_index")}
    references: ClassVar[Mapping[str, str]] = {"continuum": "continuum"}
    parts: ClassVar[Mapping[str, str]] = {"sample": "continuum"}

    state: Array = array("sample", "state")
    """Samples: fixed points on the continua."""
    continuum: Array = array("sample")
    """Continuum of the sample."""
    dimension: Array = array("continuum")
    """Dimension: 1 for a line or ring, 2 for a plane or other surface, ..."""
    inputs: Array = array("continuum", "input")
    """Constant input of the continuum."""
    member: Array = array("continuum")
    """Network of the continuum."""
    input_index: Array = array("continuum")
    """Position of its input."""
    n_starts: Array = array("continuum")
    """Number of starts that ended there."""

    @classmethod
    def none(cls, state: int, inputs: int) -> Self:
        """Return no continua, of states and inputs of these sizes."""
        count = np.zeros(0, int)
        return cls(np.empty((0, state)), count, count, np.empty((0, inputs)), count, count, count)

    @classmethod
    def from_searches(
        cls, searches: Sequence[Sequence[Continuum]],
        member: Array, input_index: Array, inputs: Array, size: int,
    ) -> Self:  # fmt: skip
        """Return the continua of many searches, whose members and inputs are `[search]`.

        size: length of the state, which no continuum may show.
        """
        continua = [continuum for search in searches for continuum in search]
        counts = [len(search) for search in searches]
        return cls(
            state=np.concatenate([np.empty((0, size)), *(one.state for one in continua)]),
            continuum=np.repeat(np.arange(len(continua)), [len(one.state) for one in continua]),
            dimension=np.array([one.dimension for one in continua], int),
            inputs=np.repeat(inputs, counts, axis=0),
            member=np.repeat(member, counts),
            input_index=np.repeat(input_index, counts),
            n_starts=np.array([one.n_starts for one in continua], int),
        )

    @property
    def kind(self) -> Array:
        """`continuum` for each."""
        return np.full(len(self), "continuum")

    @property
    def extent(self) -> Array:
        """Largest Euclidean distance between two samples, `[continuum]`."""
        samples = [self.state[self.continuum == i] for i in range(len(self))]
        distances = [np.linalg.norm(state[:, None] - state, axis=-1) for state in samples]
        return np.array([distance.max() for distance in distances], float)

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per continuum."""
        return pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "kind": self.kind,
                "dimension": self.dimension,
                "samples": np.bincount(self.continuum, minlength=len(self)),
                "extent": self.extent,
                "n_starts": self.n_starts,
            }
        )

    def __repr__(self) -> str:
        name = count_noun(len(self), "continuum", "continua") + " of fixed points"
        sizes = ", ".join(map(str, np.unique(self.dimension)))
        return name + (f" of dimension {sizes}" if len(self) else "")
