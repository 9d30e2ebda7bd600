"""The account of tools/bench/overhead.py, and the studies of tools/bench/speedup.py."""

import json
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.store import Store

BENCH = Path(__file__).parents[1] / "tools" / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(BENCH))
    import overhead
    import speedup

    return Namespace(overhead=overhead, speedup=speedup)


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.now / 2


def test_a_part_has_the_seconds_without_those_of_the_parts_that_it_calls(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(bench.overhead, "time", clock)

    class Store:
        def write(self) -> str:
            clock.now += 3.0
            self.flush()
            return "written"

        def flush(self) -> None:
            clock.now += 4.0

    account = bench.overhead.Account()
    account.watch(Store, "write", "write")
    account.watch(Store, "flush", "flush")
    with account.open("job"):
        clock.now += 1.0
        assert Store().write() == "written"
        assert Store().write() == "written"
    seconds = {name: (part.calls, part.wall, part.cpu) for name, part in account.parts.items()}
    assert seconds == {"job": (1, 1.0, 0.5), "write": (2, 6.0, 3.0), "flush": (2, 8.0, 4.0)}


def test_a_part_of_another_thread_is_not_taken_from_this_one(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(bench.overhead, "time", clock)
    account = bench.overhead.Account()

    def other() -> None:
        with account.open("other"):
            clock.now += 5.0

    with account.open("this"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert account.parts["this"].wall == account.parts["other"].wall == 5.0


def test_all_places_exist(bench: Any) -> None:
    for watched in bench.overhead.places().values():
        for owner, attributes in watched:
            assert [name for name in attributes if not callable(getattr(owner, name, None))] == []


def test_waiting_for_jobs_is_no_overhead(bench: Any) -> None:
    parts = {
        "plan": {"calls": 1, "wall": 1.0, "cpu": 1.0},
        "jobs": {"calls": 9, "wall": 199.0, "cpu": 180.0},
        "executor, main thread": {"calls": 1, "wall": 90.0, "cpu": 1.0},
    }
    shares = bench.overhead.shares({"wall": 100.0, "cpu": 200.0, "parts": parts})
    assert shares == {"threads": 0.005, "cpu": 0.01}


@pytest.mark.parametrize("workers", [1, 2])
def test_one_and_two_workers_train_the_same_cohorts(
    bench: Any, tmp_path: Path, workers: int
) -> None:
    study = study_of(bench.speedup.spec("threads", workers, bench.speedup._options([])))
    jobs = bench.speedup.training_of(make_plan(study, Store(tmp_path))).todo
    assert [len(job.trains) for job in jobs] == [8] * bench.speedup.COHORTS


def test_the_ratio_is_that_of_medians(bench: Any) -> None:
    runs = [("threads", 1, 20.0), ("threads", 1, 22.0), ("threads", 2, 10.0), ("threads", 2, 11.0)]
    found = [{"executor": e, "workers": w, "seconds": s} for e, w, s in runs]
    last = bench.speedup.table(found).splitlines()[-1]
    assert last == "| one process, jobs in threads | 21.0 | 10.5 | 2.00 |"


@pytest.mark.slow
def test_both_scripts_run(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.yaml"
    spec.write_text(
        "study: tiny\ntasks: [{kind: flip_flop, bits: 1, length: 12, probe_length: 12}]\n"
        "networks: {cells: vanilla, units: 4, seeds: 2}\ntraining: {steps: 4, batch: 4}\n"
        "report: {formats: svg}\nruntime: {forbid: nothing}\n"
    )
    written = tmp_path / "overhead.json"
    tiny = ["--units", "4", "--networks", "1", "--steps", "2", "--batch", "4", "--length", "12"]
    for script, options in (
        ("overhead.py", ["--spec", str(spec), "--json", str(written)]),
        ("speedup.py", [*tiny, "--repeats", "1", "--executors", "threads"]),
    ):
        done = subprocess.run(
            [sys.executable, str(BENCH / script), *options],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
    parts = json.loads(written.read_text())["parts"]
    assert {"plan", "jobs", "store: write", "store: flush to the disk"} <= parts.keys()
    assert parts["report"]["calls"] == 1
