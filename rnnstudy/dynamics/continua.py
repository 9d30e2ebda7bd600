"""Lines, planes and other continua of fixed points, told from points that are merely degenerate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.dynamics.flat import Flat, counted, positions
from rnnstudy.dynamics.merging import evenly
from rnnstudy.lazy import pd
from rnnstudy.record import Array, Record, array

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

PROBED = 4
"""Members of a continuum at which its dimension is measured."""


@dataclass(frozen=True)
class Continuum:
    """A connected set of fixed points, of one network at one input: state [sample, state].

    hits: number of starts that ended on it.
    """

    state: Array
    dimension: int
    hits: int


@dataclass(frozen=True, eq=False)
class Continua(Flat):
    """Lines, planes and other connected sets of fixed points, each by evenly spaced samples.

    `len` and indices count continua; the samples of all lie one after the other.
    """

    axis: ClassVar[str] = "continuum"

    state: Array = array("sample", "state")
    """Fixed points on the continua."""
    continuum: Array = array("sample")
    """On which of them."""
    dimension: Array = array("continuum")
    """1: line or ring, 2: plane or other surface, ..."""
    inputs: Array = array("continuum", "input")
    member: Array = array("continuum")
    input_index: Array = array("continuum")
    hits: Array = array("continuum")
    """Number of starts that ended there."""

    @classmethod
    def none(cls, state: int, inputs: int) -> Self:
        """No continua of states and inputs of these sizes."""
        count = np.zeros(0, int)
        return cls(np.empty((0, state)), count, count, np.empty((0, inputs)), count, count, count)

    @classmethod
    def of_found(
        cls, found: Sequence[Sequence[Continuum]],
        member: Array, input_index: Array, inputs: Array, size: int,
    ) -> Self:  # fmt: skip
        """Those of many searches, whose member, position of the input and input are given.

        size: length of the state, which no continuum might tell.
        """
        every = [one for some in found for one in some]
        counts = [len(some) for some in found]
        return cls(
            state=np.concatenate([np.empty((0, size)), *(one.state for one in every)]),
            continuum=np.repeat(np.arange(len(every)), [len(one.state) for one in every]),
            dimension=np.array([one.dimension for one in every], int),
            inputs=np.repeat(inputs, counts, axis=0),
            member=np.repeat(member, counts),
            input_index=np.repeat(input_index, counts),
            hits=np.array([one.hits for one in every], int),
        )

    @property
    def kind(self) -> Array:
        """`continuum` for each."""
        return np.full(len(self), "continuum")

    @property
    def extent(self) -> Array:
        """Largest Euclidean distance between two samples: [continuum]."""
        own = [self.state[self.continuum == i] for i in range(len(self))]
        apart = [np.linalg.norm(state[:, None] - state, axis=-1) for state in own]
        return np.array([distance.max() for distance in apart], float)

    def select(self, axis: str, indices: Any) -> Self:
        """The record at some positions of an axis; a continuum takes its samples with it."""
        if axis != self.axis:
            return super().select(axis, indices)
        chosen = positions(indices, len(self), axis)
        samples = [np.flatnonzero(self.continuum == i) for i in chosen]
        part = super().select(axis, chosen)
        part = Record.select(part, "sample", np.concatenate([chosen[:0], *samples]))
        return replace(part, continuum=np.repeat(np.arange(len(chosen)), [*map(len, samples)]))

    @classmethod
    def join(cls, records: Sequence[Self], axis: str = "continuum") -> Self:
        """The continua of all records, in order."""
        if axis != cls.axis:
            return super().join(records, axis)
        sizes = np.cumsum([0, *(len(record) for record in records)])
        shifted = [
            replace(record, continuum=record.continuum + size)
            for record, size in zip(records, sizes[:-1], strict=True)
        ]
        along = super().join(shifted, axis)
        samples = super().join(shifted, "sample")
        return replace(along, state=samples.state, continuum=samples.continuum)

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per continuum."""
        return pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "kind": self.kind,
                "dimension": self.dimension,
                "samples": np.bincount(self.continuum, minlength=len(self)),
                "extent": self.extent,
                "hits": self.hits,
            }
        )

    def __repr__(self) -> str:
        what = counted(len(self), "continuum", "continua") + " of fixed points"
        sizes = ", ".join(map(str, np.unique(self.dimension)))
        return what + (f" of dimension {sizes}" if len(self) else "")


