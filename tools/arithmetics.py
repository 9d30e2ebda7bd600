#!/usr/bin/env python3
"""Run the whole test suite under several arithmetics, and print a table of the results.

    tools/arithmetics.py                          every arithmetic that this machine has
    tools/arithmetics.py NAME [NAME ...]          these; NAME+NAME applies both in one run
    tools/arithmetics.py --list                   the arithmetics, and why one is skipped
    tools/arithmetics.py NAME -- PYTEST ARGS      for instance -- tests/dynamics -m ""

An arithmetic is a choice that a user's machine may make. It fixes the kernels of OpenBLAS, the
instructions of XLA and NumPy, an ignored SIGINT, or a version of Python. A Python runs with the
newest dependencies, or with the lowest that setup.cfg admits and that have wheels for it. No test
may depend on an arithmetic.

`tools/setup` makes the environment of all arithmetics that name no Python. Each of the others has
an environment of its own in .arithmetics/, and each run has a log there. One run takes as long as
`tools/test`; runs follow each other, since one uses all cores.

The exit status is 0 if every run passed, 1 if one failed, 2 if an argument is wrong.
"""

import argparse
import configparser
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "XLA_FLAGS", "NPY_DISABLE_CPU_FEATURES")
PYTHONS = ("3.11", "3.12", "3.13")
# The second-level cache decides how OpenBLAS splits a product, therefore how it rounds.
SMALL_CACHE = {"OPENBLAS_L2_SIZE": "512"}
NUMPY_FEATURES = """
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
print(*(name for name in __cpu_dispatch__ if __cpu_features__.get(name)))
"""
OPENBLAS_KERNELS = """
import numpy, scipy.linalg, threadpoolctl
print(*sorted({i["architecture"] for i in threadpoolctl.threadpool_info() if "architecture" in i}))
"""


@dataclass(frozen=True)
class Arithmetic:
    """Settings of a run of the suite: variables, processor flags that they need, Python."""

    description: str
    variables: dict[str, str] = field(default_factory=dict)
    cpu_flag: str = ""
    numpy_baseline: bool = False
    ignores_sigint: bool = False
    python: str = ""
    lowest: bool = False


@dataclass(frozen=True)
class Result:
    """A row of the table; `outcome` is passed, failed or skipped."""

    name: str
    outcome: str
    seconds: float = 0.0
    kernels: str = "-"
    note: str = ""
    failures: tuple[str, ...] = ()


class SetupError(Exception):
    """An environment that cannot be made; the message says why."""


ARITHMETICS = {
    "openblas-default": Arithmetic("OpenBLAS chooses its kernels itself"),
    "openblas-haswell": Arithmetic(
        "OpenBLAS's kernels for AVX2, cut for a small cache",
        {"OPENBLAS_CORETYPE": "Haswell"} | SMALL_CACHE,
        "avx2",
    ),
    "openblas-nehalem": Arithmetic(
        "OpenBLAS's kernels for SSE4", {"OPENBLAS_CORETYPE": "Nehalem"} | SMALL_CACHE, "sse4_2"
    ),
    "openblas-skylakex": Arithmetic(
        "OpenBLAS's kernels for AVX-512", {"OPENBLAS_CORETYPE": "SkylakeX"}, "avx512f"
    ),
    "xla-avx2": Arithmetic(
        "XLA without AVX-512", {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}, "avx512f"
    ),
    "xla-avx": Arithmetic(
        "XLA without fused multiply-add", {"XLA_FLAGS": "--xla_cpu_max_isa=AVX"}, "avx2"
    ),
    "numpy-baseline": Arithmetic(
        "NumPy's own loops without the processor's extensions", numpy_baseline=True
    ),
    "sigint-ignored": Arithmetic(
        "SIGINT is ignored, as in a script's background processes", ignores_sigint=True
    ),
} | {
    f"python{version}-{choice}": Arithmetic(
        f"Python {version} with the {choice} dependencies",
        python=version,
        lowest=choice == "lowest",
    )
    for version in PYTHONS
    for choice in ("newest", "lowest")
}


