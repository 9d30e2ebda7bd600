"""Signals that interrupt a run: Ctrl-C, SIGTERM and SIGHUP."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals after which running jobs end at their next pause. Schedulers send SIGTERM, and a closed
terminal SIGHUP."""


class Interruption(KeyboardInterrupt):
    """End of a run by a signal, as after Ctrl-C. The run can be resumed.

    Parameters
    ----------
    number
        Number of the signal.

    Examples
    --------
    >>> import signal
    >>> from rnnstudy.study.execution.signals import Interruption
    >>> Interruption(signal.SIGTERM).exit_code
    143
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)

    @property
    def exit_code(self) -> int:
        """Exit code of the command: 128 + number of the signal, as in a shell."""
        return 128 + self.signal


class _Interrupter:
    """Signal handler: the first signal raises Interruption, the second ends the process."""

    def __init__(self) -> None:
        self.interrupted = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.interrupted = True
        raise Interruption(number)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Interruption at the first of `SIGNALS` in this context; the second ends the process.

    Signals that are ignored stay ignored, such as SIGHUP under `nohup`. A handler of the user stays
    as well. Without effect outside of the main thread, where Python handles no signals.

    Examples
    --------
    >>> import signal
    >>> from rnnstudy.study.execution.signals import Interruption, interruptible
    >>> try:
    ...     with interruptible():
    ...         signal.raise_signal(signal.SIGTERM)
    ... except Interruption as end:
    ...     print(end)
    SIGTERM
    """
    if threading.current_thread() is not threading.main_thread() or _is_handled():
        yield
        return
    handler, before = _Interrupter(), {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def is_interruption(error: BaseException) -> bool:
    """Return whether an exception comes from a signal, and not from code that raises it.

    While signals raise Interruption, another KeyboardInterrupt is that of a user's class.

    Parameters
    ----------
    error
        The exception.
    """
    if isinstance(error, Interruption):
        return True
    return isinstance(error, KeyboardInterrupt) and not _is_handled()


def _is_handled() -> bool:
    return any(isinstance(signal.getsignal(number), _Interrupter) for number in SIGNALS)


def exit_code(error: KeyboardInterrupt) -> int:
    """Return the exit code of a command that an exception has interrupted.

    Parameters
    ----------
    error
        The exception. One that is no Interruption comes from Ctrl-C.
    """
    return error.exit_code if isinstance(error, Interruption) else 128 + signal.SIGINT
