"""Signals: the first interrupts, the second ends the process, and jobs end at their pauses."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from rnnstudy.core.batches import batches, pause_point
from rnnstudy.runner import NullListener
from rnnstudy.study.errors import error_sentence
from rnnstudy.study.execution.signals import (
    SIGNALS,
    Interruption,
    exit_code,
    interruptible,
    is_interruption,
)
from rnnstudy.study.execution.worker import Worker
from rnnstudy.study.plan.job import JobKey
from rnnstudy.study.store import Store


@pytest.fixture(autouse=True)
def _default_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_interrupts_and_the_handlers_are_put_back(number: int, code: int) -> None:
    with pytest.raises(Interruption, match=signal.Signals(number).name) as caught, interruptible():
        signal.raise_signal(number)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert exit_code(caught.value) == code
    assert [signal.getsignal(each) for each in SIGNALS] == [signal.SIG_DFL] * 3


def test_an_interrupt_without_a_handler_is_that_of_ctrl_c() -> None:
    assert exit_code(KeyboardInterrupt()) == 130
    assert is_interruption(KeyboardInterrupt())
    with interruptible():
        assert not is_interruption(KeyboardInterrupt())
        assert is_interruption(Interruption(signal.SIGHUP))


def test_a_signal_that_is_ignored_stays_so_as_under_nohup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptible():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_handler_of_the_user_stays() -> None:
    received: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    with interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert received == [signal.SIGTERM]


def test_a_run_within_a_run_keeps_the_handlers_of_the_outer_one() -> None:
    with interruptible():
        handler = signal.getsignal(signal.SIGTERM)
        with interruptible():
            assert signal.getsignal(signal.SIGTERM) is handler
        assert signal.getsignal(signal.SIGTERM) is handler


def test_another_thread_handles_no_signals() -> None:
    seen: list[Any] = []

    def look() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


TWICE = """
import signal
from rnnstudy.study.execution.signals import Interruption, interruptible
with interruptible():
    try:
        signal.raise_signal(signal.{first})
    except Interruption:
        print("first", flush=True)
    try:
        signal.raise_signal(signal.{second})
    finally:
        print("never")
"""


@pytest.mark.parametrize(
    ("first", "second"), [("SIGINT", "SIGINT"), ("SIGTERM", "SIGHUP"), ("SIGHUP", "SIGTERM")]
)
def test_the_second_signal_ends_the_process_at_once(first: str, second: str) -> None:
    code = f"import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n{TWICE}"
    done = subprocess.run(
        [sys.executable, "-c", code.format(first=first, second=second)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == -getattr(signal, second), done.stderr
    assert (done.stdout, done.stderr) == ("first\n", "")


class FakeJob:
    """A job that runs one function."""

    key, label = JobKey("fake", "", ()), "fake"

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work

    def results(self) -> tuple[str, ...]:
        return ()

    def run(self, context: Any) -> None:
        self.work()


class FakeTraining(FakeJob):
    """A job that reports a step of training first."""

    def run(self, context: Any) -> None:
        context.on_training_step(self, 1, 2, np.zeros(1))
        self.work()


def perform(
    work: Callable[[], None],
    stop: threading.Event | None = None,
    listener: Any = None,
    kind: type[FakeJob] = FakeJob,
) -> Any:
    store, stop = Store("nowhere"), stop or threading.Event()
    worker = Worker(store, listener or NullListener(), stop, 60.0, (), None)
    job: Any = kind(work)
    return worker.perform(job)


@pytest.mark.parametrize("pause", [pause_point, lambda: [*batches(3, 1)]])
def test_an_analysis_ends_at_its_next_pause(pause: Callable[[], Any]) -> None:
    stop, turns = threading.Event(), []

    def work() -> None:
        for turn in range(5):
            turns.append(turn)
            if turn == 2:
                stop.set()
            pause()

    result = perform(work, stop)
    assert (turns, result.failure) == ([0, 1, 2], "interrupted")
    pause()  # outside of a job nothing pauses


class Odd(BaseException):
    """An exception that is no Exception."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (Odd("so"), "Odd: so"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_a_job_fails_alone_whatever_it_raises(error: BaseException, sentence: str) -> None:
    def work() -> None:
        raise error

    place = f" (test_signals.py, line {work.__code__.co_firstlineno + 1})"
    assert perform(work).failure == sentence + place


def test_an_error_without_a_text_has_the_name_of_its_class() -> None:
    assert error_sentence(Unprintable()) == "Unprintable"


def test_an_interrupt_that_code_of_the_user_raises_in_a_thread_costs_its_job() -> None:
    results: list[Any] = []

    def work() -> None:
        raise KeyboardInterrupt

    thread = threading.Thread(target=lambda: results.append(perform(work)))
    thread.start()
    thread.join()
    place = f" (test_signals.py, line {work.__code__.co_firstlineno + 1})"
    assert results[0].failure == "KeyboardInterrupt" + place


def test_a_listener_that_raises_costs_no_job(caplog: pytest.LogCaptureFixture) -> None:
    class Closed(NullListener):
        def on_job_start(self, job: Any) -> None:
            raise BrokenPipeError(32, "Broken pipe")

        def on_training_step(self, job: Any, step: int, steps: int, loss: Any) -> None:
            raise OSError(5, "Input/output error")

        def on_job_end(self, job: Any, result: Any) -> None:
            raise ValueError("I/O operation on closed file")

    turns: list[int] = []
    done = perform(lambda: turns.append(1), listener=Closed(), kind=FakeTraining)
    assert done.failure is None
    assert turns == [1]
    assert [record.getMessage() for record in caplog.records] == [
        "the progress listener raises BrokenPipeError: [Errno 32] Broken pipe",
        "the progress listener raises OSError: [Errno 5] Input/output error",
        "the progress listener raises ValueError: I/O operation on closed file",
    ]
