"""Leases: one holder at a time, heartbeats, lost holders."""

import errno
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_jobs import Write, text

from rnnstudy.runner import NullListener
from rnnstudy.study.execution.leases import Leases, is_at_work, lease_name
from rnnstudy.study.execution.worker import JobResult, Worker
from rnnstudy.study.plan.job import Job
from rnnstudy.study.store import Store

JOB = Write("a")


def file_of(store: Path, job: Write = JOB) -> Path:
    return store / ".leases" / lease_name(job)


def test_a_second_run_waits_until_the_first_releases(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as other:
        with one.claim(JOB) as first:
            assert first is not None
            with other.claim(JOB) as second:
                assert second is None
            assert file_of(tmp_path).exists(), "the lease of the first is not touched"
            with other.claim(Write("b")) as third:
                assert third is not None
        with other.claim(JOB) as second:
            assert second is not None
    assert not list((tmp_path / ".leases").iterdir())


def test_of_many_that_claim_at_once_one_holds(tmp_path: Path) -> None:
    barrier, held = threading.Barrier(8), list[bool]()

    def claim() -> None:
        with Leases(tmp_path) as leases:
            barrier.wait()
            with leases.claim(JOB) as lease:
                held.append(lease is not None)
                barrier.wait()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == [False] * 7 + [True]


def test_heartbeats_keep_a_lease_and_their_end_loses_it(tmp_path: Path) -> None:
    with Leases(tmp_path, heartbeat=0.01) as one, one.claim(JOB) as lease:
        assert lease is not None
        file = file_of(tmp_path)
        beat = threading.Event()
        renew = lease.renew
        lease.renew = lambda: (renew(), beat.set())  # type: ignore[method-assign]
        os.utime(file, (0, 0))
        beat.clear()
        assert beat.wait(10)
        assert file.stat().st_mtime > 1e9
        with Leases(tmp_path) as other, other.claim(JOB) as second:
            assert second is None


def of_another_machine(file: Path) -> None:
    """Let a lease be of a process that this machine does not see."""
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "machine": "another", "pid": 1}))


def test_an_old_lease_is_taken_over_and_its_holder_told(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path, lifetime=100) as other, one.claim(JOB) as lease:
        assert lease is not None
        file = file_of(tmp_path)
        of_another_machine(file)
        with other.claim(JOB) as second:
            assert second is None
        now = file.stat().st_mtime
        os.utime(file, (now - 101, now - 101))
        with other.claim(JOB) as second:
            assert second is not None
            lease.renew()
            assert lease.lost.is_set()
            lease.release()
            assert file.exists(), "a lost lease does not remove that of its successor"


def test_a_killed_holder_of_this_machine_is_lost_at_once(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from fake_jobs import Write\n"
        "from rnnstudy.study.execution.leases import Leases\n"
        "claim = Leases(Path(sys.argv[1])).claim(Write('a')); claim.__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "PYTHONPATH": path}
    )
    assert file_of(tmp_path).exists()
    assert not is_at_work(tmp_path)
    with Leases(tmp_path) as leases, leases.claim(JOB) as lease:
        assert lease is not None
        assert is_at_work(tmp_path)


def test_a_process_of_the_same_run_takes_over(tmp_path: Path) -> None:
    one, other = Leases(tmp_path, run="r"), Leases(tmp_path, run="r")
    with one.claim(JOB) as first, other.claim(JOB) as second:
        assert first is not None
        assert second is not None


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_torn_lease_lasts_as_long_as_any_other(tmp_path: Path, content: str) -> None:
    file = file_of(tmp_path)
    file.parent.mkdir()
    file.write_text(content)
    with Leases(tmp_path, lifetime=100) as leases:
        with leases.claim(JOB) as lease:
            assert lease is None
        os.utime(file, (0, 0))
        with leases.claim(JOB) as lease:
            assert lease is not None


@pytest.mark.parametrize(
    ("name", "code"), [("link", errno.EPERM), ("link", errno.ENOSPC), ("stat", errno.EIO)]
)
def test_a_disk_that_takes_no_lease_costs_the_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    store, ended = Store(tmp_path), list[str | None]()
    jobs = [Write("a"), Write("b"), Write("c", ("b",))]
    refused = tmp_path / ".leases" / lease_name(jobs[0])
    real = getattr(os, name)

    def act(*paths: Any, **options: Any) -> Any:
        if str(paths[-1]) == str(refused):
            raise OSError(code, os.strerror(code), str(refused))
        return real(*paths, **options)

    class Listener(NullListener):
        def on_job_end(self, job: Job, result: JobResult) -> None:
            ended.append(result.failure)

    claim = Leases(tmp_path).claim(jobs[0])
    if name == "stat":  # of the lease that another one holds
        claim.__enter__()
    monkeypatch.setattr(os, name, act)
    with Leases(tmp_path) as leases:
        worker = Worker(store, Listener(), threading.Event(), 60.0, (), None, leases)
        results = [worker.perform(job) for job in jobs]
    assert [result.failure is None for result in results] == [False, True, True]
    assert ended == [result.failure for result in results]
    assert re.fullmatch(
        rf"a lease of the job must be written to the store, got \w+: \[Errno {code}\] .*"
        r"\. The store must be on a file system with free space and hard links \(runtime.store\)\.",
        results[0].failure or "",
    )
    assert text(store, "c") == "c(b())"


def test_a_lease_that_cannot_be_removed_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with Leases(tmp_path) as leases, monkeypatch.context() as patch:
        worker = Worker(Store(tmp_path), NullListener(), threading.Event(), 60.0, (), None, leases)
        patch.setattr(Path, "unlink", refuse)
        assert worker.perform(JOB).failure is None
    assert text(Store(tmp_path), "a") == "a()"
