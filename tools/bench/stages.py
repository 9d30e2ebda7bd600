"""Stages of a simulated study, each as a function that reads and writes one run directory."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from simulated import simulated, spec

from rnnstudy import runner
from rnnstudy.core.threads import one_thread
from rnnstudy.report.build import write_report
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.leases import Leases
from rnnstudy.study.execution.schedule import drain
from rnnstudy.study.execution.worker import Worker
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.files import write_specs
from rnnstudy.study.results.run import open_run, store_of
from rnnstudy.study.spec.study import Study, load_study

Data = dict[str, Any]


class Sizes(NamedTuple):
    """Sizes of a simulated study; see `simulated.spec`."""

    networks: int
    tasks: int = 1
    workers: int = 64
    claims: bool = False


def check(sizes: Sizes, folder: Path) -> Data:
    """Read the spec and plan it against an empty store."""
    study = _study(sizes, folder)
    return {"jobs": len(make_plan(study, store_of(study, folder)).todo)}


def execute(sizes: Sizes, folder: Path) -> Data:
    """Run all jobs, with stored results in place of training, and write the run's spec."""
    study = _study(sizes, folder)
    write_specs(study, folder, None)
    (folder / "provenance.json").write_text(json.dumps({"failures": []}))
    store = store_of(study, folder)
    plan = make_plan(study, store)
    plan = replace(plan, todo=tuple(map(simulated, plan.todo)))
    with one_thread(), Leases(store.root) as leases, ThreadPoolExecutor(sizes.workers) as executor:
        worker = Worker(store, NullListener(), threading.Event(), 60.0, ("CPU:0",), None, leases)
        results = drain(plan.todo, lambda job, _: executor.submit(worker.perform, job))
    failed = [result for result in results if result.failure]
    if failed:
        raise RuntimeError(f"{failed[0].label}: {failed[0].failure}\n{failed[0].trace}")
    stored = [path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file()]
    return {"jobs": len(results), "files": len(stored), "stored_bytes": sum(stored)}


def plan(sizes: Sizes, folder: Path) -> Data:
    """Plan the finished study."""
    left = open_run(folder).plan().todo
    if left:
        raise RuntimeError(f"{len(left)} jobs are left, the first is {left[0].label}")
    return {}


def members(sizes: Sizes, folder: Path) -> Data:
    """Read the table of networks."""
    return {"rows": len(open_run(folder).members)}


def status(sizes: Sizes, folder: Path) -> Data:
    """Read what `rnnstudy status` shows."""
    run = open_run(folder)
    return {"left": len(run.plan().todo), "rows": len(run.members), "claims": len(run.verdicts())}


def report(sizes: Sizes, folder: Path) -> Data:
    """Write the report."""
    return {"page_bytes": write_report(open_run(folder)).page.stat().st_size}


def rerun(sizes: Sizes, folder: Path) -> Data:
    """Run the finished study again."""
    return {"rows": len(runner.run(_study(sizes, folder), folder).members)}


def _study(sizes: Sizes, folder: Path) -> Study:
    """Read the study from a file, as the command line does."""
    path = folder / "simulated.yaml"
    path.write_text(json.dumps(spec(*sizes)))
    return load_study(path)


STAGES: dict[str, Callable[[Sizes, Path], Data]] = {
    "check": check,
    "execute": execute,
    "plan": plan,
    "members": members,
    "status": status,
    "report": report,
    "rerun": rerun,
}
