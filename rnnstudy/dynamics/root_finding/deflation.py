"""Deflation: maps from which known roots are removed, so that a start reaches another root."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, WrappedStep, run_compiled
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.solvers import STEP_LENGTHS, Newton
from rnnstudy.dynamics.root_finding.ungated import (
    to_full_state,
    to_visible,
    ungated_map,
    visible_lengths,
)

ROOTS, SPAN = "deflated roots", "deflation span"
"""Names of two arrays among the weights of a deflated map: `[member, root, state]`, `[member]`."""

FILLER_COORDINATE = 1e150
"""Coordinate of a root that only fills up a member's row. Its deflation factor is 1."""

MIN_SQUARE = 1e-14
"""Least square of a distance as a share of those of the states. A smaller one is rounding."""

DEFLATION_SPAN = 0.3
"""Span of a root as a share of the states' root mean square. A span of 1 takes more steps."""

DEFLATED_NEWTON = Newton(limit=60, tolerance=1e-12)
"""Newton's method on a deflated map. It ends near a root, where any solver goes on."""


@dataclass(frozen=True)
class DeflatedMap(WrappedStep):
    """Map h -> h + M(h) (F(h) - h) with M(h) = prod (1 + (span / |h - r|)^2) over known roots r.

    M has a pole at each known root and is 1 far away. All other roots of F(h) - h remain. This is
    eq. 2.5 of Farrell, Birkisson & Funke (2015), with power 2 and shift 1. Newton's step is that of
    F(h) - h times 1 / (1 - step . grad log M), by Sherman and Morrison. |h - r| is a root mean
    square.
    """

    own_free_axes: ClassVar[Mapping[str, int]] = {ROOTS: 2}

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        factor, _ = _deflation(w, h)
        return h + factor[..., None] * (self.step_function.step(w, drive, h) - h)

    def linearise(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map and its Jacobian I + M (J - I + (F(h) - h) grad log M')."""
        image, jacobian = StateMap(self.step_function, w, drive).linearise(h)
        factor, slope = _deflation(w, h)
        residual, eye = image - h, tf.eye(h.shape[-1], dtype=h.dtype)
        change = jacobian - eye + residual[..., None] * slope[..., None, :]
        return h + factor[..., None] * residual, eye + factor[..., None, None] * change

    def has_derivative(self, derivative: str, of: str) -> bool:
        """Return whether `linearise` is faster than a gradient: always."""
        return (derivative, of) == ("linearise", "step")


def _deflation(w: Mapping[str, Tensor], h: Tensor) -> tuple[Tensor, Tensor]:
    """Return M `[member, point]` and the gradient of its logarithm `[member, point, state]`."""
    roots, span = w[ROOTS], w[SPAN][:, None, None]
    # Products take a tenth of the time of all differences.
    squares = tf.reduce_sum(h**2, axis=-1)[..., None] + tf.reduce_sum(roots**2, axis=-1)[:, None]
    distance = squares - 2.0 * tf.matmul(h, roots, transpose_b=True)
    distance = tf.maximum(distance, MIN_SQUARE * squares)
    pole = h.shape[-1] * span**2 / distance
    pull = 2.0 * pole / ((1.0 + pole) * distance)
    slope = pull @ roots - tf.reduce_sum(pull, axis=-1)[..., None] * h
    return tf.reduce_prod(1.0 + pole, axis=-1), slope


def deflate(state_map: StateMap, roots: Sequence[Array], span: Array) -> StateMap:
    """Return the map without each member's known roots `[root, state]`.

    span `[member]`: root mean square distance within which a known root acts.
    """
    filled = np.full((len(roots), max(map(len, roots)), roots[0].shape[1]), FILLER_COORDINATE)
    for row, known in zip(filled, roots, strict=True):
        row[: len(known)] = known
    weights = {ROOTS: filled, SPAN: np.asarray(span, np.float64)}
    return state_map.wrap(DeflatedMap(state_map.step_function), weights)


def deflated_newton(
    state_map: StateMap, starts: Array, roots: Sequence[Array], scale: Array
) -> Array:
    """Return states that Newton's method reaches from starts once the known roots are removed.

    starts and result: `[member, start, state]`. roots: at least one `[root, state]` per member.
    scale `[member]`: root mean square of its states. A start whose state becomes infinite stays.
    """
    ungated = ungated_map(state_map)
    if ungated is not None:
        visible = [to_visible(ungated, known) for known in roots]
        shorter = visible_lengths(ungated, starts, scale)
        ends = deflated_newton(ungated, to_visible(ungated, starts), visible, shorter)
        state: Array = run_compiled(to_full_state, ungated, ends).numpy()
    else:
        bytes_each = 8 * len(STEP_LENGTHS) * len(roots) * max(map(len, roots)) * starts.shape[-1]
        deflated = deflate(state_map, roots, DEFLATION_SPAN * scale)
        points = np.broadcast_to(np.arange(starts.shape[1]), starts.shape[:2])
        parts = [
            solve(deflated, DEFLATED_NEWTON, starts[:, part], points[:, part]).state
            for part in batches(starts.shape[1], bytes_each)
        ]
        state = np.concatenate(parts, axis=1)
    return np.where(np.isfinite(state).all(axis=-1, keepdims=True), state, starts)
