"""Text of others reaches the terminal as text: no control characters, markup or emoji codes."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.progress import Progress, TextColumn
from rich.table import Table

from rnnstudy.cli.terminal import SafeConsole, SafeFormatter

ROOT = Path(__file__).parents[2]
EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eabc\x00\x7f"


def output(print_it, **options: bool) -> str:
    file = io.StringIO()
    print_it(SafeConsole(file=file, width=300, **options))
    return file.getvalue()


def test_markup_and_emoji_codes_are_text() -> None:
    assert output(lambda c: c.print("x.yaml:100:1: [bold]a[/bold] :smile:")) == (
        "x.yaml:100:1: [bold]a[/bold] :smile:\n"
    )


@pytest.mark.parametrize("terminal", [False, True])
def test_control_characters_of_texts_and_tables_are_escaped(terminal: bool) -> None:
    table = Table(EVIL, box=None)
    table.add_row(f"[red]{EVIL}:100:")

    def print_all(console: SafeConsole) -> None:
        console.print(f"a {EVIL} z\nsecond\ttab", soft_wrap=True)
        console.print(table)

    text = output(print_all, force_terminal=terminal)
    assert r"a \x1b]0;title\x07\x1b[2J\x9b31m\u202eabc\x00\x7f z" in text
    assert "\nsecond" in text
    assert r"[red]\x1b]0;title" in text
    assert ":100:" in text
    # Styles of the console itself are the only escapes that remain.
    rest = text.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert rest.replace("\n", "").isprintable()


def test_labels_of_progress_bars_are_escaped() -> None:
    file = io.StringIO()
    console = SafeConsole(file=file, force_terminal=True, width=300)
    with Progress(TextColumn("{task.description}", markup=False), console=console) as progress:
        progress.add_task(f"train {EVIL}")
    assert r"train \x1b]0;title" in file.getvalue()
    assert "\x1b]0" not in file.getvalue()


def test_log_messages_are_escaped() -> None:
    record = logging.LogRecord("rnnstudy", logging.INFO, "", 0, "job %s", (EVIL,), None)
    assert SafeFormatter("%(message)s").format(record).isprintable()


def test_a_spec_cannot_control_the_terminal_by_its_name_or_its_words(tmp_path: Path) -> None:
    name = "x\x1b[31m:100:.yaml"
    text = 'study: s\ntasks: ["a\\e[2J:100:[bold]"]\n"\\e]0;t\\a\\n": 1\nnetworks: {cells: gruu}\n'
    (tmp_path / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "rnnstudy", "check", name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() and line.startswith(r"x\x1b[31m:100:.yaml:") for line in lines)
    assert "[bold]" in done.stderr
