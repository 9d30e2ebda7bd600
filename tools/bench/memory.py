"""Memory of a process that trains and analyses many cohorts, one after the other.

Run `python tools/bench/memory.py --cohorts 12`. Each cohort has a program of its own. The peak must
not grow with their number.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

CONSOLE = Console(highlight=False, soft_wrap=True)

MEASURE = """
import json, sys
from rnnstudy.cells import CELLS
from rnnstudy.population.compile import free_memory
from rnnstudy.study.execution.execute import start_tensorflow
from rnnstudy.study.spec.options import Runtime
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

cohorts, members, units = map(int, sys.argv[1:4])
start_tensorflow(Runtime())
task = FlipFlop(bits=2, length=20, evaluation_trials=32)
protocol = Training(steps=2, batch=8, record_every=1)

def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def one(number):
    cell = list(CELLS.values())[number % len(CELLS)](units=units + number)
    trained = train(cell, task, [protocol] * members, range(members))
    if sys.argv[4] == "analyse":
        search = FixedPointSearch(rounds=1, candidates=16)
        FixedPointAnalysis(search=search).run(trained.population, task)
    free_memory()

print(json.dumps({"resident": status("VmRSS"), "peak": status("VmHWM")}), flush=True)
for number in range(cohorts):
    one(number)
    print(json.dumps({"resident": status("VmRSS"), "peak": status("VmHWM")}), flush=True)
"""


def measure(cohorts: int, members: int, units: int, work: str) -> list[dict[str, int]]:
    """Return bytes resident and at the peak, before the first cohort and after each."""
    command = [sys.executable, "-c", MEASURE, *map(str, (cohorts, members, units)), work]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def growth(peaks: list[int], first: int) -> float:
    """Return the bytes by which the peak grows with each cohort after the first few."""
    return (peaks[-1] - peaks[first]) / max(len(peaks) - 1 - first, 1)


def show(rows: list[dict[str, int]]) -> dict[str, Any]:
    """Print bytes after each cohort, and return a summary."""
    mib = 2**20
    CONSOLE.print("| cohorts | resident, MiB | peak, MiB |")
    CONSOLE.print("|---:|---:|---:|")
    for number, row in enumerate(rows):
        CONSOLE.print(f"| {number} | {row['resident'] / mib:.0f} | {row['peak'] / mib:.0f} |")
    first = min(4, len(rows) - 1)
    each = growth([row["peak"] for row in rows], first)
    CONSOLE.print(
        f"\nThe peak grows by {each / mib:.1f} MiB with each cohort after the first {first}."
    )
    return {"rows": rows, "growth": each}


def main() -> None:
    """Measure, print a table and, with `--json`, write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=12)
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--units", type=int, default=8, help="of the first; each has one more")
    parser.add_argument("--work", choices=("train", "analyse"), default="train")
    parser.add_argument("--json", help="file for the numbers")
    arguments = parser.parse_args()
    rows = measure(arguments.cohorts, arguments.members, arguments.units, arguments.work)
    summary = show(rows)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    CONSOLE.print(f"Processor time: {children:.0f} s.")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(summary), encoding="utf-8")


if __name__ == "__main__":
    main()
