"""Dynamical similarity analysis."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, Metric, UndefinedMetric, form_arrays, round_similarity
from rnnstudy.metrics.linear_dynamics.conjugation import align_fields
from rnnstudy.metrics.linear_dynamics.delays import check_trajectories, embed_delays, signed_rows
from rnnstudy.metrics.subspaces import basis

PAIRS_AT_ONCE = 128
"""Pairs aligned at once, few enough for the processor's cache."""


class DSA(Metric):
    """Dynamical similarity analysis: distance of linear maps fitted to trajectories (DSA).

    States are embedded with `delays` consecutive time steps and reduced to their `rank` leading
    principal directions of equal variance. A linear map from each point to the next is fitted in
    these coordinates (dynamic mode decomposition in eigen-time-delay coordinates). Two maps A and B
    are compared after the optimal orthogonal change of coordinates C, with N the largest
    <A, C B C'>. `angular` is the angle arccos(N / (|A| |B|)) in radians. `euclidean` is the root of
    |A|^2 + |B|^2 - 2 N, the smallest |A - C B C'|.

    Invariant to: rotations, reflections and one common scale of the states. The trials of the two
    networks may differ.
    A metric: both measures are, up to the error of the optimisation. The optimisation has local
    maxima, so that a distance is an upper bound.
    Held-out trials: `fit` learns nothing, and `score` is the similarity of maps fitted to other
    trials. There is no `transform`: fitted maps are aligned, and no states.
    Special cases: maps that are equal up to a change of coordinates have distance 0. Opposed maps
    have negative similarities. It is undefined, and refused, for states that do not vary: no map
    can be fitted.

    Normal maps have the distance of their spectra (Hoffman & Wielandt 1953). The authors' package
    fits the same map, to states that it does not centre. It ascends from two starts, so that its
    distances may be larger.

    References
    ----------
    Ostrow, Eisen, Kozachkov & Fiete (2023), "Beyond geometry: comparing the temporal structure of
    computation in neural circuits with dynamical similarity analysis", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import DSA
    >>> x = np.random.default_rng(0).standard_normal((3, 20, 4)).cumsum(axis=1)
    >>> DSA(delays=2, rank=3).distance(x, x)
    0.0
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "dsa"
    trajectories: ClassVar[bool] = True

    delays: Annotated[int, Field(ge=1, le=1000)] = 10
    """Number of consecutive time steps in a point."""

    rank: Annotated[int, Field(ge=1, le=100)] = 10
    """Largest number of directions in which the map is fitted."""

    measure: Literal["angular", "euclidean"] = "angular"
    """Angle between maps in radians, or norm of their difference."""

    starts: Annotated[int, Field(ge=0, le=1000)] = 4
    """Number of random initial rotations of the optimisation, besides two constructed ones."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the random rotations."""

    @property
    def least_units(self) -> int:
        return -(-self.rank // self.delays)

    def prepare(self, states: Array) -> Form:
        """Return the fitted map [rank, rank], scaled to norm 1, and its norm."""
        now, then = self._transitions(self._embed_delays(states))
        # Rows of padding are 0 and have no map.
        count = max(1, np.count_nonzero(now.any(axis=1)))
        field = np.zeros((self.rank, self.rank))
        solution = np.linalg.lstsq(now[:count].T, then[:count].T, rcond=None)[0]
        field[:count, :count] = solution.T
        size = np.linalg.norm(field)
        if not size:
            raise UndefinedMetric(
                f"states must vary in time, got {len(states)} trials in which they do not. "
                "Leave this network out."
            )
        return {"field": field / size, "size": np.asarray(size)}

    def stored_bytes(self, samples: int) -> int:
        return 8 * self.rank**2

    def compare(self, a: Form, b: Form) -> Array:
        """Return similarities [...] of fitted maps, broadcast.

        They are N / (|A| |B|), or 2 N / (|A|^2 + |B|^2) if `euclidean`.
        """
        a, b = form_arrays(a), form_arrays(b)
        first, second = np.broadcast_arrays(*(f["field"][..., : self.rank, : self.rank]
                                              for f in (a, b)))  # fmt: skip
        pairs = first.reshape(-1, self.rank, self.rank), second.reshape(-1, self.rank, self.rank)
        cosines = [self._align(*(side[i : i + PAIRS_AT_ONCE] for side in pairs))
                   for i in range(0, len(pairs[0]), PAIRS_AT_ONCE)]  # fmt: skip
        cosine = np.concatenate(cosines).reshape(first.shape[:-2]) if cosines else np.zeros(0)
        if self.measure == "euclidean":
            both = a["size"] ** 2 + b["size"] ** 2
            cosine = cosine * 2.0 * a["size"] * b["size"] / both
        return round_similarity(cosine, lowest=-1.0)

    def pair_bytes(self, form: Form) -> int:
        """Return a small number of bytes per pair, since pairs are aligned a few at a time."""
        return 8 * self.rank**2 * 8

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Return distances in radians, or norms of differences of maps."""
        if self.measure == "angular":
            return np.arccos(similarity)
        both = form_arrays(a)["size"] ** 2 + form_arrays(b)["size"] ** 2
        return np.sqrt(both * (1.0 - similarity))

    def _embed_delays(self, states: Array) -> Array:
        """Return the points [trial, time, delay x unit] of states [trial, time, unit]."""
        states = check_trajectories(states)
        if states.shape[1] <= self.delays:
            raise ValueError(
                f"trials for {self.kind} with {self.delays} delays must have at least "
                f"{self.delays + 1} time steps, got {states.shape[1]}. Lower 'delays'."
            )
        return embed_delays(states, self.delays)

    def _transitions(self, points: Array) -> tuple[Array, Array]:
        """Return the coordinates [direction, transition] before and after each time step."""
        rows = signed_rows(basis(points.reshape(-1, points.shape[-1]), self.rank))
        series = rows.reshape(len(rows), *points.shape[:2])
        return series[..., :-1].reshape(len(rows), -1), series[..., 1:].reshape(len(rows), -1)

    def _align(self, a: Array, b: Array) -> Array:
        """Return the cosines of maps a and b [pair, rank, rank] after the optimal rotation."""
        # One order, so that the result is the same for (x, y) and (y, x).
        ramp = np.arange(1.0, 1.0 + self.rank**2).reshape(self.rank, self.rank)
        swap = ((a * ramp).sum(axis=(-2, -1)) > (b * ramp).sum(axis=(-2, -1)))[:, None, None]
        return align_fields(np.where(swap, b, a), np.where(swap, a, b), self._rotations())

    def _rotations(self) -> Array:
        """Return the identity and random rotations, [start, rank, rank]."""
        generator = np.random.default_rng(self.seed)
        normal = generator.standard_normal((self.starts, self.rank, self.rank))
        return np.concatenate([np.eye(self.rank)[None], np.linalg.qr(normal)[0]])
