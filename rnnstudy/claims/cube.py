"""The fixed points of an n-bit memory are the corners, edges, faces, ... of a cube."""

from typing import ClassVar

import numpy as np

from rnnstudy.analyses.hypercube import cube
from rnnstudy.claims.base import required
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop


class Cube(Prevalent):
    """The fixed points of a memory are the corners, edges, faces, ... and the centre of a cube.

    Of b bits, C(b, k) 2^(b-k) points have k unstable directions (Maheswaranathan et al. 2019): for
    three bits 8, 12, 6 and 1.
    """

    kind: ClassVar[str] = "cube"
    takes: ClassVar[type[Record]] = FixedPoints

    of: str = "fixed_points"
    """Name of the analysis that finds the fixed points."""

    strict: bool = True
    """Whether the centre should have no more unstable directions than bits; networks of many units
    may have some that lead nowhere else."""

    @property
    def what(self) -> str:
        centre = "" if self.strict else ", the centre with more if need be"
        return f"exactly the fixed points of the cube, by their unstable directions{centre}"

    def statement(self, task: Task) -> str:
        counts = cube(task)
        kinds = " + ".join(map(str, counts))
        return (
            f"The fixed points of a {len(counts) - 1}-bit memory are the {sum(counts)} of a cube: "
            f"{kinds}, from stable points to the centre."
        )

    def applies(self, task: Task) -> bool:
        return isinstance(task, FlipFlop)

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def has(self, record: Record, task: Task) -> bool:
        wanted, n_unstable = cube(task), required(record, FixedPoints, self).n_unstable
        if not self.strict:
            n_unstable = np.minimum(n_unstable, len(wanted) - 1)
        return np.bincount(n_unstable).tolist() == wanted
