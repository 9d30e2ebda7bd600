"""A headless Chromium over its debugging pipe, for tests and benchmarks of pages."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
)
# Chromium talks over file descriptors 3 and 4: ours are moved there just before it starts.
LAUNCH = """
import fcntl, os, sys
far = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 20) for end in sys.argv[1:3]]
os.dup2(far[0], 3)
os.dup2(far[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
BAD = ("error", "warning", "assert")

PATIENCE = 60.0
"""Seconds to wait for an answer: software rendering on a busy machine is slow."""


def browser_program() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a headless Chromium; remembers all that it logged and all that it asked for."""

    def __init__(self, program: str, profile: str) -> None:
        to_us, from_browser = os.pipe()
        from_us, to_browser = os.pipe()
        ends = (from_us, from_browser)
        flags = (*FLAGS, f"--user-data-dir={profile}")
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *map(str, ends), program, *flags],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        self.incoming, self.outgoing = to_us, to_browser
        self.waiting, self.count, self.session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer of the browser to one command; RuntimeError if it refuses."""
        self.count += 1
        message: dict[str, Any] = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.outgoing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") != self.count:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        limit = time.monotonic() + PATIENCE
        while b"\0" not in self.waiting:
            ready, _, _ = select.select([self.incoming], [], [], max(limit - time.monotonic(), 0))
            part = os.read(self.incoming, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError("the browser does not answer")
            self.waiting += part
        message, _, self.waiting = self.waiting.partition(b"\0")
        return dict(json.loads(message))

    def open(self, page: Path) -> None:
        """Load a page from disk and wait until all of it is there."""
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait(
            f"location.protocol === 'file:' && location.pathname.endsWith('{page.name}') "
            "&& document.readyState === 'complete'"
        )

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        limit = time.monotonic() + PATIENCE
        while not self.ask(condition):
            assert time.monotonic() < limit, f"never came true: {condition}"
            time.sleep(0.05)

    @property
    def complaints(self) -> list[str]:
        """Warnings, errors and exceptions since `open`, of scripts and of the browser itself."""
        found = []
        for event in self.events:
            given, method = event.get("params", {}), event.get("method")
            if method == "Runtime.exceptionThrown":
                found.append(str(given["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and given["type"] in BAD:
                found.append(str(given["args"]))
            elif method == "Log.entryAdded" and given["entry"]["level"] in BAD:
                found.append(str(given["entry"]))
        return found

    @property
    def requests(self) -> list[str]:
        """Addresses asked for since `open`."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def close(self) -> None:
        """End the browser."""
        self.process.terminate()
        self.process.wait(PATIENCE)
        os.close(self.incoming)
        os.close(self.outgoing)
