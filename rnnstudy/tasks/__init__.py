"""What is learnt. A new task is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.component import OneOf
from rnnstudy.tasks.base import StaticInputs, Task, Trials

TASKS: dict[str, type[Task]] = {}

AnyTask = Annotated[Task, OneOf("task", TASKS)]

__all__ = ["TASKS", "AnyTask", "StaticInputs", "Task", "Trials"]
