"""Whether a step that somebody else wrote is what the analysis takes it for: a smooth function."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import Dynamics, Flow, Tiled, compiled
from rnnstudy.keras_bridge.float64_copies import reason
from rnnstudy.keras_bridge.invariant_box import inside, radius

STEP = 1e-6
"""Length of the displacements by which derivatives are checked."""

SHARE = 1e-3
"""Largest error of a derivative along a displacement: far above that of a difference quotient in
float64 (1e-9), far below that of one in float32 (0.1)."""

FLOOR = 1e-10
"""Difference that is put down to rounding, as a share of 1 + |F|."""


def trusted(name: str, flow: Flow, h: Array) -> Dynamics:
    """The dynamics of a flow, tiled if their Jacobians cannot be vectorised.

    h [1, point, state]: where they are tried. ValueError, with the network's `name`, if a step
    fails, is random, mixes the points of a batch, is not done in float64 throughout, or has
    gradients that are not its derivatives.
    """
    try:
        image = compiled(Flow.__call__, flow, h).numpy()
    except Exception as error:  # anybody's code may raise anything
        raise ValueError(
            f"{name} cannot be called on TensorFlow's float64 tensors: {reason(error)}"
        ) from error
    _repeatable(name, flow, h, image)
    flow, jacobian = _linearised(name, flow, h)
    _derivatives(name, flow, h, image, jacobian)
    return flow.dynamics


def _repeatable(name: str, flow: Flow, h: Array, image: Array) -> None:
    again = compiled(Flow.__call__, flow, h).numpy()
    if not np.array_equal(again, image, equal_nan=True):
        raise ValueError(f"{name} gives another state each time it is called: its step is random")
    first = flow.take(np.array([0]), np.array([[0]]))
    alone = compiled(Flow.__call__, first, h[:, :1]).numpy()
    # The same sums in another order.
    if not np.allclose(alone, image[:, :1], 1e-9, 1e-12, equal_nan=True):
        raise ValueError(f"a step of {name} mixes the rows of a batch, which are separate points")


def _linearised(name: str, flow: Flow, h: Array) -> tuple[Flow, Array]:
    tiled = Flow(Tiled(flow.dynamics), flow.weights, flow.drive, flow.inputs)
    said = ""
    for way in (flow, tiled):
        try:
            return way, compiled(Flow.linearise, way, h)[1].numpy()
        except Exception as error:
            said = reason(error)
    raise ValueError(f"{name} has no gradient: {said}")


def _derivatives(name: str, flow: Flow, h: Array, image: Array, jacobian: Array) -> None:
    move = np.random.default_rng(0).standard_normal(h.shape)
    move *= STEP / np.linalg.norm(move, axis=-1, keepdims=True)
    ahead, behind = (compiled(Flow.__call__, flow, h + sign * move).numpy() for sign in (1, -1))
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


def kept(name: str, flow: Flow, h: Array, radii: Array) -> None:
    """ValueError if a step from inside the box, at h [1, point, state] shrunk into it or at the
    corner beyond, leads out of it."""
    edge = np.where(np.isfinite(radii), radii, 1.0)
    for start in (np.clip(h, -edge, edge), np.where(h < 0, -edge, edge)):
        image = compiled(Flow.__call__, flow, start).numpy()
        if not inside(image, radii).all():
            far = float(np.abs(image[..., np.isfinite(radii)]).max())
            raise ValueError(
                f"{name} has bound {radius(radii):g}, but a step from within it leads to {far:.3g}"
            )
