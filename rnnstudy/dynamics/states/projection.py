"""Principal components of states."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """Principal components of states.

    Parameters
    ----------
    mean
        Mean of the states, `[state]`.
    axes
        Orthonormal directions of largest variance first, `[component, state]`. They are fewer than
        `dimensions` if there are fewer states or entries of a state.
    dimensions
        Number of coordinates of a projection.

    Examples
    --------
    >>> import numpy as np
    >>> states = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> np.abs(principal_components(states).project(states)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    """

    mean: Array
    axes: Array
    dimensions: int

    def project(self, states: Array) -> Array:
        """Return coordinates `[..., component]` of states `[..., state]`, zero beyond the axes."""
        return self.project_directions(states - self.mean)

    def project_directions(self, directions: Array) -> Array:
        """Return coordinates `[..., component]` of differences of states `[..., state]`."""
        coordinates = np.zeros((*directions.shape[:-1], self.dimensions))
        coordinates[..., : len(self.axes)] = directions @ self.axes.T
        return coordinates


def principal_components(states: Array, dimensions: int = 3) -> PrincipalComponents:
    """Return the principal components of the finite ones among states `[point, state]`.

    The first coordinates take their place if there is no finite state.
    """
    finite = states[np.isfinite(states).all(axis=1)]
    size = states.shape[1]
    if not len(finite):
        return PrincipalComponents(np.zeros(size), np.eye(min(size, dimensions), size), dimensions)
    mean = finite.mean(axis=0)
    return PrincipalComponents(mean, principal_axes(finite - mean)[1][:dimensions], dimensions)


def principal_axes(centred: Array) -> tuple[Array, Array]:
    """Return singular values `[..., component]` and axes `[..., component, state]` of states
    `[..., point, state]` whose mean is zero."""
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    return sizes, axes
