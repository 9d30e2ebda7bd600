"""The record of lines, planes and other continua of fixed points."""

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

    `len` and indices count continua; the samples of all lie one after the other.
    """

    axis: ClassVar[str] = "continuum"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {"continuum": ("member", "input_index")}
    references: ClassVar[Mapping[str, str]] = {"continuum": "continuum"}
    parts: ClassVar[Mapping[str, str]] = {"sample": "continuum"}

    state: Array = array("sample", "state")
    """Fixed points on the continua."""
    continuum: Array = array("sample")
    """On which of them."""
    dimension: Array = array("continuum")
    """1: line or ring, 2: plane or other surface, ..."""
    inputs: Array = array("continuum", "input")
    member: Array = array("continuum")
    input_index: Array = array("continuum")
    n_starts: Array = array("continuum")
    """Number of starts that ended there."""

    @classmethod
    def none(cls, state: int, inputs: int) -> Self:
        """No continua of states and inputs of these sizes."""
        count = np.zeros(0, int)
        return cls(np.empty((0, state)), count, count, np.empty((0, inputs)), count, count, count)

    @classmethod
    def from_searches(
        cls, found: Sequence[Sequence[Continuum]],
        member: Array, input_index: Array, inputs: Array, size: int,
    ) -> Self:  # fmt: skip
        """Those of many searches, whose member, position of the input and input are given.

        size: length of the state, which no continuum might tell.
        """
        every = [one for some in found for one in some]
        counts = [len(some) for some in found]
        return cls(
            state=np.concatenate([np.empty((0, size)), *(one.state for one in every)]),
            continuum=np.repeat(np.arange(len(every)), [len(one.state) for one in every]),
            dimension=np.array([one.dimension for one in every], int),
            inputs=np.repeat(inputs, counts, axis=0),
            member=np.repeat(member, counts),
            input_index=np.repeat(input_index, counts),
            n_starts=np.array([one.n_starts for one in every], int),
        )

    @property
    def kind(self) -> Array:
        """`continuum` for each."""
        return np.full(len(self), "continuum")

    @property
    def extent(self) -> Array:
        """Largest Euclidean distance between two samples: [continuum]."""
        own = [self.state[self.continuum == i] for i in range(len(self))]
        apart = [np.linalg.norm(state[:, None] - state, axis=-1) for state in own]
        return np.array([distance.max() for distance in apart], float)

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per continuum."""
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
        what = count_noun(len(self), "continuum", "continua") + " of fixed points"
        sizes = ", ".join(map(str, np.unique(self.dimension)))
        return what + (f" of dimension {sizes}" if len(self) else "")
