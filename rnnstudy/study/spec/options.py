"""Options of a spec that change no result: `runtime` and `report`."""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from rnnstudy.core.component import Component
from rnnstudy.core.source.plugins import REMEDY, has_permission
from rnnstudy.core.threads import available_cores
from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.networks import Axis
from rnnstudy.study.spec_text.document import quote_text
from rnnstudy.training.kernels.choice import Kernel, kernel_for

DRIVERS = ("/proc/driver/nvidia", "/dev/dxg", "/dev/kfd")
"""Files that show a GPU without TensorFlow."""


SchedulerKind = Literal["slurm", "pbs", "lsf", "sge"]

ADDRESS = re.compile(
    r"local(:[1-9]\d{0,3})?|(tcp|tls)://[^\s/:]+:\d{1,5}|tcp://\[[0-9a-f:]+\]:\d{1,5}"
)

DAY = 24 * 3600
"""Seconds of a day."""

CLOCK: dict[int, tuple[int, ...]] = {1: (1,), 2: (60, 1), 3: (3600, 60, 1)}
"""Number of fields of a time, which ends with the seconds -> seconds of each field."""

WALLTIME_UNITS: dict[SchedulerKind, dict[int, tuple[int, ...]]] = {
    "slurm": {**CLOCK, 1: (60,)},
    "pbs": CLOCK,
    "lsf": {1: (60,), 2: (3600, 60)},
    "sge": CLOCK,
}
"""Batch scheduler -> number of fields of a time -> seconds of each field. SLURM also takes days."""


def _check_address(value: Any) -> Any:
    """Return the address of a cluster, or the kind of a batch scheduler; refuse other values."""
    if isinstance(value, str) and (ADDRESS.fullmatch(value) or value in get_args(SchedulerKind)):
        return value
    raise PydanticCustomError(
        "cluster",
        "should be local:4, tcp://host:port, slurm, pbs, lsf, sge, or options with a 'kind'",
    )


class BatchCluster(Component):
    """Workers that a batch scheduler starts, each in a job of its own.

    Examples
    --------
    >>> from rnnstudy.study.spec.options import BatchCluster
    >>> BatchCluster(kind="slurm", gpus=1).supply
    {'memory': 4294967296.0, 'GPU': 1.0}
    """

    kind: SchedulerKind
    """Batch scheduler."""

    workers: Annotated[int, Field(ge=1, le=4096)] = 4
    """Most workers at a time; there are as many as there is work for."""

    cores: Annotated[int, Field(ge=1, le=1024)] = 1
    """Cores of each worker. A worker does one job at a time."""

    memory: Annotated[float, Field(gt=0)] = 4.0
    """GiB of each worker."""

    gpus: Annotated[int, Field(ge=0, le=1)] = 0
    """GPUs of each worker, 0 or 1."""

    options: Mapping[str, Any] = {}
    """Options of the cluster class of dask-jobqueue, such as queue, account, walltime, interface,
    job_script_prologue and job_extra_directives."""

    def __hash__(self) -> int:
        return hash((self.kind, self.workers, self.cores, self.memory, self.gpus))

    @property
    def supply(self) -> dict[str, float]:
        """Resources of a worker, as Dask counts them."""
        gpus = {"GPU": float(self.gpus)} if self.gpus else {}
        return {"memory": self.memory * 2**30, **gpus}

    def queue_options(self, spare: int) -> dict[str, Any]:
        """Return the arguments of the cluster class of dask-jobqueue.

        Parameters
        ----------
        spare
            Seconds before the end of a batch job at which its worker stops.
        """
        options = dict(self.options)
        resources = ",".join(f"{name}={amount:.0f}" for name, amount in self.supply.items())
        extra = ["--nthreads", "1", "--resources", resources, *options.pop("worker_extra_args", ())]
        seconds = walltime_seconds(self.kind, str(options.get("walltime", "")))
        if seconds > 2 * spare:
            extra += ["--lifetime", f"{seconds - spare}s", "--lifetime-stagger", f"{spare // 2}s"]
        scheduler = {"dashboard_address": ":0", **options.pop("scheduler_options", {})}
        directives = [*self._gpu_directives(options), *options.pop("job_extra_directives", ())]
        return {
            "cores": self.cores,
            "memory": f"{self.memory}GiB",
            "processes": 1,
            "worker_extra_args": extra,
            "scheduler_options": scheduler,
            "job_extra_directives": directives,
            **options,
        }

    def _gpu_directives(self, options: dict[str, Any]) -> list[str]:
        """Return what asks the batch scheduler for a GPU; add it to the options for PBS."""
        if not self.gpus:
            return []
        if self.kind == "pbs":
            memory = f"{int(self.memory * 1024)}mb"
            options.setdefault(
                "resource_spec", f"select=1:ncpus={self.cores}:mem={memory}:ngpus={self.gpus}"
            )
            return []
        return {
            "slurm": [f"--gres=gpu:{self.gpus}"],
            "lsf": [f"-gpu num={self.gpus}"],
            "sge": [f"-l gpu={self.gpus}"],
        }[self.kind]


