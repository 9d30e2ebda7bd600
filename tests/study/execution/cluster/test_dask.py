"""Real scheduler and worker processes on this machine, with jobs that need no TensorFlow."""

import os
import signal
import threading
from pathlib import Path

import pytest
from dask_processes import scheduler, wait_for, worker
from fake_jobs import Unreadable, Write, in_this_thread, plan_of, starts, text

pytest.importorskip("distributed")

from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.cluster import dask_executor
from rnnstudy.study.execution.cluster.session import ClusterSession
from rnnstudy.study.execution.schedule import drain
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.plan.job import Job
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # those of Dask are not ours
]


class Listener(NullListener):
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.said: list[str] = []

    def on_job_start(self, job: Job) -> None:
        self.begun.append(job.names[0])

    def on_job_end(self, job: Job, result: JobResult) -> None:
        self.ended.append(job.names[0])

    def on_message(self, text: str) -> None:
        self.said.append(text)


def failures(results: list[JobResult]) -> dict[str, str]:
    return {r.key.members[0]: r.failure for r in results if r.failure}


def test_a_cluster_does_a_plan_in_order_and_a_deadly_job_fails_alone(tmp_path: Path) -> None:
    diary, store, listener = str(tmp_path / "diary"), Store(tmp_path / "store"), Listener()
    jobs = [
        *(Write(name, diary=diary, pauses=2) for name in "abcdef"),
        Write("z", tuple("abcdef"), diary=diary),
        Write("k", diary=diary, deadly=True),
        Write("y", ("k",), diary=diary),
    ]
    with ClusterSession(Runtime(cluster="local:2")) as session:
        results = session.execute(plan_of(*jobs), store, listener)
        assert session.execute(plan_of(*jobs[:2]), store, listener), "a second plan runs, too"
    assert text(store, "z") == "z(a(),b(),c(),d(),e(),f())"
    failed = failures(results)
    assert sorted(failed) == ["k", "y"]
    assert "3 workers died while they ran it" in failed["k"]
    begun = starts(diary)
    assert begun.count("k") == dask_executor.LOST_WORKERS
    # A result may be lost with the worker that has it in memory; it is in the store all the same.
    assert [name for name in begun if name in "abcdefz"].count("z") == 1
    assert listener.said[0].startswith("Dashboard: http://127.0.0.1:")
    assert listener.begun.count("k") == listener.ended.count("k") == 1
    assert not list((store.root / ".leases").iterdir())


def test_a_job_that_kills_workers_when_it_is_read_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_executor, "EARLY_DEATHS", 4)
    store, listener = Store(tmp_path / "store"), Listener()
    jobs = [Unreadable("k", home=os.getpid()), *(Write(name) for name in "abcd")]
    with ClusterSession(Runtime(cluster="local:1")) as session:
        results = session.execute(plan_of(*jobs), store, listener)
    failed = failures(results)
    assert list(failed) == ["k"]
    assert "4 workers died before it began" in failed["k"]
    lost = [text for text in listener.said if "was lost before its job began" in text]
    assert 1 <= len(lost) <= 4


def test_an_interrupt_stops_jobs_at_their_pause_and_a_rerun_does_the_rest(tmp_path: Path) -> None:
    diary, store = str(tmp_path / "diary"), Store(tmp_path / "store")
    jobs = [Write(name, diary=diary, pauses=1000 * (name == "b")) for name in "ab"]

    class Impatient(Listener):
        def on_job_end(self, job: Job, result: JobResult) -> None:
            super().on_job_end(job, result)
            threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (
            pytest.raises(KeyboardInterrupt),  # noqa: PT011 - it carries no message
            ClusterSession(Runtime(cluster="local:2")) as session,
        ):
            session.execute(plan_of(*jobs), store, Impatient())
    finally:
        signal.signal(signal.SIGINT, before)
    assert "b stopped" in Path(diary).read_text()
    assert text(store, "a") == "a()"
    assert not list((store.root / ".leases").iterdir())


def test_workers_of_another_scheduler_may_be_killed(tmp_path: Path) -> None:
    diary, store, listener = str(tmp_path / "diary"), Store(tmp_path / "store"), Listener()
    # Two starts within these pauses are on two workers.
    jobs = [Write(name, diary=diary, pauses=120) for name in "ab"]
    with (
        scheduler(tmp_path) as (_, address),
        worker(address, tmp_path, "--no-nanny") as first,
        worker(address, tmp_path, "--no-nanny"),
        ClusterSession(Runtime(cluster=address)) as session,
    ):
        kill = threading.Thread(
            target=lambda: (wait_for(lambda: len(starts(diary)) >= 2), first.kill())
        )
        kill.start()
        results = session.execute(plan_of(*jobs), store, listener)
        kill.join()
    assert failures(results) == {}
    assert sorted(result.label for result in results) == ["write a", "write b"]
    begun = starts(diary)
    assert sorted(set(begun)) == ["a", "b"]
    assert len(begun) == 3, "only the job of the killed worker is repeated"


def test_without_the_scheduler_workers_stop_and_the_run_ends(tmp_path: Path) -> None:
    diary, store = str(tmp_path / "diary"), Store(tmp_path / "store")
    jobs = [Write("a", diary=diary, pauses=2000)]
    with (
        scheduler(tmp_path) as (child, address),
        worker(address, tmp_path, "--no-nanny") as one,
        ClusterSession(Runtime(cluster=address)) as session,
    ):
        kill = threading.Thread(
            target=lambda: (wait_for(lambda: len(starts(diary)) == 1), child.kill())
        )
        kill.start()
        with pytest.raises(RunError, match=r"^the scheduler.* must stay reachable, but the"):
            session.execute(plan_of(*jobs), store, Listener())
        kill.join()
        one.wait(90)
    assert Path(diary).read_text().endswith("a stopped\n")
    assert not list((store.root / ".leases").iterdir())
    # The rerun, here in this process, does what is left.
    assert failures(drain([Write("a")], in_this_thread(store))) == {}


def test_a_scheduler_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnstudy.study.execution.cluster import session

    monkeypatch.setattr(session, "CONNECT", 0.5)
    with (
        pytest.raises(RunError, match=r"^the scheduler at tcp://127\.0\.0\.1:1 must answer within"),
        ClusterSession(Runtime(cluster="tcp://127.0.0.1:1")) as one,
    ):
        one.execute(plan_of(Write("a")), Store(tmp_path), Listener())
