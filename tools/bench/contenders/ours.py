"""Our population training, as studies call it."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from contenders.base import Contender
from contenders.case import CHANNELS, CLIP, RATE, Case
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.initialise import initial_population
from rnnstudy.tasks import Trials
from rnnstudy.tasks.base import Task
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training import sharding
from rnnstudy.training.kernels.choice import KERNELS
from rnnstudy.training.programs import SessionProgram
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

RECORDS = 1000
"""Reports after which a training would end of itself; no measurement asks for so many."""


class Rehearsal(FlipFlop):
    """The one batch that the contenders are compared on, at every step and for all members."""

    def sample(self, seed: Any, trials: int) -> Trials:
        case = Case("vanilla", "tanh", 1, trials, self.length, 1)
        inputs, targets = (tf.constant(part[0]) for part in case.batches(1))
        return Trials(inputs, targets, tf.ones([trials, self.length]))


class Enough(Exception):
    """Raised in the middle of a training that nobody needs any longer."""


class Clock(threading.local):
    """When a thread's training was last let go, and its seconds in compiled programs since."""

    begun = 0.0
    compiled = 0.0


CLOCK = Clock()


def timed(chunk_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same compiled programs; what they take is told to the clock."""

    return lambda program: timed_run(chunk_of(program))


def timed_run(run: Callable[..., Any]) -> Callable[..., Any]:
    """The same program; what it takes is told to the clock."""

    def timed_program(*arguments: Any) -> Any:
        start = time.perf_counter()
        values = sharding.in_numpy(run(*arguments))  # waits for a GPU
        CLOCK.compiled += time.perf_counter() - start
        return values

    return timed_program


class Course:
    """Trainings side by side in threads, each held at every report of its progress."""

    def __init__(self, case: Case, jobs: int, history: int) -> None:
        self.history = history
        self._spent: list[tuple[float, float]] = []
        self._meeting = threading.Barrier(jobs + 1)
        self._over = False
        self._errors: list[BaseException] = []
        shares = np.array_split(np.arange(case.members), jobs)
        self._threads = [
            threading.Thread(target=self._train, args=(case, share.tolist()), daemon=True)
            for share in shares
        ]
        for thread in self._threads:
            thread.start()
        self._meet()

    def advance(self) -> float:
        """Let every training go on to its next report; returns the seconds until all are there."""
        start = time.perf_counter()
        self._meet()
        self._meet()
        return time.perf_counter() - start

    @property
    def outside(self) -> float:
        """Share of the threads' time outside compiled programs between the last two reports."""
        last = self._spent[-len(self._threads) :]
        whole, compiled = (sum(each) for each in zip(*last, strict=True))
        return 1.0 - compiled / whole

    def end(self) -> None:
        """Let the trainings go, for good."""
        self._over = True
        self._meet()
        for thread in self._threads:
            thread.join()

    def _meet(self) -> None:
        try:
            self._meeting.wait()
        except threading.BrokenBarrierError:
            raise self._errors[0] from None

    def _train(self, case: Case, seeds: Sequence[int]) -> None:
        try:
            _train(case, task(case), seeds, RECORDS * self.history, self.history, self._report)
        except Enough:
            pass
        except BaseException as error:
            self._errors.append(error)
            self._meeting.abort()

    def _report(self, step: int, loss: Any) -> None:
        self._spent.append((time.perf_counter() - CLOCK.begun, CLOCK.compiled))
        self._meeting.wait()
        self._meeting.wait()
        if self._over:
            raise Enough
        CLOCK.begun, CLOCK.compiled = time.perf_counter(), 0.0


class Ours(Contender):
    """A cohort as one program, or as several side by side in threads, as a study runs them."""

    least_steps = 10  # each report costs a forward pass; studies report every 50 steps

    def __init__(self, threads: int, jobs: int) -> None:
        super().__init__(threads, jobs)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_tensor_float_32_execution(False)
        tf.config.experimental.enable_op_determinism()
        sharding.compiled_chunk = timed(sharding.compiled_chunk)
        SessionProgram.__call__ = timed_run(SessionProgram.__call__)  # type: ignore[method-assign]
        self._course: Course | None = None

    def unfit(self, case: Case) -> str:
        return "" if case.members >= self.jobs else f"{case.members} member for {self.jobs} jobs"

    def prepare(self, case: Case) -> None:
        self._case = case
        self._begin(1)

    def run(self, steps: int) -> float:
        assert self._course is not None
        if self._course.history != steps:
            self._begin(steps)
        return self._course.advance()

    def outside(self) -> float | None:
        return self._course.outside if self._course else None

    def _begin(self, history: int) -> None:
        if self._course is not None:
            self._course.end()
            self._course = None
        self._course = Course(self._case, self.jobs, history)

    def parameters(self) -> int:
        drawn = initial_population(self._case.ours(), CHANNELS, CHANNELS, [0])
        arrays = [*drawn.weights.values(), *drawn.readout.values()]
        return sum(a.size for a in arrays)

    def losses(self, case: Case, steps: int) -> list[float]:
        found: list[float] = []
        rehearsal = Rehearsal(bits=CHANNELS, length=case.time)
        _train(case, rehearsal, [0], steps, 1, lambda step, loss: found.append(float(loss[0])))
        return found

    def memory(self) -> tuple[int, int] | None:
        """Peak bytes on the GPU since the last question, and the bytes of the GPU, if there is one.

        The second number is 0 if TensorFlow does not tell it.
        """
        if not tf.config.list_physical_devices("GPU"):
            return None
        peak = int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
        tf.config.experimental.reset_memory_stats("GPU:0")
        logical = tf.config.list_logical_devices("GPU")
        return peak, _device_bytes(logical[0].name)

    def device(self) -> str:
        gpus = tf.config.list_physical_devices("GPU")
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        names = [found.get("device_name", "GPU") for found in details] or ["CPU"]
        return f"{names[0]}, TensorFlow {tf.__version__}"


def _device_bytes(name: str) -> int:
    """Bytes of a device; 0 if nothing tells them."""
    from tensorflow.python.client import device_lib

    sizes = [d.memory_limit for d in device_lib.list_local_devices() if d.name in name]
    return int(sizes[0]) if sizes else 0


class Together(Ours):
    """The same on a CPU in the form that is for GPUs: all members in one batch of products."""

    def __init__(self, threads: int, jobs: int) -> None:
        super().__init__(threads, jobs)
        KERNELS["CPU"] = "batched"


def task(case: Case) -> Task:
    """The task as a study would train it, its trials drawn inside the compiled program."""
    return FlipFlop(bits=CHANNELS, length=case.time)


def _train(
    case: Case,
    task: Task,
    seeds: Sequence[int],
    steps: int,
    history: int,
    report: Callable[[int, Any], None],
) -> None:
    protocol = Training(
        steps=steps, batch=case.batch, record_every=history, learning_rate=RATE, final_rate=1.0,
        clip_norm=CLIP, l2=0.0,
    )  # fmt: skip
    train(case.ours(), task, [protocol] * len(seeds), seeds, report)
