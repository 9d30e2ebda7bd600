"""Files of a run directory."""

import fcntl
import importlib.metadata
import json
import logging
import os
import platform
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rnnstudy.core.files import open_file, refuse_links, remove_file, short_name, write_file
from rnnstudy.core.lazy_imports import tf
from rnnstudy.core.threads import available_cores
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.results.failures import attempt, failure_entries
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, resolve_study

logger = logging.getLogger("rnnstudy")

LONGEST_NAME = 255
"""Bytes of a file name on the usual file systems."""

LOCK = ".lock"
"""Empty file in a run directory that its writer locks."""

LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK

PACKAGES = ("rnnstudy", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pandas",
            "matplotlib", "pydantic")  # fmt: skip


def write_members(run: Run) -> None:
    """Write `members.csv`: one row per network, in the order of the grid."""
    write_file(run.directory / "members.csv", _csv(run.members))


def write_selection(run: Run) -> None:
    """Write `selection.csv` if the study selects training fields: one row per candidate."""
    path = run.directory / "selection.csv"
    if run.study.selection is None:
        remove_file(path)
    else:
        write_file(path, _csv(run.selection))


def _csv(table: Any) -> str:
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text


def write_models(run: Run) -> list[str]:
    """Write `models/<member>.keras` for the networks that the spec names.

    Returns
    -------
    list of str
        One sentence for each model that could not be written; empty if all are there.
    """
    table = run.members
    present = table["member"][table["status"] != "missing"]
    names = [name for name in present if run.study.report.wants_model(name)]
    errors = {name: attempt(partial(_write_model, run, name), None)[1] for name in names}
    return [f"model {name} was not written: {error}" for name, error in errors.items() if error]


def _write_model(run: Run, name: str) -> None:
    path, key = run.directory / "models" / f"{short_name(name)}.keras", run.key(name)
    if run.store.has(key) and model_address(path) != key:
        write_file(path, _model_bytes(run, name, key), inside=run.directory)


def _model_bytes(run: Run, member: str, comment: str = "", *, plain: bool = False) -> bytes:
    """Return the Keras file of a network. It is a zip archive, whose comment is its address.

    A file of an earlier spec under the same name has another address.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras is not ready for all releases of NumPy
            run.model(member, plain=plain).save(path)
        if comment:
            with zipfile.ZipFile(path, "a") as archive:
                archive.comment = comment.encode()
        return path.read_bytes()


def model_address(path: Path) -> str:
    """Return the address of the network in a Keras file of ours; empty if it is not known."""
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            return archive.comment.decode(errors="replace")
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        return ""


def write_specs(study: Study, directory: Path, spec: str | Path | None) -> None:
    """Write `resolved.yaml`, and `spec.yaml` as it was given."""
    runtime = study.runtime
    if runtime.store is not None:
        # The run may be read from another working directory.
        runtime = runtime.replace(store=str(Path(runtime.store).resolve()))
    text = resolve_study(study.model_copy(update={"runtime": runtime}))
    write_file(directory / "resolved.yaml", text)
    if spec is None:
        write_file(directory / "spec.yaml", text)
    elif Path(spec).resolve() != (directory / "spec.yaml").resolve():
        write_file(directory / "spec.yaml", Path(spec).read_bytes())


def write_provenance(
    run: Run,
    start: datetime,
    results: Sequence[JobResult],
    command: Sequence[str],
) -> None:
    """Write `provenance.json`, and `failures.log` with the tracebacks of failed jobs."""
    end = datetime.now(UTC)
    data: dict[str, Any] = {
        "command": list(command),
        "begun": start.isoformat(timespec="seconds"),
        "ended": end.isoformat(timespec="seconds"),
        "seconds": round((end - start).total_seconds(), 1),
        "versions": {"python": platform.python_version()} | _versions(),
        "platform": platform.platform(),
        "cores": available_cores(),
        "devices": [_device(d) for d in tf.config.list_physical_devices()],
        "failures": failure_entries(results),
        "jobs": {result.label: round(result.seconds, 2) for result in results},
    }
    traces = "\n".join(f"{r.label}\n{r.trace}" for r in results if r.failure)
    log = run.directory / "failures.log"
    if traces:
        write_file(log, traces.encode("utf-8", "backslashreplace"))
    else:
        remove_file(log)
    write_file(run.directory / "provenance.json", json.dumps(data, indent=1) + "\n")


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        for name in (package, f"{package}-cpu"):
            try:
                versions[package] = importlib.metadata.version(name)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return versions


def _device(device: Any) -> str:
    details = tf.config.experimental.get_device_details(device)
    return " ".join([device.name, details.get("device_name", "")]).strip()


def unusable(run: Run) -> list[str]:
    """Return the networks that `runtime.forbid` names: missing or diverged, or unsolved."""
    table = run.members
    bad = table["status"] != "trained"
    if run.study.runtime.forbid == "unsolved":
        bad |= ~table["solved"].eq(True)
    elif run.study.runtime.forbid == "nothing":
        bad &= False
    return list(table["member"][bad])


def export(run: Run, member: str, path: str | Path, *, plain: bool = False) -> Path:
    """Write one network as a `.keras` file, which loads after `import rnnstudy`.

    Parameters
    ----------
    run
        The run.
    member
        Name of the network.
    path
        The file, which ends in `.keras`.
    plain
        If true, the model has layers of Keras alone and loads without this package.

    Raises
    ------
    RunError
        If the file has another ending, or `plain` is true and Keras has no equal layer.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise RunError(f"{path}: a Keras model file ends in .keras")
    try:
        write_file(path, _model_bytes(run, member, plain=plain))
    except ValueError as error:
        if not plain:
            raise
        raise RunError(str(error)) from error
    return path


