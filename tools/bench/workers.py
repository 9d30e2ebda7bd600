"""Contenders in processes of their own, so that each has its library and threads to itself."""

import functools
import importlib
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from contenders import BESIDE, CONTENDERS

PATIENCE = 900
"""Seconds after which a contender that does not answer is given up."""


@dataclass(frozen=True)
class Variant:
    """A contender (or the machine itself), and how it spreads over the machine's threads."""

    contender: str
    processes: int = 1
    jobs: int = 1
    """Trainings side by side in the threads of each process."""

    @property
    def title(self) -> str:
        """In words."""
        if self.jobs > 1:
            return f"{self.jobs} programs in threads"
        if self.contender == "ours":
            return "1 program"
        return "1 process" if self.processes == 1 else f"{self.processes} processes"


class Failed(Exception):
    """What a contender could not do, in one line."""


class Worker:
    """One process of a contender; `ask` and `answer` apart, so that several can work at a time."""

    def __init__(self, variant: Variant, place: int, threads: int, gpu: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        settings = (variant, place, threads // variant.processes, gpu)
        self._process = context.Process(target=_work, args=(theirs, *settings), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, what: str, *arguments: Any) -> None:
        """Start a method of the contender."""
        try:
            self._line.send((what, arguments))
        except OSError:
            raise Failed("its process has ended") from None

    def answer(self) -> Any:
        """What it returned; Failed if it could not."""
        try:
            if not self._line.poll(PATIENCE):
                raise Failed(f"no answer within {PATIENCE} s")
            fine, found = self._line.recv()
        except (EOFError, OSError):
            self._process.join(5)
            raise Failed(f"its process ended with {self._process.exitcode}") from None
        if not fine:
            raise Failed(found)
        return found

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.join()


def _work(line: Connection, variant: Variant, place: int, threads: int, gpu: bool) -> None:
    _confine(place, threads, gpu)
    contender = functools.cache(lambda: _load(variant.contender)(threads, variant.jobs))
    while True:
        try:
            what, arguments = line.recv()
        except EOFError:
            return
        line.send(_outcome(contender, what, arguments))


def _outcome(contender: Callable[[], Any], what: str, arguments: Any) -> tuple[bool, Any]:
    try:
        return True, getattr(contender(), what)(*arguments)
    except ModuleNotFoundError as error:
        return False, f"{error.name} is not installed"
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        return False, f"{type(error).__name__}: {first}"


def _load(name: str) -> Any:
    module, _, attribute = (CONTENDERS | BESIDE)[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def _confine(place: int, threads: int, gpu: bool) -> None:
    """Set cores and environment before any library looks at them."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[place * threads : (place + 1) * threads])
    settings = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true",
                "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "OMP_NUM_THREADS": str(threads),
                "OPENBLAS_NUM_THREADS": str(threads), "KERAS_BACKEND": "tensorflow"}  # fmt: skip
    # PyTorch's threads spin at every barrier, for seconds if another program holds their core.
    settings |= {"GOMP_SPINCOUNT": "20000"}
    if not gpu:
        settings |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    os.environ.update(settings)
    # TensorFlow tells at every start what nobody asked; what fails is told through the line.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
