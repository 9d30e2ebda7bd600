"""The rotation that makes one linear vector field most like another."""

import numpy as np

from rnnstudy.core.arrays import Array

ASCENT_STEPS = 40
"""Steps from every start: they tell good starts from bad ones."""

REFINED = 3
"""Number of starts, the best after these steps, that are refined."""

NEWTON_STEPS = 20
"""Enough to converge from there: about eight are."""

CONVERGED = 1e-9
"""Gradient at which a pair's cosine is right to its last digits: errors go with its square."""


def alignment(a: Array, b: Array, starts: Array) -> Array:
    """Largest <A, C B C'> found over orthogonal C, [pair], for a, b [pair, dimension, dimension].

    starts [start, dimension, dimension]: orthogonal matrices to start from, beside two of ours: one
    solves the case of equal fields in different coordinates, the other that of normal fields. The
    problem has local maxima: more starts find better ones. `a` and `b` of norm 1 or below.
    """
    ours = np.stack([_eigenframes(a, b), _eigenvectors(a, b)], axis=1)
    given = np.broadcast_to(starts, (len(a), *starts.shape))
    rotations = _ascend(a[:, None], b[:, None], np.concatenate([ours, given], axis=1))
    reached = _overlap(a[:, None], b[:, None], rotations)
    best = np.argsort(-reached, axis=1)[:, :REFINED]
    found = [_refined(a, b, rotations[np.arange(len(a)), each]) for each in best.T]
    return np.max(found, axis=0)


def _turned(b: Array, rotation: Array) -> Array:
    return rotation @ b @ np.swapaxes(rotation, -1, -2)


def _overlap(a: Array, b: Array, rotation: Array) -> Array:
    found: Array = (a * _turned(b, rotation)).sum(axis=(-2, -1))
    return found


def _eigenframes(a: Array, b: Array) -> Array:
    """Rotations that align the symmetric parts, and the antisymmetric ones by choice of signs.

    Frames of eigenvectors are determined up to signs d; these should make sum d_i d_j K_ij large,
    where K is the product, element by element, of the antisymmetric parts in their frames.
    """
    frames, rests = [], []
    for field in (a, b):
        symmetric = (field + np.swapaxes(field, -1, -2)) / 2
        frame = np.linalg.eigh(symmetric)[1]
        frames.append(frame)
        rests.append(np.swapaxes(frame, -1, -2) @ (field - symmetric) @ frame)
    leading = np.linalg.eigh(rests[0] * rests[1])[1][..., -1]
    signs = np.where(leading < 0.0, -1.0, 1.0)
    return (frames[0] * signs[..., None, :]) @ np.swapaxes(frames[1], -1, -2)


def _eigenvectors(a: Array, b: Array) -> Array:
    """Rotations that take eigenvectors to those that they match best, nearly.

    Of normal fields the best assignment of eigenvalues, by the real part of their products, is the
    best rotation of all (Hoffman & Wielandt 1953).
    """
    from scipy.optimize import linear_sum_assignment

    (values, vectors), (others, targets) = np.linalg.eig(a), np.linalg.eig(b)
    gain = np.real(values[:, :, None] * np.conj(others)[:, None, :])
    order = np.array([linear_sum_assignment(-each)[1] for each in gain]).reshape(values.shape)
    matched = np.take_along_axis(targets, order[:, None, :], axis=2)
    left, _, right = np.linalg.svd(np.real(vectors @ np.conj(np.swapaxes(matched, -1, -2))))
    return left @ right


def _ascend(a: Array, b: Array, rotation: Array) -> Array:
    """Steps to the orthogonal matrix nearest to gradient plus a tenth of what makes it convex.

    With the whole of it no step can go down (minorise, then maximise), but steps are ten times
    shorter; the best are refined by steps that cannot go down.
    """
    hold = 0.2 * np.linalg.norm(a, 2, axis=(-2, -1)) * np.linalg.norm(b, 2, axis=(-2, -1))
    hold = np.maximum(hold, 1e-12)[..., None, None]
    across, back = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    for _ in range(ASCENT_STEPS):
        left, _, right = np.linalg.svd(
            a @ rotation @ back + across @ rotation @ b + hold * rotation
        )
        rotation = left @ right
    return rotation


def _refined(a: Array, b: Array, rotation: Array) -> Array:
    """Largest overlap [pair] that Newton's method on the rotations reaches from these."""
    value = _overlap(a, b, rotation)
    damping = np.full(len(value), 1e-3)
    open_ = np.arange(len(value))
    for _ in range(NEWTON_STEPS):
        if not len(open_):
            break
        mine = a[open_], b[open_], rotation[open_]
        gradient, curvature = _derivatives(*mine)
        stepped = _stepped(mine[2], gradient, curvature, damping[open_])
        reached = _overlap(*mine[:2], stepped)
        up = reached > value[open_]
        rotation[open_[up]], value[open_[up]] = stepped[up], reached[up]
        damping[open_] *= np.where(up, 0.25, 4.0)
        open_ = open_[np.abs(gradient).max(axis=-1, initial=0.0) > CONVERGED]
    return value


def _derivatives(a: Array, b: Array, rotation: Array) -> tuple[Array, Array]:
    """Gradient [pair, plane] and Hessian of the overlap under further turns exp(W), W' = -W.

    To second order it changes by <A, [W, X]> + <[A, W], [W, X]> / 2, with X = C B C'.
    """
    size = a.shape[-1]
    planes, x = _planes(size), _turned(b, rotation)[:, None]
    from_a = (a[:, None] @ planes - planes @ a[:, None]).reshape(len(a), -1, size**2)
    from_x = (planes @ x - x @ planes).reshape(len(a), -1, size**2)
    gradient = (from_x @ a.reshape(len(a), size**2, 1))[..., 0]
    curvature = from_a @ np.swapaxes(from_x, -1, -2)
    return gradient, (curvature + np.swapaxes(curvature, -1, -2)) / 2


def _stepped(rotation: Array, gradient: Array, curvature: Array, damping: Array) -> Array:
    """Rotations after a Newton step that goes up along every eigenvector of the Hessian."""
    values, vectors = np.linalg.eigh(curvature)
    along = (np.swapaxes(vectors, -1, -2) @ gradient[..., None])[..., 0]
    step = (vectors @ (along / (np.abs(values) + damping[:, None]))[..., None])[..., 0]
    turn = np.tensordot(step, _planes(rotation.shape[-1]), axes=1)
    one = np.eye(rotation.shape[-1])
    # Cayley's transform is orthogonal, and equals exp(W) to second order.
    return np.linalg.solve(one - turn / 2, (one + turn / 2) @ rotation)


def _planes(size: int) -> Array:
    """Antisymmetric matrices [plane, dimension, dimension], a turn in each coordinate plane."""
    first, second = np.triu_indices(size, 1)
    planes, each = np.zeros((len(first), size, size)), np.arange(len(first))
    planes[each, first, second], planes[each, second, first] = 1.0, -1.0
    return planes
