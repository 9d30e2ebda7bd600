"""Continua: lines, planes and other connected sets of fixed points, from degenerate roots."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.continua_record import Continuum
from rnnstudy.dynamics.fixed_points.search import Linearise
from rnnstudy.dynamics.states.clustering import farthest_point_sample, select_spaced

MAX_SAMPLES = 128
"""Largest number of samples of a continuum."""

ROUNDING_MOTION = 1e-13
"""Largest root mean square of F(h) - h on a continuum, as a share of the states' own."""

STRIDE = 0.05
"""Length of the steps along a continuum that measure its dimension, as a share of the states' root
mean square. It is so long that no isolated root, of whatever order, is within rounding."""

CORRECTIONS = 8
"""Gauss-Newton steps that take a state near a continuum back to it."""

MAX_FILLED_DIMENSION = 3
"""Dimension up to which gaps between the roots on a continuum are filled."""

SAMPLES_PER_LINE = 32
"""Number of samples along a straight line. A plane has its root along either side."""

MIN_SAMPLE_SPACING = 0.75
"""Least distance of a sample from all others, as a share of the spacing."""

MAX_EXCESS = 0.1
"""Largest distance of a sample from the middle beyond that of all roots, as a share."""

PROBED_ROOTS = 4
"""Roots of a continuum at which its dimension is measured."""

LINK_SHARES = (0.5, 1.0 / 16.0)
"""Shares of the way from a root to a continuum's nearest sample that must be fixed points."""


def find_continua(
    state: Array, speed: Array, jacobian: Array, n_starts: Array,
    scale: float, tolerance: float, linearise: Linearise,
) -> list[Continuum]:  # fmt: skip
    """Return the continua of the degenerate roots `[root, ...]` of one network at one input.

    A root lies on a continuum if two conditions hold. F(h) - h is zero to rounding. After a step of
    0.05 `scale` along a null direction of I - J, corrections reach another root as good. They are
    at right angles to all null directions. A null direction has a singular value below `tolerance`.
    The dimension is the number of directions that do so. Two roots are on one continuum if such
    corrections succeed half-way between them, along a chain of roots. Where I - J has more null
    directions than the continuum has dimensions, the spread of linked roots counts alone.

    Only continua that are exact to the rounding of float64 count. The line attractor of a trained
    integrator is a chain of isolated points. A unit whose gate is closed in float64 adds one
    dimension.
    """
    continua: list[Continuum] = []
    nullity = _nullity(jacobian, tolerance)
    for count in np.unique(nullity[nullity > 0])[::-1]:
        corrector = ContinuumCorrector(int(count), scale, tolerance, linearise)
        roots = np.flatnonzero(nullity == count)
        exact, is_exact = _correct_roots(state[roots], speed[roots], corrector)
        roots, exact = roots[is_exact], exact[is_exact]
        # At a kink a continuum has fewer null directions on one side.
        on = continuum_index(exact, continua, scale, tolerance, linearise)
        continua = add_starts(continua, on, n_starts[roots])
        roots, exact = roots[on < 0], exact[on < 0]
        chosen, nearest = (
            farthest_point_sample(exact, MAX_SAMPLES) if len(roots) else (roots, roots)
        )
        weight = np.bincount(nearest, n_starts[roots], len(chosen)).astype(int)
        states, matrices = exact[chosen], jacobian[roots[chosen]]
        for group in _linked_groups(states, corrector):
            dimension = _dimension(states[group], matrices[group], corrector)
            if dimension:
                samples = sample_continuum(states[group], dimension, corrector)
                continua.append(Continuum(samples, dimension, int(weight[group].sum())))
    return sorted(continua, key=lambda c: (-c.dimension, -len(c.state), *c.state.mean(axis=0)))


def _correct_roots(
    state: Array, speed: Array, corrector: "ContinuumCorrector"
) -> tuple[Array, Array]:
    """Return roots `[root, state]` corrected to rounding, and a mask of those that succeed."""
    is_exact = np.sqrt(2.0 * speed / state.shape[1]) <= corrector.rounding(state)
    if is_exact.all():
        return state, is_exact
    corrected, is_root = corrector.correct(state[~is_exact])
    is_root &= _root_mean_square(corrected - state[~is_exact]) <= STRIDE * corrector.scale
    exact = state.copy()
    exact[~is_exact] = corrected
    is_exact[~is_exact] = is_root
    return exact, is_exact


