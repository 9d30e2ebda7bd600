"""Progress of a plan in numbers: ended jobs, speed, and the time that is left."""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.plan.train import total_flops
from rnnstudy.training.cost import core_hours

SECONDS = {"searches for fixed points": 0.5, "steps": 1e-5}
"""Unit of work of analyses -> rough seconds of one on one core."""

OTHER_SECONDS = 1e-3
"""Rough seconds of any other unit of work."""

START_SECONDS = {True: 5.0, False: 0.5}
"""Rough seconds before the work of a job that trains, and of another one."""

PRIOR_SECONDS = 5.0
"""Seconds for which the rough speed of all jobs counts, beside the measured one."""

PRIOR_JOBS = 0.5
"""Jobs of a kind for which its rough seconds count, beside those that are measured."""

OVERTIME = 0.2
"""Least rest of a running job, as a share of its time so far."""

FIRST_ESTIMATE = 2.0
"""Seconds of a plan before its rest is estimated."""

MOST_CHANGE = 2.0
"""Largest factor by which an estimate differs from the one before."""

LEAST_LAG, LAG = 10.0, 0.2
"""Time constant of the estimate: seconds at least, and as a share of the time so far."""


def duration(seconds: float) -> str:
    """Return `8 s`, `3 min 05 s` or `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rough_duration(seconds: float) -> str:
    """Return a duration of two digits: 154 seconds are `2 min 30 s`."""
    digits = 1 - math.floor(math.log10(max(seconds, 1.0)))
    return duration(round(seconds, min(digits, 0)))


@dataclass
class _Kind:
    """Jobs of one kind. Rough seconds are those that are expected before any is measured."""

    jobs: int = 0
    total: float = 0.0
    """Rough seconds of all jobs."""
    waiting: float = 0.0
    """Rough seconds of jobs that have not begun."""
    measured: float = 0.0
    """Rough seconds of jobs that have ended."""
    spent: float = 0.0
    """Seconds that the same jobs took."""


class PlanProgress:
    """Progress of a plan: finished jobs, training steps, remaining time.

    The time that is left is that of each kind of job alone. Its rough seconds are scaled by the
    speed that is measured for the kind. As long as no job of it has ended, the speed is that of all
    kinds. The sum is divided by the number of jobs that run side by side. The estimate changes
    smoothly.

    Parameters
    ----------
    plan
        The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.jobs, self.ended = 0, 0
        self.start = time.monotonic()
        self._lock = threading.Lock()
        self._rough: dict[Job, float] = {}
        # Running sums: a plan has many thousand jobs, and each of them many steps.
        self._kinds: dict[str, _Kind] = {}
        for job in plan.todo:
            self._add(job)
        self._since: dict[Job, float] = {}
        self._share: dict[Job, float] = {}
        self._busy, self._last_event = 0.0, self.start
        self._estimate: float | None = None
        self._estimated_at = self.start

    def begin(self, job: Job) -> None:
        """Note the start of a job. One that was lost starts again; a shard finds further ones."""
        with self._lock:
            self._count_busy()
            if job not in self._rough:
                self._add(job)
            if job not in self._since:
                self._kinds[job.group].waiting -= self._rough[job]
            self._since[job], self._share[job] = time.monotonic(), 0.0

    def advance(self, job: Job, share: float) -> None:
        """Note the share of a job's training that is done."""
        with self._lock:
            if job in self._since:
                self._share[job] = share

    def end(self, job: Job, *, failed: bool = False) -> None:
        """Note the end of a job. The time of one that failed says nothing about others."""
        with self._lock:
            self._count_busy()
            self.ended += 1
            kind, rough = self._kinds[job.group], self._rough[job]
            since = self._since.pop(job, None)
            self._share.pop(job, None)
            if since is None:
                kind.waiting -= rough
            elif not failed:
                kind.measured += rough
                kind.spent += time.monotonic() - since

    def remaining(self) -> str:
        """Return the remaining time in words; empty as long as nothing is measured."""
        seconds = self.seconds_left()
        return "" if seconds is None else f"about {rough_duration(seconds)} left"

    def seconds_left(self) -> float | None:
        """Return the estimated seconds that are left; None as long as nothing is measured."""
        with self._lock:
            now = time.monotonic()
            if now - self.start < FIRST_ESTIMATE:
                return None
            self._count_busy()
            rest = self._rest(now)
            if rest is not None:
                self._estimate = self._smooth(rest, now)
                self._estimated_at = now
            return self._estimate

    def speed(self, job: Job, step: int) -> float:
        """Return the training steps per second of a job."""
        with self._lock:
            return step / max(time.monotonic() - self._since[job], 1e-9)

    def _add(self, job: Job) -> None:
        seconds = self._rough[job] = rough_seconds(job)
        kind = self._kinds.setdefault(job.group, _Kind())
        self.jobs += 1
        kind.jobs += 1
        kind.total += seconds
        kind.waiting += seconds

    def _count_busy(self) -> None:
        """Add the time since the last event for each running job."""
        now = time.monotonic()
        self._busy += len(self._since) * (now - self._last_event)
        self._last_event = now

    def _rest(self, now: float) -> float | None:
        """Return the seconds that are left by what is measured now; None without any."""
        if self.ended == self.jobs:
            return 0.0
        measured = self._measurements(now)
        if not measured or not self._busy:
            return None
        factor = self._factors(measured)
        # A job that lasts longer than expected tells that its kind is slower.
        for job, since in self._since.items():
            if not self._share[job] and now - since > factor[job.group] * self._rough[job]:
                _add(measured, job.group, self._rough[job], now - since)
        factor = self._factors(measured)
        running = [self._rest_of(job, factor[job.group], now) for job in self._since]
        waiting = sum(kind.waiting * factor[name] for name, kind in self._kinds.items())
        side_by_side = self._busy / (now - self.start)
        return max((sum(running) + waiting) / side_by_side, max(running, default=0.0))

    def _measurements(self, now: float) -> dict[str, tuple[float, float]]:
        """Return kind -> rough and measured seconds of what is done, of running training too."""
        measured = {
            name: (kind.measured, kind.spent) for name, kind in self._kinds.items() if kind.measured
        }
        for job, share in self._share.items():
            if share:
                done = self._rough[job] - (1 - share) * _work(job, self._rough[job])
                _add(measured, job.group, done, now - self._since[job])
        return measured

    def _factors(self, measured: Mapping[str, tuple[float, float]]) -> dict[str, float]:
        """Return kind -> seconds per rough second: its own, or those of all before it is known."""
        rough, spent = (PRIOR_SECONDS + sum(each[i] for each in measured.values()) for i in (0, 1))
        factors = {}
        for name, kind in self._kinds.items():
            prior = PRIOR_JOBS * kind.total / kind.jobs
            done, seconds = measured.get(name, (0.0, 0.0))
            factors[name] = (seconds + prior * spent / rough) / (done + prior)
        return factors

    def _rest_of(self, job: Job, factor: float, now: float) -> float:
        """Return the seconds that a running job still takes."""
        share, spent = self._share[job], now - self._since[job]
        rough = self._rough[job]
        rest = factor * (1 - share) * _work(job, rough) if share else factor * rough - spent
        return max(rest, OVERTIME * spent * (1 - share))

    def _smooth(self, rest: float, now: float) -> float:
        """Return an estimate between the last one and the measured one, nearer with time."""
        if self._estimate is None or rest == 0.0:
            return rest
        passed, last = now - self._estimated_at, max(self._estimate, 1.0)
        lag = max(LEAST_LAG, LAG * (now - self.start))
        # An estimate far below the measured one does not run out before it has grown.
        expected = last * max(1 - passed / max(last, rest), 1 / MOST_CHANGE)
        weight = 1 - math.exp(-passed / lag)
        estimate = float(expected ** (1 - weight) * max(rest, 1.0) ** weight)
        return min(max(estimate, last / MOST_CHANGE), last * MOST_CHANGE)


def _add(measured: dict[str, tuple[float, float]], kind: str, rough: float, spent: float) -> None:
    before = measured.get(kind, (0.0, 0.0))
    measured[kind] = (before[0] + rough, before[1] + spent)


def _work(job: Job, rough: float) -> float:
    """Return the part of rough seconds that a job takes after its start."""
    return rough - START_SECONDS[bool(job.trains)]


def rough_seconds(job: Job) -> float:
    """Return rough seconds of a job on one core, from its numbers alone.

    Parameters
    ----------
    job
        The job.
    """
    start = START_SECONDS[bool(job.trains)]
    if job.trains:
        return start + 3600 * core_hours(total_flops([job]))
    units = sum(SECONDS.get(unit, OTHER_SECONDS) * n for unit, n in job.cost().work.items())
    return start + units


def loss_words(loss: Array) -> str:
    """Return the median loss of networks `[member]` in words, and how many have diverged."""
    finite = loss[np.isfinite(loss)]
    diverged = len(loss) - len(finite)
    text = f"loss {np.median(finite):.2g}" if len(finite) else "no finite loss"
    return text + (f", {diverged} diverged" if diverged else "")
