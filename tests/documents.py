"""The pages of the documentation: their code blocks, tables and links, and a way to run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def text_of(path: Path) -> str:
    """Return the text of a page."""
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced code blocks of a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", text_of(path), flags=re.DOTALL)


def first_column(path: Path, heading: str) -> list[str]:
    """Return the code spans in the first column of the table under a heading."""
    section = re.split(r"^#+ ", text_of(path), flags=re.MULTILINE)
    body = next(part for part in section if part.splitlines()[:1] == [heading])
    cells = re.findall(r"^\| (`[^|]+) \|", body, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text_of(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def run_python(code: str, folder: Path, timeout: float = 300) -> str:
    """Run code in a new interpreter in a folder, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "MPLBACKEND": "agg"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment,
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
