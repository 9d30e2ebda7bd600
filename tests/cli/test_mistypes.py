"""Mistypes: each is answered by one clear sentence on stderr and exit code 2."""

from pathlib import Path

import pytest

from rnnstudy.cli import commands
from rnnstudy.cli.error_messages import error_message

SPEC = """\
study: small
tasks: [{kind: flip_flop, bits: 1}]
networks: {cells: vanilla, units: 2}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory: a spec, a spec with a space in its name, a run."""
    monkeypatch.chdir(tmp_path)
    for name in ("small.yaml", "my spec.yaml"):
        (tmp_path / name).write_text(SPEC)
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "comment.yaml").write_text("# nothing yet\n")
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    (tmp_path / "runs" / "small").mkdir(parents=True)
    (tmp_path / "runs" / "small" / "resolved.yaml").write_text(SPEC)
    (tmp_path / "file").write_text("")
    return tmp_path


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["rnnstudy", *words])
    with pytest.raises(SystemExit) as end:  # noqa: PT011 - the code is compared
        commands.main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        # a folder in place of a spec
        (("run", "."), ".: is a directory; name the YAML file in it: comment.yaml, empty.yaml, "),
        (("check", "runs/small"), "runs/small: is a directory; name the YAML file in it: resolved"),
        # a wrong name
        (("run", "small.yml"), "small.yml: there is no such file; did you mean 'small.yaml'?"),
        (("check", "small"), "small: there is no such file; did you mean 'small.yaml'?"),
        (("run", "nowhere/a.yaml"), "nowhere/a.yaml: there is no such file"),
        # a spec in place of a run
        (("report", "small.yaml"), "small.yaml is not a run directory: it has no resolved.yaml."),
        (("report", "small.yaml"), "rnnstudy run made, such as runs/small"),
        (("status", "runs"), "rnnstudy run made, such as runs/small"),
        (("claims", "small"), "rnnstudy run made, such as runs/small"),
        # specs without content
        (("check", "empty.yaml"), "is empty; a spec begins with 'study: NAME'"),
        (("check", "comment.yaml"), "is empty; a spec begins with 'study: NAME'"),
        (("check", "list.yaml"), "list.yaml:"),
        # wrong words
        (("run", "small.yaml", "--ou", "a"), "rnnstudy: no such option: --ou"),
        (("run", "small.yaml", "--ou", "a"), "`rnnstudy run --help` shows what it takes."),
        (("rum", "small.yaml"), "no such command 'rum'"),
        (("list", "cell"), "invalid value for "),
        (("report",), "missing argument "),
        (("run", "my", "spec.yaml"), "Quote a path that has spaces."),
        (("run", "small.yaml", "--out"), "option '--out' requires an argument"),
        (("check", "small.yaml", "--set", "training.steps"), "--set training.steps"),
        (("run", "small.yaml", "--shard", "3"), "like 3/20"),
        (("run", "small.yaml", "--out", "file"), "file must be a folder, got a file."),
        (("run", "small.yaml", "--out", "file/a"), "file must be a folder, got a file."),
    ],
)
def test_a_mistype_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    code, out, err = call(monkeypatch, capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


def test_a_path_with_a_space_is_a_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(monkeypatch, capsys, "check", "my spec.yaml", "--out", "my run")
    assert (code, err) == (0, "")
    assert out.startswith("small: 1 networks on flip_flop\n")


def test_a_folder_that_may_not_be_written_to_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    # Root may write anywhere, so that the question to the system is answered here.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "locked")
    (folder / "locked").mkdir()
    code, _, err = call(monkeypatch, capsys, "run", "small.yaml", "--out", "locked/run")
    assert (code, err) == (
        2, "rnnstudy: locked must be writable, but its permissions forbid it\n",
    )  # fmt: skip


def test_a_full_disk_is_no_fault_of_the_words() -> None:
    message, code = error_message(OSError(28, "No space left on device", "runs/a"))
    assert code == 1
    assert message == (
        "rnnstudy: runs/a: no space left on device. Run the same command again once the disk is "
        "mended."
    )


def test_without_words_the_command_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert "check" in out
