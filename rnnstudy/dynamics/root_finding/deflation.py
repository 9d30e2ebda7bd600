"""Maps from which known roots are taken out, so that a start ends at others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, StepFunction, compiled
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.solvers import SIZES, Newton
from rnnstudy.dynamics.root_finding.ungated import to_full_state, to_visible, ungated_map

ROOTS, SPAN = "deflated roots", "deflation span"
"""Names under which a flow's weights hold them: [member, root, state] and [member]."""

FAR = 1e150
"""Coordinates of what only fills up a member's roots: its factor is 1."""

NEAREST = 1e-14
"""Least square of a distance as a share of those of the states: less is rounding."""

SHARE = 0.3
"""Span of a root as a share of the states' root mean square. Of 64 starts on mixtures of 21 known
points of a memory's 27, steps of span 0.1, 0.3 and 1 bring 2-3, 5-6 and 5-6 to one of the others,
plain ones 1-3; a span of 1 takes three times the steps."""

DEFLATED_NEWTON = Newton(limit=60, tolerance=1e-12)
"""Newton's steps without the known roots: near enough to others for any solver."""


@dataclass(frozen=True)
class DeflatedMap:
    """h -> h + M(h) (F(h) - h) with M(h) = prod (1 + (span / |h - r|)^2) over known roots r.

    Deflation (Farrell, Birkisson & Funke 2015, eq. 2.5, power 2 and shift 1): M has a pole at each
    known root and is 1 far away, so that all other roots of F(h) - h are left. Newton's step
    becomes that of F(h) - h times a number, 1 / (1 - step . grad log M), by Sherman and Morrison:
    longer, shorter or backwards, so that it leaves what is known. |h - r| is a root mean square.
    """

    step_function: StepFunction

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """What the input adds."""
        return self.step_function.drive(w, x)

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state."""
        factor, _ = _deflation(w, h)
        return h + factor[..., None] * (self.step_function.step(w, drive, h) - h)

    def linearise(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """That and its Jacobian: I + M (J - I + (F(h) - h) grad log M')."""
        image, jacobian = StateMap(self.step_function, w, drive).linearise(h)
        factor, slope = _deflation(w, h)
        residual, eye = image - h, tf.eye(h.shape[-1], dtype=h.dtype)
        moved = jacobian - eye + residual[..., None] * slope[..., None, :]
        return h + factor[..., None] * residual, eye + factor[..., None, None] * moved

    def offers(self, derivative: str, of: str) -> bool:
        """Whether it knows that Jacobian: always, by that of its dynamics."""
        return (derivative, of) == ("linearise", "step")


def _deflation(w: Mapping[str, Tensor], h: Tensor) -> tuple[Tensor, Tensor]:
    """M [member, point] and the gradient of its logarithm [member, point, state]."""
    roots, span = w[ROOTS], w[SPAN][:, None, None]
    # As products, which take a tenth of the time of all differences.
    apart = tf.reduce_sum(h**2, axis=-1)[..., None] + tf.reduce_sum(roots**2, axis=-1)[:, None]
    square = apart - 2.0 * tf.matmul(h, roots, transpose_b=True)
    square = tf.maximum(square, NEAREST * apart)
    near = h.shape[-1] * span**2 / square
    pull = 2.0 * near / ((1.0 + near) * square)
    slope = pull @ roots - tf.reduce_sum(pull, axis=-1)[..., None] * h
    return tf.reduce_prod(1.0 + near, axis=-1), slope


def deflate(state_map: StateMap, roots: Sequence[Array], span: Array) -> StateMap:
    """The flow without each member's known roots [root, state], which act within that member's span
    [member], a root mean square distance."""
    filled = np.full((len(roots), max(map(len, roots)), roots[0].shape[1]), FAR)
    for i, known in enumerate(roots):
        filled[i, : len(known)] = known
    weights = {**state_map.weights, ROOTS: filled, SPAN: np.asarray(span, np.float64)}
    return StateMap(
        DeflatedMap(state_map.step_function), weights, state_map.drive, state_map.inputs
    )


def deflated_newton(
    state_map: StateMap, starts: Array, roots: Sequence[Array], scale: Array
) -> Array:
    """Where Newton's steps lead from starts [member, start, state] without the known roots.

    roots: those of each member, one at least, [root, state]; scale [member]: root mean square of
    its states. What these steps make infinite stays where it began.
    """
    shorter = ungated_map(state_map)
    if shorter is not None:
        inner = deflated_newton(
            shorter, to_visible(shorter, starts), [to_visible(shorter, r) for r in roots], scale
        )
        state: Array = compiled(to_full_state, shorter, inner).numpy()
    else:
        held = 8 * len(SIZES) * len(roots) * max(map(len, roots)) * starts.shape[-1]
        others = deflate(state_map, roots, SHARE * scale)
        points = np.broadcast_to(np.arange(starts.shape[1]), starts.shape[:2])
        parts = [
            solve(others, DEFLATED_NEWTON, starts[:, part], points[:, part]).state
            for part in batches(starts.shape[1], held)
        ]
        state = np.concatenate(parts, axis=1)
    return np.where(np.isfinite(state).all(axis=-1, keepdims=True), state, starts)
