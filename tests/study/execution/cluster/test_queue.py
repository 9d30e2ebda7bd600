"""Workers of a batch scheduler: the job scripts, and a fake `sbatch` that starts processes."""

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from fake_jobs import Write, plan_of, starts, text

from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.cluster.session import ClusterSession
from rnnstudy.study.spec.options import (
    BatchCluster,
    Runtime,
    SchedulerKind,
    cluster_settings,
    walltime_seconds,
)
from rnnstudy.study.spec.study import SpecError, study_of
from rnnstudy.study.store import Store

SBATCH = """#!/bin/sh
# Starts the job in the background, as a queue without waiting would.
echo "$1" >> "$FAKE_QUEUE/submitted"
cp "$1" "$FAKE_QUEUE/script-$$.sh"
setsid sh "$FAKE_QUEUE/script-$$.sh" > "$FAKE_QUEUE/job-$$.log" 2>&1 < /dev/null &
echo $! > "$FAKE_QUEUE/pid-$!"
echo "Submitted batch job $!"
"""

SCANCEL = """#!/bin/sh
echo "$1" >> "$FAKE_QUEUE/cancelled"
kill -TERM -"$1" 2>/dev/null || true
"""


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "queue"
    folder.mkdir()
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = folder / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_QUEUE", str(folder))
    return folder


def script(**fields: Any) -> str:
    """The job script of a worker, without any queue."""
    import dask_jobqueue as kinds
    import dask_jobqueue.core as core

    cluster = BatchCluster(**fields)
    options = cluster.queue_options(120)
    options.pop("scheduler_options")
    job = getattr(kinds, f"{cluster.kind.upper()}Cluster").job_cls
    assert issubclass(job, core.Job)
    text: str = job(scheduler="tcp://h:1", name="w", **options).job_script()
    return text


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("slurm", ["#SBATCH -p long", "#SBATCH --cpus-per-task=2", "#SBATCH --gres=gpu:1"]),
        ("pbs", ["#PBS -q long", "#PBS -l select=1:ncpus=2:mem=8192mb:ngpus=1"]),
        ("lsf", ["#BSUB -q long", "#BSUB -n 2", "#BSUB -gpu num=1"]),
        ("sge", ["#$ -q long", "#$ -l gpu=1"]),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_scripts_ask_for_cores_memory_and_a_gpu(kind: str, lines: list[str]) -> None:
    pytest.importorskip("dask_jobqueue")
    walltime = "02:00" if kind == "lsf" else "02:00:00"
    made = script(
        kind=kind, cores=2, memory=8, gpus=1,
        options={"queue": "long", "walltime": walltime, "worker_extra_args": ["--preload", "m"]},
    )  # fmt: skip
    for line in lines:
        assert line in made.splitlines(), made
    command = made.splitlines()[-1]
    # The last of two options counts.
    assert command.rindex("--nthreads 1") > command.index("--nthreads")
    assert "--resources memory=8589934592,GPU=1" in command
    assert "--lifetime 7080s" in command
    assert "--preload m" in command


TIMES = {
    # sbatch: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]]
    ("slurm", "90"): 90 * 60,
    ("slurm", "45:00"): 45 * 60,
    ("slurm", "12:00:00"): 12 * 3600,
    ("slurm", "2-12"): 60 * 3600,
    ("slurm", "1-12:00"): 36 * 3600,
    ("slurm", "1-12:30:15"): 36 * 3600 + 30 * 60 + 15,
    # bsub: [hours:]minutes
    ("lsf", "12:00"): 12 * 3600,
    ("lsf", "90"): 90 * 60,
    ("lsf", "12:00:00"): 0,
    ("lsf", "1-12:00"): 0,
    # qsub: [[hours:]minutes:]seconds
    ("pbs", "12:00:00"): 12 * 3600,
    ("pbs", "45:00"): 45 * 60,
    ("sge", "7200"): 7200,
    ("sge", "1:30:00"): 90 * 60,
    ("pbs", "1-12:00:00"): 0,
    ("slurm", "forever"): 0,
    ("slurm", "UNLIMITED"): 0,
    ("slurm", ""): 0,
}
"""Batch scheduler and time -> its seconds, by the manual of the scheduler; 0 if it takes none."""


