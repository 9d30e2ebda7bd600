"""Whether a step that somebody else wrote is what the analysis takes it for: a smooth function."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import StateMap, StepFunction, TiledJacobian, compiled
from rnnstudy.keras_bridge.float64_copies import reason
from rnnstudy.keras_bridge.invariant_box import is_inside, largest_radius

STEP = 1e-6
"""Length of the displacements by which derivatives are checked."""

SHARE = 1e-3
"""Largest error of a derivative along a displacement: far above that of a difference quotient in
float64 (1e-9), far below that of one in float32 (0.1)."""

FLOOR = 1e-10
"""Difference that is put down to rounding, as a share of 1 + |F|."""


def check_step(name: str, state_map: StateMap, h: Array) -> StepFunction:
    """The dynamics of a flow, tiled if their Jacobians cannot be vectorised.

    h [1, point, state]: where they are tried. ValueError, with the network's `name`, if a step
    fails, is random, mixes the points of a batch, is not done in float64 throughout, or has
    gradients that are not its derivatives.
    """
    try:
        image = compiled(StateMap.__call__, state_map, h).numpy()
    except Exception as error:  # anybody's code may raise anything
        raise ValueError(
            f"{name} cannot be called on TensorFlow's float64 tensors: {reason(error)}"
        ) from error
    _repeatable(name, state_map, h, image)
    state_map, jacobian = _linearised(name, state_map, h)
    _derivatives(name, state_map, h, image, jacobian)
    return state_map.step_function


def _repeatable(name: str, state_map: StateMap, h: Array, image: Array) -> None:
    again = compiled(StateMap.__call__, state_map, h).numpy()
    if not np.array_equal(again, image, equal_nan=True):
        raise ValueError(f"{name} gives another state each time it is called: its step is random")
    first = state_map.take(np.array([0]), np.array([[0]]))
    alone = compiled(StateMap.__call__, first, h[:, :1]).numpy()
    # The same sums in another order.
    if not np.allclose(alone, image[:, :1], 1e-9, 1e-12, equal_nan=True):
        raise ValueError(f"a step of {name} mixes the rows of a batch, which are separate points")


def _linearised(name: str, state_map: StateMap, h: Array) -> tuple[StateMap, Array]:
    tiled = StateMap(
        TiledJacobian(state_map.step_function), state_map.weights, state_map.drive, state_map.inputs
    )
    said = ""
    for way in (state_map, tiled):
        try:
            return way, compiled(StateMap.linearise, way, h)[1].numpy()
        except Exception as error:
            said = reason(error)
    raise ValueError(f"{name} has no gradient: {said}")


def _derivatives(name: str, state_map: StateMap, h: Array, image: Array, jacobian: Array) -> None:
    move = np.random.default_rng(0).standard_normal(h.shape)
    move *= STEP / np.linalg.norm(move, axis=-1, keepdims=True)
    ahead, behind = (
        compiled(StateMap.__call__, state_map, h + sign * move).numpy() for sign in (1, -1)
    )
    by_gradient = (jacobian @ move[..., None])[..., 0]
    error = np.linalg.norm(0.5 * (ahead - behind) - by_gradient, axis=-1)
    size = np.linalg.norm(by_gradient, axis=-1)
    wrong = error > SHARE * size + FLOOR * (1.0 + np.linalg.norm(image, axis=-1))
    # A kink between two states is nobody's fault; at most points of a batch, it is none.
    if wrong.sum() > np.isfinite(error).sum() / 2:
        raise ValueError(
            f"the gradients of {name} are not its derivatives: its step rounds on the way, "
            "to float32 for example, or has a gradient of its own making"
        )


def check_bound(name: str, state_map: StateMap, h: Array, radii: Array) -> None:
    """ValueError if a step from inside the box, at h [1, point, state] shrunk into it or at the
    corner beyond, leads out of it."""
    edge = np.where(np.isfinite(radii), radii, 1.0)
    for start in (np.clip(h, -edge, edge), np.where(h < 0, -edge, edge)):
        image = compiled(StateMap.__call__, state_map, start).numpy()
        if not is_inside(image, radii).all():
            far = float(np.abs(image[..., np.isfinite(radii)]).max())
            raise ValueError(
                f"{name} has bound {largest_radius(radii):g}, "
                f"but a step from within it leads to {far:.3g}"
            )
