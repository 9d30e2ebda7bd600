"""Initial weights and random streams of networks."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.initialisers import GlorotUniform
from rnnstudy.core.arrays import Array
from rnnstudy.population.population import Population


def initial_population(
    cell: Cell, inputs: int, outputs: int, seeds: Sequence[int], dtype: Any = np.float32
) -> Population:
    """Return untrained networks, one per seed.

    A network depends on its own seed only. The readout is normal with standard deviation 1 / unit,
    so that outputs start near zero.

    Parameters
    ----------
    cell
        Cell of all networks.
    inputs, outputs
        Number of input and output channels.
    seeds
        Seed per network.
    dtype
        Floating-point type of all arrays.

    Examples
    --------
    >>> from rnnstudy.cells.gru import GRU
    >>> from rnnstudy.population.initialise import initial_population
    >>> initial_population(GRU(units=4), inputs=2, outputs=1, seeds=[0, 1]).weights["kernel"].shape
    (2, 2, 12)
    """
    return _stack(cell, [_draw(cell, inputs, outputs, seed) for seed in seeds], dtype)


def _stack(
    cell: Cell, members: Sequence[tuple[dict[str, Array], dict[str, Array]]], dtype: Any
) -> Population:
    """Return networks from the weights and the readout of each."""
    weights, readout = (
        {
            name: np.stack([member[part][name] for member in members]).astype(dtype)
            for name in members[0][part]
        }
        for part in (0, 1)
    )
    return Population(
        cell=cell,
        weights=weights,
        readout=readout,
        initial_state=np.zeros((len(members), cell.state_size), dtype),
    )


def standard_population(
    cell: Cell, inputs: int, outputs: int, seeds: Sequence[int], dtype: Any = np.float32
) -> Population:
    """Return untrained networks from the standard initialisers, one per seed.

    The cell has the fields of `Cell.standard`: Glorot uniform input kernels, orthogonal recurrent
    kernels and gate biases of 0. The readout is Glorot uniform. The draws are independent of those
    of `initial_population`.

    Parameters
    ----------
    cell
        Cell of all networks. Its own initialisers and gate bias are not used.
    inputs, outputs
        Number of input and output channels.
    seeds
        Seed per network.
    dtype
        Floating-point type of all arrays.

    References
    ----------
    Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks". Saxe, McClelland & Ganguli (2014), "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.gru import GRU
    >>> from rnnstudy.population.initialise import standard_population
    >>> weights = standard_population(GRU(units=4), inputs=2, outputs=1, seeds=[0]).weights
    >>> bool((np.abs(weights["kernel"]) <= np.sqrt(6 / (2 + 4))).all())
    True
    """
    members = [_draw_standard(cell, inputs, outputs, seed) for seed in seeds]
    return _stack(cell, members, dtype)


def _draw_standard(
    cell: Cell, inputs: int, outputs: int, seed: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    weights = {
        name: weight.draw(generator(seed, f"standard {name}"))
        for name, weight in cell.standard().weights(inputs).items()
    }
    source = generator(seed, "standard readout")
    kernel = GlorotUniform().draw(source, cell.units, outputs)
    return weights, {"kernel": kernel, "bias": np.zeros(outputs)}


def _draw(
    cell: Cell, inputs: int, outputs: int, seed: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    weights = {
        name: weight.draw(generator(seed, name)) for name, weight in cell.weights(inputs).items()
    }
    kernel = generator(seed, "readout").standard_normal((cell.units, outputs)) / cell.units
    return weights, {"kernel": kernel, "bias": np.zeros(outputs)}


def stream(seed: int, purpose: str) -> tuple[int, int]:
    """Return the seed of one of a member's random streams: int32 [2], for stateless operations."""
    return seed, zlib.crc32(purpose.encode()) & 0x7FFFFFFF


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the NumPy generator of one of a member's random streams."""
    return np.random.default_rng(stream(seed, purpose))
