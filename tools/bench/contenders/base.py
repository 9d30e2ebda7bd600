"""The contract of a contender."""

import time
from abc import ABC, abstractmethod
from typing import ClassVar

from contenders.case import Case


class Contender(ABC):
    """Trains the networks of a case, as fast as a careful user of its library would.

    One instance lives in a process of its own and takes one case after the other. Data are made in
    `prepare`, so that `run` trains and does nothing else.
    """

    multiple: ClassVar[int] = 1
    """Steps that one call into the library takes; `run` is given multiples of it."""

    least_steps: ClassVar[int] = 2
    """Fewest steps that one measurement should hold."""

    one_by_one: ClassVar[bool] = False
    """Whether networks are trained one after the other, so that a case needs only one of them."""

    def __init__(self, threads: int, jobs: int) -> None:
        self.threads, self.jobs = threads, jobs

    def begin(self, case: Case) -> tuple[bool, int, int, float]:
        """Prepare a case; says how it trains, and how many seconds preparing took."""
        start = time.perf_counter()
        self.prepare(case)
        seconds = time.perf_counter() - start
        return self.one_by_one, self.multiple, self.least_steps, seconds

    @abstractmethod
    def unfit(self, case: Case) -> str:
        """Why the library cannot train this case; empty if it can."""

    @abstractmethod
    def prepare(self, case: Case) -> None:
        """Build and compile everything and train for one step."""

    @abstractmethod
    def run(self, steps: int) -> float:
        """Train all networks of the case for so many steps; returns the seconds that this took."""

    def outside(self) -> float | None:
        """Share of the last run that was spent outside compiled code; None where nobody knows."""
        return None

    @abstractmethod
    def parameters(self) -> int:
        """Number of trained parameters of one network, as the library counts them."""

    @abstractmethod
    def losses(self, case: Case, steps: int) -> list[float]:
        """Losses of network 0 before each of so many steps, all on batch 0 of the case."""

    @abstractmethod
    def device(self) -> str:
        """What it runs on, in words, and the library's version."""
