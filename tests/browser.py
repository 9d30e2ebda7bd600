"""One page of the installed Chromium, driven by Playwright, for tests and benchmarks."""

import shutil
import time
from pathlib import Path
from typing import Any, Literal

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--disable-quic")

BAD = ("error", "warning", "assert")

ADVICE = ("willReadFrequently", "GPU stall")
"""Words of Chromium's advice on the speed of 3-D drawing: it concerns Plotly and the driver."""

PATIENCE = 60.0
"""Seconds to wait for an answer: software rendering on a busy machine is slow."""

WIDTH, HEIGHT = 1280, 900


def browser_program() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a headless Chromium; remembers all that it logged and all that it asked for."""

    def __init__(self, program: str) -> None:
        from playwright.sync_api import sync_playwright

        self._driver = sync_playwright().start()
        self._browser = self._driver.chromium.launch(executable_path=program, args=list(FLAGS))
        self.page: Any = self._browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        """The page of Playwright, for the mouse, the keyboard and pictures."""
        self.page.set_default_timeout(1000 * PATIENCE)
        self.complaints: list[str] = []
        """Warnings, errors and exceptions since `open`, of scripts and of the browser itself."""
        self.requests: list[str] = []
        """Addresses asked for since `open`."""
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _note(self, message: Any) -> None:
        if message.type in BAD and not any(words in message.text for words in ADVICE):
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self, page: Path) -> None:
        """Load a page from disk and wait until all of it is there."""
        self.page.goto("about:blank")
        self.complaints.clear()
        self.requests.clear()
        self.page.goto(page.resolve().as_uri(), wait_until="load")

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        return self.page.evaluate(expression)

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        limit = time.monotonic() + PATIENCE
        while not self.ask(condition):
            assert time.monotonic() < limit, f"never came true: {condition}"
            self.page.wait_for_timeout(50)

    def look(
        self,
        width: int = WIDTH,
        height: int = HEIGHT,
        scheme: Literal["light", "dark"] = "light",
        media: Literal["screen", "print"] = "screen",
    ) -> None:
        """Set the size of the window, light or dark, and screen or print."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme, media=media)

    def renderers(self) -> list[int]:
        """Identifiers of the processes that draw pages."""
        session = self._browser.new_browser_cdp_session()
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return [int(each["id"]) for each in found if each["type"] == "renderer"]

    def close(self) -> None:
        """End the browser."""
        self._browser.close()
        self._driver.stop()