@dataclass(frozen=True)
class ContinuumCorrector:
    """Gauss-Newton corrections towards the roots with so many null directions."""

    nullity: int
    scale: float
    tolerance: float
    linearise: Linearise

    def rounding(self, state: Array) -> Array:
        """Return the largest root mean square of F(h) - h that rounding explains, `[point]`."""
        return ROUNDING_MOTION * (self.scale + _root_mean_square(state))

    def correct(self, state: Array) -> tuple[Array, Array]:
        """Return the corrected states `[point, state]`, and a mask of those that are roots."""
        state = state.copy()
        moving = np.arange(len(state))
        is_root = np.zeros(len(state), bool)
        for step in range(CORRECTIONS + 1):
            image, jacobian = self.linearise(state[moving])
            is_finite = np.isfinite(image).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
            moving, residual, jacobian = (
                moving[is_finite],
                (image - state[moving])[is_finite],
                jacobian[is_finite],
            )
            motion = np.sqrt(np.mean(residual**2, axis=1))
            is_exact = motion <= self.rounding(state[moving])
            is_root[moving[is_exact]] = _nullity(jacobian[is_exact], self.tolerance) >= self.nullity
            moving = moving[~is_exact]
            if not len(moving) or step == CORRECTIONS:
                break
            state[moving] += self._step(residual[~is_exact], jacobian[~is_exact])
        return state, is_root

    def _step(self, residual: Array, jacobian: Array) -> Array:
        """Return the shortest solution of (I - J) d = F(h) - h without the weakest directions."""
        left, values, right = np.linalg.svd(np.eye(jacobian.shape[-1]) - jacobian)
        strong = values.shape[1] - self.nullity
        along = np.einsum("psk,ps->pk", left[:, :, :strong], residual)
        scaled = along / np.maximum(values[:, :strong], self.tolerance)
        step: Array = np.einsum("pks,pk->ps", right[:, :strong], scaled)
        return step


def continuum_index(
    state: Array,
    continua: Sequence[Continuum],
    scale: float,
    tolerance: float,
    linearise: Linearise,
) -> Array:
    """Return the continuum on which each of some other roots `[point, state]` lies; -1 for none.

    At a kink, as with relu, a continuum may end at a root that looks isolated from the side of its
    Jacobian. Then all states from there to the nearest sample are fixed points.
    """
    on = np.full(len(state), -1)
    for position, continuum in enumerate(continua):
        corrector = ContinuumCorrector(1, scale, tolerance, linearise)
        distance = np.linalg.norm(state[:, None] - continuum.state, axis=2)
        move = continuum.state[distance.argmin(axis=1)] - state
        length = np.linalg.norm(move, axis=1)
        mask = on < 0
        for share in LINK_SHARES:
            trial = state + share * move
            corrected, is_root = corrector.correct(trial)
            offset = np.linalg.norm(corrected - trial, axis=1)
            mask &= is_root & (offset <= 0.25 * share * length)
        on[mask] = position
    return on


def add_starts(continua: Sequence[Continuum], on: Array, n_starts: Array) -> list[Continuum]:
    """Return the continua with the starts of roots `[point]` on them, as `continuum_index` says."""
    added = np.bincount(on[on >= 0], n_starts[on >= 0], len(continua)).astype(int)
    return [
        replace(continuum, n_starts=continuum.n_starts + count)
        for continuum, count in zip(continua, added.tolist(), strict=True)
    ]


