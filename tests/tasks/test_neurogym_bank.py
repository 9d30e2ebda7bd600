"""Banks of trials from an environment, without NeuroGym."""

import numpy as np
import pytest

from rnnstudy.tasks.neurogym.bank import draw_bank
from rnnstudy.tasks.neurogym.environment import Trial


class Rehearsed:
    """An environment of two inputs and two choices that has these trials."""

    name, inputs, classes, outputs = "Rehearsed-v0", 2, 2, 2

    def __init__(self, *periods):
        self.periods = periods

    def trials(self, count):
        for periods in self.periods[:count]:
            steps = max(stop for _, stop in periods.values())
            spans = {name: slice(*span) for name, span in periods.items()}
            yield Trial(np.zeros((steps, 2), np.float32), np.zeros(steps, int), spans)


@pytest.mark.parametrize(
    ("second", "fixed", "varying"),
    [
        # Both trials alike. A period of no time step is a part, too.
        ({"fixation": (0, 2), "delay": (2, 2), "decision": (2, 5)},
         {"fixation": 2, "delay": 0, "decision": 3}, ()),
        # A longer delay moves all that comes after it.
        ({"fixation": (0, 2), "delay": (2, 4), "decision": (4, 7)},
         {"fixation": 2}, ("delay", "decision")),
        # Environments that take turns have other periods.
        ({"fixation": (0, 2), "pause": (2, 2), "decision": (2, 5)},
         {"fixation": 2}, ("delay", "decision", "pause")),
    ],
)  # fmt: skip
def test_parts_are_the_periods_that_all_trials_begin_with(second, fixed, varying):
    first = {"decision": (2, 5), "fixation": (0, 2), "delay": (2, 2)}
    bank = draw_bank(Rehearsed(first, second), 2, None)
    assert list(bank.fixed_periods.items()) == list(fixed.items())
    assert set(bank.varying_periods) == set(varying)


def test_periods_with_a_gap_or_an_overlap_are_no_parts():
    for span in ((3, 5), (1, 5)):
        bank = draw_bank(Rehearsed({"fixation": (0, 2), "decision": span}), 1, None)
        assert bank.fixed_periods == {"fixation": 2}
        assert bank.varying_periods == ("decision",)
