"""The command line of rnnstudy in processes that are forks of this one.

A fork has all libraries loaded. A new interpreter would take longer to load TensorFlow than a small
study takes.
"""

import errno
import importlib
import itertools
import json
import os
import signal
import stat
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

PATIENCE = 900.0
"""Seconds after which a command that does not end counts as lost."""


@dataclass(frozen=True)
class Conditions:
    """Conditions of a command."""

    full_from: float = float("inf")
    """Change of the file system from which on the disk is full, counted from 1."""
    killed_at: int | None = None
    """Change of the file system before which the process is killed; None for never."""
    killed_worker: Path | None = None
    """File that the first worker process creates before it is killed; None to kill the command."""
    account: Path | None = None
    """File for the number of changes, and for the modules that the command has imported."""


class TimeOut(Exception):
    """A command does not end."""


class Command:
    """A command that is at work, in a process group of its own.

    Parameters
    ----------
    arguments
        Arguments of `rnnstudy`.
    output
        File to which its output is added.
    conditions
        Conditions of its process.
    """

    def __init__(
        self, arguments: Sequence[str], output: Path, conditions: Conditions = Conditions()
    ) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self.output, self._code = output, None
        self.pid = os.fork()
        if not self.pid:
            _perform(arguments, output, conditions)
        with suppress(OSError):  # the child may have done so, or have ended
            os.setpgid(self.pid, self.pid)

    def wait(self, seconds: float = PATIENCE) -> int | None:
        """Return the exit code, minus the signal that has ended the command; None if it is at work.

        Waits so many seconds at most.
        """
        deadline = time.monotonic() + seconds
        while self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= deadline:
                return None
            else:
                time.sleep(0.005)
        return self._code

    def end(self) -> int:
        """Return the exit code once the command has ended; TimeOut if it does not."""
        code = self.wait()
        if code is None:
            self.kill_group(signal.SIGKILL)
            self.wait()
            raise TimeOut(f"no end within {PATIENCE:.0f} s")
        return code

    def kill_group(self, number: int) -> None:
        """Send a signal to the command and all processes that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    @staticmethod
    def kill(pid: int) -> None:
        """Kill one process, if there is one."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def children(self) -> list[int]:
        """Return the processes that the command has started, without Python's own helper."""
        children = [pid for pid in _processes() if _parent(pid) == self.pid]
        return [pid for pid in children if not _tracks_resources(pid)]

    def group_ends(self, seconds: float) -> bool:
        """Return whether all processes of the group have ended, after so many seconds at most."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not any(_group(pid) == self.pid for pid in _processes()):
                return True
            time.sleep(0.02)
        return False


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _status(pid: int) -> list[str]:
    """Return state, parent, group and further numbers of a process; nothing if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    numbers = text.rpartition(")")[2].split()
    return [] if numbers[0] == "Z" else numbers


def _parent(pid: int) -> int:
    return int((_status(pid) or [0, 0])[1])


def _group(pid: int) -> int:
    return int((_status(pid) or [0, 0, 0])[2])


def _tracks_resources(pid: int) -> bool:
    with suppress(OSError):
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return True


def run_command(
    arguments: Sequence[str], output: Path, conditions: Conditions = Conditions()
) -> int:
    """Run a command to its end and return its exit code."""
    return Command(arguments, output, conditions).end()


def import_modules(names: Sequence[str]) -> None:
    """Import the modules that a command has imported, so that forks have them loaded."""
    from rnnstudy.core.lazy_imports import quiet_tensorflow

    quiet_tensorflow()
    for name in names:
        with suppress(Exception):  # some can be imported by their packages only
            importlib.import_module(name)


def _perform(arguments: Sequence[str], output: Path, conditions: Conditions) -> NoReturn:
    """Run the command line in this process, which is new, and end it."""
    code: Any = 1
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        _redirect(output)
        code = _command(arguments, conditions)
    except SystemExit as error:
        code = error.code
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def _redirect(output: Path) -> None:
    """Let this process read nothing, and write to a file."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for source, target in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))


def _command(arguments: Sequence[str], conditions: Conditions) -> int:
    from rnnstudy.cli.commands import main
    from rnnstudy.core.files import changes

    counter = _Changes(conditions)
    changes.before_change = counter.before_change
    if "--cluster" in arguments:
        import dask

        # Workers are forks as well.
        dask.config.set({"distributed.worker.multiprocessing-method": "fork"})
        os.register_at_fork(after_in_child=_drop_sockets)
    sys.argv = ["rnnstudy", *arguments]
    try:
        main()
    finally:
        if conditions.account is not None:
            account = {"changes": counter.last, "modules": list(sys.modules)}
            conditions.account.write_text(json.dumps(account), encoding="utf-8")
    return 0


def _drop_sockets() -> None:
    """Let go of the sockets of the process of before. A new interpreter would not have them.

    A copy in one worker keeps the connection of another one open when the run is killed, so that
    this one does not end.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):  # the list itself was open
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


class _Changes:
    """Counter of changes of the file system, in the process of a command and in its workers."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions, self.last, self.pid = conditions, 0, os.getpid()
        self._counting, self._numbers = self.pid, itertools.count(1)

    def before_change(self, operation: str, path: Path) -> None:
        """Count a change; kill this process, or refuse the change, if its turn has come."""
        if self._counting != os.getpid():  # a worker counts its own changes
            self._counting, self._numbers = os.getpid(), itertools.count(1)
        self.last = next(self._numbers)
        if self.last == self.conditions.killed_at and self._is_to_be_killed():
            os.kill(os.getpid(), signal.SIGKILL)
        if self.last >= self.conditions.full_from and operation.startswith("create"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def _is_to_be_killed(self) -> bool:
        """Return whether this process is the command, or the first of its workers."""
        file, is_worker = self.conditions.killed_worker, os.getpid() != self.pid
        if file is None or not is_worker:
            return file is None and not is_worker
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True
