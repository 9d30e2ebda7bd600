"""Processes of Dask, and a second host on this machine: a network namespace."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

Process = subprocess.Popen[bytes]


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait until a condition holds; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def process(
    *arguments: str, log: Path, prefix: Sequence[str] = (), settings: Mapping[str, str] = {}
) -> Iterator[Process]:
    """A Python process of a module, which is ended after the context."""
    command = [*prefix, sys.executable, "-m", *arguments]
    with log.open("ab") as output:
        child = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=log.parent, env={**os.environ, **settings}
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


@contextmanager
def scheduler(
    folder: Path, host: str = "127.0.0.1", settings: Mapping[str, str] = {}
) -> Iterator[tuple[Process, str]]:
    """A scheduler and its address."""
    file = folder / "scheduler.json"
    with process(
        "distributed.cli.dask_scheduler", "--host", host, "--port", "0", "--no-dashboard",
        "--scheduler-file", str(file), log=folder / "scheduler.log", settings=settings,
    ) as child:  # fmt: skip
        wait_for(file.exists)
        wait_for(lambda: file.read_text().strip().endswith("}"))
        yield child, json.loads(file.read_text())["address"]


def worker(
    address: str,
    folder: Path,
    *options: str,
    prefix: Sequence[str] = (),
    settings: Mapping[str, str] = {},
) -> AbstractContextManager[Process]:
    """A worker of a scheduler, for one job at a time."""
    return process(
        "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard",
        "--local-directory", str(folder / "scratch"), *options, log=folder / "worker.log",
        prefix=prefix, settings=settings,
    )  # fmt: skip


@dataclass(frozen=True)
class Host:
    """A network namespace with one cable to this machine."""

    name: str
    here: str
    """Address of this machine at the cable."""
    there: str
    """Address of the namespace at the cable."""

    @property
    def prefix(self) -> list[str]:
        """Beginning of a command that runs there."""
        return ["ip", "netns", "exec", self.name]

    def cut(self) -> None:
        """Take the cable away. Nobody is told: packets are lost."""
        ip("-n", self.name, "link", "set", "cable", "down")

    def mend(self) -> None:
        """Put the cable back."""
        ip("-n", self.name, "link", "set", "cable", "up")


@contextmanager
def second_host() -> Iterator[Host]:
    """A second host; the test is skipped where the system has or permits none."""
    number = os.getpid()
    net = f"10.213.{number % 250}"
    host = Host(f"rnn{number}", f"{net}.1", f"{net}.2")
    try:
        ip("netns", "add", host.name)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"") or str(error).encode()
        pytest.skip(f"network namespaces are not permitted: {reason.decode().strip()}")
    try:
        ip("link", "add", host.name, "type", "veth", "peer", "name", "cable", "netns", host.name)
        ip("address", "add", f"{host.here}/30", "dev", host.name)
        ip("-n", host.name, "address", "add", f"{host.there}/30", "dev", "cable")
        ip("link", "set", host.name, "up")
        ip("-n", host.name, "link", "set", "lo", "up")
        host.mend()
        yield host
    finally:
        ip("netns", "delete", host.name)


def ip(*arguments: str) -> None:
    """Run the command `ip`."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
