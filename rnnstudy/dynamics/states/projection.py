"""Projection of states to principal components."""

import numpy as np

from rnnstudy.core.arrays import Array


def project_to_components(states: Array) -> Array:
    """States [point, state] in their first three principal components, or as many as there are."""
    places = np.zeros((len(states), 3))
    if len(states):
        centred = states - states.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:3]
        places[:, : len(axes)] = centred @ axes.T
    return places
