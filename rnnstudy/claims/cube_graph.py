"""Claim that the connections of the fixed points of an n-bit memory are those of a cube."""

from collections.abc import Mapping
from typing import ClassVar

from rnnstudy.analyses.hypercube import cube, is_cube
from rnnstudy.claims.cube import MemoryCube
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.tasks import Task


class CubeGraph(MemoryCube):
    """Unstable directions connect the fixed points of a memory as edges connect a cube's corners.

    A memory of b bits has b 2^(b-1) saddles with one unstable direction, 12 for three bits. Each
    joins two words that differ in one bit. Saddles with more unstable directions lead to all words
    that share their other bits.

    Examples
    --------
    >>> CubeGraph().needs()
    ('topology',)
    """

    kind: ClassVar[str] = "cube_graph"
    takes: ClassVar[type[Record]] = Connections

    of: str = "topology"
    """Name of the analysis of the connections."""

    @property
    def trait(self) -> str:
        return (
            "a fixed point for each corner, edge, face, ... of the cube, and on its edges saddles "
            f"that join neighbouring corners{self.centre_clause}"
        )

    def question(self, titles: Mapping[str, str]) -> str:
        return "Do the fixed points form the graph of a cube?"

    def statement(self, task: Task) -> str:
        counts = cube(task)
        return (
            f"The {sum(counts)} fixed points of a {len(counts) - 1}-bit memory form the graph of a "
            f"cube: its {counts[1]} edges are saddles, each of which joins two words that differ "
            "in one bit."
        )

    def has(self, record: Connections, task: Task) -> bool:
        return is_cube(record, len(cube(task)) - 1, strict=self.strict)
