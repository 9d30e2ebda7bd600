"""Which degenerate roots lie on lines, planes and other continua of fixed points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.continua_record import Continuum
from rnnstudy.dynamics.states.clustering import farthest_point_sample, select_spaced

Linearise = Callable[[Array], tuple[Array, Array]]
"""States [point, state] -> F there [point, state] and dF/dh [point, state, state]."""

SAMPLES = 128
"""Largest number of states that stand for a continuum."""

ROUNDING = 1e-13
"""Largest root mean square of F(h) - h on a continuum, as a share of the states' own."""

STRIDE = 0.05
"""Length of the steps along a continuum by which its dimension is measured, as a share of the
states' root mean square: so long that no isolated root, of whatever order, is within rounding."""

CORRECTIONS = 8
"""Gauss-Newton steps that take a state near a continuum back to it."""

FILLED = 3
"""Dimensions up to which gaps between the members of a continuum are filled."""

ACROSS = 32
"""Number of samples along a straight line; its root along either side of a plane."""

SPREAD = 0.75
"""Least distance of a sample from all others, as a share of the spacing."""

CLOSE = 0.1
"""How much farther from the middle than all members a sample may lie, as a share."""

PROBED = 4
"""Members of a continuum at which its dimension is measured."""

SHARES = (0.5, 1.0 / 16.0)
"""Parts of the way from a root to the nearest sample of a continuum that have to be at rest."""


def find_continua(
    state: Array, speed: Array, jacobian: Array, n_starts: Array,
    scale: float, tolerance: float, linearise: Linearise,
) -> list[Continuum]:  # fmt: skip
    """The continua that degenerate roots [root, ...] of one network at one input lie on.

    A root is on a continuum if F(h) - h is zero to rounding there and if, from a step of 0.05
    `scale` along a null direction of I - J (singular value below `tolerance`), a root as good is
    reached by corrections at right angles to all null directions; the dimension is the number of
    such directions. Two roots are on the same continuum if such corrections lead to it from
    half-way between them, along a chain of others. Where I - J has more null directions than the
    continuum has dimensions, that step fails, and members linked in this way count alone.

    Only exact continua count, to the rounding of float64. The line attractor of a trained
    integrator is a chain of isolated points whose slowest modes are within some 1e-2 of 1: these
    are fixed points like others. Where gates are shut so tightly that a state does not move in
    float64 at all, it is on a continuum of as many dimensions as there are such units.
    """
    found: list[Continuum] = []
    nullity = _nullity(jacobian, tolerance)
    for count in np.unique(nullity[nullity > 0])[::-1]:
        near = ContinuumCorrector(int(count), scale, tolerance, linearise)
        own = np.flatnonzero(nullity == count)
        exact, rests = _exact(state[own], speed[own], near)
        own, exact = own[rests], exact[rests]
        # At a kink a continuum has fewer null directions on one side.
        on = continuum_index(exact, found, scale, tolerance, linearise)
        found = add_starts(found, on, n_starts[own])
        own, exact = own[on < 0], exact[on < 0]
        chosen, nearest = farthest_point_sample(exact, SAMPLES) if len(own) else (own, own)
        weight = np.bincount(nearest, n_starts[own], len(chosen)).astype(int)
        members, matrices = exact[chosen], jacobian[own[chosen]]
        for group in _linked(members, near):
            dimension = _dimension(members[group], matrices[group], near)
            if dimension:
                samples = sample_continuum(members[group], dimension, near)
                found.append(Continuum(samples, dimension, int(weight[group].sum())))
    return sorted(found, key=lambda c: (-c.dimension, -len(c.state), *c.state.mean(axis=0)))


def _exact(state: Array, speed: Array, near: "ContinuumCorrector") -> tuple[Array, Array]:
    """Roots [root, state] to rounding, corrected where they are not, and which of them are some."""
    rests = np.sqrt(2.0 * speed / state.shape[1]) <= near.rounding(state)
    if rests.all():
        return state, rests
    reached, good = near.corrected(state[~rests])
    good &= _size(reached - state[~rests]) <= STRIDE * near.scale
    exact = state.copy()
    exact[~rests] = reached
    rests[~rests] = good
    return exact, rests


