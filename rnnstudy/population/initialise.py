"""Initial weights and random streams of networks."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.population.population import Population


def initial_population(
    cell: Cell, inputs: int, outputs: int, seeds: Sequence[int], dtype: Any = np.float32
) -> Population:
    """Untrained networks, one per seed; a seed gives the same network in any company.

    The readout is normal with standard deviation 1 / unit, so that outputs start near zero.
    """
    drawn = [_draw(cell, inputs, outputs, seed) for seed in seeds]
    weights, readout = (
        {
            name: np.stack([member[part][name] for member in drawn]).astype(dtype)
            for name in drawn[0][part]
        }
        for part in (0, 1)
    )
    return Population(
        cell=cell,
        weights=weights,
        readout=readout,
        initial_state=np.zeros((len(seeds), cell.state_size), dtype),
    )


def _draw(
    cell: Cell, inputs: int, outputs: int, seed: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    weights = {
        name: weight.draw(generator(seed, name)) for name, weight in cell.weights(inputs).items()
    }
    kernel = generator(seed, "readout").standard_normal((cell.units, outputs)) / cell.units
    return weights, {"kernel": kernel, "bias": np.zeros(outputs)}


def stream(seed: int, purpose: str) -> tuple[int, int]:
    """Seed of one of a member's random streams: int32 [2], for stateless operations."""
    return seed, zlib.crc32(purpose.encode()) & 0x7FFFFFFF


def generator(seed: int, purpose: str) -> np.random.Generator:
    """NumPy generator of one of a member's random streams."""
    return np.random.default_rng(stream(seed, purpose))