def main() -> int:
    """Run the chosen arithmetics and print the table; return the exit status."""
    arguments, pytest_arguments = parse()
    if arguments.list:
        for name in ARITHMETICS:
            say(f"{name:20} {ARITHMETICS[name].description}{reason_to_skip(name, ': skipped, ')}")
        return 0
    arguments.folder.mkdir(parents=True, exist_ok=True)
    results = []
    for name in arguments.names or ARITHMETICS:
        results.append(run(name, arguments, pytest_arguments))
        say(row(results[-1], 0))
    print_table(results)
    return int(any(result.outcome == "failed" for result in results))


def parse() -> tuple[argparse.Namespace, list[str]]:
    """Return the arguments before `--`, checked, and those after it."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="arithmetics, by default all")
    parser.add_argument("--list", action="store_true", help="print the arithmetics")
    parser.add_argument(
        "--python", help="interpreter for runs that name no Python, by default tools/setup's"
    )
    parser.add_argument(
        "--folder",
        type=lambda text: Path(text).resolve(),
        default=ROOT / ".arithmetics",
        help="folder of environments and logs",
    )
    arguments = parser.parse_args(words[:cut])
    unknown = {part for name in arguments.names for part in name.split("+")} - set(ARITHMETICS)
    if unknown:
        parser.error(f"NAME must be one of {', '.join(ARITHMETICS)}; got {', '.join(unknown)}")
    for name in arguments.names:
        if sum(bool(part.python) for part in parts(name)) > 1:
            parser.error(f"{name} must name one Python at most")
    return arguments, words[cut + 1 :]


def parts(name: str) -> list[Arithmetic]:
    """Return the arithmetics of a name like `openblas-haswell+sigint-ignored`."""
    return [ARITHMETICS[part] for part in name.split("+")]


def reason_to_skip(name: str, prefix: str = "") -> str:
    """Return why this machine cannot run an arithmetic, or the empty string."""
    for part in parts(name):
        if part.cpu_flag and part.cpu_flag not in cpu_flags():
            return f"{prefix}this processor has no {part.cpu_flag}"
        if part.python and not find_python(part.python):
            return f"{prefix}this machine has no Python {part.python}"
    return ""


def cpu_flags() -> set[str]:
    """Return the processor's flags as Linux lists them."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return set(flags[1].split()) if flags else set()


def find_python(version: str) -> str:
    """Return a Python that can make environments, from PATH or pyenv, or the empty string."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [f"python{version}", "python3"]
    candidates += map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}")))
    test = f"import sys, ensurepip, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    for candidate in candidates:
        try:
            if not subprocess.run([candidate, "-c", test], capture_output=True).returncode:
                return candidate
        except OSError:
            continue
    return ""


def run(name: str, arguments: argparse.Namespace, pytest_arguments: list[str]) -> Result:
    """Run the suite under one arithmetic, or several that are joined by +."""
    if reason := reason_to_skip(name):
        return Result(name, "skipped", note=reason)
    start = time.monotonic()
    say(f"{name} ...")
    log = arguments.folder / f"{name}.log"
    try:
        python = interpreter(name, arguments)
        variables = environment(name, python)
        kernels = output_of([python, "-c", OPENBLAS_KERNELS], variables)
    except SetupError as error:
        return Result(name, "failed", time.monotonic() - start, note=str(error))
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rf"]
    command += ["--numprocesses", "auto", "--maxprocesses", "8", "--dist", "loadfile"]
    ignores_sigint = any(part.ignores_sigint for part in parts(name))
    start = time.monotonic()
    with log.open("w") as stream:
        status = subprocess.run(
            command + pytest_arguments,
            cwd=ROOT,
            env=variables,
            stdout=stream,
            stderr=subprocess.STDOUT,
            preexec_fn=ignore_sigint if ignores_sigint else None,
        ).returncode
    seconds = time.monotonic() - start
    text = log.read_text()
    failures = tuple(re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE))
    note = re.sub(r" in [\d.]+s.*", "", text.strip().rpartition("\n")[2].strip("= "))
    return Result(name, "failed" if status else "passed", seconds, kernels, note, failures)


def say(text: str) -> None:
    """Print a line at once, also to a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def ignore_sigint() -> None:
    """Ignore SIGINT, in this process and in those that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def environment(name: str, python: str) -> dict[str, str]:
    """Return the variables of a run: the caller's, less every setting of another arithmetic."""
    variables = {key: value for key, value in os.environ.items() if key not in SETTINGS}
    # This tree is tested, whichever tree the environment has installed.
    variables |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    for part in parts(name):
        variables |= part.variables
        if part.numpy_baseline:
            variables["NPY_DISABLE_CPU_FEATURES"] = output_of([python, "-c", NUMPY_FEATURES])
    return variables


