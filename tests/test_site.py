"""The documentation site: pages name sources and code, and lead to all names and components."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import ROOT, text_of

import rnnstudy
from rnnstudy.cli.catalogues import LISTS

DOCS = ROOT / "docs"
EXPLANATIONS = sorted((DOCS / "explanation").glob("*.md"))
WITH_SOURCES = [*EXPLANATIONS, *sorted((DOCS / "coming-from").glob("[!i]*.md"))]
METHODS = [page for page in EXPLANATIONS if page.stem != "index"]


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def section(page: Path, heading: str) -> str:
    """Return the text below a heading of the second level, to the next one."""
    parts = re.split(r"^## ", text_of(page), flags=re.MULTILINE)
    return next((p.partition("\n")[2] for p in parts if p.partition("\n")[0] == heading), "")


@pytest.mark.parametrize("page", WITH_SOURCES, ids=name_of)
def test_a_page_names_its_source(page: Path) -> None:
    sources = section(page, "Sources")
    assert sources
    if page.stem != "index":
        assert re.search(r"\b(19|20)\d\d\b", sources), sources


@pytest.mark.parametrize("page", METHODS, ids=name_of)
def test_the_code_that_an_explanation_names_exists(page: Path) -> None:
    code = section(page, "Sources").partition("Code:")[2]
    names = re.findall(r"`(rnnstudy(?:\.\w+)+)`", code)
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        owner = importlib.import_module(module)
        assert hasattr(owner, attribute) or importlib.import_module(name), name


@pytest.mark.parametrize("folder", ["coming-from", "explanation", "guide"])
def test_an_index_links_to_each_page_of_its_folder(folder: str) -> None:
    index = text_of(DOCS / folder / "index.md")
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", index))
    assert linked == {page.name for page in (DOCS / folder).glob("*.md")} - {"index.md"}


def test_no_formula_is_broken_over_a_blank_line() -> None:
    for page in EXPLANATIONS:
        for formula in text_of(page).split("$$")[1::2]:
            assert "\n\n" not in formula, (name_of(page), formula)


@pytest.fixture(scope="module", autouse=True)
def tools() -> Iterator[None]:
    """Let tests import the modules that build the site."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools" / "site"))
        yield


@pytest.fixture(scope="module")
def site(tools: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the pages of the site by their places, as they are before Sphinx reads them."""
    target = tmp_path_factory.mktemp("site") / "source"
    texts: dict[str, str] = importlib.import_module("assemble").assemble(target)
    return texts


def entries(text: str) -> list[str]:
    """Return the pages in the lists of children of a page."""
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    names = [re.sub(r".*<(.*)>", r"\1", line) for line in lines if not line.startswith(":")]
    return [name.lstrip("/") for name in names if name]


def reachable(site: dict[str, str]) -> set[str]:
    """Return the pages to which the lists of children lead from the first page."""
    found, waiting = set(), ["index"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += entries(site.get(f"{name}.md", ""))
    return found


def test_every_page_is_reachable_from_the_first(site: dict[str, str]) -> None:
    pages = {place.removesuffix(".md") for place in site}
    assert reachable(site) == pages | {"gallery/index"}
    guide = {f"guide/{page.stem}" for page in (DOCS / "guide").glob("*.md")}
    assert guide <= pages
    assert {"start", "results/index", "development/changelog", "explanation/claims"} <= pages


def test_every_public_name_is_in_the_reference(site: dict[str, str]) -> None:
    text = "\n".join(text for place, text in site.items() if place.startswith("reference/python/"))
    pattern = r"^\.\. auto(?:function|class|module|data):: rnnstudy\.(\w+)$"
    named = re.findall(pattern, text, flags=re.MULTILINE)
    assert sorted(named) == sorted(set(rnnstudy.__all__) - {"__version__"})


def test_every_component_and_field_is_in_the_reference(site: dict[str, str]) -> None:
    for word, catalogue in LISTS.items():
        text = site[f"reference/components/{word}.md"]
        parts = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
        assert list(parts) == [f"`{kind}`" for kind in catalogue]
        for kind, entry in catalogue.items():
            rows = re.findall(r"^\| `(\w+)` \|", parts[f"`{kind}`"], flags=re.MULTILINE)
            assert rows == list(entry.model_fields), (word, kind)


def test_links_of_the_assembled_pages_lead_to_pages_or_files(
    site: dict[str, str], tmp_path: Path
) -> None:
    assemble = importlib.import_module("assemble")
    assemble.assemble(tmp_path)
    for place, text in site.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?s)```.*?```", "", text)):
            path = target.partition("#")[0]
            if not path or re.match(r"[a-z]+:", path) or path.startswith("gallery/"):
                continue
            assert ((tmp_path / place).parent / path).resolve().exists(), (place, target)


EXAMPLE = '''"""Points of a network.

pip install rnnstudy
python examples/points.py

It prints them.
"""

print(1)
'''


def test_an_example_gets_a_heading_and_its_commands_are_code() -> None:
    code = importlib.import_module("assemble").with_heading(EXAMPLE)
    assert code.startswith('"""Points of a network\n===================\n')
    assert ".. code-block:: sh\n\n    pip install rnnstudy\n    python examples/points.py" in code
    assert code.endswith('"""\n\nprint(1)\n')
    assert importlib.import_module("assemble").with_heading(code) == code


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["The norm |J| of `a|b`."], [r"The norm \|J\| of `a|b`."]),
        (["x_ and h_t"], [r"x\_ and h_t"]),
        (["of forms [..., *form]", "**fields"], [r"of forms [..., \*form]", "**fields"]),
        ([">>> a | b", "1 | 2", "", "|c|"], [">>> a | b", "1 | 2", "", r"\|c\|"]),
        (["A class:", "", "    def f(x_):", "        pass"],
         ["A class::", "", "    def f(x_):", "        pass"]),
        (["Note:", "text"], ["Note:", "text"]),
    ],
)  # fmt: skip
def test_docstrings_become_valid_text(lines: list[str], expected: list[str]) -> None:
    assert importlib.import_module("docstrings").escape_lines(lines) == expected


def test_pictures_of_an_example_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    names = ("fold.py", "fold.png", "fold_2.svg", "fold.txt", "other.png", "runs/fold.png")
    for name in names:
        (tmp_path / name).write_text("")
    pictures = importlib.import_module("pictures").pictures_of(tmp_path / "fold.py")
    assert [path.name for path in pictures] == ["fold.png", "fold_2.svg"]


def test_broken_links_of_a_built_site_are_listed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="other.html#here">1</a><a href="other.html#gone">2</a><a href="none.html">3</a>'
        '<a href="https://example.org">4</a><img src="a%20b.png">'
    )
    (tmp_path / "other.html").write_text('<p id="here"></p>')
    (tmp_path / "a b.png").write_text("")
    broken = importlib.import_module("check_links").broken_links(tmp_path)
    assert broken == ["index.html: other.html#gone", "index.html: none.html"]


def test_files_of_other_sites_that_a_page_loads_are_listed(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="https://example.org/a.css"><script src="//cdn.org/b.js">'
        '</script><link rel="stylesheet" href="c.css"><img src="data:image/png;base64,AA==">'
        '<a href="https://example.org">a link loads nothing</a>'
        '<link rel="canonical" href="https://example.org/here">'
    )
    foreign = importlib.import_module("check_links").foreign_files(tmp_path)
    assert foreign == ["index.html: https://example.org/a.css", "index.html: //cdn.org/b.js"]
