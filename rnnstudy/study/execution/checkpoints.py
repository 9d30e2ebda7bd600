"""Checkpoints of training in a store, so that a killed run loses minutes and not hours."""

import hashlib
import shutil
import time
from collections.abc import Sequence

from rnnstudy.core.record import CorruptRecord
from rnnstudy.study.store import Store
from rnnstudy.training.state import TrainingState


class Checkpoints:
    """The latest course of one cohort, known by its members' keys.

    A new course is written whole before the one before it is removed.
    """

    def __init__(self, store: Store, members: Sequence[str], interval: float) -> None:
        cohort = hashlib.sha256(" ".join(members).encode()).hexdigest()[:32]
        self.store, self.prefix, self.interval = store, f"course-{cohort}-", interval
        self._last = self._pause = time.monotonic()

    def latest(self) -> TrainingState | None:
        """Return the most advanced state that is complete."""
        for key in self._keys():
            try:
                return self.store.read(key, TrainingState)
            except CorruptRecord:
                continue
        return None

    def keep(self, course: TrainingState) -> None:
        """Write a state if the last one would be older than the interval at the next call.

        The next call is expected after the time since the previous call.
        """
        now = time.monotonic()
        piece, self._pause = now - self._pause, now
        if now + piece - self._last >= self.interval:
            self.write(course)

    def write(self, course: TrainingState) -> None:
        """Write a state now."""
        before = self._keys()
        self.store.write(f"{self.prefix}{course.done:09d}", course)
        self._remove(before)
        self._last = time.monotonic()

    def clear(self) -> None:
        """Remove all states: the networks are trained."""
        self._remove(self._keys())

    def _keys(self) -> list[str]:
        """Return the addresses of the states, the most advanced first."""
        return sorted((p.name for p in self.store.root.glob(f"{self.prefix}*")), reverse=True)

    def _remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            shutil.rmtree(self.store.root / key, ignore_errors=True)
