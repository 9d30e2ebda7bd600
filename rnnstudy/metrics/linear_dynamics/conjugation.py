"""Optimal orthogonal change of coordinates between two linear vector fields."""

import numpy as np

from rnnstudy.core.arrays import Array

ASCENT_STEPS = 40
"""Ascent steps from every start."""

REFINED = 3
"""Number of starts refined by Newton's method: those with the largest overlap after the ascent."""

NEWTON_STEPS = 20
"""Largest number of Newton steps; about eight suffice."""

CONVERGED = 1e-9
"""Largest gradient of a converged pair. The error of its cosine is the square of the gradient."""


def align_fields(a: Array, b: Array, starts: Array, linear: Array | None = None) -> Array:
    """Return the largest <A, C B C'> + <L, C> over orthogonal C, [pair], by multi-start ascent.

    The problem has local maxima, so that more starts may yield larger values. Constructed starts
    are added. One solves the case of equal fields in different coordinates, one the case of normal
    fields. With a linear term, one solves the case of equal fields and equal linear terms.

    Parameters
    ----------
    a, b
        Linear fields [pair, dimension, dimension], of norm 1 or below.
    starts
        Initial orthogonal matrices, [start, dimension, dimension].
    linear
        Linear terms L [pair, dimension, dimension]; default: none.
    """
    constructed = [_eigenframes(a, b), _eigenvectors(a, b)]
    if linear is not None:
        constructed = [_with_sign(each, linear) for each in constructed]
        constructed.append(_krylov_rotation(a, b, linear))
    repeated = np.broadcast_to(starts, (len(a), *starts.shape))
    every = np.concatenate([np.stack(constructed, axis=1), repeated], axis=1)
    beside = None if linear is None else linear[:, None]
    rotations = _ascend(a[:, None], b[:, None], every, beside)
    overlaps = _overlap(a[:, None], b[:, None], rotations, beside)
    best = np.argsort(-overlaps, axis=1)[:, :REFINED]
    refined = [_refine(a, b, rotations[np.arange(len(a)), each], linear) for each in best.T]
    return np.max(refined, axis=0)


def sum_of_powers(a: Array, b: Array, linear: Array, terms: int) -> Array:
    """Return the sum of A^i L B'^i over i below `terms`, [..., dimension, dimension].

    With L = G H' it is K_a K_b' for the controllability matrices K_a = [G, A G, A^2 G, ...].

    Parameters
    ----------
    a, b
        Linear fields [..., dimension, dimension].
    linear
        Matrices L [..., dimension, dimension].
    terms
        Number of powers, at least 1.
    """
    term = total = linear
    for _ in range(terms - 1):
        term = a @ term @ np.swapaxes(b, -1, -2)
        total = total + term
    return total


def _krylov_rotation(a: Array, b: Array, linear: Array) -> Array:
    """Return rotations that align what the linear terms reach under powers of the fields.

    For fields A = Q B Q' with linear terms G = Q H, and L = G H', the polar factor is Q. It is
    determined where the powers of B and of B' reach every direction from H.
    """
    a, b = (field / np.maximum(np.linalg.norm(field, 2, axis=(-2, -1), keepdims=True), 1e-12)
            for field in (a, b))  # fmt: skip
    back, across = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    size = a.shape[-1]
    reached = sum_of_powers(a, b, linear, size) + sum_of_powers(back, across, linear, size)
    left, _, right = np.linalg.svd(reached)
    return np.asarray(left @ right)


def _with_sign(rotation: Array, linear: Array) -> Array:
    """Return rotations with the sign of a larger <L, C>; fields do not depend on it."""
    opposed = (linear * rotation).sum(axis=(-2, -1)) < 0.0
    return np.where(opposed[:, None, None], -rotation, rotation)


def _rotate(b: Array, rotation: Array) -> Array:
    return rotation @ b @ np.swapaxes(rotation, -1, -2)


def _overlap(a: Array, b: Array, rotation: Array, linear: Array | None = None) -> Array:
    overlap: Array = (a * _rotate(b, rotation)).sum(axis=(-2, -1))
    return overlap if linear is None else overlap + (linear * rotation).sum(axis=(-2, -1))


def _eigenframes(a: Array, b: Array) -> Array:
    """Return rotations that align the symmetric parts, with signs from the antisymmetric parts.

    Frames of eigenvectors are determined up to signs d. The signs maximise sum d_i d_j K_ij
    approximately, where K is the elementwise product of the antisymmetric parts in their frames.
    """
    frames, skew = [], []
    for field in (a, b):
        symmetric = (field + np.swapaxes(field, -1, -2)) / 2
        frame = np.linalg.eigh(symmetric)[1]
        frames.append(frame)
        skew.append(np.swapaxes(frame, -1, -2) @ (field - symmetric) @ frame)
    leading = np.linalg.eigh(skew[0] * skew[1])[1][..., -1]
    signs = np.where(leading < 0.0, -1.0, 1.0)
    return (frames[0] * signs[..., None, :]) @ np.swapaxes(frames[1], -1, -2)


