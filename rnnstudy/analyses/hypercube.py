"""Hypercube of an n-bit memory: its corners, edges, faces, ... as words of -1, 0 and 1."""

from itertools import product
from math import comb

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop

BIT_AXES = np.array([[1.0, 0.0], [0.0, 1.0], [0.56, 0.23]])
"""Directions of the first three bits in a drawing: right, up, and to the back."""

INNER_CUBE_SCALE = 0.28
"""Size of the cubes that three further bits put around every point."""

TWIN_WORD_GAP = 0.12
"""Distance in a drawing between points of one word."""


def cube(task: Task) -> list[int]:
    """Return the numbers of points of a memory by number of unstable directions.

    A cube of b bits has C(b, k) 2^(b-k) points with k unstable directions. The list is empty for
    other tasks.
    """
    if not isinstance(task, FlipFlop):
        return []
    return [2 ** (task.bits - k) * comb(task.bits, k) for k in range(task.bits + 1)]


def is_cube(graph: Connections, bits: int, *, strict: bool = True) -> bool:
    """Return whether the points of one network at one input, and their links, are those of a cube.

    Each word of -1, 0 and 1 belongs to one point, which has as many unstable directions as the word
    has zeros. Each point with a single one has links to two words that differ in one bit. Unless
    `strict`, the centre may have more unstable directions than bits.
    """
    if graph.outputs.shape[1] != bits or len(graph) != 3**bits or not graph.is_labelled.all():
        return False
    if set(map(tuple, graph.signs.tolist())) != set(product((-1, 0, 1), repeat=bits)):
        return False
    unstable = graph.n_unstable if strict else np.minimum(graph.n_unstable, bits)
    zeros = (graph.signs == 0).sum(axis=1)
    return bool((unstable == zeros).all() and (graph.spans == 1).all())


def drawing_positions(words: Array) -> Array:
    """Return positions [point, 2] in the plane of words [point, bit], as parts of a cube.

    Points of one word are side by side.
    """
    bits = words.shape[1]
    axes = [BIT_AXES[bit % 3] * INNER_CUBE_SCALE ** (bit // 3) for bit in range(bits)]
    positions: Array = words @ np.array(axes).reshape(-1, 2)
    _, word_index = np.unique(words, axis=0, return_inverse=True)
    for word in np.flatnonzero(np.bincount(word_index.ravel()) > 1):
        points = np.flatnonzero(word_index.ravel() == word)
        positions[points, 0] += TWIN_WORD_GAP * (np.arange(len(points)) - (len(points) - 1) / 2)
    return positions