@dataclass(frozen=True)
class ContinuumCorrector:
    """How to reach the set of roots with so many null directions from nearby."""

    nullity: int
    scale: float
    tolerance: float
    linearise: Linearise

    def rounding(self, state: Array) -> Array:
        """Largest root mean square of F(h) - h that rounding explains at states [point, state]."""
        return ROUNDING * (self.scale + _size(state))

    def corrected(self, state: Array) -> tuple[Array, Array]:
        """Where Gauss-Newton steps lead states [point, state], and whether that is a root."""
        state = state.copy()
        moving = np.arange(len(state))
        reached = np.zeros(len(state), bool)
        for step in range(CORRECTIONS + 1):
            image, jacobian = self.linearise(state[moving])
            finite = np.isfinite(image).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
            moving, residual, jacobian = (
                moving[finite],
                (image - state[moving])[finite],
                jacobian[finite],
            )
            rest = np.sqrt(np.mean(residual**2, axis=1))
            arrived = rest <= self.rounding(state[moving])
            reached[moving[arrived]] = _nullity(jacobian[arrived], self.tolerance) >= self.nullity
            moving = moving[~arrived]
            if not len(moving) or step == CORRECTIONS:
                break
            state[moving] += self._step(residual[~arrived], jacobian[~arrived])
        return state, reached

    def _step(self, residual: Array, jacobian: Array) -> Array:
        """The shortest solution of (I - J) d = F(h) - h without the weakest directions."""
        left, values, right = np.linalg.svd(np.eye(jacobian.shape[-1]) - jacobian)
        strong = values.shape[1] - self.nullity
        along = np.einsum("psk,ps->pk", left[:, :, :strong], residual)
        scaled = along / np.maximum(values[:, :strong], self.tolerance)
        return np.einsum("pks,pk->ps", right[:, :strong], scaled)


def continuum_index(
    state: Array, found: Sequence[Continuum], scale: float, tolerance: float, linearise: Linearise
) -> Array:
    """On which continuum each of some other roots state [point, state] lies, -1 if on none.

    Where a step has a kink, as with relu, a continuum may end at a root that looks isolated from
    the side on which its Jacobian was taken. But from there to the nearest sample all is at rest.
    """
    on = np.full(len(state), -1)
    for place, one in enumerate(found):
        near = ContinuumCorrector(1, scale, tolerance, linearise)
        distance = np.linalg.norm(state[:, None] - one.state, axis=2)
        move = one.state[distance.argmin(axis=1)] - state
        length = np.linalg.norm(move, axis=1)
        held = on < 0
        for share in SHARES:
            tried = state + share * move
            reached, good = near.corrected(tried)
            held &= good & (np.linalg.norm(reached - tried, axis=1) <= 0.25 * share * length)
        on[held] = place
    return on


def add_starts(found: Sequence[Continuum], on: Array, n_starts: Array) -> list[Continuum]:
    """The continua with the hits of roots [point] that are on them, as `continuum_index` says."""
    more = np.bincount(on[on >= 0], n_starts[on >= 0], len(found)).astype(int)
    return [
        replace(one, n_starts=one.n_starts + n) for one, n in zip(found, more.tolist(), strict=True)
    ]


