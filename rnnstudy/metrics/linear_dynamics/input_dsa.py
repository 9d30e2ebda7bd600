"""Dynamical similarity analysis of networks that inputs drive."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.core.arguments import as_real_array, summarise_value
from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import (
    Form,
    UndefinedMetric,
    centre_states,
    form_arrays,
    round_similarity,
)
from rnnstudy.metrics.linear_dynamics.conjugation import align_fields, sum_of_powers
from rnnstudy.metrics.linear_dynamics.delays import (
    check_trajectories,
    embed_delays,
    fit_driven_map,
    signed_rows,
)
from rnnstudy.metrics.linear_dynamics.driven_maps import DrivenMaps
from rnnstudy.metrics.linear_dynamics.dsa import DSA, PAIRS_AT_ONCE
from rnnstudy.metrics.subspaces import basis

Part = Literal["joint", "state", "input", "controllability"]
"""Part of two driven systems that a distance compares."""

NO_MOTION = "states must vary in time, got {} trials in which they do not. Leave this network out."
"""Message for states to which no map can be fitted."""


class InputDSA(DSA):
    """Dynamical similarity analysis of driven networks: state maps and input maps (InputDSA).

    A representation is a pair (states, inputs). The map x' = A x + B u + c is fitted to states x
    and inputs u (dynamic mode decomposition with control). States are in their `rank` leading
    principal directions. Two networks are compared after an orthogonal change C of their state
    coordinates. The inputs are the same, one by one, and are not rotated.

    `state` is the smallest distance |A - C A' C'| over C, as in `dsa`. `input` is the smallest
    |B - C B'|. `joint` has one C for both, with squares of weight w and 1 - w (`state_weight`).
    `controllability` is the smallest |K - C K'| for K = [B, A B, ..., A^(steps - 1) B], in closed
    form. `angular` is the angle between the maps in radians. `euclidean` is the norm.

    `state` does not depend on where inputs enter. `input` does not depend on the directions of the
    state in which inputs enter. `joint` and `controllability` depend on both.

    Invariant to: rotations, reflections and offsets of the states, and with `angular` one common
    scale. The trials of the two networks may differ.
    A metric: yes, up to the error of the optimisation; `state`, `input` and `controllability` do
    not tell all systems apart.
    Held-out trials: `score` is the similarity of other pairs (states, inputs), and `fit` learns
    nothing. There is no `transform`: fitted maps are aligned, and no states.
    Special cases: states that do not vary are refused, and inputs that do not, but for `state`.

    Follows Huang et al. in the driven map, in one orthogonal change of the state for A and B, and
    in the distance of controllability matrices. It departs in three ways. Coordinates are
    orthonormal, and not of equal variance as in `dsa`: variances depend on the inputs, so that
    equal A would seem unequal. `joint` minimises over A and B. Partly observed networks have
    `delays` and `input_delays`, in place of subspace identification.

    References
    ----------
    Huang, Ostrow, Singh, Kozachkov, Fiete & Rajan (2025), "InputDSA: demixing then comparing
    recurrent and externally driven dynamics", arXiv 2510.25943.
    Proctor, Brunton & Kutz (2016), "Dynamic mode decomposition with control".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import InputDSA
    >>> inputs = np.random.default_rng(0).standard_normal((3, 20, 2))
    >>> states = inputs.cumsum(axis=1)
    >>> InputDSA().distance((states, inputs), (-states[..., ::-1], inputs))
    0.0
    """

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "input_dsa"
    driven: ClassVar[bool] = True

    part: Part = "joint"
    """Maps that are compared: both, that of the state, that of the input, or controllability."""

    delays: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of consecutive time steps of the states in a point."""

    input_delays: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of consecutive time steps of the inputs that enter a point."""

    input_lag: Literal[0, 1] = 0
    """Steps from an input to the first state that it changes. 0: inputs[t] enters states[t], as in
    Keras and in studies. 1: inputs[t] enters states[t + 1]."""

    state_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Weight of the state maps in `joint`, 0 to 1; the rest is that of the input maps."""

    steps: Annotated[int, Field(ge=1, le=100)] = 10
    """Number of blocks of a controllability matrix."""

    def check_states(self, name: str, states: Any) -> tuple[Array, Array]:
        """Return the states and the inputs of a pair, as arrays."""
        if not isinstance(states, tuple | list) or len(states) != 2:
            raise TypeError(
                f"{name} must be a pair of arrays (states, inputs), got {summarise_value(states)}. "
                "Pass the inputs that drove the states."
            )
        pair = [as_real_array(each, part, finite=each == "inputs")
                for each, part in zip(("states", "inputs"), states, strict=True)]  # fmt: skip
        return pair[0], pair[1]

    def prepare(self, states: Any) -> Form:
        """Return the fitted maps, [rank, rank] and [rank, input], of norm 1, and their norms.

        states: a pair of states [trial, time, unit] and inputs [trial, time, input].
        """
        now, then, drive = self._driven_transitions(*self.check_states("states", states))
        state_map, input_map = fit_driven_map(now, then, drive)
        field = np.zeros((self.rank, self.rank))
        entry = np.zeros((self.rank, len(drive)))
        field[: len(now), : len(now)], entry[: len(now)] = state_map, input_map
        size, entry_size = np.linalg.norm(field), np.linalg.norm(entry)
        if not size:
            raise UndefinedMetric(NO_MOTION.format(len(states[0])))
        if self.part != "state" and not entry_size:
            raise UndefinedMetric(
                f"inputs must vary, got {len(drive)} inputs that do not. "
                "Set 'part' to state, or use dsa."
            )
        return {
            "field": field / size,
            "entry": entry / (entry_size or 1.0),
            "size": np.asarray(size),
            "entry_size": np.asarray(entry_size),
        }

    def stored_bytes(self, samples: int) -> int:
        return 0

    def pair_bytes(self, form: Form) -> int:
        """Return the bytes of one pair of forms, since pairs are aligned a few at a time."""
        return 8 * self.rank**2 * 8 + 4 * form_arrays(form)["entry"].nbytes

    def compare(self, a: Form, b: Form) -> Array:
        """Return similarities [...] of fitted maps, broadcast; inputs that one lacks count as 0.

        They are cosines, or 1 - distance^2 / (the sum of both squared norms) if `euclidean`.
        """
        columns = max(form_arrays(form)["entry"].shape[-1] for form in (a, b))
        sides = [self._maps(form, columns) for form in (a, b)]
        shape = np.broadcast_shapes(*(side.size.shape for side in sides))
        first, second = (side.flatten(shape) for side in sides)
        blocks = [slice(i, i + PAIRS_AT_ONCE) for i in range(0, len(first.size), PAIRS_AT_ONCE)]
        values = [self._similarities(first.at(block), second.at(block)) for block in blocks]
        whole = np.concatenate(values) if values else np.zeros(0)
        return round_similarity(whole.reshape(shape), lowest=-1.0)

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Return distances in radians, or norms of differences."""
        if self.measure == "angular":
            return np.arccos(similarity)
        both = sum(self._squares(self._maps(form)) for form in (a, b))
        return np.asarray(np.sqrt(both * (1.0 - similarity)))

    def _driven_transitions(self, states: Array, inputs: Array) -> tuple[Array, Array, Array]:
        """Return coordinates [direction, transition] before and after each step, and its inputs."""
        states = check_trajectories(states)
        if inputs.ndim != 3 or inputs.shape[:2] != states.shape[:2]:
            raise ValueError(
                "inputs must be [trial, time, input] for states of shape "
                f"{states.shape}, got shape {inputs.shape}. Pass the inputs of the same trials."
            )
        if not inputs.shape[2]:
            raise UndefinedMetric(
                f"inputs must be at least 1, got shape {inputs.shape}. Use dsa for states alone."
            )
        # A step leads from time t to t + 1. The first t has all delays of states and inputs.
        first = max(self.delays - 1, self.input_delays + self.input_lag - 2)
        if states.shape[1] < first + 2:
            raise ValueError(
                f"trials for {self.kind} with {self.delays} delays and {self.input_delays} input "
                f"delays must have at least {first + 2} time steps, got {states.shape[1]}. Lower "
                "'delays' or 'input_delays'."
            )
        points = embed_delays(states, self.delays)[:, first - self.delays + 1 :]
        before = first + 2 - self.input_lag - self.input_delays
        drive = embed_delays(inputs, self.input_delays)[:, before : before + points.shape[1] - 1]
        series = self._coordinates(points)
        now, then = (part.reshape(len(series), -1) for part in (series[..., :-1], series[..., 1:]))
        return now, then, drive.reshape(-1, drive.shape[-1]).T

    def _coordinates(self, points: Array) -> Array:
        """Return points [trial, time, axis] in their principal axes, [direction, trial, time]."""
        flat = points.reshape(-1, points.shape[-1])
        rows = basis(flat, self.rank)
        if not rows.any():
            raise UndefinedMetric(NO_MOTION.format(len(points)))
        axes, sizes, _ = np.linalg.svd(rows @ centre_states(flat), full_matrices=False)
        return signed_rows((axes * sizes).T @ rows).reshape(len(rows), *points.shape[:2])

    def _maps(self, form: Form, columns: int = 0) -> DrivenMaps:
        """Return the maps of a form, without padding, with at least so many inputs."""
        parts = form_arrays(form)
        entry = parts["entry"][..., : self.rank, :]
        lacking = max(columns - entry.shape[-1], 0)
        return DrivenMaps(
            parts["field"][..., : self.rank, : self.rank],
            np.concatenate([entry, np.zeros((*entry.shape[:-1], lacking))], axis=-1),
            parts["size"],
            parts["entry_size"],
        )

    def _similarities(self, first: DrivenMaps, second: DrivenMaps) -> Array:
        """Return the similarities of pairs of maps, [pair]."""
        if self.part == "joint":
            return self._joint_similarities(first, second)
        squares = self._squares(first), self._squares(second)
        sizes = np.sqrt(squares[0] * squares[1])
        if self.part == "state":
            cosine = self._align(first.field, second.field)
        elif self.part == "input":
            cosine = _nuclear_norm(first.entry @ np.swapaxes(second.entry, -1, -2))
        else:
            (a, g), (b, h) = first.whole, second.whole
            reached = sum_of_powers(a, b, g @ np.swapaxes(h, -1, -2), self.steps)
            cosine = _nuclear_norm(reached) / sizes
        if self.measure == "angular":
            return cosine
        return np.asarray(cosine * 2.0 * sizes / (squares[0] + squares[1]))

    def _joint_similarities(self, first: DrivenMaps, second: DrivenMaps) -> Array:
        weight = np.full(first.size.shape, self.state_weight)
        rest = 1.0 - weight
        if self.measure == "euclidean":
            total = self._squares(first) + self._squares(second)
            weight = 2.0 * weight * first.size * second.size / total
            rest = 2.0 * rest * first.entry_size * second.entry_size / total
        # One order, so that the result is the same for (x, y) and (y, x).
        swap = (first.mark > second.mark)[:, None, None]
        (a, g), (b, h) = (
            tuple(np.where(swap, other, part) for part, other in zip(one[:2], two[:2], strict=True))
            for one, two in ((first, second), (second, first))
        )
        linear = rest[:, None, None] * (g @ np.swapaxes(h, -1, -2))
        return align_fields(weight[:, None, None] * a, b, self._rotations(), linear)

    def _squares(self, maps: DrivenMaps) -> Array:
        """Return the squared norm of the part that is compared, [...]."""
        if self.part == "controllability":
            a, g = maps.whole
            reached = sum_of_powers(a, a, g @ np.swapaxes(g, -1, -2), self.steps)
            return np.trace(reached, axis1=-2, axis2=-1)
        weight = {"state": 1.0, "input": 0.0, "joint": self.state_weight}[self.part]
        return np.asarray(weight * maps.size**2 + (1.0 - weight) * maps.entry_size**2)


def _nuclear_norm(products: Array) -> Array:
    return np.asarray(np.linalg.svd(products, compute_uv=False).sum(axis=-1))
