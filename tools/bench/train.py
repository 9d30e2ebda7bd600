"""Times a training step of populations against Keras, JAX and PyTorch, side by side in one run:

.venv/bin/python tools/bench/train.py --cells vanilla lstm --sizes 64x64x100 --members 1 64

Every contender trains the same networks on the same task with Adam and a bound on the gradient's
norm, in a process of its own; first their losses are compared on a small network. Contenders that
are not installed (pip install rnnstudy[bench]) are skipped. Exit status: 0 done, 1 the contenders
do not train the same thing, 2 the arguments are wrong.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from asking import OneSentence, number_from
from contenders import CONTENDERS
from contenders.case import ACTIVATIONS, CELLS, Case
from rounds import Arena, Plan, as_data
from table import show, show_scaling
from workers import Failed

from rnnstudy.cli.terminal import SafeConsole

SIZES = ("64x64x100", "128x64x200")
MEMBERS = (1, 4, 16, 64, 128)
DRIVERS = ("/proc/driver/nvidia", "/dev/dxg")

QUICK: dict[str, Any] = {"sizes": ["16x8x20"], "members": [4], "repeats": 2, "seconds": 0.1}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; returns the exit status."""
    options = _options(arguments)
    console = SafeConsole()
    plan = Plan(options.contenders, options.threads, options.gpu, options.repeats, options.seconds)
    arena = Arena(plan)
    try:
        _measure(arena, options, console)
    except Failed as failure:
        SafeConsole(stderr=True).print(f"train.py: {failure}", style="red")
        return 1
    finally:
        arena.close()
    return 0


def _measure(arena: Arena, options: argparse.Namespace, console: SafeConsole) -> None:
    """Case by case; each is shown and written as soon as it is there."""
    devices, peak = arena.devices(), arena.peak()
    for name, device in devices.items():
        console.print(f"{name}: {device}", highlight=False)
    found: dict[str, Any] = {"machine": _machine(arena.plan, peak), "devices": devices}
    found |= {"agreement": {}, "cases": []}
    with console.status("") as status:
        for case in _cases(options):
            network = f"{case.cell} {case.activation}"
            if network not in found["agreement"]:
                status.update(f"{network}: comparing losses")
                found["agreement"][network] = arena.agreement(case)
                agreed = ", ".join(found["agreement"][network])
                console.print(f"{network}: the same losses from {agreed}", highlight=False)
            title = f"{network}, {case.units}x{case.batch}x{case.time}, {case.members} members"
            entries, rate = arena.measure(case, lambda what: status.update(f"{title}: {what}"))  # noqa: B023
            found["cases"].append(as_data(case, entries, rate, peak))
            show(console, found["cases"][-1])
            if options.json:
                options.json.write_text(json.dumps(found, indent=1) + "\n")
    show_scaling(console, found["cases"])


def _machine(plan: Plan, peak: float) -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": plan.threads,
        "gpu": plan.gpu,
        "peak": peak,
        "repeats": plan.repeats,
        "python": platform.python_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _cases(options: argparse.Namespace) -> list[Case]:
    found = product(options.cells, options.activations, options.sizes, options.members)
    return [Case(cell, activation, *size, members) for cell, activation, size, members in found]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneSentence(prog="train.py", description=__doc__.partition("\n")[0])
    _choices(parser)
    _numbers(parser)
    parser.add_argument("--json", type=_file, metavar="FILE", help="write everything measured")
    parser.add_argument("--quick", action="store_true", help="a tiny run, to see that it works")
    given = parser.parse_args(arguments)
    if given.quick:
        parser.set_defaults(**QUICK | {"sizes": [_size(size) for size in QUICK["sizes"]]})
        given = parser.parse_args(arguments)
    given.gpu = given.device == "gpu" or (
        given.device == "auto" and any(os.path.exists(path) for path in DRIVERS)
    )
    return given


def _choices(parser: argparse.ArgumentParser) -> None:
    cells = [name for name in CELLS if name != "gru_before"]
    several: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument("--cells", choices=CELLS, default=cells, help=", ".join(CELLS), **several)
    parser.add_argument(
        "--activations", choices=ACTIVATIONS, default=["tanh"], help=", ".join(ACTIVATIONS),
        **several,
    )  # fmt: skip
    parser.add_argument(
        "--contenders", choices=CONTENDERS, default=[n for n in CONTENDERS if n != "together"],
        help=", ".join(CONTENDERS), **several,
    )  # fmt: skip
    parser.add_argument(
        "--device", choices=("auto", "cpu", "gpu"), default="auto", help="what to run on"
    )


def _numbers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sizes", nargs="+", type=_size, default=[_size(size) for size in SIZES],
        metavar="UNITSxBATCHxSTEPS", help=f"default: {' '.join(SIZES)}",
    )  # fmt: skip
    parser.add_argument(
        "--members", nargs="+", type=number_from(1), default=list(MEMBERS), metavar="NUMBER",
        help="networks trained together",
    )  # fmt: skip
    parser.add_argument(
        "--repeats",
        type=number_from(1),
        default=5,
        metavar="NUMBER",
        help="rounds; the median counts",
    )
    parser.add_argument(
        "--seconds", type=_duration, default=1.0, metavar="NUMBER",
        help="about how long one measurement takes",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=_threads, default=min(2, _cores()), metavar="NUMBER",
        help="cores that each contender has",
    )  # fmt: skip


def _size(text: str) -> tuple[int, int, int]:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not UNITSxBATCHxSTEPS, such as 64x64x100")
    units, batch, time = (int(part) for part in parts)
    return units, batch, time


def _threads(text: str) -> int:
    if number_from(1)(text) > _cores():
        raise argparse.ArgumentTypeError(f"{text} threads are more than the {_cores()} cores")
    return int(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _file(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: it needs an existing folder")
    return path


if __name__ == "__main__":
    sys.exit(main())
