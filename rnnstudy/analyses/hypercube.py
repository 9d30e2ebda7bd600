"""The cube of an n-bit memory: its corners, edges, faces, ... as words of -1, 0 and 1."""

from itertools import product
from math import comb

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop

AXES = np.array([[1.0, 0.0], [0.0, 1.0], [0.56, 0.23]])
"""Where the first three bits point to in a drawing: right, up, and to the back."""

SHRINK = 0.28
"""Size of the cubes that three further bits put around every point."""


def cube(task: Task) -> list[int]:
    """Points of a memory of b bits by number of unstable directions: C(b, k) 2^(b-k) have k of
    them; none for another task."""
    if not isinstance(task, FlipFlop):
        return []
    return [2 ** (task.bits - k) * comb(task.bits, k) for k in range(task.bits + 1)]


def is_cube(graph: Connections, bits: int, *, strict: bool = True) -> bool:
    """Whether the points of one network at one input are those of the cube and linked as they are.

    Each word of -1, 0 and 1 belongs to one point, which has as many unstable directions as the word
    has zeros, and each point with a single one leads to two words that differ in one bit. Not
    `strict`, the centre may have more unstable directions than bits.
    """
    if graph.outputs.shape[1] != bits or len(graph) != 3**bits or not graph.is_labelled.all():
        return False
    if set(map(tuple, graph.signs.tolist())) != set(product((-1, 0, 1), repeat=bits)):
        return False
    unstable = graph.n_unstable if strict else np.minimum(graph.n_unstable, bits)
    zeros = (graph.signs == 0).sum(axis=1)
    return bool((unstable == zeros).all() and (graph.spans == 1).all())


def drawn_at(words: Array) -> Array:
    """Where words [point, bit] are drawn: corners, edges, ... of a cube in the plane, [point, 2].

    Points of one word stand side by side.
    """
    bits = words.shape[1]
    axes = np.array([AXES[bit % 3] * SHRINK ** (bit // 3) for bit in range(bits)]).reshape(-1, 2)
    places: Array = words @ axes
    _, which = np.unique(words, axis=0, return_inverse=True)
    for word in np.flatnonzero(np.bincount(which.ravel()) > 1):
        own = np.flatnonzero(which.ravel() == word)
        places[own, 0] += 0.12 * (np.arange(len(own)) - (len(own) - 1) / 2)
    return places
