"""Repetition of stored results from their inputs, and comparison with what is stored."""

import random
import tempfile
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.core.threads import one_thread
from rnnstudy.study.execution.tensorflow_setup import start_tensorflow
from rnnstudy.study.execution.worker import JobResult, Worker
from rnnstudy.study.plan.job import Job
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import Store, StoreSnapshot
from rnnstudy.study.upkeep.references import references_of

R = TypeVar("R", bound=Record)

TOLERANCE = 1e-6
"""Largest difference, as a share of the largest number of an array, that counts as rounding."""


class Repetition(NamedTuple):
    """A result that was computed again."""

    title: str
    key: str
    difference: str
    """Words on the difference; empty if the results have the same bits."""
    is_same: bool
    """Is true if the results are the same but for rounding."""


class ScratchStore(Store):
    """A store in which some results are missing. What is written goes to another folder.

    Parameters
    ----------
    store
        The store, which is only read.
    scratch
        Store for what is written.
    hidden
        Addresses that are missing until they are written.
    """

    def __init__(self, store: Store, scratch: Store, hidden: Collection[str]) -> None:
        super().__init__(scratch.root)
        self._store, self._scratch, self._hidden = store, scratch, frozenset(hidden)
        self._may_hold_format_1 = store._may_hold_format_1

    def _source(self, key: str) -> Store:
        is_new = key in self._hidden or self._scratch.has(key)
        return self._scratch if is_new else self._store

    def has(self, key: str) -> bool:
        """Return whether one of the stores holds a record that is not hidden."""
        return self._source(key).has(key)

    def read(self, key: str, kind: type[R]) -> R:
        """Return a record, a new one before a stored one."""
        return self._source(key).read(key, kind)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the addresses of both stores, without checkpoints of the one that is read."""
        yield from self._scratch.keys(prefix)
        if not prefix:
            yield from self._store.keys()

    def write(self, key: str, record: Record) -> None:
        """Write a record to the scratch folder."""
        self._scratch.write(key, record)

    def remove(self, key: str) -> None:
        """Remove a record from the scratch folder."""
        self._scratch.remove(key)


class _SilentListener:
    def on_job_start(self, job: Job) -> None:
        """Ignore the call."""

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Ignore the call."""

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Ignore the call."""

    def on_message(self, text: str) -> None:
        """Ignore the call."""


def recompute(run: Run, number: int) -> Iterator[Repetition]:
    """Compute a sample of results again from their inputs, and compare them with the stored ones.

    The sample has results of all kinds, in turn. The store is only read.
    """
    start_tensorflow(run.study.runtime)
    for job, key, title in sample_results(run, number):
        with tempfile.TemporaryDirectory(prefix="rnnstudy-") as folder, one_thread():
            yield _repeat(run, job, key, title, Path(folder))


def sample_results(run: Run, number: int) -> list[tuple[Job, str, str]]:
    """Return some results that the store holds: their jobs, addresses and titles."""
    references, snapshot = references_of(run.study, run.store), StoreSnapshot(run.store)
    kinds: dict[str, list[tuple[Job, str, str]]] = {}
    listed: set[str] = set()
    for job in references.jobs:
        for key in job.titles(snapshot):
            if key not in listed and snapshot.has(key):
                kinds.setdefault(job.group, []).append((job, key, references.titles[key]))
            listed.add(key)
    chance = random.SystemRandom()
    for results in kinds.values():
        chance.shuffle(results)
    rounds = range(max(map(len, kinds.values()), default=0))
    turns = [results[n] for n in rounds for results in kinds.values() if n < len(results)]
    return turns[:number]


def _repeat(run: Run, job: Job, key: str, title: str, folder: Path) -> Repetition:
    store = ScratchStore(run.store, Store(folder / "store"), [key])
    rest = job.missing(StoreSnapshot(store)) or job
    worker = Worker(store, _SilentListener(), threading.Event(), float("inf"), (), None)
    result = worker.perform(rest)
    if result.failure:
        return Repetition(title, key, f"cannot be computed again: {result.failure}", False)
    scratch = Store(folder / "store")
    if not scratch.has(key):
        return Repetition(title, key, "is not computed any more", False)
    return Repetition(
        title, key, *compare_records(run.store.read(key, Record), scratch.read(key, Record))
    )


def compare_records(stored: Record, new: Record) -> tuple[str, bool]:
    """Return how two records differ, empty for the same bits, and whether that is rounding."""
    if type(stored) is not type(new):
        return f"is a {type(new).__name__}, stored was a {type(stored).__name__}", False
    (fields, arrays), (new_fields, new_arrays) = stored.describe(), new.describe()
    if arrays.keys() != new_arrays.keys():
        return f"has the arrays {', '.join(new_arrays)}, stored were {', '.join(arrays)}", False
    worst = max(
        [_difference(fields, new_fields, "fields")]
        + [_array_difference(arrays[name], new_arrays[name], name) for name in arrays],
        key=lambda each: each[0],
    )
    share, name = worst
    if share == 0:
        return "", True
    return f"{name} differs by {share:.1e} of its largest number", share <= TOLERANCE


def _array_difference(first: Array, second: Array, name: str) -> tuple[float, str]:
    """Return the largest difference of two arrays as a share of the largest number."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return np.inf, name
    if first.tobytes() == second.tobytes():
        return 0.0, name
    if first.dtype.kind not in "fc":
        return (0.0 if np.array_equal(first, second) else np.inf), name
    if not np.array_equal(np.isfinite(first), np.isfinite(second)):
        return np.inf, name
    finite = np.isfinite(first)
    scale = float(np.abs(first[finite]).max(initial=0.0)) or 1.0
    share = float(np.abs(first[finite] - second[finite]).max(initial=0.0)) / scale
    return max(share, np.finfo(float).tiny), name


def _difference(first: Any, second: Any, name: str) -> tuple[float, str]:
    """Return the largest difference of numbers in two JSON values; infinite for other ones."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        parts = [_difference(first[key], second[key], f"{name}.{key}") for key in first]
        return max(parts, default=(0.0, name))
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        if len(first) != len(second):
            return np.inf, name
        parts = [_difference(a, b, name) for a, b in zip(first, second, strict=True)]
        return max(parts, default=(0.0, name))
    if isinstance(first, float) and isinstance(second, float):
        return _array_difference(np.array([first]), np.array([second]), name)
    return (0.0 if first == second else np.inf), name
