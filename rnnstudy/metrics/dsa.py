"""Dynamical similarity analysis."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, Metric, parts, refuse_broken, settled
from rnnstudy.metrics.conjugation import alignment
from rnnstudy.metrics.subspaces import basis

TOGETHER = 128
"""Pairs that are aligned at once: few enough for the processor's cache."""


class DSA(Metric):
    """Distance of linear vector fields fitted to trajectories (Ostrow et al. 2023, section 3).

    States are embedded by `delays` (each point becomes the last few in a row), reduced to their
    `rank` leading principal directions of equal variance, and in these the linear map is fitted
    that takes each point to the next (dynamic mode decomposition in eigen-time-delay coordinates).
    Two maps A and B are compared in the coordinates that make them most alike: with N the largest
    <A, C B C'> over orthogonal C, `angular` is the angle arccos(N / (|A| |B|)) in radians,
    `euclidean` the root of |A|^2 + |B|^2 - 2 N, the smallest |A - C B C'|. It does not change
    under rotations and scales of the states, nor need the trials be the same ones.

    N is searched for and may be missed a little, so that a distance is an upper bound: measured on
    unrelated fields of rank 10, by 1 %. One that is 0 but for a change of coordinates is found.
    Similarities below 0, of opposed
    fields, are possible. States that do not move have similarity 1 to others of that kind, 0 to
    all else.
    """

    kind: ClassVar[str] = "dsa"
    trajectories: ClassVar[bool] = True

    delays: Annotated[int, Field(ge=1, le=1000)] = 10
    """Number of time steps in a row that make up a point."""

    rank: Annotated[int, Field(ge=1, le=100)] = 10
    """Number of directions in which the map is fitted; fewer where fewer vary."""

    measure: Literal["angular", "euclidean"] = "angular"
    """Angle between fields, or size of their difference."""

    starts: Annotated[int, Field(ge=0, le=1000)] = 4
    """Number of random rotations from which the best is sought, beside two chosen ones."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Decides the random rotations."""

    def prepare(self, states: Array) -> Form:
        """The fitted map [rank, rank], scaled to norm 1, and its norm."""
        now, then = self._transitions(self._embedded(states))
        # Row by row, since rows that only fill the rank up are 0 and have no map.
        kept = max(1, np.count_nonzero(now.any(axis=1)))
        field = np.zeros((self.rank, self.rank))
        found = np.linalg.lstsq(now[:kept].T, then[:kept].T, rcond=None)[0]
        field[:kept, :kept] = found.T
        size = np.linalg.norm(field)
        return {"field": field / (size or 1.0), "size": np.asarray(size)}

    def compare(self, a: Form, b: Form) -> Array:
        """Similarities [...] of fitted maps a and b, broadcast: N / (|A| |B|), or for `euclidean`
        2 N / (|A|^2 + |B|^2)."""
        a, b = parts(a), parts(b)
        first, second = np.broadcast_arrays(*(f["field"][..., : self.rank, : self.rank]
                                              for f in (a, b)))  # fmt: skip
        pairs = first.reshape(-1, self.rank, self.rank), second.reshape(-1, self.rank, self.rank)
        found = [self._aligned(*(side[i : i + TOGETHER] for side in pairs))
                 for i in range(0, len(pairs[0]), TOGETHER)]  # fmt: skip
        cosine = np.concatenate(found).reshape(first.shape[:-2]) if found else np.zeros(0)
        still = (a["size"] == 0.0) & (b["size"] == 0.0)
        if self.measure == "euclidean":
            both = a["size"] ** 2 + b["size"] ** 2
            cosine = cosine * 2.0 * a["size"] * b["size"] / np.where(still, 1.0, both)
        return settled(np.where(still, 1.0, cosine), lowest=-1.0)

    def pair_bytes(self, form: Form) -> int:
        """Next to nothing: pairs are aligned a few at a time. Many per block, to use them up."""
        return 8 * self.rank**2 * 8

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Radians, or the norm of a difference of maps."""
        if self.measure == "angular":
            return np.arccos(similarity)
        both = parts(a)["size"] ** 2 + parts(b)["size"] ** 2
        return np.sqrt(both * (1.0 - similarity))

    def _embedded(self, states: Array) -> Array:
        """Points [trial, time, delay x unit] of states [trial, time, unit]."""
        states = np.asarray(states)
        if states.ndim != 3 or 0 in states.shape:
            raise ValueError(f"states should be [trial, time, unit], not of shape {states.shape}")
        refuse_broken(states, ("trial", "time", "unit"))
        if states.shape[1] <= self.delays:
            raise ValueError(
                f"dsa with {self.delays} delays needs trials of at least {self.delays + 1} time "
                f"steps, not {states.shape[1]}"
            )
        windows = np.lib.stride_tricks.sliding_window_view(states, self.delays, axis=1)
        return windows.reshape(*windows.shape[:2], -1)

    def _transitions(self, points: Array) -> tuple[Array, Array]:
        """Coordinates [direction, transition] before and after each step of each trial."""
        rows = basis(points.reshape(-1, points.shape[-1]), self.rank)
        # Singular vectors are determined up to a sign; this choice makes equal data equal maps.
        rows = rows * np.where((rows**3).sum(axis=1) < 0.0, -1.0, 1.0)[:, None]
        course = rows.reshape(len(rows), *points.shape[:2])
        return course[..., :-1].reshape(len(rows), -1), course[..., 1:].reshape(len(rows), -1)

    def _aligned(self, a: Array, b: Array) -> Array:
        """Cosines of maps a and b [pair, rank, rank] after the best rotation."""
        # In one order, so that the search takes the same course for x, y and y, x.
        ramp = np.arange(1.0, 1.0 + self.rank**2).reshape(self.rank, self.rank)
        swap = ((a * ramp).sum(axis=(-2, -1)) > (b * ramp).sum(axis=(-2, -1)))[:, None, None]
        return alignment(np.where(swap, b, a), np.where(swap, a, b), self._rotations())

    def _rotations(self) -> Array:
        """No rotation, and random ones."""
        generator = np.random.default_rng(self.seed)
        drawn = generator.standard_normal((self.starts, self.rank, self.rank))
        return np.concatenate([np.eye(self.rank)[None], np.linalg.qr(drawn)[0]])
