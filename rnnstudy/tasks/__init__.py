"""Tasks that networks learn. A new task is one file and one line in `TASKS`."""

from typing import Annotated

from rnnstudy.core.catalogue import CatalogueField, catalogue
from rnnstudy.tasks.base import Shift, StaticInputs, Task, Trials
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

TASKS: dict[str, type[Task]] = catalogue(FlipFlop, Sine, Integration)

AnyTask = Annotated[Task, CatalogueField("task", TASKS)]

__all__ = ["TASKS", "AnyTask", "Shift", "StaticInputs", "Task", "Trials"]
