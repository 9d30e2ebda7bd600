"""All points, and no others: against SciPy from many starts, and where some are kept back."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from reference.dynamics import population, random_weights, roots, step
from scipy.optimize import approx_fprime, root

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.record import CONSISTENT, MISSING, NOT_SATURATED
from rnnstudy.dynamics.fixed_points.rounds import run_search
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.states.sampling import scale_of

RANDOM = {
    "vanilla": (Vanilla(units=3), 4.0),
    "ugrnn": (UGRNN(units=3), 4.0),
    "gru before": (GRU(units=3, reset_after=False), 5.0),
    "gru after": (GRU(units=3, reset_after=True), 5.0),
    "lstm": (LSTM(units=2), 6.0),
    "vanilla relu": (Vanilla(units=3, activation="relu"), 2.0),
    "ugrnn relu": (UGRNN(units=3, activation="relu"), 2.0),
    "gru before relu": (GRU(units=3, reset_after=False, activation="relu"), 2.0),
    "gru after relu": (GRU(units=3, reset_after=True, activation="relu"), 2.0),
    "lstm relu": (LSTM(units=2, activation="relu"), 2.0),
}
each_cell = pytest.mark.parametrize("name", RANDOM)
AGAIN = ("ugrnn relu", "gru before relu", "lstm relu")
"""Cells and an activation that the others have as well: slow."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in AGAIN else []) for name in RANDOM],
)
def test_the_same_points_as_scipy_from_many_starts(name):
    against_scipy(name, members=3, starts=150)


@pytest.mark.slow
@each_cell
def test_the_same_points_as_scipy_from_thousands_of_starts(name):
    against_scipy(name, members=2, starts=3000)


def against_scipy(name, members, starts):
    cell, gain = RANDOM[name]
    generator = np.random.default_rng(5)
    weights = [random_weights(cell, generator, gain) for _ in range(members)]
    found = find_fixed_points(population(cell, weights), search=FixedPointSearch(candidates=200))
    fields = {"reset_after": cell.reset_after} if isinstance(cell, GRU) else {}
    if cell.activation == "relu":
        fields["activation"] = lambda z: np.maximum(z, 0.0)
    for member, own in enumerate(weights):

        def function(h, own=own):
            # SciPy tries far states, whose gates are 0 to rounding: exp overflows on the way.
            with np.errstate(over="ignore", invalid="ignore"):
                return step(cell.kind, own, h, **fields)

        mine = found.of(member=member)
        wide = 1 if cell.bound else 3
        truth = roots(function, generator.uniform(-wide, wide, (starts, cell.state_size)))
        truth = [h for h in truth if isolated(function, h)]
        if cell.bound is not None:
            truth = [h for h in truth if np.abs(h[: cell.units]).max() <= cell.bound]
            assert mine.certificate["index_sum"].tolist() == [1]
        for h in truth:
            # SciPy stops at steps of 1e-13 of h; ill-conditioned roots are known less well.
            assert np.abs(mine.state - h).max(axis=1).min() < 1e-6, f"{h} is missing"
        for h in mine.state:
            near = root(lambda h, f=function: f(h) - h, h + 1e-7 * np.sign(h), tol=1e-13).x
            np.testing.assert_allclose(near, h, atol=1e-6, err_msg=f"{h} is invented")
            assert isolated(function, h)


def isolated(function, h):
    """Whether I - J is regular at a root, by finite differences.

    Far out gates are shut: h' is h to rounding there, and SciPy says root.
    """
    jacobian = approx_fprime(h, function, 1e-7)
    return np.linalg.svd(np.eye(len(h)) - jacobian, compute_uv=False).min() > 1e-5


UNITS = 2


@pytest.fixture(scope="module")
def nine():
    """Two units h' = tanh(2 h): their nine points, and where the search for them started."""
    networks = as_networks(
        population(Vanilla(units=UNITS), [{"recurrent_kernel": 2.0 * np.eye(UNITS)}])
    )
    problem, visited = FixedPointSearch(candidates=64), networks.sample_visited()[0]
    system = AutonomousSystem(networks, 0, np.zeros(1), 0, scale_of(visited))
    hunt = SearchState(system, visited, False, Roots.none(UNITS))
    run_search(problem, [hunt], 1)
    assert len(hunt.roots.state) == 9
    assert hunt.verdict == CONSISTENT
    return problem, hunt


def kept(hunt, withheld, rounds):
    """A search that knows all but some points, after so many rounds, the last of which found none
    of these."""
    known = np.setdiff1d(np.arange(len(hunt.roots.state)), withheld)
    less = {"outcomes": hunt.outcomes[:1] * rounds, "root_of_start": [np.full(0, -1)] * rounds}
    less["new_points"] = [0] * rounds
    return replace(hunt, roots=hunt.roots.take(known), unconverged=[], **less)


def test_a_point_that_is_kept_back_is_missed(nine):
    problem, hunt = nine
    for withheld in range(9):
        less = kept(hunt, [withheld], rounds=4)
        assert less.is_saturated
        assert less.verdict == MISSING
        assert not less.is_finished
        run_search(problem, [less], 1)
        assert (less.verdict == CONSISTENT) == (len(less.roots.fixed_points.state) == 9)


def test_a_pair_that_is_kept_back_is_no_proof_of_completeness(nine):
    """Of opposite index, so that the sum stays right: only that a search finds them tells."""
    problem, hunt = nine
    pairs = [p for p in combinations(range(9), 2) if hunt.roots.index[list(p)].sum() == 0]
    assert len(pairs) == 20
    for pair in pairs:
        less = kept(hunt, list(pair), rounds=0)
        assert less.index_sum == 1
        assert less.verdict == NOT_SATURATED
        run_search(problem_of(problem, rounds=1), [less], 1)
        assert less.verdict != CONSISTENT
        run_search(problem, [less], 1)
        assert less.verdict == CONSISTENT
        assert len(less.roots.fixed_points.state) == 9


def problem_of(problem, **fields):
    return problem.replace(**fields)
