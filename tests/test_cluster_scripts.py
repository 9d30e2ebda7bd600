"""Scripts for batch schedulers: each calls the command with its part of the work."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "examples" / "cluster"

CALLS = {
    "slurm-array.sh": (
        ["study.yaml", "--out", "runs/a b"],
        {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MAX": "20"},
        "run study.yaml --out runs/a b --shard 3/20",
    ),
    "slurm-dask.sh": (["study.yaml"], {}, "run study.yaml --cluster slurm"),
    "pbs-array.sh": (
        [],
        {"PBS_O_WORKDIR": ".", "PBS_ARRAY_INDEX": "3", "SHARDS": "20", "SPEC": "study.yaml"},
        "run study.yaml --shard 3/20",
    ),
    "lsf-array.sh": (
        [],
        {"LSB_JOBINDEX": "3", "LSB_JOBINDEX_END": "20", "SPEC": "study.yaml"},
        "run study.yaml --shard 3/20",
    ),
    "sge-array.sh": (
        ["study.yaml"],
        {"SGE_TASK_ID": "3", "SGE_TASK_LAST": "20"},
        "run study.yaml --shard 3/20",
    ),
}
"""Script -> arguments, variables of the scheduler, and the command line that it makes."""


def run(script: str, folder: Path, arguments: list[str], variables: dict[str, str], code: int):
    command = folder / "rnnstudy"
    command.write_text(f'#!/bin/sh\necho "$@" > "{folder}/call"\nexit {code}\n')
    command.chmod(command.stat().st_mode | stat.S_IEXEC)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **variables}
    return subprocess.run(
        ["bash", str(SCRIPTS / script), *arguments],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_every_script_is_tested():
    assert {path.name for path in SCRIPTS.iterdir()} == set(CALLS)


@pytest.mark.parametrize("script", CALLS)
def test_a_script_calls_the_command_and_keeps_its_exit_code(script, tmp_path):
    arguments, variables, call = CALLS[script]
    done = run(script, tmp_path, arguments, variables, 0)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "call").read_text() == f"{call}\n"
    assert run(script, tmp_path, arguments, variables, 7).returncode == 7


@pytest.mark.parametrize("script", [name for name in CALLS if "array" in name])
def test_outside_of_an_array_a_script_says_how_to_submit_it(script, tmp_path):
    done = run(script, tmp_path, ["study.yaml"], {"SPEC": "study.yaml", "SHARDS": "2"}, 0)
    assert done.returncode != 0
    assert "submit with" in done.stderr
    assert not (tmp_path / "call").exists()


@pytest.mark.parametrize("script", [name for name in CALLS if name.startswith("slurm")])
def test_slurm_signals_the_shell_that_becomes_the_command(script):
    lines = (SCRIPTS / script).read_text().splitlines()
    # Without B: the signal goes to job steps alone, and these scripts start none.
    assert [line for line in lines if "--signal" in line] == ["#SBATCH --signal=B:TERM@120"]
    assert lines[-1].startswith("exec rnnstudy run ")
    assert not any("srun" in line for line in lines)
