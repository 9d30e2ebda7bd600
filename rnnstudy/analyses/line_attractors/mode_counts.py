"""Measures of the number of modes that integrate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.hankel import cumulative_energy
from rnnstudy.dynamics.linearisation.impulse_response import n_modes_for_share, n_modes_within

ModeMeasureName = Literal["mean_output", "readout", "state", "slow_modes", "hankel"]


@dataclass(frozen=True)
class ModeMeasure:
    """A rule that counts the modes of a linearised network."""

    field: str
    """Field of the record of line attractors that it reads, `[point, ...]`."""
    count: Callable[[Array, float], Array]
    """Function of that field and the threshold that returns a number per point, `[point]`."""
    threshold: float
    """Default of the threshold."""
    clause: str
    """Description of the number as a noun, with a place for the threshold."""
    short: str
    """Title of a panel, with a place for the threshold."""

    def describe(self, threshold: float) -> str:
        """Return the description of the number at a threshold."""
        return self.clause.format(threshold)


def n_slow_modes(eigenvalues: Array, modulus: float) -> Array:
    """Return the number of eigenvalues `[..., mode]` of larger modulus, `[...]`."""
    count: Array = (np.abs(eigenvalues) > modulus).sum(axis=-1).astype(float)
    return count


def n_hankel_values(values: Array, share: float) -> Array:
    """Return the least number of Hankel singular values with a share of the energy, `[...]`."""
    return n_modes_for_share(cumulative_energy(values), share)


MODE_MEASURES: Mapping[ModeMeasureName, ModeMeasure] = {
    "mean_output": ModeMeasure(
        "mean_error",
        n_modes_within,
        0.05,
        "slowest modes for the mean output within {:.0%}",
        "mean output, {:.0%}",
    ),
    "readout": ModeMeasure(
        "readout_share",
        n_modes_for_share,
        0.9,
        "slowest modes for R2 {:g} of the readout",
        "readout, R2 {:g}",
    ),
    "state": ModeMeasure(
        "state_share",
        n_modes_for_share,
        0.9,
        "slowest modes for R2 {:g} of the state",
        "state, R2 {:g}",
    ),
    "slow_modes": ModeMeasure(
        "eigenvalues", n_slow_modes, 0.8, "modes of modulus above {:g}", "modulus above {:g}"
    ),
    "hankel": ModeMeasure(
        "hankel",
        n_hankel_values,
        0.99,
        "Hankel singular values for {:.0%} of the energy",
        "Hankel, {:.0%}",
    ),
}
"""Measures of the number of modes, by name."""

MODE_CRITERIA: tuple[tuple[ModeMeasureName, float | None], ...] = (
    ("mean_output", 0.05),
    ("readout", 0.9),
    ("readout", 0.95),
    ("readout", 0.99),
    ("state", 0.9),
    ("slow_modes", None),
    ("hankel", 0.99),
)
"""Measures and thresholds of the report; None for the threshold of the analysis."""
