"""Time and memory of a study by its number of networks: plan, executor, store, pairs, report.

Training and searches for fixed points are simulated by stored results, so that no stage needs
TensorFlow. All other code is that of a study. Each stage runs in a process of its own.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asking import OneSentence, number_from

Data = dict[str, Any]

STAGES = {
    "check": "spec and plan, nothing stored",
    "execute": "jobs: write networks, analyses, pairs, claims",
    "plan": "plan, everything stored",
    "members": "table of networks",
    "status": "table, plan and verdicts, as `rnnstudy status`",
    "report": "report written",
    "rerun": "run with nothing to do",
}

TARGET = 100_000
"""Networks for which times and memory are extrapolated."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all stages at all sizes, print the table; return the exit status."""
    options = _options(arguments)
    if options.stage:
        sys.stdout.write(json.dumps(_stage(options)) + "\n")
        return 0
    found: list[Data] = []
    for count in options.networks:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            for stage in STAGES:
                found.append(_in_process(stage, count, folder, options))
                sys.stderr.write(_line(found[-1]) + "\n")
    if options.json:
        options.json.write_text(json.dumps({"cores": os.cpu_count(), "stages": found}, indent=1))
    sys.stdout.write(table(found) + "\n")
    return 0


def _in_process(stage: str, count: int, folder: str, options: argparse.Namespace) -> Data:
    command = [sys.executable, __file__, "--stage", stage, "--networks", str(count)]
    command += ["--folder", folder, "--tasks", str(options.tasks)]
    command += ["--workers", str(options.workers), *(["--claims"] * options.claims)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode:
        return {"stage": stage, "networks": count, "failed": process.returncode}
    result: Data = json.loads(process.stdout.splitlines()[-1])
    return result


def _stage(options: argparse.Namespace) -> Data:
    """Run one stage in this process; return its time, memory and what it did."""
    import stages

    begun, cpu = time.perf_counter(), time.process_time()
    sizes = stages.Sizes(*options.networks, options.tasks, options.workers, options.claims)
    about = stages.STAGES[options.stage](sizes, options.folder)
    return {
        "stage": options.stage,
        "networks": sizes.networks,
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - cpu,
        "bytes": peak_bytes(),
        **about,
    }


def peak_bytes() -> int:
    """Return the peak memory of this process since its program was loaded."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _line(result: Data) -> str:
    if "failed" in result:
        return f"{result['networks']} {result['stage']}: ended with {result['failed']}"
    return (
        f"{result['networks']} {result['stage']}: {result['seconds']:.1f} s, "
        f"{result['cpu']:.1f} s of CPU, {result['bytes'] / 2**20:.0f} MiB"
    )


def table(found: Sequence[Data]) -> str:
    """Return the table for the docs: a row per stage, seconds of CPU and MiB at each size."""
    counts = sorted({result["networks"] for result in found})
    heads = [f"{count:,}" for count in counts]
    rows = [["stage", *heads, "ms per network", "grows as", f"at {TARGET:,}", "MiB",
             "KiB per network", f"GiB at {TARGET:,}"]]  # fmt: skip
    for stage, what in STAGES.items():
        results = [r for r in found if r["stage"] == stage and "failed" not in r]
        if results:
            rows.append([f"{stage}: {what}", *_row(results, counts)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _row(results: Sequence[Data], counts: Sequence[int]) -> list[str]:
    by_count = {result["networks"]: result for result in results}
    times = [f"{by_count[n]['cpu']:.1f} s" if n in by_count else "-" for n in counts]
    last = results[-1]
    if len(results) < 2:
        return [*times, "-", "-", "-", f"{last['bytes'] / 2**20:.0f}", "-", "-"]
    first = results[-2]
    slope, power, then = _growth(first, last, "cpu")
    per_network, _, memory = _growth(first, last, "bytes")
    return [
        *times,
        f"{1e3 * slope:.2g}",
        f"n^{power:.1f}",
        _duration(then),
        f"{last['bytes'] / 2**20:.0f}",
        f"{per_network / 2**10:.1f}",
        f"{memory / 2**30:.1f}",
    ]


def _growth(first: Data, last: Data, what: str) -> tuple[float, float, float]:
    """Return the slope between two sizes, the exponent, and the value at TARGET.

    The part beyond the smaller size is continued with its exponent, at least linearly.
    """
    (n, x), (m, y) = ((each["networks"], max(each[what], 1e-9)) for each in (first, last))
    slope, power = max(y - x, 0) / (m - n), math.log(y / x) / math.log(m / n)
    quadratic = max(power - 1, 0)
    return slope, power, y + slope * (TARGET - m) * (TARGET / m) ** quadratic


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="scale.py", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--networks", nargs="+", type=number_from(8), default=[2_000, 10_000], metavar="N"
    )
    parser.add_argument("--tasks", type=number_from(1), default=10, metavar="N")
    parser.add_argument("--claims", action="store_true", help="with a claim and its controls")
    parser.add_argument("--workers", type=number_from(1), default=64, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where results are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    wrong = [n for n in options.networks if n % (8 * options.tasks)]
    if wrong:
        parser.error(f"{wrong[0]} networks are not a multiple of 8 per task")
    return options


if __name__ == "__main__":
    sys.exit(main())
