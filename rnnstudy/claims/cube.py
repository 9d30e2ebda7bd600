"""Claim that the fixed points of an n-bit memory are the parts of a cube."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rnnstudy.analyses.hypercube import cube
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop


class MemoryCube(Prevalent):
    """Base of claims that compare the fixed points of a memory with a cube.

    Examples
    --------
    >>> Cube().applies(FlipFlop())
    True
    """

    strict: bool = True
    """True: the centre has no more unstable directions than bits. Networks of many units may have
    some that lead to no further points."""

    @property
    def centre_clause(self) -> str:
        """Addition to the property if the centre may have more unstable directions."""
        return "" if self.strict else ", the centre with more if need be"

    def applies(self, task: Task) -> bool:
        return isinstance(task, FlipFlop)


class Cube(MemoryCube):
    """The fixed points of a memory are the corners, edges, faces, ... and the centre of a cube.

    A memory of b bits has C(b, k) 2^(b-k) points with k unstable directions: 8, 12, 6 and 1 for
    three bits.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> Cube(strict=False).trait.partition(", the")[0]
    'exactly the fixed points of the cube, by their unstable directions'
    """

    kind: ClassVar[str] = "cube"
    takes: ClassVar[type[Record]] = FixedPoints

    of: str = "fixed_points"
    """Name of the analysis of the fixed points."""

    @property
    def trait(self) -> str:
        directions = f"by their unstable directions{self.centre_clause}"
        return f"exactly the fixed points of the cube, {directions}"

    def question(self, titles: Mapping[str, str]) -> str:
        return "Are the fixed points those of a cube?"

    def statement(self, task: Task) -> str:
        counts = cube(task)
        kinds = " + ".join(map(str, counts))
        return (
            f"The fixed points of a {len(counts) - 1}-bit memory are the {sum(counts)} of a cube: "
            f"{kinds}, from stable points to the centre."
        )

    def has(self, record: FixedPoints, task: Task) -> bool:
        wanted, n_unstable = cube(task), record.n_unstable
        if not self.strict:
            n_unstable = np.minimum(n_unstable, len(wanted) - 1)
        return np.bincount(n_unstable).tolist() == wanted
