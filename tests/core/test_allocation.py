"""Cores and memory of a process: those of its allocation, not of the whole machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnstudy.core import batches
from rnnstudy.core.batches import available_memory, physical_memory
from rnnstudy.core.threads import available_cores

MIB = 2**20


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of control groups, with `own` as the list of those of this process."""
    monkeypatch.setattr(batches, "CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(batches, "OWN_CONTROL_GROUPS", tmp_path / "own")
    return tmp_path


def limit(folder: Path, group: str, name: str, value: str) -> None:
    path = folder / "groups" / group / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{value}\n")


def test_without_control_groups_the_memory_is_that_of_the_machine(groups: Path) -> None:
    assert available_memory() == physical_memory()
    (groups / "own").write_text("garbage\n\n0::/absent/../group\n")
    assert available_memory() == physical_memory()


@pytest.mark.parametrize("group", ["", "slurm/job_7", "slurm/job_7/step_batch"])
def test_the_limit_of_a_group_around_the_process_counts(groups: Path, group: str) -> None:
    (groups / "own").write_text("0::/slurm/job_7/step_batch\n")
    limit(groups, "slurm", "memory.max", "max")
    limit(groups, "slurm/job_8", "memory.max", str(MIB))  # of another job
    limit(groups, group, "memory.max", str(300 * MIB))
    assert available_memory() == 300 * MIB


def test_limits_of_the_first_version_are_read(groups: Path) -> None:
    (groups / "own").write_text("9:cpu,cpuacct:/slurm\n4:memory:/slurm/job_7\n0::/\n")
    limit(groups, "memory/slurm", "memory.limit_in_bytes", "9223372036854771712")  # none
    assert available_memory() == physical_memory()
    limit(groups, "memory/slurm/job_7", "memory.limit_in_bytes", str(200 * MIB))
    assert available_memory() == 200 * MIB


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_process_that_is_bound_to_a_core_has_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])\n"
        "from rnnstudy.core.threads import available_cores; print(available_cores())"
    )
    root = Path(batches.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "1\n"
    assert available_cores() >= 1