def find_continua(
    state: Array, speed: Array, jacobian: Array, hits: Array,
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
    found = []
    exact = _residual(speed, state) <= ROUNDING * (scale + _size(state))
    nullity = _nullity(jacobian, tolerance)
    for count in np.unique(nullity[exact & (nullity > 0)]):
        own = np.flatnonzero(exact & (nullity == count))
        chosen, nearest = evenly(state[own], SAMPLES)
        weight = np.bincount(nearest, hits[own], len(chosen)).astype(int)
        near = Near(int(count), scale, tolerance, linearise)
        members, matrices = state[own[chosen]], jacobian[own[chosen]]
        for group in _linked(members, near):
            dimension = _dimension(members[group], matrices[group], near)
            if dimension:
                found.append(Continuum(members[group], dimension, int(weight[group].sum())))
    return sorted(found, key=lambda c: (-c.dimension, -len(c.state), *c.state.mean(axis=0)))


@dataclass(frozen=True)
class Near:
    """How to reach the set of roots with so many null directions from nearby."""

    nullity: int
    scale: float
    tolerance: float
    linearise: Linearise

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
            arrived = rest <= ROUNDING * (self.scale + _size(state[moving]))
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


def _linked(state: Array, near: Near) -> list[Array]:
    """Groups of members [point, state] between neighbours of which there are members too."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
    from scipy.spatial.distance import pdist, squareform

    count = len(state)
    if count == 1:
        return [np.zeros(1, int)]
    tree = minimum_spanning_tree(squareform(pdist(state))).tocoo()
    a, b = tree.row, tree.col
    between = 0.5 * (state[a] + state[b])
    reached, good = near.corrected(between)
    apart = np.linalg.norm(state[a] - state[b], axis=1)
    good &= np.linalg.norm(reached - between, axis=1) <= 0.5 * apart
    graph = coo_array((np.ones(good.sum(), bool), (a[good], b[good])), (count, count))
    groups, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == group) for group in range(groups)]


def _dimension(state: Array, jacobian: Array, near: Near) -> int:
    """Of the continuum that linked members [point, state] lie on; 0 if they are on none."""
    probed = np.unique(np.linspace(0, len(state) - 1, PROBED).astype(int))
    stride = STRIDE * near.scale * np.sqrt(state.shape[1])
    found = [_directions(state[i], jacobian[i], stride, near) for i in probed]
    return max(*found, min(near.nullity, _spanned(state, near.nullity, stride)))


def _directions(state: Array, jacobian: Array, stride: float, near: Near) -> int:
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
    apart = state - state[middle]
    nearest = np.argsort(np.linalg.norm(apart, axis=1))[: 2 * nullity + 3]
    values = np.linalg.svd(apart[nearest], compute_uv=False) / np.sqrt(len(nearest))
    return int((values > max(0.3 * values[0], 0.1 * stride)).sum())


def _nullity(jacobian: Array, tolerance: float) -> Array:
    """Number of singular values of I - J below the tolerance: [point]."""
    values = np.linalg.svd(np.eye(jacobian.shape[-1]) - jacobian, compute_uv=False)
    return (values < tolerance).sum(axis=-1)


def _size(state: Array) -> Array:
    return np.sqrt(np.mean(state**2, axis=1))


def _residual(speed: Array, state: Array) -> Array:
    """Root mean square of F(h) - h at speeds [point]."""
    return np.sqrt(2.0 * speed / state.shape[1])