def interpreter(name: str, arguments: argparse.Namespace) -> str:
    """Return the Python of a run, in an environment that is up to date."""
    for part in parts(name):
        if base := part.python and find_python(part.python):
            choice = "lowest" if part.lowest else "newest"
            folder = arguments.folder / f"python{part.python}-{choice}"
            return make_environment(folder, base, lowest=part.lowest)
    if arguments.python:
        return str(arguments.python)
    if subprocess.run([ROOT / "tools" / "setup"]).returncode:
        raise SetupError("tools/setup failed")
    return str(ROOT / ".venv" / "bin" / "python")


def make_environment(folder: Path, base: str, *, lowest: bool) -> str:
    """Make or renew an environment with the newest or the lowest dependencies."""
    python = str(folder / "bin" / "python")
    if not Path(python).exists():
        # Older releases of pip list versions without a wheel too.
        output_of([base, "-m", "venv", "--upgrade-deps", str(folder)])
    pinned = folder / "requirements.txt"
    wanted = (lowest_version(python, each) if lowest else each for each in requirements())
    pinned.write_text("\n".join(wanted) + "\n")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    upgrade = ["--upgrade", "--upgrade-strategy", "only-if-needed" if lowest else "eager"]
    output_of([*install, *upgrade, "--only-binary", ":all:", "--requirement", str(pinned)])
    output_of([*install, "--no-deps", "--editable", str(ROOT)])
    return python


def requirements() -> Iterator[str]:
    """Yield what setup.cfg requires for use and for tests, one requirement after the other."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    lists = config["options"]["install_requires"], config["options.extras_require"]["test"]
    for text in lists:
        yield from filter(None, map(str.strip, text.splitlines()))


def lowest_version(python: str, requirement: str) -> str:
    """Return `name==version` with the lowest admitted version that has a wheel for this Python.

    A condition on Python after a semicolon is kept.
    """
    requirement, separator, condition = requirement.partition(";")
    name, _, bound = requirement.partition(">=")
    command = [python, "-m", "pip", "index", "versions", "--disable-pip-version-check", name]
    text = output_of([*command, "--only-binary", ":all:"])
    listed = text.partition("Available versions: ")[2].partition("\n")[0].split(", ")
    least = version_numbers(bound)
    admitted = [version for version in listed if version_numbers(version) >= least]
    return f"{name}=={min(admitted, key=version_numbers)}{separator}{condition}"


def version_numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers, so that 2.10 follows 2.9 and 2.0 equals 2.0.0."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    return tuple(numbers + [0] * (6 - len(numbers)))


def output_of(command: list[str], variables: dict[str, str] | None = None) -> str:
    """Return what a command prints; SetupError with its last line if it fails."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise SetupError((errors or done.stderr.splitlines() or ["no message"])[-1].strip())
    return done.stdout.strip()


def row(result: Result, width: int) -> str:
    """Return a line of the table, with the name in a column of this width."""
    seconds = f"{result.seconds:.0f}" if result.seconds else "-"
    cells = f"{result.outcome:8} {seconds:>7} {result.kernels:10} {result.note}"
    return f"{result.name:{width}} {cells}"


def print_table(results: list[Result]) -> None:
    """Print all results, then each failing test with the arithmetics that make it fail."""
    width = max(len(result.name) for result in results)
    say(f"\n{'arithmetic':{width}} {'result':8} {'seconds':>7} {'OpenBLAS':10} tests")
    for result in results:
        say(row(result, width))
    for test in sorted({test for result in results for test in result.failures}):
        say(f"{test}: {', '.join(r.name for r in results if test in r.failures)}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
