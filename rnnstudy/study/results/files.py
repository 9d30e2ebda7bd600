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
from rnnstudy.study.execution.worker import Outcome
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import resolved

PACKAGES = ("rnnstudy", "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "pandas",
            "matplotlib", "pydantic")  # fmt: skip


def write_members(run: Run) -> None:
    """`members.csv`: one row per network, in the order of the grid."""
    run.members.to_csv(run.directory / "members.csv", index=False, lineterminator="\n")


def write_selection(run: Run) -> None:
    """`selection.csv`, if the study selects training fields: one row per candidate."""
    path = run.directory / "selection.csv"
    path.unlink(missing_ok=True)
    if run.study.selection is not None:
        run.selection.to_csv(path, index=False, lineterminator="\n")


def write_models(run: Run) -> None:
    """`models/<member>.keras` for the members that the spec asks for."""
    table = run.members
    there = table["member"][table["status"] != "missing"]
    for name in filter(run.study.report.wants_model, there):
        path, key = run.directory / "models" / f"{name}.keras", run.key(name)
        if run.store.has(key) and _address(path) != key.encode():
            path.parent.mkdir(exist_ok=True)
            run.model(name).save(path)
            # A Keras file is a zip archive. Its comment tells it from the file that an earlier
            # spec left under the same name.
            with zipfile.ZipFile(path, "a") as archive:
                archive.comment = key.encode()


def _address(path: Path) -> bytes:
    """Address of the network that a Keras file of ours holds; empty if it is not known."""
    if not zipfile.is_zipfile(path):
        return b""
    with zipfile.ZipFile(path) as archive:
        return archive.comment


def _write_specs(run: Run, spec: str | Path | None) -> None:
    runtime = run.study.runtime
    if runtime.store is not None:
        # What reads the run later may stand elsewhere.
        runtime = runtime.changed(store=str(Path(runtime.store).resolve()))
    text = resolved(run.study.changed(runtime=runtime))
    (run.directory / "resolved.yaml").write_text(text, encoding="utf-8")
    if spec is None:
        (run.directory / "spec.yaml").write_text(text, encoding="utf-8")
    elif Path(spec).resolve() != (run.directory / "spec.yaml").resolve():
        shutil.copyfile(spec, run.directory / "spec.yaml")


def _write_provenance(
    run: Run,
    begun: datetime,
    outcomes: Sequence[Outcome],
    command: Sequence[str],
    spec: str | Path | None,
) -> None:
    ended = datetime.now(UTC)
    found: dict[str, Any] = {
        "command": list(command),
        # Where classes of the user's own are found again.
        "spec_folder": None if spec is None else str(Path(spec).parent.resolve()),
        "begun": begun.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - begun).total_seconds(), 1),
        "versions": {"python": platform.python_version()} | _versions(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "devices": [_device(d) for d in tf.config.list_physical_devices()],
        "failures": {o.label: o.failure for o in outcomes if o.failure},
        "jobs": {o.label: round(o.seconds, 2) for o in outcomes},
    }
    traces = "\n".join(f"{o.label}\n{o.trace}" for o in outcomes if o.failure)
    log = run.directory / "failures.log"
    log.unlink(missing_ok=True)
    if traces:
        log.write_text(traces, encoding="utf-8")
    path = run.directory / "provenance.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        for name in (package, f"{package}-cpu"):
            try:
                found[package] = importlib.metadata.version(name)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def _device(device: Any) -> str:
    details = tf.config.experimental.get_device_details(device)
    return " ".join([device.name, details.get("device_name", "")]).strip()


def unusable(run: Run) -> list[str]:
    """Members that the spec forbids to be as they are: missing or diverged, or not solved."""
    table = run.members
    bad = table["status"] != "trained"
    if run.study.runtime.forbid == "unsolved":
        bad |= ~table["solved"].eq(True)
    elif run.study.runtime.forbid == "nothing":
        bad &= False
    return list(table["member"][bad])


def export(run: Run, member: str, path: str | Path) -> Path:
    """Write one network as a `.keras` file that loads after `import rnnstudy`."""
    path = Path(path)
    if path.suffix != ".keras":
        raise RunError(f"{path}: a Keras model file ends in .keras")
    path.parent.mkdir(parents=True, exist_ok=True)
    run.model(member).save(path)
    return path
