"""Claim on the number of modes of the linearised dynamics with which a cell integrates."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.analyses.distances.controls import TRAINED
from rnnstudy.analyses.factors.fields import strata_of
from rnnstudy.analyses.line_attractors.mode_counts import MODE_MEASURES, ModeMeasureName
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.claims.base import Claim, average_by_group, group_size_error, no_evidence
from rnnstudy.claims.evidence.measurements import Measurements, values_of
from rnnstudy.claims.evidence.negative import shuffle_factor
from rnnstudy.claims.evidence.positive import PositiveControl, value_controls_by_group
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.claims.separation import smallest_p
from rnnstudy.comparison.statistics.superiority import superiority, superiority_test
from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import suggestion
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration

MOST_OF_ONE, LEAST_OF_SEVERAL = 1.5, 2.0
"""Limits of the median number of modes: below the first it is one, from the second on several."""


class OneModeOrSeveral(Claim):
    """A cell integrates with one mode of its linearised dynamics, or with several.

    The number of modes of a network is the median over slow points of its linearised dynamics,
    averaged over contexts. Networks of the cell are compared with those of other cells that agree
    in everything else but the seed. A network without slow points has no number and is left out.
    Each cell has a claim, and so a verdict, of its own.

    References
    ----------
    Maheswaranathan et al. 2019, for vanilla networks (one) and gated ones (several).

    Examples
    --------
    >>> OneModeOrSeveral(cell="lstm", expected="several").rule
    'in the median, lstm networks take at least 2 slowest modes for the mean output within 5%'
    """

    kind: ClassVar[str] = "one_mode_or_several"
    version: ClassVar[int] = 3
    takes: ClassVar[type[Record]] = LineAttractor

    of: str = "line_attractor"
    """Name of the analysis of the modes."""

    cell: str
    """Cell that the claim is about."""

    expected: Literal["one", "several"]
    """Number of modes with which its networks integrate."""

    than: tuple[str, ...] | None = None
    """Cells that the networks are compared with; default: all others for one mode, and vanilla for
    several."""

    by: ModeMeasureName = "mean_output"
    """Rule that counts modes; see the analysis. The default is that of the paper's figure."""

    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Threshold of the rule; default: that of the measure."""

    permutations: Annotated[int, Field(ge=19)] = 4999
    """Number of permutations of the test."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_former_fields(cls, data: Any) -> Any:
        former = [name for name in ("cells", "share") if isinstance(data, Mapping) and name in data]
        if former:
            raise ValueError(
                f"one_mode_or_several must have a cell and the expected number of modes, got "
                f"{former[0]}. List one claim per cell: {{kind: one_mode_or_several, cell: lstm, "
                "expected: several}. Set 'by' and 'threshold' for a share."
            )
        return data

    @property
    def title(self) -> str:
        number = "one_mode" if self.expected == "one" else "several_modes"
        suffix = "" if self.by == "mean_output" else f"_by_{self.by}"
        return self.name or re.sub(r"\W", "_", f"{self.cell}_{number}{suffix}")

    @property
    def statistic(self) -> str:
        cell, others = f"a network of {self.cell}", f"one of {self._others}"
        first, second = (others, cell) if self.expected == "one" else (cell, others)
        return f"probability that {first} takes more modes than {second}, ties halved"

    @property
    def effect(self) -> str:
        return f"{self.statistic}: 1/2 is no difference"

    @property
    def null(self) -> str:
        return (
            f"the number of modes does not depend on whether a network is {self.cell} or "
            f"{self._others}, among networks that agree in everything else but the seed"
        )

    @property
    def rule(self) -> str:
        number = "fewer than 1.5" if self.expected == "one" else "at least 2"
        return f"in the median, {self.cell} networks take {number} {self._modes}"

    @property
    def _others(self) -> str:
        return " or ".join(self._compared) if self._compared else "another cell"

    @property
    def _compared(self) -> tuple[str, ...] | None:
        """Cells to compare with; None for all others."""
        several = ("vanilla",) if self.expected == "several" else None
        return several if self.than is None else self.than

    @property
    def _threshold(self) -> float:
        measure = MODE_MEASURES[self.by]
        return measure.threshold if self.threshold is None else self.threshold

    @property
    def _modes(self) -> str:
        return MODE_MEASURES[self.by].describe(self._threshold)

    def question(self, titles: Mapping[str, str]) -> str:
        return (
            f"Do {self.cell} networks integrate with "
            f"{'one mode' if self.expected == 'one' else 'several modes'}?"
        )

    def statement(self, task: Task) -> str:
        number = "one mode" if self.expected == "one" else "several modes"
        cell = self.cell[:1].upper() + self.cell[1:]
        return f"{cell} networks integrate with {number} of the linearised dynamics."

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        if "cell" not in known:
            return "is about cells, which these networks do not have"
        cells = [str(cell) for cell in known["cell"]]
        missing = [cell for cell in (self.cell, *(self._compared or ())) if cell not in cells]
        if not missing:
            return ""
        listed = ", ".join(cells)
        return f"is about {missing[0]!r}; cells: {listed}{suggestion(missing[0], cells)}"

    def compares(self, member: Member) -> bool:
        cells = None if self._compared is None else (self.cell, *self._compared)
        return cells is None or str(member.fields["cell"]) in cells

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        def counts(records: Mapping[Member, Any]) -> dict[Member, float]:
            numbers = {member: self._count(record) for member, record in records.items()}
            return {member: number for member, number in numbers.items() if not np.isnan(number)}

        controls = self.control_records(inputs)
        return values_of(
            counts(inputs[self.of]), {kind: counts(records) for kind, records in controls.items()}
        )

    def _count(self, record: LineAttractor) -> float:
        """Return the number of modes of a network; NaN without slow points."""
        return record.mean_n_modes(self.by, self._threshold)

    def positive_controls(self, measurements: Measurements) -> Sequence[PositiveControl]:
        return value_controls_by_group(measurements, "cell")

    @property
    def exchange(self) -> str:
        return "cells are exchanged"

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        return shuffle_factor(measurements, "cell", generator)

    def test(self, measurements: Measurements) -> Evidence:
        trained = self._compared_networks(measurements)
        cells = [str(member.fields["cell"]) for member in trained.members]
        groups, sizes, _ = average_by_group(cells, np.zeros(len(cells)))
        strata = strata_of("cell", trained.members)
        if shortage := self._shortage(groups, sizes):
            return no_evidence(shortage, groups, sizes)
        is_more = self._expected_more(cells)
        test = superiority_test(
            trained.values, is_more, permutations=self.permutations, strata=strata
        )
        if np.isnan(test.statistic):
            shortage = f"no networks of {self._others} agree with one of {self.cell}"
            return no_evidence(f"{shortage} in everything else", groups, sizes)
        medians = [np.median(trained.values[[c == cell for c in cells]]) for cell in groups]
        return Evidence(
            statistic=test.statistic,
            effect=test.statistic,
            low=test.low,
            high=test.high,
            p=test.p,
            floor=smallest_p([str(each) for each in is_more], strata, self.permutations),
            holds=self._is_expected(float(medians[groups.index(self.cell)])),
            groups=groups,
            networks=sizes,
            values=np.array(medians),
        )

    def _compared_networks(self, measurements: Measurements) -> Measurements:
        """Return the trained networks of the cell and of those that it is compared with."""
        trained = measurements.of(TRAINED)
        return trained.only([i for i, each in enumerate(trained.members) if self.compares(each)])

    def _expected_more(self, cells: Sequence[str]) -> Array:
        """Return the mask [network] of those that are expected to take more modes."""
        return np.array([(cell == self.cell) == (self.expected == "several") for cell in cells])

    def _is_expected(self, median: float) -> bool:
        return median < MOST_OF_ONE if self.expected == "one" else median >= LEAST_OF_SEVERAL

    def estimate(self, measurements: Measurements) -> float:
        trained = self._compared_networks(measurements)
        is_more = self._expected_more([str(member.fields["cell"]) for member in trained.members])
        return superiority(trained.values, is_more, strata_of("cell", trained.members)).effect

    def _shortage(self, groups: Sequence[str], sizes: Array) -> str:
        if self.cell not in groups:
            return f"there are no networks of {self.cell} with slow points"
        if len(groups) < 2:
            return f"there are no networks of {self._others} with slow points"
        return group_size_error(groups, sizes, self.min_networks)
