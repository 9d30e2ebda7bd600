"""Checkpoints of training in a store, so that a killed run loses minutes and not hours."""

import hashlib
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.train import Train
from rnnstudy.study.store import Store
from rnnstudy.training.state import TrainingState

CHECKPOINT = "course-"
"""Beginning of the addresses of checkpoints."""

CHECKPOINT_FORM = re.compile(rf"{CHECKPOINT}[0-9a-f]{{32}}-[0-9]{{9,}}")
"""Form of the addresses of checkpoints. Other folders of a store are not ours."""

CHECKPOINT_LIFETIME = 30 * 24 * 3600.0
"""Seconds after which a checkpoint of another study in a shared store is stale."""


class Checkpoints:
    """The latest course of one cohort, known by its members' keys.

    A new course is written whole before the one before it is removed.
    """

    def __init__(self, store: Store, members: Sequence[str], interval: float) -> None:
        self.store, self.prefix, self.interval = store, _prefix(members), interval
        self._last = self._pause = time.monotonic()

    def exist(self) -> bool:
        """Return whether there is a state, whole or not."""
        return bool(self._keys())

    def latest(self) -> TrainingState | None:
        """Return the most advanced state that is complete."""
        for key in self._keys():
            try:
                return self.store.read(key, TrainingState)
            except (AbsentRecord, DamagedRecord):
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
        before, key = self._keys(), f"{self.prefix}{course.done:09d}"
        self.store.write(key, course)
        self._remove([each for each in before if each != key])
        self._last = time.monotonic()

    def clear(self) -> None:
        """Remove all states: the networks are trained."""
        self._remove(self._keys())

    def _keys(self) -> list[str]:
        """Return the addresses of the states, the most advanced first."""
        return sorted(self.store.keys(self.prefix), reverse=True)

    def _remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.store.remove(key)


def collect_stale(store: Store, jobs: Iterable[Job], *, shared: bool) -> list[str]:
    """Remove checkpoints that no job reads, and return their addresses.

    A kill leaves checkpoints of networks that are trained, or that the spec no longer names.

    Parameters
    ----------
    store
        The store.
    jobs
        Jobs that are still to be done. Their checkpoints are kept.
    shared
        True if other studies use the store. Then only old checkpoints are removed.
    """
    prefixes = {
        _prefix(key) for job in jobs if isinstance(job, Train) for key in job.checkpoint_keys()
    }
    now, removed = time.time(), []
    for key in filter(CHECKPOINT_FORM.fullmatch, list(store.keys(CHECKPOINT))):
        with suppress(FileNotFoundError):  # another process may remove it
            is_old = now - store.folder(key).stat().st_mtime > CHECKPOINT_LIFETIME
            prefix = key.rpartition("-")[0] + "-"
            if prefix not in prefixes and (is_old or not shared):
                store.remove(key)
                removed.append(key)
    return removed


def _prefix(members: Sequence[str]) -> str:
    """Return the beginning of the addresses of a cohort's states."""
    cohort = hashlib.sha256(" ".join(members).encode()).hexdigest()[:32]
    return f"{CHECKPOINT}{cohort}-"
