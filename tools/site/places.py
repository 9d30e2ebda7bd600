"""Places of the repository's pages and files in the site, and links between them."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

MOVED = {
    "README.md": "start.md",
    "CONTRIBUTING.md": "development/contributing.md",
    "CHANGELOG.md": "development/changelog.md",
    "CODE_OF_CONDUCT.md": "development/code-of-conduct.md",
    "SECURITY.md": "development/security.md",
    "docs/results/README.md": "results/index.md",
}
"""Page of the repository -> its place in the site. Other pages keep their place below `docs`."""

FILES = "files"
"""Folder of the site with files to download, at their places in the repository."""

LINK = re.compile(r"\]\(([^)\s]+)\)")
"""Target of a link, or of a picture, in Markdown."""

FENCE = re.compile(r"^(```.*?^```\s*?$)", re.DOTALL | re.MULTILINE)
"""Block of code, in which nothing is a link."""


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page of the repository with its place in the site."""
    for path in (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))):
        if place := place_of(path):
            yield path, place


def place_of(path: Path) -> str:
    """Return the place of a file in the site; empty for one that the site does not have."""
    name = path.relative_to(ROOT).as_posix()
    if name in MOVED:
        return MOVED[name]
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return ""


def rewrite_links(text: str, change: Callable[[str], str]) -> str:
    """Return Markdown whose links outside of code are changed."""
    parts = FENCE.split(text)
    for i in range(0, len(parts), 2):
        parts[i] = LINK.sub(lambda match: f"]({change(match[1])})", parts[i])
    return "".join(parts)


def site_link(target: str, page: Path, extra: dict[str, str]) -> tuple[str, Path | None]:
    """Return the target of a link in the site, and the file that the site needs for it.

    Parameters
    ----------
    target
        Target as the page of the repository has it.
    page
        The page.
    extra
        File of the repository -> place of its page, for pages that the site makes.
    """
    if re.match(r"[a-z]+:|#", target):
        return target, None
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve()
    name = file.relative_to(ROOT).as_posix()
    place = extra.get(name) or place_of(file)
    needed = None
    if not place:
        if file.is_dir():
            return target, None
        place, needed = f"{FILES}/{name}", file
    start = PurePosixPath(place_of(page)).parent
    relative = os.path.relpath(place, start)
    return relative + (f"#{anchor}" if anchor else ""), needed
