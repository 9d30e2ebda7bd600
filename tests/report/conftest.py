"""A headless Chromium over its debugging pipe, and exhibits whose content is known exactly."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy.core.exhibit import (
    Curve,
    Curves,
    Exhibit,
    Forest,
    Graph,
    Intervals,
    Matrix,
    Note,
    Panels,
    Scatter,
    Space2D,
    Space3D,
    SpecificationCurve,
    StackedBars,
    Strip,
    Table,
)

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file; they are skipped where none is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(NAMES)})")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        found = Browser(program, profile)
        yield found
        found.close()


CELLS, ACTIVATIONS = ("vanilla", "ugrnn", "gru", "lstm"), ("tanh", "relu")


def networks(seeds: int) -> list[tuple[str, str, str]]:
    """Name, cell and activation of so many networks of each combination."""
    return [
        (f"flip_flop-{cell}-{activation}-32-s{seed:03d}", cell, activation)
        for cell in CELLS
        for activation in ACTIVATIONS
        for seed in range(seeds)
    ]


def population(seeds: int) -> dict[str, Exhibit]:
    """One exhibit of each kind, about 8 combinations with so many seeds."""
    random = np.random.default_rng(0)
    names, cells, activations = zip(*networks(seeds), strict=True)
    combinations = [" ".join(pair) for pair in zip(cells, activations, strict=True)]
    points = random.normal(size=(len(names), 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    groups = {"cell": cells, "activation": activations}
    cube = np.array(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1])).reshape(3, 27).T.astype(float)
    index = [str(int(np.sum(point == 0))) for point in cube]
    paths = [np.cumsum(random.normal(size=(40, 3)), axis=0) / 10 for _ in range(3)]
    time = np.arange(60)
    return {
        "table": Table(title="Members", columns={"member": names, "loss": points[:, 0]}),
        "scatter": Scatter(title="Map", points=points, labels=names, groups=groups),
        "intervals": Intervals(
            title="Shares",
            values=points[:, 0],
            low=points[:, 0] - 0.2,
            high=points[:, 0] + 0.2,
            labels=combinations,
            panels=["cell"] * len(names),
            value_label="share",
            reference=0.0,
        ),
        "specifications": SpecificationCurve(
            title="Choices",
            effects=points[:, 0],
            low=points[:, 0] - 0.2,
            high=points[:, 0] + 0.2,
            supports=points[:, 0] > 0,
            choices={"metric": combinations},
            effect_label="effect",
        ),
        "strip": Strip(
            title="Losses",
            values=10 ** points[:, 0],
            categories=combinations,
            labels=names,
            value_label="loss",
            log=True,
            limit=0.01,
        ),
        "bars": StackedBars(
            title="Classes",
            categories=CELLS,
            values={"line": np.arange(len(CELLS)), "ring": np.ones(len(CELLS))},
            value_label="networks",
        ),
        "forest": Forest(
            title="Effects",
            rows=["cube", "svcca_depends_on_activation, a claim with a name that is very long"],
            notes=["supported", "uninformative"],
            row=[0, 0, 1, 1],
            series=["trained", "before training", "trained", "noise, zeros, ones"],
            values=np.array([0.9, 0.1, 0.5, np.nan]),
            low=np.array([0.7, 0.0, 0.3, np.nan]),
            high=np.array([1.0, 0.2, 0.7, np.nan]),
            value_label="effect",
            limits=[0.0],
        ),
        "matrix": Matrix(
            title="Distances", values=distances, labels=names, groups=groups, value_label="distance"
        ),
        "curves": Curves(
            title="Training",
            x_label="step",
            y_label="loss",
            log_y=True,
            curves=[
                Curve(
                    x=time,
                    y=np.exp(-time / 9),
                    low=np.exp(-time / 8),
                    high=np.exp(-time / 10),
                    label=activation,
                    panel=cell,
                )
                for cell in CELLS
                for activation in ACTIVATIONS
            ],
        ),
        "space": Space3D(title="States", lines=paths, points=cube, point_groups=index),
        "plane": Space2D(
            title="Plane",
            lines=[path[:, :2] for path in paths],
            points=cube[:, :2],
            point_groups=index,
        ),
        "panels": Panels(
            title="Spaces",
            exhibits=[
                Space3D(title=f"{cell} {activation}", lines=paths, points=cube, point_groups=index)
                for cell in CELLS
                for activation in ACTIVATIONS
            ],
        ),
        "graph": Graph(
            title="Ways",
            nodes=["a", "b", "c"],
            groups=["1", "0", "0"],
            edges=[(0, 1, 1.0), (0, 2, 0.5)],
        ),
        "note": Note(title="Remark", text="All is well."),
    }


@pytest.fixture(scope="session")
def exhibits() -> Callable[[int], dict[str, Exhibit]]:
    """Builds one exhibit of each kind for a number of seeds per combination."""
    return population
