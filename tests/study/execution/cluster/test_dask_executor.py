"""What the executor makes of the news of Dask, without a scheduler: a test tells the news."""

import errno
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_jobs import Write

from rnnstudy.cli.error_messages import error_message
from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.cluster.dask_executor import (
    EARLY_DEATHS,
    LOST_WORKERS,
    DaskExecutor,
)
from rnnstudy.study.execution.leases import Leases, lease_name
from rnnstudy.study.plan.job import Job

pytest.importorskip("distributed")
RUN = "run"


class FakeRemote:
    """A future of Dask. The test ends it, which calls the executor as Dask does."""

    def __init__(self, key: str) -> None:
        self.key, self.status, self.error = key, "pending", RuntimeError("pending")
        self._call: Callable[[Any], None] = lambda _: None

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        self._call = call

    def fail(self, error: Any, status: str = "error") -> None:
        self.status, self.error = status, error
        self._call(self)

    def result(self) -> Any:
        raise self.error


class FakeClient:
    """A client of Dask that remembers what it is told."""

    def __init__(self) -> None:
        self.sent, self.cancelled = list[FakeRemote](), list[FakeRemote]()
        self.loop = SimpleNamespace(add_callback=lambda act, *a, **options: act(*a, **options))

    def submit(self, *_: Any, key: str, **__: Any) -> FakeRemote:
        self.sent.append(FakeRemote(key))
        return self.sent[-1]

    def cancel(self, remotes: list[FakeRemote], asynchronous: bool = False) -> None:
        # Dask's own thread must not wait for itself.
        assert asynchronous
        self.cancelled += remotes


class Messages(NullListener):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_message(self, text: str) -> None:
        self.texts.append(text)


class Table:
    """An executor, its client, and what has been said to the user."""

    def __init__(self, store: Path) -> None:
        self.client, self.listener = FakeClient(), Messages()
        order: Any = SimpleNamespace(store=str(store), run=RUN, topic="topic")
        packer: Any = SimpleNamespace(pack=lambda job, number: number)
        self.executor = DaskExecutor(self.client, order, packer, self.listener, {})
        self.store = store

    def submit(self, job: Job) -> Any:
        return self.executor.submit_job(job, 0)

    def tell(self, number: int, kind: str, worker: str) -> None:
        self.executor._on_event((0.0, {"job": number, "event": kind, "worker": worker}))

    def latest(self, number: int) -> FakeRemote:
        """Return the last future of a job, by its number from 0."""
        return [remote for remote in self.client.sent if f"-{number}-" in remote.key][-1]

    def kill(self, remote: FakeRemote, worker: str) -> None:
        from distributed.scheduler import KilledWorker

        last: Any = SimpleNamespace(address=worker)
        remote.fail(KilledWorker(remote.key, last, 0))


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    before = threading.active_count()
    yield Table(tmp_path)
    assert threading.active_count() == before


def test_a_job_whose_start_kills_its_workers_fails_after_some(table: Table) -> None:
    target = table.submit(Write("a"))
    for death in range(EARLY_DEATHS):
        assert not target.done(), "one worker may be lost by chance"
        table.tell(0, "begin", f"tcp://worker-{death}")
        table.kill(table.client.sent[-1], f"tcp://worker-{death}")
    failure = target.result(timeout=0).failure
    assert failure.startswith(f"a worker must survive the start of the job, but {EARLY_DEATHS} ")
    assert len(table.client.sent) == EARLY_DEATHS
    assert len(table.listener.texts) == EARLY_DEATHS, "the user hears of each"


def test_without_a_word_of_the_worker_its_death_counts_as_well(table: Table) -> None:
    target = table.submit(Write("a"))
    for death in range(EARLY_DEATHS):
        table.kill(table.client.sent[-1], f"tcp://worker-{death}")
    assert "must survive the start" in target.result(timeout=0).failure


def test_a_job_that_waits_behind_others_is_not_counted(table: Table) -> None:
    deadly, waiting = table.submit(Write("a")), table.submit(Write("b"))
    for death in range(EARLY_DEATHS):
        worker = f"tcp://worker-{death}"
        table.tell(0, "begin", worker)
        table.kill(table.latest(1), worker)
        table.kill(table.latest(0), worker)
    assert "must survive the start" in deadly.result(timeout=0).failure
    assert not waiting.done()
    # The job that the worker has ended is no job that it is at.
    table.tell(5, "begin", "tcp://idle")
    table.tell(5, "end", "tcp://idle")
    for _ in range(EARLY_DEATHS):
        table.kill(table.latest(1), "tcp://idle")
    assert "must survive" in waiting.result(timeout=0).failure


def test_many_jobs_that_wait_at_a_dead_worker_are_one_message(table: Table) -> None:
    for name in "abcdef":
        table.submit(Write(name))
    for remote in table.client.sent[:]:
        table.kill(remote, "tcp://worker")
    assert len(table.listener.texts) == 1


@pytest.mark.parametrize("way", ["killed", "told by the next worker"])
def test_a_job_that_has_failed_is_taken_off_the_scheduler(table: Table, way: str) -> None:
    job = Write("a")
    target = table.submit(job)
    for death in range(LOST_WORKERS):
        assert not target.done()
        if way == "killed":
            # A process of the run has died with the lease.
            Leases(table.store, RUN)._take(table.executor.leases.folder / lease_name(job), "a")
            table.kill(table.client.sent[-1], f"tcp://worker-{death}")
        else:
            table.tell(0, "start", f"tcp://worker-{death}")
            table.tell(0, "lost", f"tcp://worker-{death + 1}")
    assert "a worker must survive the job, but 3 workers died" in target.result(timeout=0).failure
    assert table.client.cancelled == [table.client.sent[-1]]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), TimeoutError("no answer")]
)
def test_an_error_of_the_disk_fails_its_job_and_not_the_run(table: Table, error: OSError) -> None:
    target = table.submit(Write("a"))
    table.client.sent[0].fail(error)
    assert target.result(timeout=0).failure == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("error", "status"),
    [(CancelledError(), "cancelled"), (OSError("Timed out trying to connect"), "finished"),
     (OSError("Timed out trying to connect"), "lost")],
)  # fmt: skip
def test_a_lost_scheduler_ends_the_run_with_code_1(
    table: Table, error: BaseException, status: str
) -> None:
    target = table.submit(Write("a"))
    table.client.sent[0].fail(error, status)
    with pytest.raises(RunError, match="must stay reachable") as caught:
        target.result(timeout=0)
    message, code = error_message(caught.value)
    # Neither the spec nor the arguments are wrong.
    assert code == 1
    assert message.startswith("rnnstudy: the scheduler must stay reachable")
    assert error_message(RunError("another"))[1] == 2
