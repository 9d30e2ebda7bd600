"""Leases of jobs, so that runs that share a store do not do the same work twice.

A lease is a small file in `store/.leases` that one process creates and keeps young. Only the
creation is atomic. If a lease is lost, work is done twice, with the same result: leases spare time
and are no condition of correctness.
"""

import hashlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnstudy.core.files import draft_beside, make_folder, parse_json, read_file
from rnnstudy.study.plan.job import Job

LEASES = ".leases"
"""Folder of the leases in a store."""

LIFETIME = 180.0
"""Seconds without a heartbeat after which the holder of a lease counts as lost."""

HEARTBEAT = 20.0
"""Seconds between two heartbeats."""

LEASE_LIMIT = 1 << 16
"""Largest number of bytes of a lease that is read."""


@dataclass(eq=False)
class Lease:
    """The right to do one job, as long as its file is young."""

    path: Path
    token: str
    lost: threading.Event = field(default_factory=threading.Event)
    """Is set when another process has taken the lease over."""

    def renew(self) -> None:
        """Make the file young. A lease that another process has taken over is lost."""
        if _content(self.path).get("token") != self.token:
            self.lost.set()
            return
        with suppress(OSError):
            os.utime(self.path)

    def release(self) -> None:
        """Remove the file, if it is still that of this lease. One that stays ends with its time."""
        if _content(self.path).get("token") == self.token:
            with suppress(OSError):
                self.path.unlink()


class Leases:
    """Leases of one run in a store.

    Parameters
    ----------
    store
        Folder of the store.
    run
        Identity of the run. A process of the same run takes a lease over at once, because a run
        gives a job to one process at a time.
    lifetime
        Seconds without a heartbeat after which a holder counts as lost.
    heartbeat
        Seconds between two heartbeats.
    """

    def __init__(
        self,
        store: Path,
        run: str = "",
        lifetime: float = LIFETIME,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self.folder, self.run = store / LEASES, run or uuid.uuid4().hex
        self.lifetime, self.heartbeat = lifetime, heartbeat
        self._active: set[Lease] = set()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Leases":
        return self

    def __exit__(self, *_: object) -> None:
        """End the heartbeats and release what is left."""
        self._ended.set()
        with self._lock:
            leases, self._active = self._active, set()
        for lease in leases:
            lease.release()

    @contextmanager
    def claim(self, job: Job) -> Iterator[Lease | None]:
        """Hold the lease of a job in this context; None while another run holds it.

        Raises
        ------
        OSError
            The disk takes no lease: it is full, say, or has no hard links.
        """
        lease = self._take(self.folder / lease_name(job), job.label)
        if lease is None:
            yield None
            return
        with self._lock:
            self._active.add(lease)
            self._start_heartbeats()
        try:
            yield lease
        finally:
            with self._lock:
                self._active.discard(lease)
            lease.release()

    def is_held(self, job: Job) -> bool:
        """Return whether a process of this run holds the lease of a job, or has died with it."""
        return _content(self.folder / lease_name(job)).get("run") == self.run

    def discard(self, job: Job) -> None:
        """Remove the lease of a job whose process in this run has died."""
        if self.is_held(job):
            (self.folder / lease_name(job)).unlink(missing_ok=True)

    def _take(self, path: Path, label: str) -> Lease | None:
        token = uuid.uuid4().hex
        content = json.dumps({"token": token, "run": self.run, "job": label, **_this_process()})
        draft = draft_beside(path)
        make_folder(self.folder, inside=self.folder.parent)
        try:
            draft.write_text(content, encoding="utf-8")
            for _ in range(3):
                try:
                    os.link(draft, path)  # atomic, also on network file systems
                    return Lease(path, token)
                except FileExistsError:
                    if not self._take_away(path, draft):
                        return None
            return None
        finally:
            with suppress(OSError):
                draft.unlink()

    def _take_away(self, path: Path, now: Path) -> bool:
        """Remove the lease of a lost holder; return false if its holder is alive.

        `now` is a file that was written just now: both times are of the clock of the file system.
        """
        try:
            before = path.stat()
            holder = _content(path)
            age = now.stat().st_mtime - before.st_mtime
        except FileNotFoundError:
            return True
        if holder.get("run") != self.run and age < self.lifetime and not _has_ended(holder):
            return False
        aside = draft_beside(path)
        try:
            os.rename(path, aside)
        except FileNotFoundError:
            return True
        if _content(aside).get("token") != holder.get("token"):
            # A third process was faster: what was moved is its new lease.
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink(missing_ok=True)
        return True

    def _start_heartbeats(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)
            self._thread.start()

    def _beat(self) -> None:
        while not self._ended.wait(self.heartbeat):
            with self._lock:
                leases = list(self._active)
            for lease in leases:
                lease.renew()


def is_at_work(store: Path) -> bool:
    """Return whether some run holds a lease in a store, as far as this machine can tell."""
    for path in (store / LEASES).glob("[!.]*"):
        with suppress(OSError):
            is_young = time.time() - path.stat().st_mtime < LIFETIME
            if is_young and not _has_ended(_content(path)):
                return True
    return False


def lease_name(job: Job) -> str:
    """Return the file name of a job's lease: a hash of what the job yields."""
    results = "\n".join(sorted(map(str, job.results())))
    return hashlib.sha256(results.encode()).hexdigest()[:32]


def _content(path: Path) -> dict[str, Any]:
    """Return the content of a lease; nothing if it is absent or not whole."""
    try:
        content = parse_json(read_file(path, LEASE_LIMIT))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _this_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "machine": _machine(), "pid": os.getpid(),
            "started": _start_of(os.getpid())}  # fmt: skip


def _has_ended(holder: dict[str, Any]) -> bool:
    """Return whether a process of this machine has ended; false for one of another machine."""
    pid = holder.get("pid")
    if holder.get("machine") != _machine() or not isinstance(pid, int) or not _machine():
        return False
    return _start_of(pid) != holder.get("started")


def _machine() -> str:
    """Return an identity of this machine's processes since its start; empty if there is none."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    """Return the time at which a process started, in ticks since the boot; empty without one."""
    try:
        # The name of the command, in brackets, may hold anything. Field 22 is the start.
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
