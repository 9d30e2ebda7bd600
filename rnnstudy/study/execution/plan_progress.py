"""Progress of a plan in numbers: ended jobs, speed, and the time that is left."""

import time

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan


def duration(seconds: float) -> str:
    """Return `8 s`, `3 min 05 s` or `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class PlanProgress:
    """Progress of a plan: finished jobs, training steps, remaining time."""

    def __init__(self, plan: Plan) -> None:
        self.jobs, self.ended = len(plan.todo), 0
        self.start = time.monotonic()
        self._work = {job: _work(job) for job in plan.todo}
        # Running sums: a plan has many thousand jobs, and each of them many steps.
        self._total, self._done = sum(self._work.values()), 0.0
        self._share: dict[Job, float] = {}
        self._since: dict[Job, float] = {}

    def begin(self, job: Job) -> None:
        """Note the start of a job."""
        self._since[job] = time.monotonic()

    def advance(self, job: Job, share: float) -> None:
        """Note the share of a job's training that is done."""
        self._done += self._work[job] * (share - self._share.get(job, 0.0))
        self._share[job] = share

    def end(self, job: Job) -> None:
        """Note the end of a job."""
        self.ended += 1
        self.advance(job, 1.0)

    def remaining(self) -> str:
        """Return the remaining time, estimated from the share of training that is done."""
        total, done, spent = self._total, self._done, time.monotonic() - self.start
        if total == 0 or done < 0.01 * total or spent < 2:
            return ""
        return f"about {duration(spent * (total - done) / done)} left"

    def speed(self, job: Job, step: int) -> float:
        """Return the training steps per second of a job."""
        return step / max(time.monotonic() - self._since[job], 1e-9)


def _work(job: Job) -> float:
    # The time of small programs is proportional to the number of steps and state updates.
    return float(sum(n.training.steps * n.task.length * n.cell.state_size for n in job.trains))


def loss_words(loss: Array) -> str:
    """Return the median loss of networks `[member]` in words, and how many have diverged."""
    finite = loss[np.isfinite(loss)]
    diverged = len(loss) - len(finite)
    text = f"loss {np.median(finite):.2g}" if len(finite) else "no finite loss"
    return text + (f", {diverged} diverged" if diverged else "")
