"""State maps and input maps of many driven systems."""

from typing import NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array


class DrivenMaps(NamedTuple):
    """Fitted maps x' = A x + B u of one side of some pairs: of norm 1, and their norms."""

    field: Array
    """State maps A / |A|, [..., rank, rank]."""
    entry: Array
    """Input maps B / |B|, [..., rank, input]."""
    size: Array
    """|A|, [...]."""
    entry_size: Array
    """|B|, [...]."""

    @property
    def whole(self) -> tuple[Array, Array]:
        """A and B with their norms."""
        return (
            self.field * self.size[..., None, None],
            self.entry * self.entry_size[..., None, None],
        )

    @property
    def mark(self) -> Array:
        """Number by which the two systems of a pair are ordered, [...]."""
        numbers = (
            np.arange(1.0, 1.0 + np.prod(part.shape[-2:])).reshape(part.shape[-2:])
            for part in self[:2]
        )
        state, entry = (
            (part * number).sum(axis=(-2, -1))
            for part, number in zip(self[:2], numbers, strict=True)
        )
        return np.asarray(state + np.pi * entry)

    def flatten(self, shape: tuple[int, ...]) -> "DrivenMaps":
        """Return the maps broadcast to a shape of pairs, as one axis [pair]."""
        lead = self.size.ndim
        parts = (np.broadcast_to(part, (*shape, *part.shape[lead:])) for part in self)
        return DrivenMaps(*(part.reshape(-1, *part.shape[len(shape) :]) for part in parts))

    def at(self, block: slice) -> "DrivenMaps":
        """Return the maps of a block of pairs."""
        return DrivenMaps(*(part[block] for part in self))
