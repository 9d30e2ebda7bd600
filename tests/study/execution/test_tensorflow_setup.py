"""TensorFlow in a process that runs jobs: one thread for each program, not one for all."""

import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import os
from rnnstudy.study.execution.tensorflow_setup import start_tensorflow
from rnnstudy.study.spec.options import Runtime
from rnnstudy.training.programs import SessionProgram

start_tensorflow(Runtime())
programs = [SessionProgram(lambda x: x + 1.0) for _ in range(3)]
for program in programs:
    program(1.0)
    print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_each_program_has_a_thread_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second, third = map(int, done.stdout.split())
    assert (second - first, third - second) == (1, 1)
