"""Links of a built site: pages, files and anchors exist, and no page loads files of other sites."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SKIPPED = ("example-report/", "_static/", "_modules/")
"""Folders whose pages others write."""


LOADING = frozenset({"icon", "modulepreload", "preconnect", "prefetch", "preload", "stylesheet"})
"""Words in the `rel` of a link that a browser follows by itself."""


class Page(HTMLParser):
    """Links and anchors of a page, and what a browser loads to show it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        links = [values[name] for name in ("href", "src") if name in values]
        self.links += links
        if "src" in values or (tag == "link" and LOADING & {*values.get("rel", "").split()}):
            self.loaded += links


@cache
def _read(path: Path) -> Page:
    return Page(path.read_text("utf-8", errors="replace"))


def broken_links(site: Path) -> list[str]:
    """Return each broken link of a site as a line, with the page that has it."""
    lines = []
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if not name.startswith(SKIPPED):
            lines += [f"{name}: {link}" for link in _read(path).links if not _leads(path, link)]
    return lines


def foreign_files(site: Path) -> list[str]:
    """Return each file of another site that a page loads as a line, with the page."""
    return [
        f"{path.relative_to(site).as_posix()}: {link}"
        for path in sorted(site.rglob("*.html"))
        for link in _read(path).loaded
        if urlsplit(link).netloc
    ]


def _leads(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return False
    anchor = unquote(parts.fragment)
    if not anchor or target.suffix != ".html":
        return True
    return anchor in _read(target).anchors