@pytest.mark.parametrize(("kind", "walltime"), TIMES)
def test_a_time_is_read_as_its_scheduler_reads_it(kind: SchedulerKind, walltime: str) -> None:
    assert walltime_seconds(kind, walltime) == TIMES[kind, walltime]


@pytest.mark.parametrize(
    ("kind", "walltime", "option"),
    [("slurm", "1-00:00:00", "--lifetime 86280s"), ("slurm", "45:00", "--lifetime 2580s"),
     ("lsf", "12:00", "--lifetime 43080s"), ("slurm", "00:03:00", None), ("slurm", "", None),
     ("slurm", "forever", None)],
)  # fmt: skip
def test_workers_stop_before_their_time_is_over(
    kind: SchedulerKind, walltime: str, option: str | None
) -> None:
    cluster = BatchCluster(kind=kind, options={"walltime": walltime})
    extra = " ".join(cluster.queue_options(120)["worker_extra_args"])
    assert (option in extra) if option else ("--lifetime" not in extra)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("condor", "should be local:4, tcp://host:port, slurm, pbs, lsf, sge, or options"),
        ("local:0", "should be local:4"),
        (["slurm"], "should be local:4"),
        ({"kind": "condor"}, "known: lsf, pbs, sge, slurm"),
        ({"kind": "slurm", "gpus": 2}, "at most 1"),
        ({"kind": "slurm", "core": 2}, "did you mean 'cores'"),
    ],
)
def test_other_clusters_are_refused_in_one_sentence(value: Any, sentence: str) -> None:
    spec = {"study": "s", "tasks": ["flip_flop"], "networks": {"cells": "gru"}}
    with pytest.raises(SpecError, match=re.escape(sentence)) as caught:
        study_of({**spec, "runtime": {"cluster": value}})
    assert len(caught.value.problems) == 1


def test_the_command_line_keeps_the_options_of_its_batch_scheduler() -> None:
    options = BatchCluster(kind="slurm", workers=9)
    assert cluster_settings("slurm", options) == []
    assert cluster_settings("pbs", options) == ["runtime.cluster=pbs"]
    assert cluster_settings(None, options) == []
    assert Runtime(cluster="pbs").cluster == BatchCluster(kind="pbs")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_fake_queue_does_a_plan_with_as_many_workers_as_there_is_work(
    queue: Path, tmp_path: Path
) -> None:
    pytest.importorskip("dask_jobqueue")
    diary, store = str(tmp_path / "diary"), Store(tmp_path / "store")
    jobs = [*(Write(n, diary=diary, pauses=40) for n in "abcd"), Write("z", tuple("abcd"))]
    cluster = BatchCluster(
        kind="slurm", workers=2, memory=1, options={"log_directory": str(queue / "logs")}
    )
    with ClusterSession(Runtime(cluster=cluster)) as session:
        results = session.execute(plan_of(*jobs), store, NullListener())
    assert [r.failure for r in results] == [None] * 5
    assert text(store, "z") == "z(a(),b(),c(),d())"
    assert sorted(starts(diary)) == ["a", "b", "c", "d"]
    submitted = (queue / "submitted").read_text().splitlines()
    assert 1 <= len(submitted) <= 3
    processes = {line.split()[1] for line in Path(diary).read_text().splitlines()}
    assert len(processes) <= len(submitted)
    assert sorted((queue / "cancelled").read_text().split()) == sorted(
        path.name.removeprefix("pid-") for path in queue.glob("pid-*")
    )


@pytest.mark.filterwarnings("ignore")
def test_options_that_dask_jobqueue_does_not_know_are_named(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    cluster = BatchCluster(kind="slurm", options={"speed": "long"})
    with (
        pytest.raises(RunError, match=r"^runtime\.cluster must be options of .*speed"),
        ClusterSession(Runtime(cluster=cluster)) as session,
    ):
        session.execute(plan_of(Write("a")), Store(tmp_path), NullListener())