class LockedError(RunError):
    """Another run is at work in the directory."""


@contextmanager
def directory_lock(directory: Path, *, shared: bool = False) -> Iterator[None]:
    """Keep a second writer out of a run directory. The lock ends with the process.

    Both the directory and a file in it are locked. Network file systems know a lock on other
    machines only if it is on a file that is open for writing.

    Parameters
    ----------
    directory
        The run directory, which exists.
    shared
        If true, others that share the lock are let in, such as shards. Default: nobody.

    Raises
    ------
    LockedError
        If another process has the lock.
    LinkError
        If the file of the lock is a link.
    """
    refuse_links(directory / LOCK, directory)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with ExitStack() as opened:
        for path, flags in ((directory, os.O_RDONLY), (directory / LOCK, LOCK_FLAGS)):
            try:
                handle = os.open(path, flags | os.O_CLOEXEC, 0o666)
                opened.callback(os.close, handle)
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockedError(
                    f"another run is at work in {directory}; wait until it ends"
                ) from None
            except OSError as error:
                # Some network file systems have no locks, and some directories are read alone.
                logger.warning("%s cannot be locked (%s); start no second run", path, error)
        yield


def refuse_unusable_folders(study: Study, directory: Path) -> None:
    """Raise RunError if a run cannot write to its directory, or to a folder that the spec names.

    Nothing is created. `check` and `run` call it before anything else.

    Parameters
    ----------
    study
        The study, whose `runtime` may name folders.
    directory
        The run directory, which need not exist.
    """
    runtime = study.runtime
    for path in (directory, runtime.store, runtime.tensorboard):
        if path is not None:
            _refuse_unusable_folder(Path(path))
    store = directory / "store"
    if runtime.store is None and store.is_symlink():
        raise RunError(
            f"{store} must be a folder, got a link, and links in a run directory are not followed. "
            "Name the folder by 'runtime.store' in the spec."
        )


def _refuse_unusable_folder(folder: Path) -> None:
    for part in folder.parts:
        if len(os.fsencode(part)) > LONGEST_NAME:
            raise RunError(
                f"a name must have at most {LONGEST_NAME} bytes, got {len(os.fsencode(part))}: "
                f"{part}. Choose a shorter one."
            )
    # The nearest thing that exists; a link that leads nowhere exists.
    base = next(path for path in (folder, *folder.parents, Path()) if os.path.lexists(path))
    if not base.is_dir():
        raise RunError(f"{base} must be a folder, got a file. Choose another name.")
    if not os.access(base, os.W_OK | os.X_OK):
        raise RunError(f"{base} must be writable, but its permissions forbid it")


def default_directory(study: Study) -> Path:
    """Return the run directory of a study that names none: `runs/<study>`.

    Parameters
    ----------
    study
        The study. The end of a very long name is a hash.
    """
    return Path("runs") / short_name(study.study)
