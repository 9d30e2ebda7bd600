"""Files of a run directory."""

import importlib.metadata
import json
import os
import platform
import shutil
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rnnstudy.core.lazy_imports import tf
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.results.failures import failure_entries
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, resolve_study

PACKAGES = ("rnnstudy", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pandas",
            "matplotlib", "pydantic")  # fmt: skip


def write_members(run: Run) -> None:
    """Write `members.csv`: one row per network, in the order of the grid."""
    run.members.to_csv(run.directory / "members.csv", index=False, lineterminator="\n")


def write_selection(run: Run) -> None:
    """Write `selection.csv` if the study selects training fields: one row per candidate."""
    path = run.directory / "selection.csv"
    path.unlink(missing_ok=True)
    if run.study.selection is not None:
        run.selection.to_csv(path, index=False, lineterminator="\n")


def write_models(run: Run) -> None:
    """Write `models/<member>.keras` for the networks that the spec names."""
    table = run.members
    present = table["member"][table["status"] != "missing"]
    for name in filter(run.study.report.wants_model, present):
        path, key = run.directory / "models" / f"{name}.keras", run.key(name)
        if run.store.has(key) and _address(path) != key.encode():
            path.parent.mkdir(exist_ok=True)
            run.model(name).save(path)
            # A Keras file is a zip archive. Its comment is the network's address. A file of an
            # earlier spec under the same name has another address.
            with zipfile.ZipFile(path, "a") as archive:
                archive.comment = key.encode()


def _address(path: Path) -> bytes:
    """Return the address of the network in a Keras file of ours; empty if it is not known."""
    if not zipfile.is_zipfile(path):
        return b""
    with zipfile.ZipFile(path) as archive:
        return archive.comment


def write_specs(study: Study, directory: Path, spec: str | Path | None) -> None:
    """Write `resolved.yaml`, and `spec.yaml` as it was given."""
    runtime = study.runtime
    if runtime.store is not None:
        # The run may be read from another working directory.
        runtime = runtime.replace(store=str(Path(runtime.store).resolve()))
    text = resolve_study(study.model_copy(update={"runtime": runtime}))
    (directory / "resolved.yaml").write_text(text, encoding="utf-8")
    if spec is None:
        (directory / "spec.yaml").write_text(text, encoding="utf-8")
    elif Path(spec).resolve() != (directory / "spec.yaml").resolve():
        shutil.copyfile(spec, directory / "spec.yaml")


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
        "cores": os.cpu_count(),
        "devices": [_device(d) for d in tf.config.list_physical_devices()],
        "failures": failure_entries(results),
        "jobs": {result.label: round(result.seconds, 2) for result in results},
    }
    traces = "\n".join(f"{r.label}\n{r.trace}" for r in results if r.failure)
    log = run.directory / "failures.log"
    log.unlink(missing_ok=True)
    if traces:
        log.write_text(traces, encoding="utf-8")
    path = run.directory / "provenance.json"
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


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


def export(run: Run, member: str, path: str | Path) -> Path:
    """Write one network as a `.keras` file, which loads after `import rnnstudy`."""
    path = Path(path)
    if path.suffix != ".keras":
        raise RunError(f"{path}: a Keras model file ends in .keras")
    path.parent.mkdir(parents=True, exist_ok=True)
    run.model(member).save(path)
    return path
