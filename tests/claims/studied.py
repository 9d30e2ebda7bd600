"""An analysis and claims that a spec names by their path, cheap enough for whole studies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnstudy.analyses.base import MemberAnalysis, Section
from rnnstudy.claims import Prevalent
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class Size(Record):
    """Number of units."""

    units: Array = array()


class Sizes(MemberAnalysis):
    """Number of units of each network."""

    yields: ClassVar[type[Record]] = Size

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        return [Size(units=np.asarray(population.cell.units)) for _ in range(len(population))]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


class Large(Prevalent):
    """Networks have at least so many units."""

    takes: ClassVar[type[Record]] = Size
    units: int = 3

    @property
    def trait(self) -> str:
        return f"{self.units} units"

    def statement(self, task: Task) -> str:
        return "Networks are large."

    def needs(self) -> tuple[str, ...]:
        return ("sizes",)

    def has(self, record: Record, task: Task) -> bool:
        if self.units < 0:
            raise ValueError(f"{self.units} units are too few to speak of")
        return bool(record.units >= self.units)  # type: ignore[attr-defined]
