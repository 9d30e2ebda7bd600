"""The README is short, its first example prints what it shows, and its paths exist."""

import re
from pathlib import Path

import pytest
from documents import PAGES, ROOT, anchors, blocks, run_python, text_of

README = ROOT / "README.md"


def test_the_readme_is_short_and_shows_a_result_early() -> None:
    lines = text_of(README).splitlines()
    assert len(lines) <= 150
    assert next(i for i, line in enumerate(lines, 1) if "9 fixed points" in line) <= 50


def test_the_two_commands_of_set_up_come_first() -> None:
    commands = [line.partition("#")[0].strip() for line in blocks(README, "sh")[0].splitlines()]
    assert commands == ["tools/run specs/quickstart.yaml", "tools/test"]


def test_the_first_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    output = run_python(blocks(README, "python")[0], tmp_path)
    assert output == blocks(README, "text")[0]
    assert (tmp_path / "memory.png").stat().st_size > 10_000


def test_every_code_block_of_the_readme_is_checked() -> None:
    # tests/cli/test_starting.py tests the commands of the third.
    # The second Python block reads a finished study; tests/test_guide.py runs it.
    assert len(blocks(README, "python")) == 2
    assert len(blocks(README, "sh")) == 3
    assert len(blocks(README, "text")) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_of_the_pages_exist(page: Path) -> None:
    text = text_of(page)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target
    for path in re.findall(r"`((?:tools|specs|rnnstudy|tests|docs)/[\w./-]+\.\w+)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.slow
def test_the_tutorial_draws_the_four_words_of_its_memory(tmp_path: Path) -> None:
    out = run_python(text_of(ROOT / "tools" / "tutorial.py"), tmp_path)
    assert "9 fixed points" in out
    assert "4 stable" in out
    assert "certificate: consistent" in out
    assert (tmp_path / "lstm.png").stat().st_size > 20_000
    assert "directions" in (tmp_path / "lstm.html").read_text(encoding="utf-8")