def _eigenvectors(a: Array, b: Array) -> Array:
    """Return rotations that map eigenvectors to their best match, approximately.

    For normal fields the optimal assignment of eigenvalues, by the real part of their products, is
    the optimal rotation (Hoffman & Wielandt 1953).
    """
    from scipy.optimize import linear_sum_assignment

    (values, vectors), (others, targets) = np.linalg.eig(a), np.linalg.eig(b)
    gain = np.real(values[:, :, None] * np.conj(others)[:, None, :])
    order = np.array([linear_sum_assignment(-each)[1] for each in gain]).reshape(values.shape)
    matched = np.take_along_axis(targets, order[:, None, :], axis=2)
    left, _, right = np.linalg.svd(np.real(vectors @ np.conj(np.swapaxes(matched, -1, -2))))
    return left @ right


def _ascend(a: Array, b: Array, rotation: Array, linear: Array | None = None) -> Array:
    """Return rotations after projected gradient steps with a small convexifying term.

    The full term would make every step an ascent (minorise-maximise), but ten times shorter. The
    best rotations are refined later by steps that cannot descend.
    """
    convexity = 0.2 * np.linalg.norm(a, 2, axis=(-2, -1)) * np.linalg.norm(b, 2, axis=(-2, -1))
    convexity = np.maximum(convexity, 1e-12)[..., None, None]
    across, back = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    for _ in range(ASCENT_STEPS):
        gradient = a @ rotation @ back + across @ rotation @ b + convexity * rotation
        left, _, right = np.linalg.svd(gradient if linear is None else gradient + linear)
        rotation = left @ right
    return rotation


def _refine(a: Array, b: Array, rotation: Array, linear: Array | None = None) -> Array:
    """Return the overlap [pair] after Newton's method on the rotations."""
    value = _overlap(a, b, rotation, linear)
    damping = np.full(len(value), 1e-3)
    active = np.arange(len(value))
    for _ in range(NEWTON_STEPS):
        if not len(active):
            break
        pairs = a[active], b[active], rotation[active]
        beside = None if linear is None else linear[active]
        gradient, curvature = _derivatives(*pairs, beside)
        stepped = _newton_step(pairs[2], gradient, curvature, damping[active])
        overlap = _overlap(*pairs[:2], stepped, beside)
        up = overlap > value[active]
        rotation[active[up]], value[active[up]] = stepped[up], overlap[up]
        damping[active] *= np.where(up, 0.25, 4.0)
        active = active[np.abs(gradient).max(axis=-1, initial=0.0) > CONVERGED]
    return value


def _derivatives(
    a: Array, b: Array, rotation: Array, linear: Array | None = None
) -> tuple[Array, Array]:
    """Return gradient [pair, plane] and Hessian of the overlap under rotations exp(W), W' = -W.

    To second order the overlap changes by <A, [W, X]> + <[A, W], [W, X]> / 2, with X = C B C'. A
    linear term adds <M, W> + <M, W W> / 2, with M = L C'.
    """
    size = a.shape[-1]
    planes, x = _planes(size), _rotate(b, rotation)[:, None]
    from_a = (a[:, None] @ planes - planes @ a[:, None]).reshape(len(a), -1, size**2)
    from_x = (planes @ x - x @ planes).reshape(len(a), -1, size**2)
    gradient = (from_x @ a.reshape(len(a), size**2, 1))[..., 0]
    curvature = from_a @ np.swapaxes(from_x, -1, -2)
    if linear is not None:
        moved = linear @ np.swapaxes(rotation, -1, -2)
        every = planes.reshape(-1, size**2)
        gradient = gradient + moved.reshape(len(a), size**2) @ every.T
        # <M, W V> = <W' M, V> = -<W M, V>.
        curvature = curvature - (planes @ moved[:, None]).reshape(len(a), -1, size**2) @ every.T
    return gradient, (curvature + np.swapaxes(curvature, -1, -2)) / 2


def _newton_step(rotation: Array, gradient: Array, curvature: Array, damping: Array) -> Array:
    """Return rotations after a Newton step that ascends along every eigenvector of the Hessian."""
    values, vectors = np.linalg.eigh(curvature)
    along = (np.swapaxes(vectors, -1, -2) @ gradient[..., None])[..., 0]
    step = (vectors @ (along / (np.abs(values) + damping[:, None]))[..., None])[..., 0]
    turn = np.tensordot(step, _planes(rotation.shape[-1]), axes=1)
    identity = np.eye(rotation.shape[-1])
    # Cayley's transform is orthogonal, and equals exp(W) to second order.
    return np.linalg.solve(identity - turn / 2, (identity + turn / 2) @ rotation)


def _planes(size: int) -> Array:
    """Return antisymmetric matrices [plane, dimension, dimension], one per coordinate plane."""
    first, second = np.triu_indices(size, 1)
    planes, each = np.zeros((len(first), size, size)), np.arange(len(first))
    planes[each, first, second], planes[each, second, first] = 1.0, -1.0
    return planes
