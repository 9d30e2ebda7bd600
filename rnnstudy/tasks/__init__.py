"""Tasks that networks learn. A new task is one file and one line in `TASKS`."""

from typing import Annotated

from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.tasks.base import Shift, StaticInputs, Task, Trials
from rnnstudy.tasks.epochs.delayed_match import DelayedMatch
from rnnstudy.tasks.epochs.go_no_go import GoNoGo
from rnnstudy.tasks.epochs.multi_task import MultiTask
from rnnstudy.tasks.epochs.parametric_memory import ParametricMemory
from rnnstudy.tasks.epochs.ring_memory import RingMemory
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.neurogym.task import NeuroGym
from rnnstudy.tasks.numpy_task import NumpyTask
from rnnstudy.tasks.sine import Sine

TASKS: dict[str, type[Task]] = catalogue(
    FlipFlop,
    Sine,
    Integration,
    DelayedMatch,
    ParametricMemory,
    RingMemory,
    GoNoGo,
    MultiTask,
    NeuroGym,
)

AnyTask = Annotated[Task, CatalogueField("task", TASKS)]

__all__ = ["TASKS", "AnyTask", "NumpyTask", "Shift", "StaticInputs", "Task", "Trials"]
