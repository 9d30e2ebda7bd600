"""Sources of the site: pages of the repository, pages that are made, lists of their children."""

import ast
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from component_fields import component_pages
from places import DOCS, LINK, ROOT, pages, place_of, rewrite_links, site_link
from public_names import python_pages

EXAMPLES = ROOT / "examples"

FIRST_ORDER = (
    "start.md", "guide/index.md", "gallery/index.md", "explanation/index.md", "reference/index.md",
    "results/index.md", "benchmarks.md", "report.md", "coming-from/index.md", "glossary.md",
    "development/index.md",
)  # fmt: skip
"""Pages below the first page of the site, in order."""

SHORT_TITLES = {"start.md": "Start", "results/index.md": "Results"}
"""Titles of pages in menus, where those of the pages do not fit."""

MARK = "<!-- site -->"
"""Place in the first page for links to pages that only the site has."""

MADE = """The site also has:

- [Reference](reference/index.md) of public names, and of all fields of a spec
- [Example report](report.md) of a study
"""

REFERENCE = """# Reference

- [Python](python/index.md): functions and classes, by their docstrings
- [Fields of a spec](components/index.md): sections, tasks, cells, analyses, metrics, claims
"""

REPORT_PAGE = """# Example report

A study ends with a page of its findings, networks, methods and provenance.
This one is of `specs/quickstart.yaml`: 24 networks that store three bits.

{link}
"""
REPORT_LINK = '<a href="example-report/index.html">Open the report of the quickstart.</a>'
NO_REPORT = "This build of the site has none. `tools/docs` without `--no-examples` makes it."


def assemble(target: Path, with_report: bool = False) -> dict[str, str]:
    """Write the sources of the site into an empty folder.

    Parameters
    ----------
    target
        The folder; what it holds is removed.
    with_report
        Link to the report of an example.

    Returns
    -------
    dict
        Place of each page -> its text.
    """
    shutil.rmtree(target, ignore_errors=True)
    examples = example_places()
    texts = dict(_rewritten(target, examples))
    texts |= dict(python_pages()) | dict(component_pages())
    texts["reference/index.md"] = REFERENCE
    texts["index.md"] = texts["index.md"].replace(MARK, MADE)
    link = REPORT_LINK if with_report else NO_REPORT
    texts["report.md"] = REPORT_PAGE.format(link=link)
    texts["gallery/index.md"] = "# Gallery\n"  # a stand-in for the page of Sphinx-Gallery
    for place, entries in children(texts).items():
        texts[place] += toctree(entries)
    del texts["gallery/index.md"]
    for place, text in texts.items():
        _write(target / place, text)
    _copy_files(target)
    _copy_examples(target / "examples")
    return texts


def example_places() -> dict[str, str]:
    """Return each example, and their list, with the place of its page."""
    pages_of_examples = {
        path.relative_to(ROOT).as_posix(): f"gallery/{path.stem}.rst"
        for path in sorted(EXAMPLES.glob("*.py"))
    }
    return {"examples/README.md": "gallery/index.rst", **pages_of_examples}


def _rewritten(target: Path, examples: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each page of the repository with links of the site. Files to download are copied."""
    for page, place in pages():
        needed = []

        def change(link: str, page: Path = page, needed: list[tuple[str, Path]] = needed) -> str:
            new, file = site_link(link, page, examples)
            if file is not None:
                needed.append((new, file))
            return new

        yield place, rewrite_links(page.read_text("utf-8"), change)
        for link, file in needed:
            copy = target / PurePosixPath(place).parent / link.partition("#")[0]
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def children(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the pages below each index page, in order.

    They are the pages of its folder, and the index pages of folders below, in the order in which
    the index page links to them. Those without a link come last.
    """
    indexes = [place for place in texts if PurePosixPath(place).name == "index.md"]
    result = {}
    for index in indexes:
        folder = PurePosixPath(index).parent
        below = [place for place in texts if _parent(place, indexes) == index]
        linked = [str(_join(folder, link)) for link in LINK.findall(texts[index])]
        linked = [*FIRST_ORDER] if index == "index.md" else linked
        rank = {place: linked.index(place) if place in linked else len(linked) for place in below}
        result[index] = sorted(below, key=lambda place, rank=rank: (rank[place], place))
    return {index: entries for index, entries in result.items() if entries}


def _parent(place: str, indexes: list[str]) -> str:
    """Return the index page above a page; empty for the first page of the site."""
    path = PurePosixPath(place)
    folder = path.parent.parent if path.name == "index.md" else path.parent
    if place == "index.md":
        return ""
    while str(folder / "index.md") not in indexes:
        folder = folder.parent
    return str(folder / "index.md")


def _join(folder: PurePosixPath, link: str) -> PurePosixPath:
    parts: list[str] = []
    for part in (folder / link.partition("#")[0]).parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return PurePosixPath(*parts)


def toctree(entries: list[str]) -> str:
    """Return the list of a page's children, for Sphinx."""
    names = "\n".join(map(_toctree_entry, entries))
    return f"\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def _toctree_entry(place: str) -> str:
    name = f"/{place.rpartition('.')[0]}"
    return f"{SHORT_TITLES[place]} <{name}>" if place in SHORT_TITLES else name


def _copy_files(target: Path) -> None:
    """Copy all of `docs` that is no page."""
    for path in sorted(DOCS.rglob("*")):
        if path.is_file() and path.suffix not in (".md", ".py", ".css") and place_of(path):
            copy = target / place_of(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _copy_examples(target: Path) -> None:
    """Copy examples in the form that Sphinx-Gallery reads: their first line is a heading."""
    for path in sorted(EXAMPLES.glob("*.py")):
        _write(target / path.name, with_heading(path.read_text("utf-8")))
    for path in sorted(EXAMPLES.glob("*.yaml")):
        shutil.copyfile(path, target / path.name)
    header = "Gallery\n=======\n\nEach example is one file of ``examples``, and runs as it is.\n"
    _write(target / "GALLERY_HEADER.rst", header)


def with_heading(code: str) -> str:
    """Return a script whose docstring begins with a heading of reStructuredText."""
    docstring = ast.get_docstring(ast.parse(code), clean=False)
    if not docstring:
        raise ValueError("an example must have a docstring, got none. Begin it with one.")
    heading, _, rest = docstring.strip().partition("\n")
    if re.match(r"[=~-]{3,}$", rest.partition("\n")[0]):
        return code
    heading = heading.rstrip(".")
    body = _literal_commands(rest.strip("\n"))
    return code.replace(docstring, f"{heading}\n{'=' * len(heading)}\n\n{body}\n", 1)


def _literal_commands(text: str) -> str:
    """Return text in which lines of commands are code."""
    command = r"(pip install|python|rnnstudy (run|init|check)|tools/run) "
    lines = [f"    {line}" if re.match(command, line) else line for line in text.splitlines()]
    marked: list[str] = []
    for line in lines:
        if line.startswith("    ") and not (marked and marked[-1].startswith("    ")):
            marked += ["", ".. code-block:: sh", ""]
        elif marked and marked[-1].startswith("    ") and line and not line.startswith("    "):
            marked += [""]
        marked.append(line)
    return "\n".join(marked)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
