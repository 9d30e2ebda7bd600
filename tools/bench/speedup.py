"""Training by one and by two workers of one thread each: how many times as fast are two?

Run `python tools/bench/speedup.py` on an idle machine with two cores or more. Each study trains
four cohorts of equal size, and nothing else. The clock runs from the start of the first job to the
end of the last. Compilation is part of it. One worker has one core, two have two: a program of one
thread would else use part of a second core, since XLA runs independent products side by side. The
first row is a product of matrices by one and by two processes: what the machine gives.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from asking import OneSentence, number_from

Data = dict[str, Any]

COHORTS = 4

EXECUTORS = {"threads": "one process, jobs in threads", "cluster": "worker processes of Dask"}

MACHINE = "machine"

PRODUCTS = 400_000
"""Products of 64 x 64 matrices that show what the machine gives, some seconds."""

AIM = 1.8


def spec(executor: str, workers: int, options: argparse.Namespace) -> Data:
    """Return a study of equal cohorts for one or two workers."""
    tasks = [
        {"kind": "flip_flop", "bits": 3, "length": options.length, "name": f"memory{i}",
         "pulse_probability": 0.2 + 0.01 * i, "evaluation_trials": 32}
        for i in range(COHORTS)
    ]  # fmt: skip
    runtime: Data = {"forbid": "nothing", "workers": workers}
    if executor == "cluster":
        runtime["cluster"] = f"local:{workers}"
    return {
        "study": "speedup",
        "tasks": tasks,
        "networks": {"cells": options.cell, "units": options.units, "seeds": options.networks},
        "training": {"steps": options.steps, "batch": options.batch},
        "report": {"formats": "svg"},
        "runtime": runtime,
    }


def train(study: Data, folder: Path) -> Data:
    """Train the networks of a study in this process; return the seconds of its jobs."""
    from rnnstudy.runner import NullListener
    from rnnstudy.study.execution.cluster.session import ClusterSession
    from rnnstudy.study.execution.execute import execute
    from rnnstudy.study.plan.plan import make_plan
    from rnnstudy.study.spec.study import study_of
    from rnnstudy.study.store import Store

    class Clock(NullListener):
        begun, ended = float("inf"), 0.0

        def on_job_start(self, job: Any) -> None:
            self.begun = min(self.begun, time.perf_counter())

        def on_job_end(self, job: Any, result: Any) -> None:
            self.ended = time.perf_counter()

    whole, store, clock = study_of(study), Store(folder / "store"), Clock()
    runtime, plan = whole.runtime, training_of(make_plan(whole, store))
    session = nullcontext() if runtime.cluster is None else ClusterSession(runtime)
    with session as opened:
        results = execute(plan, store, runtime, clock, session=opened)
    failed = [result.failure for result in results if result.failure]
    if failed or len(results) != COHORTS:
        raise SystemExit(f"{COHORTS} cohorts must be trained, got {len(results)}, failed: {failed}")
    return {"seconds": clock.ended - clock.begun}


def training_of(plan: Any) -> Any:
    """Return the plan with nothing but training."""
    return replace(plan, todo=plan.cohorts)


def products(processes: int) -> Data:
    """Return the seconds that a fixed number of products takes, divided between processes."""
    code = (
        "import numpy as np; a = np.ones((64, 64), 'f'); b = a.copy()\n"
        f"for _ in range({PRODUCTS * COHORTS // processes}): np.dot(a, a, out=b)"
    )
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    begun = time.perf_counter()
    children = [subprocess.Popen([sys.executable, "-c", code], env=alone) for _ in range(processes)]
    for child in children:
        child.wait()
    return {"seconds": time.perf_counter() - begun}


def table(found: Sequence[Data]) -> str:
    """Return the table for the docs: medians for one and two workers, and the ratio."""
    lines = ["| training by | one worker, s | two workers, s | times as fast |",
             "|---|---:|---:|---:|"]  # fmt: skip
    for executor in dict.fromkeys(each["executor"] for each in found):
        one, two = (median(found, executor, workers) for workers in (1, 2))
        title = EXECUTORS.get(executor, "products of matrices, in processes")
        lines.append(f"| {title} | {one:.1f} | {two:.1f} | {one / two:.2f} |")
    return "\n".join(lines)


def median(found: Sequence[Data], executor: str, workers: int) -> float:
    """Return the median of the seconds of an executor with so many workers."""
    return statistics.median(
        each["seconds"]
        for each in found
        if each["executor"] == executor and each["workers"] == workers
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure in turns, print the table; return 1 if two workers are not fast enough."""
    options = _options(arguments)
    if options.one:
        executor, workers = options.one
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(workers)])
        with tempfile.TemporaryDirectory(prefix="speedup-") as folder:
            done = train(spec(executor, int(workers), options), Path(folder))
        sys.stdout.write(json.dumps(done) + "\n")
        return 0
    found: list[Data] = []
    for _ in range(options.repeats):
        for executor in (MACHINE, *options.executors):
            for workers in (1, 2):
                done = (
                    products(workers) if executor == MACHINE else _apart(executor, workers, options)
                )
                found.append({"executor": executor, "workers": workers, **done})
                sys.stderr.write(f"{executor}, {workers} workers: {done['seconds']:.1f} s\n")
    if options.json:
        options.json.write_text(json.dumps({"cores": os.cpu_count(), "runs": found}, indent=1))
    sys.stdout.write(table(found) + "\n")
    ratios = [median(found, each, 1) / median(found, each, 2) for each in options.executors]
    return int(min(ratios) < AIM)


def _apart(executor: str, workers: int, options: argparse.Namespace) -> Data:
    """Train in a process of its own."""
    command = [sys.executable, __file__, "--one", executor, str(workers)]
    for name in ("cell", "units", "networks", "steps", "batch", "length"):
        command += [f"--{name}", str(getattr(options, name))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds: Data = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="speedup.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--executors", nargs="+", choices=EXECUTORS, default=list(EXECUTORS))
    parser.add_argument("--cell", default="gru")
    parser.add_argument("--units", type=number_from(1), default=64)
    parser.add_argument("--networks", type=number_from(1), default=8, help="of a cohort")
    parser.add_argument("--steps", type=number_from(1), default=200)
    parser.add_argument("--batch", type=number_from(1), default=64)
    parser.add_argument("--length", type=number_from(2), default=100)
    parser.add_argument("--repeats", type=number_from(1), default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
