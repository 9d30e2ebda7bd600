"""Options of a spec that change no result: `runtime` and `report`."""

import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from rnnstudy.core.component import Component
from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.networks import Axis
from rnnstudy.training.kernels.choice import Kernel, kernel_for

DRIVERS = ("/proc/driver/nvidia", "/dev/dxg", "/dev/kfd")
"""Files that show a GPU without TensorFlow."""


class Runtime(Component):
    """Execution of a study. No field changes the address of a result.

    Examples
    --------
    >>> from rnnstudy.study.spec.options import Runtime
    >>> Runtime(devices=["GPU:0", "GPU:2"]).devices
    ('GPU:0', 'GPU:2')
    """

    store: str | None = None
    """Folder of results, which studies may share, relative to where the run is started; default:
    `store` in the run's folder."""

    workers: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Number of jobs at a time on the CPU; default: the number of cores."""

    devices: (
        Annotated[int, Field(ge=1)]
        | Annotated[tuple[Annotated[str, Field(pattern=r"^(CPU|GPU):\d+$")], ...], Axis()]
        | None
    ) = None
    """GPUs that share the networks of a cohort, one job at a time: so many of them, or a list like
    [GPU:0, GPU:2]; default: all, or the CPU where there is none."""

    memory: Annotated[float, Field(gt=0)] | None = None
    """GiB that cohorts in training may take together; default: half the machine's memory."""

    deterministic: bool = True
    """If true, the same machine gives the same numbers to the last bit, at some cost in speed."""

    checkpoint: Annotated[float, Field(ge=0)] = 60.0
    """Seconds between two checkpoints of a training job: what a killed run loses at most."""

    tensorboard: str | None = None
    """Folder for training curves that TensorBoard shows: quantiles over each cohort's networks."""

    forbid: Literal["diverged", "unsolved", "nothing"] = "diverged"
    """Networks that make the command end with exit code 1: diverged (or not trained at all), all
    that have not solved their task, or none."""

    @property
    def expected_kernel(self) -> Kernel:
        """Form in which cohorts will train, as far as it is known without TensorFlow."""
        if isinstance(self.devices, tuple):
            return kernel_for(self.devices[0].partition(":")[0])
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
        return kernel_for("GPU" if not hidden and any(Path(d).exists() for d in DRIVERS) else "CPU")

    @property
    def expected_workers(self) -> int:
        """Number of jobs at a time, as far as is known without TensorFlow."""
        count = self.devices if isinstance(self.devices, int) else len(self.devices or ())
        if count > 1 or self.expected_kernel != "per_member":
            return 1
        return self.workers or os.cpu_count() or 1

    def refuse_absent_devices(self) -> None:
        """Raise RunError if this machine lacks a device, as far as is known without TensorFlow.

        TensorFlow itself is asked once it is loaded.
        """
        count = None if "tensorflow" in sys.modules else _count_gpus()
        if count is None or self.devices is None:
            return
        known = [f"GPU:{i}" for i in range(count)] + ["CPU:0"]
        if isinstance(self.devices, int):
            if self.devices > max(count, 1):
                raise RunError(
                    f"runtime.devices must be at most {max(count, 1)}, got {self.devices}. "
                    f"This machine has {', '.join(known)}."
                )
        elif absent := [name for name in self.devices if name not in known]:
            raise RunError(f"runtime.devices must be among {', '.join(known)}, got {absent[0]!r}")


def _count_gpus() -> int | None:
    """Return the number of GPUs that TensorFlow can see at most; None if it is not known."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden in ("", "-1") or not any(Path(driver).exists() for driver in DRIVERS):
        return 0
    return None if hidden is None else len(hidden.split(","))


class Report(Component):
    """Files that a run writes besides its records.

    Examples
    --------
    >>> from rnnstudy.study.spec.options import Report
    >>> Report(models=["*-gru-*"]).wants_model("flip_flop-gru-tanh-32-s000")
    True
    """

    title: str | None = None
    """Title of the page; default: the study's name."""

    formats: Annotated[tuple[Literal["svg", "pdf"], ...], Axis()] = ("svg", "pdf")
    """File formats of the figures, to take away; the page itself shows SVG in any case."""

    models: Annotated[tuple[str, ...], Axis()] | None = None
    """Names of networks to write as Keras models to `models/`, with * and ? as in a shell."""

    def wants_model(self, name: str) -> bool:
        """Return whether the network of this name is written as a Keras model."""
        return any(fnmatchcase(name, pattern) for pattern in self.models or ())
