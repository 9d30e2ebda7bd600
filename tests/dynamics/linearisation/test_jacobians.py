"""dF/dx at points against finite differences and a formula."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights, step

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core import batches
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.linearisation.jacobians import input_jacobian

INPUTS = np.array([[0.0, 0.0], [0.4, -0.3]])


@pytest.mark.parametrize("cell", [Vanilla(units=3), GRU(units=3)])
def test_against_differences_of_plain_steps(cell, monkeypatch):
    generator = np.random.default_rng(0)
    members = [random_weights(cell, generator, 3.0, inputs=2) for _ in range(2)]
    networks = population(cell, members, inputs=2)
    found = find_fixed_points(networks, INPUTS, search=FixedPointSearch(candidates=64))
    derivative = input_jacobian(networks, found)
    assert derivative.shape == (len(found), 3, 2)
    kwargs = {"reset_after": cell.reset_after} if isinstance(cell, GRU) else {}
    for i in range(len(found)):
        weights, h, x = members[found.member[i]], found.state[i], found.inputs[i]
        for j, unit in enumerate(1e-6 * np.eye(2)):
            above, below = (step(cell.kind, weights, h, x + s * unit, **kwargs) for s in (1, -1))
            # Central differences of 1e-6: right to some 1e-10.
            np.testing.assert_allclose(derivative[i, :, j], (above - below) / 2e-6, atol=1e-8)
    monkeypatch.setattr(batches, "BATCH_BYTES", 2 * 8 * 4 * 9)
    np.testing.assert_allclose(input_jacobian(networks, found), derivative, atol=1e-13)


def test_points_of_other_networks_are_refused():
    networks = population(Vanilla(units=2), [{"recurrent_kernel": 0.5 * np.eye(2)}])
    found = find_fixed_points(networks, search=FixedPointSearch(candidates=16))
    wider = population(Vanilla(units=2), [{}], inputs=3)
    with pytest.raises(ValueError, match="2 state variables and 3 inputs, got 2 and 1"):
        input_jacobian(wider, found)
    with pytest.raises(ValueError, match="members 0 to 0 of the network, got member 1"):
        input_jacobian(networks, found.shift_indices(members=1))
    assert input_jacobian(networks, found[[]]).shape == (0, 2, 1)
