"""Report in one file: the page with everything inside that fits a size."""

import base64
import mimetypes
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rnnstudy.core.files import write_file
from rnnstudy.report.explorer.files import DATA, SCRIPT, STYLE
from rnnstudy.study.errors import RunError

MEGABYTE = 10**6

REFERENCE = re.compile(r'(?P<name>src|href)="(?P<path>[^"#:]+)"')
"""Attribute that names a file beside the page."""

DATA_CALL = re.compile(r'rnnstudyData\("(?P<name>[^"]+)", "(?P<content>[^"]*)"\);')

PLOTLY = "plotly.min.js"
"""File beside the page, which is in the page as compressed data."""


DOWNLOAD = ' download="{}"'
"""Attribute of a link to a file in the page."""


class SinglePage(NamedTuple):
    """Report in one file."""

    path: Path
    """The file."""
    size: int
    """Its bytes."""
    networks: int
    """Networks that can be opened in it."""
    total: int
    """Networks of the report."""


def write_single_file(folder: Path, path: Path, megabytes: float) -> SinglePage:
    """Write the report of a folder as one page of limited size.

    The page, its scripts and the table of networks are always inside. Then follow figures, their
    plots, networks, matrices and tables, as long as they fit. Networks are spread evenly over the
    study.

    Parameters
    ----------
    folder
        Folder of the report.
    path
        The file.
    megabytes
        Largest size, in units of 10^6 bytes.

    Raises
    ------
    RunError
        If the size is too small for the page itself.
    """
    limit = int(megabytes * MEGABYTE)
    parts = _Parts(folder, limit)
    names = sorted(each.relative_to(folder / DATA).with_suffix("").as_posix()
                   for each in (folder / DATA).rglob("*.js"))  # fmt: skip
    networks = [name for name in names if name.startswith("networks/")]
    parts.add_data(name for name in names if name == "index" or name.startswith("tasks/"))
    if parts.size > limit:
        raise RunError(
            f"the size must be at least {parts.size / MEGABYTE:.1f} MB for this report, "
            f"got {megabytes:g} MB. Give a larger --size."
        )
    parts.add_files(".svg", ".png")
    parts.add_data(name for name in names if name.startswith("plots/"))
    n_networks = parts.add_data(spread(networks))
    parts.add_data(name for name in names if name.startswith("matrices/"))
    parts.add_files("")
    text = parts.text(n_networks, len(networks))
    write_file(path, text)
    return SinglePage(path, len(text.encode()), n_networks, len(networks))


def spread(names: list[str]) -> list[str]:
    """Return numbered names in an order whose beginnings are spread evenly over all of them.

    Examples
    --------
    >>> spread([f"networks/{i}" for i in range(4)])
    ['networks/0', 'networks/2', 'networks/1', 'networks/3']
    """
    ordered = sorted(names, key=lambda name: int(name.rpartition("/")[2]))
    bits = max(len(ordered) - 1, 1).bit_length()
    return [ordered[i] for i in sorted(range(len(ordered)), key=lambda i: f"{i:0{bits}b}"[::-1])]


class _Parts:
    """Page in one file while it is put together."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.page = _with_scripts((folder / "index.html").read_text(encoding="utf-8"), folder)
        self.inside: dict[str, str] = {}
        """Path beside the page -> data address."""
        self.blocks: list[str] = []
        self.size = len(self.page.encode())
        if (folder / PLOTLY).is_file():
            packed = zlib.compress((folder / PLOTLY).read_bytes(), 9)
            self._add_block("plotly", base64.b64encode(packed).decode())

    def _add_block(self, name: str, content: str) -> None:
        block = f'<script type="text/plain" data-file="{name}">{content}</script>\n'
        self.blocks.append(block)
        self.size += len(block)

    def add_data(self, names: Iterable[str]) -> int:
        """Add data files up to the limit, without a limit the first; return their number."""
        added = 0
        for name in names:
            text = (self.folder / DATA / f"{name}.js").read_text(encoding="utf-8")
            call = DATA_CALL.match(text)
            is_needed = name == "index" or name.startswith("tasks/")
            if call is None or (not is_needed and self.size + len(text) + 60 > self.limit):
                continue
            self._add_block(name, call["content"])
            added += 1
        return added

    def add_files(self, *endings: str) -> None:
        """Add files that the page names, by their endings, up to the limit."""
        for path, count in _named_files(self.page, self.folder):
            if path in self.inside or not path.endswith(endings):
                continue
            address = _data_address(self.folder / path)
            # The file stands in the page as often as it is named, with its name for the download.
            size = count * (len(address) + len(DOWNLOAD) + len(path))
            if self.size + size <= self.limit:
                self.inside[path] = address
                self.size += size

    def text(self, n_networks: int, total: int) -> str:
        """Return the page."""
        words = f"This file holds {n_networks} of {total} networks in full."
        page = REFERENCE.sub(self._reference, self.page)
        page = page.replace("<html", f'<html data-single-file="{words}"', 1)
        start = page.index("<body>") + len("<body>")
        return f"{page[:start]}\n{''.join(self.blocks)}{page[start:]}"

    def _reference(self, match: re.Match[str]) -> str:
        name, path = match["name"], match["path"]
        if path in self.inside:
            saved = DOWNLOAD.format(Path(path).name) if name == "href" else ""
            return f'{name}="{self.inside[path]}"{saved}'
        is_file = (self.folder / path).is_file()
        return 'title="in the folder of the report"' if is_file else match[0]


def _with_scripts(page: str, folder: Path) -> str:
    """Return the page with the explorer's style and script in it."""
    style, script = folder / STYLE, folder / SCRIPT
    if script.is_file():
        text = script.read_text(encoding="utf-8").replace("</script", "<\\/script")
        page = page.replace(f'<script src="{SCRIPT}" defer></script>', f"<script>\n{text}</script>")
        looks = style.read_text(encoding="utf-8")
        page = page.replace(f'<link rel="stylesheet" href="{STYLE}">', f"<style>\n{looks}</style>")
    return page


def _named_files(page: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the path of each file that the page names, and how often it does."""
    for path, count in Counter(match["path"] for match in REFERENCE.finditer(page)).items():
        if (folder / path).is_file():
            yield path, count


def _data_address(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
