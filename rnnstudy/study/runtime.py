"""How the work of a study is done: the fields of a spec's `runtime`."""

from typing import Annotated, Literal

from pydantic import Field

from rnnstudy.component import Component
from rnnstudy.study.networks import Axis


class Runtime(Component):
    """How the work is done; nothing here changes what a result's address is."""

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
    """Whether the same machine gives the same numbers to the last bit, at some cost in speed."""

    checkpoint: Annotated[float, Field(ge=0)] = 60.0
    """Seconds between two checkpoints of a training job: what a killed run loses at most."""

    tensorboard: str | None = None
    """Folder for training curves that TensorBoard shows: quantiles over each cohort's networks."""

    forbid: Literal["diverged", "unsolved", "nothing"] = "diverged"
    """Networks that make the command end with exit code 1: diverged (or not trained at all), all
    that have not solved their task, or none."""