def _linked(state: Array, near: ContinuumCorrector) -> list[Array]:
    """Groups of members [point, state] between neighbours of which there are members too."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
    from scipy.spatial.distance import pdist, squareform

    count = len(state)
    if count < 2:
        return [np.arange(count)] * count
    tree = minimum_spanning_tree(squareform(pdist(state))).tocoo()
    a, b = tree.row, tree.col
    between = 0.5 * (state[a] + state[b])
    reached, good = near.corrected(between)
    length = np.linalg.norm(state[a] - state[b], axis=1)
    good &= np.linalg.norm(reached - between, axis=1) <= 0.5 * length
    graph = coo_array((np.ones(good.sum(), bool), (a[good], b[good])), (count, count))
    groups, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == group) for group in range(groups)]


def _dimension(state: Array, jacobian: Array, near: ContinuumCorrector) -> int:
    """Of the continuum that linked members [point, state] lie on; 0 if they are on none."""
    probed = np.unique(np.linspace(0, len(state) - 1, PROBED).astype(int))
    stride = STRIDE * near.scale * np.sqrt(state.shape[1])
    found = [_directions(state[i], jacobian[i], stride, near) for i in probed]
    return max(*found, min(near.nullity, _spanned(state, near.nullity, stride)))


def _directions(state: Array, jacobian: Array, stride: float, near: ContinuumCorrector) -> int:
    """Number of null directions [direction, state] at a member that lead to other members."""
    _, _, right = np.linalg.svd(np.eye(len(state)) - jacobian)
    null = right[len(state) - near.nullity :]
    reached, good = near.corrected(state + stride * np.concatenate([null, -null]))
    moved = (reached[good] - state) @ null.T / stride
    return int((np.linalg.svd(moved, compute_uv=False) > 0.5).sum()) if good.any() else 0


def _spanned(state: Array, nullity: int, stride: float) -> int:
    """Number of principal directions in which linked members [point, state] spread by a stride.

    Of the nearest to the middle one alone, so that a bend does not count as a direction.
    """
    middle = np.linalg.norm(state - state.mean(axis=0), axis=1).argmin()
    offset = state - state[middle]
    nearest = np.argsort(np.linalg.norm(offset, axis=1))[: 2 * nullity + 3]
    values = np.linalg.svd(offset[nearest], compute_uv=False) / np.sqrt(len(nearest))
    return int((values > max(0.3 * values[0], 0.1 * stride)).sum())


def sample_continuum(state: Array, dimension: int, near: ContinuumCorrector) -> Array:
    """Evenly spaced samples [sample, state] of the continuum on which members [point, state] lie.

    Within the smallest ball around all members samples spread from these, along null directions,
    into whatever gaps they leave. In more than `FILLED` dimensions the members stand as they are.
    """
    if dimension > FILLED:
        return state
    middle, reach = _ball(state)
    spacing = 2.0 * reach / ACROSS ** (1.0 / dimension)
    samples = state[farthest_point_sample(state, SAMPLES, spacing)[0]]
    front = samples
    while len(front) and len(samples) < SAMPLES and spacing > 0:
        reached, good = near.corrected(_around(front, spacing, near))
        good &= np.linalg.norm(reached - middle, axis=1) <= reach * (1.0 + CLOSE)
        reached = reached[good]
        new = select_spaced(reached, samples, SPREAD * spacing, SAMPLES - len(samples))
        front, samples = reached[new], np.concatenate([samples, reached[new]])
    return samples


def _ball(state: Array) -> tuple[Array, float]:
    """Centre [state] and radius of the smallest ball that holds all states [point, state], to a
    percent: the centre moves towards the farthest, ever less (Badoiu & Clarkson 2003)."""
    centre = state.mean(axis=0)
    for i in range(2, 202):
        away = np.linalg.norm(state - centre, axis=1)
        centre = centre + (state[away.argmax()] - centre) / i
    return centre, float(np.linalg.norm(state - centre, axis=1).max())


def _around(state: Array, distance: float, near: ContinuumCorrector) -> Array:
    """States beside each of these [point, state], along its null directions, both ways."""
    _, jacobian = near.linearise(state)
    _, _, right = np.linalg.svd(np.eye(state.shape[1]) - jacobian)
    null = right[:, state.shape[1] - near.nullity :]
    steps = distance * np.concatenate([null, -null], axis=1)
    return (state[:, None] + steps).reshape(-1, state.shape[1])


def _nullity(jacobian: Array, tolerance: float) -> Array:
    """Number of singular values of I - J below the tolerance: [point]."""
    values = np.linalg.svd(np.eye(jacobian.shape[-1]) - jacobian, compute_uv=False)
    return (values < tolerance).sum(axis=-1)


def _size(state: Array) -> Array:
    return np.sqrt(np.mean(state**2, axis=1))
