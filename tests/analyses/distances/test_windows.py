"""Windows of the distances between networks."""

import numpy as np
import pytest
from task_inputs import compute

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.metrics import CKA, DSA
from rnnstudy.tasks.epochs.go_no_go import GoNoGo

TASK = GoNoGo(fixation=2, stimulus=3, delay=12, response=3, probe_trials=4)


@pytest.fixture
def records():
    generator = np.random.default_rng(0)
    nothing = np.zeros((4, 20, 1))
    return [
        Activity(nothing, nothing, nothing, generator.standard_normal((4, 20, 3))) for _ in range(2)
    ]


def distance(records, **fields):
    members = [Member(name, {"cell": "gru", "activation": "tanh"}) for name in "ab"]
    return compute(Pairs(**fields), TASK, members, representations=records).values[0, 1]


@pytest.mark.parametrize(
    ("between", "steps"), [(("delay", "delay"), slice(5, 17)), (("stimulus", 9), slice(2, 9))]
)
def test_distances_are_those_of_the_states_in_the_window(records, between, steps):
    flat = [record.states[:, steps].reshape(-1, 3) for record in records]
    expected = CKA().distance(*flat)
    assert distance(records, metric="cka", between=between) == pytest.approx(expected, rel=1e-12)


def test_windows_of_trajectories(records):
    metric = DSA(delays=2, rank=2, starts=0)
    expected = metric.distance(*(record.states[:, 5:17] for record in records))
    window = distance(records, metric=metric, between=("delay", "delay"))
    assert window == pytest.approx(expected, rel=1e-12)


def test_a_window_changes_the_address_and_none_does_not():
    whole, window = Pairs(metric="cka"), Pairs(metric="cka", between=("delay", "delay"))
    assert whole.key() != window.key()
    assert "between" not in whole.recipe()["fields"]
    assert window.with_controls().between == ("delay", "delay")
