"""What is learnt. A new task is one file here and one line in this catalogue."""

from typing import Annotated

from rnnstudy.core.catalogue import OneOf
from rnnstudy.tasks.base import StaticInputs, Task, Trials
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

TASKS: dict[str, type[Task]] = {"flip_flop": FlipFlop, "sine": Sine, "integration": Integration}

AnyTask = Annotated[Task, OneOf("task", TASKS)]

__all__ = ["TASKS", "AnyTask", "StaticInputs", "Task", "Trials"]
