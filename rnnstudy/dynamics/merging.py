"""Which of many solutions are the same point."""

import numpy as np

Array = np.ndarray


def merge(points: Array, speed: Array, radius: float) -> tuple[Array, Array]:
    """Groups of points [point, state] that chains of steps no longer than `radius` connect.

    Distances are root mean squares over the state. Transitive, so that the answer does not depend
    on the order. Returns each point's group [point] and each group's slowest point [group].
    """
    # Here, because a plan is checked without solving anything and these take a while to import.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    count = len(points)
    near = cKDTree(points).query_pairs(radius * np.sqrt(points.shape[1]), output_type="ndarray")
    edges = coo_array((np.ones(len(near), bool), (near[:, 0], near[:, 1])), (count, count))
    groups, group = connected_components(edges, directed=False)
    order = np.lexsort((speed, group))
    first = np.searchsorted(group[order], np.arange(groups))
    return group, order[first]
