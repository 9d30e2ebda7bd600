"""Low-rank networks against the theory of Mastrogiuseppe and Ostojic (2018)."""

import numpy as np
import pytest
from reference.dynamics import population
from scipy.optimize import brentq

from rnnstudy.cells.low_rank import LowRank
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.population.initialise import initial_population

UNITS = 40
DRAW = np.random.default_rng(2)


@pytest.mark.parametrize("rank", [1, 3])
def test_all_but_rank_eigenvalues_are_those_of_the_leak(rank):
    cell = LowRank(units=12, rank=rank, dt=10.0, tau=80.0)
    networks = as_networks(initial_population(cell, 2, 1, [5]))
    system = AutonomousSystem(networks, 0, np.array([0.3, -0.4]))
    _, jacobian = system.linearise(DRAW.normal(size=(4, 12)))
    distance = np.abs(np.linalg.eigvals(jacobian) - (1.0 - 10.0 / 80.0))
    assert ((distance < 1e-10).sum(axis=1) == 12 - rank).all()


def test_the_connections_have_the_rank():
    cell = LowRank(units=10, rank=2)
    drawn = initial_population(cell, 1, 1, [0, 1], dtype=np.float64)
    matrix = np.asarray(cell.connectivity(drawn.weights))
    assert np.linalg.matrix_rank(matrix).tolist() == [2, 2]
    rates = DRAW.normal(size=(2, 3, 10))
    np.testing.assert_allclose(cell.propagate(drawn.weights, rates), rates @ matrix, atol=1e-14)
    truth = drawn.weights["output_vectors"][1] @ drawn.weights["selection_vectors"][1].T / 10
    np.testing.assert_allclose(matrix[1], truth.T, atol=1e-15)
    # Entries of the vectors are of order one, whatever the number of units.
    vectors = initial_population(LowRank(units=400), 1, 1, [0]).weights["output_vectors"]
    assert vectors.std() == pytest.approx(1.0, abs=0.1)


def test_the_points_of_rank_one_solve_the_scalar_equation():
    """h = kappa m + I with kappa = n . tanh(kappa m + I) / N."""
    m = DRAW.normal(size=UNITS)
    n = 2.5 * m + 0.5 * DRAW.normal(size=UNITS)
    outside = 0.2 * DRAW.normal(size=UNITS)

    def excess(kappa):
        return n @ np.tanh(kappa * m + outside) / UNITS - kappa

    grid = np.linspace(-4.0, 4.0, 801)
    values = np.array([excess(kappa) for kappa in grid])
    at = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    kappas = [brentq(excess, grid[i], grid[i + 1], xtol=1e-14) for i in at]
    assert len(kappas) == 3

    weights = {"output_vectors": m[:, None], "selection_vectors": n[:, None], "bias": outside}
    networks = population(LowRank(units=UNITS, rank=1), [weights])
    points = find_fixed_points(networks, search=FixedPointSearch(candidates=64))
    expected = np.outer(kappas, m) + outside
    found = points.state[np.argsort(points.state @ m)]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert sorted(points.n_unstable.tolist()) == [0, 0, 1]
    assert points.certificate["verdict"].tolist() == ["consistent"]
    # One eigenvalue is not that of the leak: 1 - a + a n . (f' m) / N.
    slopes = (1.0 - np.tanh(points.state) ** 2) * m
    truth = 0.8 + 0.2 * slopes @ n / UNITS
    free = points.eigenvalues[np.arange(3), np.abs(points.eigenvalues - 0.8).argmax(axis=1)]
    np.testing.assert_allclose(free, truth, atol=1e-9)
