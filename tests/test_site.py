"""Pages of the documentation site name their sources, and the code that they name exists."""

import importlib
import re
from pathlib import Path

import pytest
from documents import ROOT, text_of

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


def test_the_index_of_explanations_links_to_each() -> None:
    index = text_of(DOCS / "explanation" / "index.md")
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", index))
    assert linked == {page.name for page in METHODS}


def test_no_formula_is_broken_over_a_blank_line() -> None:
    for page in EXPLANATIONS:
        for formula in text_of(page).split("$$")[1::2]:
            assert "\n\n" not in formula, (name_of(page), formula)
