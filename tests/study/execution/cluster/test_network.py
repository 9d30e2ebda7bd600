"""A worker on another host, whose network is cut: nothing is lost, and nobody waits for ever."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dask_processes import Host, scheduler, second_host, wait_for, worker
from fake_jobs import Write, plan_of, starts, text

pytest.importorskip("distributed")

from rnnstudy.runner import NullListener
from rnnstudy.study.execution.cluster.session import ClusterSession
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SHORT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
"""Seconds without an answer after which a connection is lost; Dask's default are 30."""


@pytest.fixture
def host() -> Iterator[Host]:
    with second_host() as host:
        yield host


def test_a_short_cut_of_the_network_costs_nothing(host: Host, tmp_path: Path) -> None:
    diary, store = str(tmp_path / "diary"), Store(tmp_path / "store")
    jobs = [Write("a", diary=diary, pauses=120), Write("z", ("a",), diary=diary)]

    def cut() -> None:
        wait_for(lambda: len(starts(diary)) == 1)
        host.cut()
        threading.Event().wait(2.0)
        host.mend()

    with (
        scheduler(tmp_path, host.here) as (_, address),
        worker(address, tmp_path, "--no-nanny", "--host", host.there, prefix=host.prefix),
        ClusterSession(Runtime(cluster=address)) as session,
    ):
        cable = threading.Thread(target=cut)
        cable.start()
        results = session.execute(plan_of(*jobs), store, NullListener())
        cable.join()
    assert [result.failure for result in results] == [None, None]
    assert starts(diary) == ["a", "z"], "no job is repeated"
    assert text(store, "z") == "z(a())"


def test_jobs_of_a_host_that_is_cut_off_are_done_elsewhere(host: Host, tmp_path: Path) -> None:
    diary, store = str(tmp_path / "diary"), Store(tmp_path / "store")
    jobs = [
        Write("a", diary=diary, pauses=2000, once=True),
        *(Write(name, ("a",), diary=diary) for name in "bcd"),
    ]
    options = ("--no-nanny", "--host", host.there)
    with (
        scheduler(tmp_path, host.here, SHORT) as (_, address),
        worker(address, tmp_path, *options, prefix=host.prefix, settings=SHORT) as far,
        ExitStack() as near,
        ClusterSession(Runtime(cluster=address)) as session,
    ):

        def cut() -> None:
            wait_for(lambda: len(starts(diary)) == 1)
            near.enter_context(worker(address, tmp_path, "--no-nanny", settings=SHORT))
            host.cut()

        cable = threading.Thread(target=cut)
        cable.start()
        results = session.execute(plan_of(*jobs), store, NullListener())
        cable.join()
        # The worker without a scheduler lets its job end at a pause, and closes.
        assert far.wait(120) is not None
    assert [result.failure for result in results] == [None] * 4
    assert starts(diary)[:2] == ["a", "a"]
    assert sorted(starts(diary)[2:]) == ["b", "c", "d"]
    assert "a stopped" in Path(diary).read_text()
    assert [text(store, name) for name in "bcd"] == ["b(a())", "c(a())", "d(a())"]
    assert not list((store.root / ".leases").iterdir())
