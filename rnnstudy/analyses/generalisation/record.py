"""Record of the performance of one network on trials that differ from those of training."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array


@dataclass(frozen=True, eq=False)
class Generalisation(Record):
    """Performance of one network under distribution shifts.

    A condition is one value of one property of the trials.

    Examples
    --------
    >>> record = Generalisation(
    ...     shifts=("longer trials",), units=("lengths of a training trial",),
    ...     trained=np.ones(1), shift_of=np.zeros(2, int), value=np.array([1.0, 5.0]),
    ...     loss=np.array([0.01, 0.1]), accuracy=np.array([1.0, 0.8]),
    ...     last_error=np.array([0.1, 0.3]), words=np.zeros(2, int), kept_words=np.zeros(2, int),
    ... )
    >>> record.accuracy_at("longer trials", 5.0)
    0.8
    """

    shifts: tuple[str, ...]
    """Names of the properties that differ."""
    units: tuple[str, ...]
    """Unit of each property."""
    trained: Array = array("shift")
    """Value of each property in training; NaN if there is none."""
    shift_of: Array = array("condition")
    """Position of the property of each condition."""
    value: Array = array("condition")
    """Value of the property."""
    loss: Array = array("condition")
    """Loss of the task; infinite if an output is not finite."""
    accuracy: Array = array("condition")
    """Accuracy as the task defines it; 0 if an output is not finite."""
    last_error: Array = array("condition")
    """Root mean square error at the last time step that counts; infinite as the loss."""
    words: Array = array("condition")
    """Number of words (signs of all outputs) with which trials end; 0 for tasks without words."""
    kept_words: Array = array("condition")
    """Number of these words at which more than half of their trials do end."""

    def rows(self, shift: str) -> Array:
        """Return the positions of the conditions of a property, in the order of its values.

        Raises ValueError if the property is not in the record.
        """
        if shift not in self.shifts:
            raise ValueError(f"shift must be one of {', '.join(self.shifts)}, got {shift!r}.")
        return np.flatnonzero(self.shift_of == self.shifts.index(shift))

    def accuracy_at(self, shift: str, value: float) -> float:
        """Return the accuracy at a value of a property; NaN if it was not evaluated."""
        rows = self.rows(shift)
        matches = rows[np.isclose(self.value[rows], value)]
        return float(self.accuracy[matches[0]]) if len(matches) else float("nan")

    @property
    def kept_share(self) -> Array:
        """Share of words that are kept, [condition]; NaN for tasks without words."""
        with np.errstate(invalid="ignore"):
            share: Array = self.kept_words / np.where(self.words > 0, self.words, np.nan)
        return share