def _linked_groups(state: Array, corrector: ContinuumCorrector) -> list[Array]:
    """Return groups of roots `[point, state]` that are linked by roots half-way between them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
    from scipy.spatial.distance import pdist, squareform

    count = len(state)
    if count < 2:
        return [np.arange(count)] * count
    tree = minimum_spanning_tree(squareform(pdist(state))).tocoo()
    a, b = tree.row, tree.col
    middle = 0.5 * (state[a] + state[b])
    corrected, is_link = corrector.correct(middle)
    length = np.linalg.norm(state[a] - state[b], axis=1)
    is_link &= np.linalg.norm(corrected - middle, axis=1) <= 0.5 * length
    edges = np.ones(is_link.sum(), bool)
    graph = coo_array((edges, (a[is_link], b[is_link])), (count, count))
    groups, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == group) for group in range(groups)]


def _dimension(state: Array, jacobian: Array, corrector: ContinuumCorrector) -> int:
    """Return the dimension of the continuum of linked roots `[point, state]`; 0 for none."""
    probed = np.unique(np.linspace(0, len(state) - 1, PROBED_ROOTS).astype(int))
    stride = STRIDE * corrector.scale * np.sqrt(state.shape[1])
    counts = [_n_directions(state[i], jacobian[i], stride, corrector) for i in probed]
    return max(*counts, min(corrector.nullity, _spread(state, corrector.nullity, stride)))


def _n_directions(
    state: Array, jacobian: Array, stride: float, corrector: ContinuumCorrector
) -> int:
    """Return the number of null directions at a root that lead to other roots."""
    _, _, right = np.linalg.svd(np.eye(len(state)) - jacobian)
    null = right[len(state) - corrector.nullity :]
    corrected, is_root = corrector.correct(state + stride * np.concatenate([null, -null]))
    moves = (corrected[is_root] - state) @ null.T / stride
    if not is_root.any():
        return 0
    return int((np.linalg.svd(moves, compute_uv=False) > 0.5).sum())


def _spread(state: Array, nullity: int, stride: float) -> int:
    """Return the number of principal directions in which linked roots spread by a stride.

    Only the roots nearest to the middle count, so that a bend does not count as a direction.
    """
    middle = np.linalg.norm(state - state.mean(axis=0), axis=1).argmin()
    offset = state - state[middle]
    nearest = np.argsort(np.linalg.norm(offset, axis=1))[: 2 * nullity + 3]
    values = np.linalg.svd(offset[nearest], compute_uv=False) / np.sqrt(len(nearest))
    return int((values > max(0.3 * values[0], 0.1 * stride)).sum())


def sample_continuum(state: Array, dimension: int, corrector: ContinuumCorrector) -> Array:
    """Return evenly spaced samples `[sample, state]` of the continuum of roots `[point, state]`.

    Samples spread from the roots along null directions into the gaps between them, within the
    smallest ball around all roots. Above `MAX_FILLED_DIMENSION` the roots are the samples.
    """
    if dimension > MAX_FILLED_DIMENSION:
        return state
    middle, reach = _smallest_ball(state)
    spacing = 2.0 * reach / SAMPLES_PER_LINE ** (1.0 / dimension)
    samples: Array = state[farthest_point_sample(state, MAX_SAMPLES, spacing)[0]]
    front = samples
    while len(front) and len(samples) < MAX_SAMPLES and spacing > 0:
        corrected, is_root = corrector.correct(_null_displacements(front, spacing, corrector))
        is_root &= np.linalg.norm(corrected - middle, axis=1) <= reach * (1.0 + MAX_EXCESS)
        corrected = corrected[is_root]
        distance, room = MIN_SAMPLE_SPACING * spacing, MAX_SAMPLES - len(samples)
        front = corrected[select_spaced(corrected, samples, distance, room)]
        samples = np.concatenate([samples, front])
    return samples


def _smallest_ball(state: Array) -> tuple[Array, float]:
    """Return centre `[state]` and radius of the smallest ball around states `[point, state]`.

    They are right to a percent. The centre moves towards the farthest state in ever shorter steps
    (Badoiu & Clarkson 2003).
    """
    centre = state.mean(axis=0)
    for i in range(2, 202):
        distance = np.linalg.norm(state - centre, axis=1)
        centre = centre + (state[distance.argmax()] - centre) / i
    return centre, float(np.linalg.norm(state - centre, axis=1).max())


def _null_displacements(state: Array, distance: float, corrector: ContinuumCorrector) -> Array:
    """Return states beside states `[point, state]`, along null directions, both ways."""
    _, jacobian = corrector.linearise(state)
    _, _, right = np.linalg.svd(np.eye(state.shape[1]) - jacobian)
    null = right[:, state.shape[1] - corrector.nullity :]
    steps = distance * np.concatenate([null, -null], axis=1)
    return (state[:, None] + steps).reshape(-1, state.shape[1])


def _nullity(jacobian: Array, tolerance: float) -> Array:
    """Return the number of singular values of I - J below the tolerance, `[point]`."""
    values = np.linalg.svd(np.eye(jacobian.shape[-1]) - jacobian, compute_uv=False)
    count: Array = (values < tolerance).sum(axis=-1)
    return count


def _root_mean_square(state: Array) -> Array:
    size: Array = np.sqrt(np.mean(state**2, axis=1))
    return size
