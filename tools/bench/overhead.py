"""Share of a run that is no computation: plan, store, leases, checkpoints, progress, executor.

Run `python tools/bench/overhead.py` on an idle machine. It runs specs/quickstart.yaml by the
command line in this process. Functions of each part are timed in their threads, without the parts
that they call. Time in which a thread waits for the disk or for another thread counts.
"""

import argparse
import functools
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asking import OneSentence, number_from

Data = dict[str, Any]

QUICKSTART = Path(__file__).parents[2] / "specs" / "quickstart.yaml"

OVERHEAD = ("plan", "store: write", "store: flush to the disk", "store: read", "checkpoints",
            "leases", "progress", "executor", "memory returned to the system",
            "files of the run")  # fmt: skip
"""Parts that are no computation. Report and models are what a user wants, and not among them."""

ALL_THREADS = ("executor, main thread",)
"""Parts that wait for the jobs. Only their processor time is overhead."""

AIM = 0.02
"""Share of the time that the overhead may take."""


@dataclass
class Part:
    """Seconds of a part, without those of the parts that it calls."""

    calls: int = 0
    wall: float = 0.0
    cpu: float = 0.0


class Account:
    """Seconds of parts of a program, in all of its threads."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self._lock, self._thread = threading.Lock(), threading.local()

    @contextmanager
    def open(self, name: str) -> Iterator[None]:
        """Count the seconds of this context, and take them from the part around it."""
        stack = self._thread.__dict__.setdefault("stack", [])
        inside = [0.0, 0.0]
        stack.append(inside)
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
            stack.pop()
            if stack:
                stack[-1][0] += wall
                stack[-1][1] += cpu
            with self._lock:
                part = self.parts.setdefault(name, Part())
                part.calls += 1
                part.wall += wall - inside[0]
                part.cpu += cpu - inside[1]

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Count the calls of a function, or method, under a name from now on."""
        function: Callable[..., Any] = getattr(owner, attribute)

        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            with self.open(name):
                return function(*arguments, **options)

        setattr(owner, attribute, call)


Places = dict[str, Sequence[tuple[Any, Sequence[str]]]]


def places() -> Places:
    """Return for each part the modules or classes, and the names of their functions."""
    from rnnstudy import runner
    from rnnstudy.cli import progress
    from rnnstudy.study.execution import execute, worker
    from rnnstudy.study.execution.checkpoints import Checkpoints
    from rnnstudy.study.execution.leases import Lease, Leases
    from rnnstudy.study.plan import plan
    from rnnstudy.study.store import Store

    return {
        "plan": [(plan, ["make_plan"]), (runner, ["refuse_oversized", "references_of"])],
        "store: write": [(Store, ["write", "remove", "create"])],
        "store: flush to the disk": [(os, ["fsync"])],
        "store: read": [(Store, ["read", "has"])],
        "checkpoints": [(Checkpoints, ["exist", "latest", "keep", "write", "clear"])],
        "leases": [(Leases, ["_take"]), (Lease, ["release", "renew"])],
        "progress": [
            (listener, ["on_job_start", "on_training_step", "on_job_end", "on_message"])
            for listener in (progress.Lines, progress.Bars)
        ],
        "jobs": [(worker, ["run_divided"])],
        "executor": [(worker.Worker, ["perform"])],
        "memory returned to the system": [(worker, ["free_memory"])],
        "executor, main thread": [(execute, ["drain"])],
        "files of the run": [
            (runner, ["collect_stale", "write_index", "write_provenance", "write_members",
                      "write_selection", "write_specs", "write_code"]),
        ],
        "models": [(runner, ["write_models"])],
        "report": [(runner, ["update_report"])],
        "the rest of the run": [(runner, ["run"])],
    }  # fmt: skip


def watch_run(account: Account) -> None:
    """Count the parts of runs from now on."""
    for name, watched in places().items():
        for owner, attributes in watched:
            for attribute in attributes:
                account.watch(owner, attribute, name)


def measure(spec: Path, settings: Sequence[str]) -> Data:
    """Run a spec in a new folder; return seconds of the whole process and of each part."""
    from rnnstudy.cli import commands

    account = Account()
    watch_run(account)
    options = [text for setting in settings for text in ("--set", setting)]
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        sys.argv = ["rnnstudy", "run", str(spec), "--out", folder, *options]
        wall, cpu = time.perf_counter(), time.process_time()
        with suppress(SystemExit), account.open("command line"):
            commands.main()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if not (Path(folder) / "report" / "index.html").exists():
            raise SystemExit(f"{spec} must run to its report, but it did not.")
    parts = {name: vars(part) for name, part in account.parts.items()}
    return {"wall": wall, "cpu": cpu, "parts": parts}


def shares(found: Data) -> dict[str, float]:
    """Return the overhead's share of the time of all threads and of the processor time.

    A thread that waits for the jobs of others has no time of its own.
    """
    parts = found["parts"]
    threads = sum(part["wall"] for name, part in parts.items() if name not in ALL_THREADS)
    wall = sum(parts[name]["wall"] for name in OVERHEAD if name in parts)
    cpu = sum(parts[name]["cpu"] for name in (*OVERHEAD, *ALL_THREADS) if name in parts)
    return {"threads": wall / threads, "cpu": cpu / found["cpu"]}


def table(found: Data) -> str:
    """Return the table for the docs, a row per part."""
    lines = ["| part | calls | wall clock, s | processor, s | share of wall clock | of processor |",
             "|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    for name, part in sorted(found["parts"].items(), key=lambda item: -item[1]["cpu"]):
        wall, cpu = part["wall"], part["cpu"]
        lines.append(
            f"| {name} | {part['calls']:,} | {wall:.2f} | {cpu:.2f} | {wall / found['wall']:.2%} | "
            f"{cpu / found['cpu']:.2%} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the shares; return 1 if a share is above the aim."""
    parser = OneSentence(prog="overhead.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--spec", type=Path, default=QUICKSTART, metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="settings")
    parser.add_argument("--workers", type=number_from(1), help="jobs side by side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    options: argparse.Namespace = parser.parse_args(arguments)
    settings = [*options.settings]
    if options.workers is not None:
        settings.append(f"runtime.workers={options.workers}")
    found = measure(options.spec, settings)
    share = shares(found)
    if options.json:
        options.json.write_text(json.dumps({**found, "shares": share}, indent=1) + "\n")
    sys.stdout.write(
        f"{table(found)}\n\nThe run takes {found['wall']:.1f} s, and {found['cpu']:.1f} s of "
        f"processor time. Plan, store and executor take {share['threads']:.2%} of the time of all "
        f"threads and {share['cpu']:.2%} of the processor time (aim: {AIM:.0%}).\n"
    )
    return int(max(share.values()) > AIM)


if __name__ == "__main__":
    sys.exit(main())