def walltime_seconds(kind: SchedulerKind, walltime: str) -> int:
    """Return the seconds of a time as its batch scheduler reads it; 0 for another text.

    Parameters
    ----------
    kind
        Batch scheduler. 12:00 is twelve minutes on SLURM and twelve hours on LSF.
    walltime
        The time.

    Examples
    --------
    >>> from rnnstudy.study.spec.options import walltime_seconds
    >>> walltime_seconds("slurm", "1-12:00"), walltime_seconds("lsf", "12:00")
    (129600, 43200)
    """
    days = re.fullmatch(r"(\d+)-(\d+(?::\d+){0,2})", walltime) if kind == "slurm" else None
    if days is not None:
        return int(days[1]) * DAY + _sum_seconds(days[2], (3600, 60, 1))
    if not re.fullmatch(r"\d+(:\d+){0,2}", walltime):
        return 0
    return _sum_seconds(walltime, WALLTIME_UNITS[kind].get(walltime.count(":") + 1, ()))


def _sum_seconds(time: str, units: Sequence[int]) -> int:
    return sum(int(part) * unit for part, unit in zip(time.split(":"), units, strict=False))


def _form(value: Any) -> str:
    return "batch" if isinstance(value, Mapping | BatchCluster) else "address"


ClusterChoice = Annotated[
    Annotated[BatchCluster, Tag("batch")]
    | Annotated[str, BeforeValidator(_check_address), Tag("address")],
    Discriminator(_form),
]
"""A cluster of a spec: the address of a scheduler, `local:4`, or workers of a batch scheduler."""


def with_options(choice: BatchCluster | str | None) -> BatchCluster | str | None:
    """Return a cluster; a batch scheduler that is named alone has its default options."""
    if choice in get_args(SchedulerKind):
        return BatchCluster(kind=cast(SchedulerKind, choice))
    return choice


def cluster_settings(choice: str | None, present: BatchCluster | str | None) -> list[str]:
    """Return the settings of a spec for a cluster that the command line names.

    The options of the spec stay if the command line names the kind of its batch scheduler.
    """
    if choice is None or (isinstance(present, BatchCluster) and present.kind == choice):
        return []
    return [f"runtime.cluster={choice}"]


def names_cluster(settings: Iterable[str]) -> bool:
    """Return whether settings replace the whole cluster of a spec, so that it is the user's own."""
    return any(setting.partition("=")[0] == "runtime.cluster" for setting in settings)


def refuse_unconfirmed_cluster(cluster: BatchCluster | str | None) -> None:
    """Raise RunError if the cluster of a spec can run code, and the user has not allowed that.

    Options of a batch scheduler become lines of a script. Messages of a scheduler hold code.

    Parameters
    ----------
    cluster
        The cluster of a spec. Names like `local:4` and `slurm` alone run no code of the spec.
    """
    if has_permission():
        return
    if isinstance(cluster, BatchCluster) and cluster.options:
        named = ", ".join(map(quote_text, cluster.options))
        raise RunError(
            f"runtime.cluster.options has {named}, which can run code in the batch jobs; {REMEDY}"
        )
    if isinstance(cluster, str) and not cluster.startswith("local"):
        raise RunError(
            f"runtime.cluster is {cluster!r}, a scheduler which can run code here; {REMEDY}, or "
            "name it by --cluster"
        )


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
    """Number of jobs at a time on the CPU; default: the cores that the process may use."""

    devices: (
        Annotated[int, Field(ge=1)]
        | Annotated[tuple[Annotated[str, Field(pattern=r"^(CPU|GPU):\d+$")], ...], Axis()]
        | None
    ) = None
    """GPUs that share the networks of a cohort, one job at a time: so many of them, or a list like
    [GPU:0, GPU:2]; default: all, or the CPU where there is none."""

    memory: Annotated[float, Field(gt=0)] | None = None
    """GiB that cohorts in training may take together; default: half the memory that
    the process may use."""

    cluster: ClusterChoice | None = None
    """Machines that do the jobs: `local:4` for four processes on this one, the address of a Dask
    scheduler like `tcp://host:8786`, or `slurm`, `pbs`, `lsf`, `sge`, alone or with options;
    default: threads of this process."""

    deterministic: bool = True
    """If true, the same machine gives the same numbers to the last bit, at some cost in speed."""

    checkpoint: Annotated[float, Field(ge=0)] = 60.0
    """Seconds between two checkpoints of a training job: what a killed run loses at most."""

    tensorboard: str | None = None
    """Folder for training curves that TensorBoard shows: quantiles over each cohort's networks."""

    forbid: Literal["diverged", "unsolved", "nothing"] = "diverged"
    """Networks that make the command end with exit code 1: diverged (or not trained at all), all
    that have not solved their task, or none."""

    @field_validator("cluster")
    @classmethod
    def _kind_has_options(cls, cluster: BatchCluster | str | None) -> BatchCluster | str | None:
        return with_options(cluster)

    @property
    def expected_kernel(self) -> Kernel:
        """Form in which cohorts will train, as far as it is known without TensorFlow."""
        if isinstance(self.devices, tuple):
            return kernel_for(self.devices[0].partition(":")[0])
        if isinstance(self.cluster, BatchCluster):
            return kernel_for("GPU" if self.cluster.gpus else "CPU")
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
        return kernel_for("GPU" if not hidden and any(Path(d).exists() for d in DRIVERS) else "CPU")

    @property
    def expected_workers(self) -> int:
        """Number of jobs at a time, as far as is known without TensorFlow."""
        if isinstance(self.cluster, BatchCluster):
            return self.cluster.workers
        if self.cluster is not None and (number := self.cluster.partition(":")[2]).isdecimal():
            return int(number)
        count = self.devices if isinstance(self.devices, int) else len(self.devices or ())
        if count > 1 or self.expected_kernel != "per_member":
            return 1
        return self.workers or available_cores()

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
