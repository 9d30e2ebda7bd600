"""A worker that is lost in the middle of training: the job goes on elsewhere, to the same bytes."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from dask_processes import Host, Process, scheduler, second_host, wait_for, worker

pytest.importorskip("distributed")

from rnnstudy import runner
from rnnstudy.core.arrays import Array
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.checkpoints import CHECKPOINT
from rnnstudy.study.execution.leases import LEASES
from rnnstudy.study.plan.job import Job
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

STEPS = 20_000
"""Steps that take some seconds: a worker is lost between two checkpoints."""

SHORT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
"""Time until a silent connection is lost. Dask takes no connection with less than 11 s."""


def study(**runtime: Any) -> Study:
    task = {"kind": "flip_flop", "bits": 1, "length": 12, "probe_length": 12}
    return study_of({
        "study": "lost",
        "tasks": [{**task, "evaluation_trials": 32}],
        "networks": {"cells": "vanilla", "units": 4, "seeds": 2},
        "training": {"steps": STEPS, "batch": 4, "record_every": 50},
        "report": {"formats": "svg"},
        "runtime": {**runtime, "checkpoint": 0.1, "forbid": "nothing"},
    })  # fmt: skip


class Steps(NullListener):
    """Steps of training that the run was told of after it has lost a worker."""

    def __init__(self) -> None:
        self.is_lost = False
        self.after: list[int] = []

    def on_message(self, text: str) -> None:
        self.is_lost |= text.startswith("a worker was lost")

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        if self.is_lost:
            self.after.append(step)


def checkpoint(store: Store) -> int:
    """Return the steps of the latest checkpoint; 0 if there is none."""
    return max((int(key.rpartition("-")[2]) for key in store.keys(CHECKPOINT)), default=0)


def holder(store: Store) -> int:
    """Return the process that has the lease of the only job."""
    (lease,) = (path for path in (store.root / LEASES).iterdir() if path.name[0] != ".")
    return int(json.loads(lease.read_text())["pid"])


def files(run: Run) -> dict[str, bytes]:
    """Return members.csv and the arrays of all results."""
    keys = sorted(run.store.keys())
    results = [key for key in keys if not key.startswith(CHECKPOINT)]
    arrays = {key: (run.store.folder(key) / "arrays.npz").read_bytes() for key in results}
    return {**arrays, "members.csv": (run.directory / "members.csv").read_bytes()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return runner.run(study(), tmp_path_factory.mktemp("unbroken"))


@contextmanager
def workers(folder: Path, host: Host | None) -> Iterator[tuple[str, Process, ExitStack]]:
    """A scheduler with a worker, on another host if there is one, and room for further workers."""
    here = "127.0.0.1" if host is None else host.here
    prefix, options = ([], []) if host is None else (host.prefix, ["--host", host.there])
    with (
        scheduler(folder, here, SHORT) as (_, address),
        worker(address, folder, "--no-nanny", *options, prefix=prefix, settings=SHORT) as first,
        ExitStack() as others,
    ):
        yield address, first, others


@pytest.mark.parametrize("loss", ["killed", "cut off"])
def test_training_goes_on_elsewhere_from_its_checkpoint(
    tmp_path: Path, unbroken: Run, loss: str
) -> None:
    """A host that is cut off also stops for a while, so that its training does not end there."""
    directory, listener = tmp_path / "run", Steps()
    store, done_at_loss = Store(directory / "store"), list[int]()

    def lose() -> None:
        wait_for(lambda: checkpoint(store) > 0, 240.0)
        others.enter_context(worker(address, tmp_path, "--no-nanny", settings=SHORT))
        done_at_loss.append(checkpoint(store))
        if host is None:
            os.kill(holder(store), signal.SIGKILL)
        else:
            os.kill(holder(store), signal.SIGSTOP)
            host.cut()

    with (
        second_host() if loss == "cut off" else nullcontext() as host,
        workers(tmp_path, host) as (address, first, others),
    ):
        end = threading.Thread(target=lose)
        end.start()
        run = runner.run(
            study(cluster=address),
            directory,
            progress=lambda _: nullcontext(listener),
            allow_plugins=True,
        )
        end.join()
        assert run.failures() == []
        assert 0 < done_at_loss[0] < STEPS
        assert listener.after, "the job was at work when its worker was lost"
        assert min(listener.after) > done_at_loss[0], "steps before the checkpoint are not repeated"
        assert files(run) == files(unbroken)
        if host is not None:
            # The host is back. Its worker has lost the job, and ends without a change of results.
            host.mend()
            first.send_signal(signal.SIGCONT)
            assert first.wait(120) is not None
            assert files(run) == files(unbroken)
