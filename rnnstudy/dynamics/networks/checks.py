"""Checks of step functions by other people: a smooth function of each row alone, in float64."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import (
    StateMap,
    StepFunction,
    TiledJacobian,
    run_compiled,
)
from rnnstudy.keras_bridge.float64_copies import reason
from rnnstudy.keras_bridge.invariant_box import is_inside, largest_radius

DISPLACEMENT = 1e-6
"""Length of the displacements by which derivatives are checked."""

MAX_RELATIVE_ERROR = 1e-3
"""Largest error of a derivative along a displacement: between float64 (1e-9) and float32 (0.1)."""

MAX_ROUNDING = 1e-10
"""Difference that rounding explains, as a share of 1 + |F|."""


def check_step(name: str, state_map: StateMap, h: Array) -> StepFunction:
    """Return the step of a map, as a `TiledJacobian` if its Jacobians cannot be vectorised.

    h `[1, point, state]`: states of the check. Raises ValueError, with the network's `name`, for a
    step that fails, is random, or mixes the rows of a batch. It raises too for a step that rounds
    to less than float64, or whose gradients are not its derivatives.
    """
    try:
        image = run_compiled(StateMap.__call__, state_map, h).numpy()
    except Exception as error:  # A user's code may raise anything.
        raise ValueError(
            f"{name} must be callable on float64 tensors of TensorFlow or PyTorch, got: "
            f"{reason(error)}"
        ) from error
    _check_repeatable(name, state_map, h, image)
    state_map, jacobian = _linearise(name, state_map, h)
    _check_derivatives(name, state_map, h, image, jacobian)
    return state_map.step_function


def _check_repeatable(name: str, state_map: StateMap, h: Array, image: Array) -> None:
    repeated = run_compiled(StateMap.__call__, state_map, h).numpy()
    if not np.array_equal(repeated, image, equal_nan=True):
        raise ValueError(
            f"{name} must give the same state each time, got another one. Remove random operations."
        )
    first = state_map.take(np.array([0]), np.array([[0]]))
    single = run_compiled(StateMap.__call__, first, h[:, :1]).numpy()
    # The same sums in another order.
    if not np.allclose(single, image[:, :1], 1e-9, 1e-12, equal_nan=True):
        raise ValueError(
            f"{name} must compute each row of a batch alone, got results that mix the rows. "
            "Remove operations over rows."
        )


def _linearise(name: str, state_map: StateMap, h: Array) -> tuple[StateMap, Array]:
    """Return the first of two maps whose Jacobians work, and the Jacobians."""
    failure = ""
    for candidate in (state_map, state_map.wrap(TiledJacobian(state_map.step_function))):
        try:
            return candidate, run_compiled(StateMap.linearise, candidate, h)[1].numpy()
        except Exception as error:
            failure = reason(error)
    raise ValueError(f"{name} must have a gradient, got: {failure}")


def _check_derivatives(
    name: str, state_map: StateMap, h: Array, image: Array, jacobian: Array
) -> None:
    move = np.random.default_rng(0).standard_normal(h.shape)
    move *= DISPLACEMENT / np.linalg.norm(move, axis=-1, keepdims=True)
    after, before = (
        run_compiled(StateMap.__call__, state_map, h + sign * move).numpy() for sign in (1, -1)
    )
    by_gradient = (jacobian @ move[..., None])[..., 0]
    error = np.linalg.norm(0.5 * (after - before) - by_gradient, axis=-1)
    size = np.linalg.norm(by_gradient, axis=-1)
    rounding = MAX_ROUNDING * (1.0 + np.linalg.norm(image, axis=-1))
    is_wrong = error > MAX_RELATIVE_ERROR * size + rounding
    # A few points of a batch may have a kink between the two states, but not most of them.
    if is_wrong.sum() > np.isfinite(error).sum() / 2:
        raise ValueError(
            f"the gradients of {name} must be its derivatives, got other values. Compute all of it "
            "in float64, without a custom gradient."
        )


def check_bound(name: str, state_map: StateMap, h: Array, radii: Array) -> None:
    """Raise ValueError if a step from inside the box `radii` `[state]` leads out of it.

    The steps begin at h `[1, point, state]` clipped to the box, and at the corner beyond each.
    """
    edge = np.where(np.isfinite(radii), radii, 1.0)
    for start in (np.clip(h, -edge, edge), np.where(h < 0, -edge, edge)):
        image = run_compiled(StateMap.__call__, state_map, start).numpy()
        if not is_inside(image, radii).all():
            farthest = float(np.abs(image[..., np.isfinite(radii)]).max())
            raise ValueError(
                f"{name} has bound {largest_radius(radii):g} and must stay within it, got a step "
                f"to {farthest:.3g}. Raise or remove the bound."
            )
