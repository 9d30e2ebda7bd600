"""The fixed points of an n-bit memory are linked as the parts of a cube are."""

from typing import ClassVar

from rnnstudy.analyses.hypercube import cube, is_cube
from rnnstudy.claims.base import required
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop


class CubeGraph(Prevalent):
    """Unstable directions link the fixed points of a memory as the edges of a cube do its corners.

    Of b bits, b 2^(b-1) saddles with one unstable direction each join two words that differ in one
    bit, 12 for three bits; saddles with more lead to all words that share their other bits.
    """

    kind: ClassVar[str] = "cube_graph"
    takes: ClassVar[type[Record]] = Connections

    of: str = "topology"
    """Name of the analysis that follows the unstable directions."""

    strict: bool = True
    """Whether the centre should have no more unstable directions than bits; networks of many units
    may have some that lead nowhere else."""

    @property
    def what(self) -> str:
        centre = "" if self.strict else ", the centre with more if need be"
        return (
            "a fixed point for each corner, edge, face, ... of the cube, and on its edges saddles "
            f"that join neighbouring corners{centre}"
        )

    def statement(self, task: Task) -> str:
        counts = cube(task)
        return (
            f"The {sum(counts)} fixed points of a {len(counts) - 1}-bit memory form the graph of a "
            f"cube: its {counts[1]} edges are saddles, each of which joins two words that differ "
            "in one bit."
        )

    def applies(self, task: Task) -> bool:
        return isinstance(task, FlipFlop)

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def has(self, record: Record, task: Task) -> bool:
        graph = required(record, Connections, self)
        return is_cube(graph, len(cube(task)) - 1, strict=self.strict)
