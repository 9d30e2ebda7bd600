"""Basins of vector fields: pitchfork, Van der Pol's cycle, Hopf's cycle, escapes in finite time."""

import numpy as np
import pytest
from reference.vector_fields import hopf, pitchfork, van_der_pol

from rnnstudy.dynamics.basins.basins import basins
from rnnstudy.dynamics.basins.follow import ATTRACTOR, CYCLING, ELSEWHERE, ESCAPED, MOVING
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch

QUICK = FixedPointSearch(candidates=32, rounds=3)


def test_each_side_of_a_pitchfork_is_a_basin():
    # States that begin at 0 stay there, so that the search needs starts.
    points = find_fixed_points(
        pitchfork,
        [[1.0]],
        starts=np.linspace(-2.0, 2.0, 8)[:, None],
        search=QUICK,
        continuous=True,
    )
    assert len(points) == 3
    starts = np.array([[0.3], [-0.2], [2.0], [np.nan], [0.0]])
    found = basins(pitchfork, starts, points, tolerance=1e-3)
    assert found.continuous
    assert found.outcome.tolist() == [ATTRACTOR, ATTRACTOR, ATTRACTOR, ESCAPED, ELSEWHERE]
    ends = found.attractors["state"][found.attractor[:3], 0]
    np.testing.assert_allclose(ends, [1.0, -1.0, 1.0], atol=1e-10)
    # h^2 / (1 - h^2) grows with exp(2 t): the time to a distance follows from the start.
    reach = 1.0 - 1e-3 * np.median([0.3, 0.2, 2.0, 0.0, 1.0, 1.0])

    def logit(h):
        return h**2 / (1.0 - h**2)

    expected = 0.5 * np.log(logit(reach) / logit(0.3))
    # Between steps of the solver, states are known to 1e-8: near the end that is a time of 1e-5.
    assert found.steps[0] == pytest.approx(expected, rel=1e-4)
    assert "median_time" in found.to_frame()


@pytest.mark.parametrize(
    ("field", "period"), [(hopf(), 2 * np.pi / 3), (van_der_pol(), 6.663286859323130)]
)
def test_a_cycle_is_met_at_its_period(field, period):
    starts = np.array([[0.1, 0.0], [2.5, 1.0]])
    found = basins(field, starts, np.empty((0, 2)), continuous=True, duration=200.0)
    assert found.outcome.tolist() == [CYCLING, CYCLING]
    np.testing.assert_allclose(found.period, period, atol=2e-5)


def test_a_state_may_escape_in_finite_time_or_move_on():
    found = basins(
        lambda x, h: h**2, np.array([[1.0], [-1.0]]), np.empty((0, 1)), continuous=True,
        duration=5.0,
    )  # fmt: skip
    assert found.outcome.tolist() == [ESCAPED, MOVING]
    assert found.steps[0] == pytest.approx(1.0, abs=1e-4)
    assert found.end[1, 0] == pytest.approx(-1.0 / 6.0, rel=1e-8)


def test_a_duration_is_one_of_a_field():
    with pytest.raises(ValueError, match="duration must be None for a map"):
        basins(lambda x, h: 0.5 * h, np.ones((1, 1)), np.zeros((1, 1)), duration=2.0,
               continuous=False)  # fmt: skip
