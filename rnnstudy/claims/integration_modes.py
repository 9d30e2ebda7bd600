"""Claim on the number of modes of the linearised dynamics that integrate."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.analyses.distances.controls import TRAINED
from rnnstudy.analyses.factors.fields import strata_of
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.claims.base import Claim, average_by_group, group_size_error, no_evidence
from rnnstudy.claims.evidence.measurements import Measurements, values_of
from rnnstudy.claims.evidence.negative import shuffle_factor
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.claims.separation import smallest_p
from rnnstudy.comparison.statistics.superiority import superiority_test
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration


class OneModeOrSeveral(Claim):
    """Some cells integrate with one mode of their linearised dynamics, others with several.

    The number of modes is that of the slowest modes which together give a share of the response to
    a unit pulse, averaged over contexts. It is infinite if all modes together do not give it.

    References
    ----------
    Maheswaranathan et al. 2019, for vanilla networks and gated ones.

    Examples
    --------
    >>> OneModeOrSeveral().effect
    'probability that a network of another cell takes more modes, ties halved: 1/2 is no difference'
    """

    kind: ClassVar[str] = "one_mode_or_several"
    takes: ClassVar[type[Record]] = LineAttractor

    of: str = "line_attractor"
    """Name of the analysis of the modes."""

    cells: tuple[str, ...] = ("vanilla",)
    """Cells with one mode; all other cells have several."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Share of the response that defines the number of modes."""

    permutations: Annotated[int, Field(ge=19)] = 4999
    """Number of permutations of the test."""

    @property
    def statistic(self) -> str:
        return "probability that a network of another cell takes more modes, ties halved"

    @property
    def effect(self) -> str:
        return f"{self.statistic}: 1/2 is no difference"

    @property
    def null(self) -> str:
        return (
            f"the number of modes does not depend on whether a network is {_either(self.cells)}, "
            "among networks that agree in everything else but the seed"
        )

    @property
    def rule(self) -> str:
        return (
            f"in the median {_either(self.cells)} networks take one mode for {self.share:.0%} of "
            "the response, and those of each other cell at least two"
        )

    def statement(self, task: Task) -> str:
        return (
            f"{_either(self.cells).capitalize()} networks integrate with one mode of the "
            "linearised dynamics, those of other cells with several."
        )

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return "" if "cell" in known else "is about cells, which these networks do not have"

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        def counts(records: Mapping[Member, Any]) -> dict[Member, float]:
            return {member: self._modes(record) for member, record in records.items()}

        controls = self.control_records(inputs)
        return values_of(
            counts(inputs[self.of]), {kind: counts(records) for kind, records in controls.items()}
        )

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        return shuffle_factor(measurements, "cell", generator)

    def test(self, measurements: Measurements) -> Evidence:
        trained = measurements.of(TRAINED)
        members, modes = trained.members, trained.values
        cells = [str(member.fields["cell"]) for member in members]
        groups, sizes, _ = average_by_group(cells, np.zeros(len(cells)))
        several = [cell not in self.cells for cell in cells]
        if shortage := self._shortage(groups, sizes):
            return no_evidence(shortage, groups, sizes)
        strata = strata_of("cell", members)
        test = superiority_test(
            modes, np.array(several), permutations=self.permutations, strata=strata
        )
        medians = np.array([np.median(modes[[c == cell for c in cells]]) for cell in groups])
        one = np.array([cell in self.cells for cell in groups])
        return Evidence(
            statistic=test.statistic,
            effect=test.statistic,
            low=test.low,
            high=test.high,
            p=test.p,
            floor=smallest_p([str(each) for each in several], strata, self.permutations),
            holds=bool((medians[one] <= 1).all() and (medians[~one] >= 2).all()),
            groups=groups,
            networks=sizes,
            values=medians,
        )

    def estimate(self, measurements: Measurements) -> float:
        trained = measurements.of(TRAINED)
        several = [str(member.fields["cell"]) not in self.cells for member in trained.members]
        test = superiority_test(trained.values, np.array(several), permutations=0, bootstraps=1)
        return test.statistic

    def _shortage(self, groups: Sequence[str], sizes: Array) -> str:
        has_one_mode = [cell in self.cells for cell in groups]
        if all(has_one_mode) or not any(has_one_mode):
            missing = "other cells" if any(has_one_mode) else _either(self.cells)
            return f"there are no networks of {missing}"
        return group_size_error(groups, sizes, self.min_networks)

    def _modes(self, record: LineAttractor) -> float:
        """Return the number of modes of a network, averaged over contexts."""
        count = record.mean_n_modes("readout", self.share)
        return np.inf if np.isnan(count) else count


def _either(words: Sequence[str]) -> str:
    return " or ".join(words)
