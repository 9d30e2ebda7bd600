"""Environments that must not end a command, and those that it refuses in one sentence."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rnnstudy.cli.streams import SteadyStream, steady_streams

ROOT = Path(__file__).parents[2]
SPEC = """\
study: small
tasks: [{kind: flip_flop, bits: 1}]
networks: {cells: vanilla, units: 2}
"""


def command(
    *words: str, python: Sequence[str] = (), env: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that imports no TensorFlow."""
    return subprocess.run(
        [sys.executable, *python, "-m", "rnnstudy", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **(env or {})},
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
        **{"stdout": subprocess.PIPE, **options},
    )


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


def test_a_full_disk_behind_stdout_does_not_end_a_command() -> None:
    with open("/dev/full", "w") as full:
        done = command("schema", stdout=full)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_pipe_does_not_end_a_command() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = command("schema", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_command_without_stdout_and_stderr_runs(tmp_path: Path, spec: Path) -> None:
    words = f"exec {sys.executable} -m rnnstudy check {spec} >&- 2>&-"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(["sh", "-c", words], cwd=tmp_path, env=env, check=False).returncode == 0


def test_a_stream_that_fails_loses_its_text_and_recovers() -> None:
    class Full(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    inner = Full()
    stream = SteadyStream(inner)
    assert stream.write("lost") == 4
    inner.full = False
    stream.write("written")
    assert inner.getvalue() == "written"
    inner.close()
    stream.write("lost as well")
    stream.flush()
    stream.release()


def test_streams_are_put_back() -> None:
    before = sys.stdout, sys.stderr
    with steady_streams():
        assert isinstance(sys.stdout, SteadyStream)
    assert (sys.stdout, sys.stderr) == before


def test_an_ascii_terminal_shows_escapes(tmp_path: Path) -> None:
    path = tmp_path / "kl\u00e9.yaml"
    path.write_text(SPEC.replace("small", "missing") + "oops: 1\n")
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = command("check", path.name, cwd=tmp_path, env=env)
    assert done.returncode == 2
    assert b"kl\\xe9.yaml" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_path_that_is_no_utf8_is_read_and_printed(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/th\xe9.yaml"
    with open(path, "w") as file:
        file.write(SPEC)
    name = os.fsdecode(path)
    done = command("check", name, "--out", os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9"))
    assert done.returncode == 0, done.stderr
    with open(path, "a") as file:
        file.write("oops: 1\n")
    done = command("check", name)
    assert done.returncode == 2
    assert b"th\\udce9.yaml" in done.stderr


def test_a_working_directory_that_is_gone_is_named(tmp_path: Path, spec: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = f"cd {gone} && rmdir {gone} && exec {sys.executable} -m rnnstudy check {spec}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "rnnstudy: the working directory must exist, but it has been deleted. "
        "Change to another folder.\n"
    )


def test_warnings_as_errors_do_not_end_a_command(spec: Path) -> None:
    done = command("check", str(spec), python=["-W", "error"])
    assert done.returncode == 0, done.stderr


def test_another_backend_of_keras_is_refused(tmp_path: Path, spec: Path) -> None:
    for words in (("check", str(spec)), ("run", str(spec))):
        done = command(*words, env={"KERAS_BACKEND": "torch"}, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.decode() == (
            "rnnstudy: Keras must run on TensorFlow, got the backend 'torch' from the environment "
            "variable KERAS_BACKEND. Set KERAS_BACKEND=tensorflow.\n"
        )
    assert not (tmp_path / "runs").exists()


def test_another_backend_in_the_settings_of_keras_is_refused(tmp_path: Path, spec: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    env = {"KERAS_BACKEND": "", "KERAS_HOME": str(tmp_path)}
    done = command("check", str(spec), env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert b"got the backend 'jax' from" in done.stderr


@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        ("[GPU:0]", "runtime.devices must be among CPU:0, got 'GPU:0'"),
        ("2", "runtime.devices must be at most 1, got 2. This machine has CPU:0."),
    ],
)
def test_devices_that_are_not_there_are_refused_by_check(
    spec: Path, devices: str, sentence: str
) -> None:
    words = ["check", str(spec), "--set", f"runtime.devices={devices}"]
    done = command(*words, env={"CUDA_VISIBLE_DEVICES": ""})
    assert (done.returncode, done.stderr.decode()) == (2, f"rnnstudy: {sentence}\n")
    assert command("check", str(spec), env={"CUDA_VISIBLE_DEVICES": ""}).returncode == 0


BROKEN = """\
from rnnstudy.tasks import FlipFlop


class Broken(FlipFlop):
    @property
    def title(self):
        raise {error}
"""


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        ("ZeroDivisionError('no title')", 1, "ZeroDivisionError: no title (own_"),
        ("OSError(28, 'No space left on device', 'a.csv')", 1, "a.csv: no space left on device"),
    ],
)
def test_code_of_a_user_that_raises_ends_a_command_in_one_sentence(
    tmp_path: Path, error: str, code: int, sentence: str
) -> None:
    (tmp_path / f"own_{code}.py").write_text(BROKEN.format(error=error))
    (tmp_path / "a.yaml").write_text(
        f"study: a\ntasks: ['own_{code}:Broken']\nnetworks: {{cells: vanilla, units: 2}}\n"
    )
    done = command("check", "a.yaml", "--allow-plugins", cwd=tmp_path)
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert f"rnnstudy: {sentence}" in said
    assert len(said.splitlines()) == 1
