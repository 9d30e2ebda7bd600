"""Masks of the other networks that a trained network is compared with.

Masks are [network, item]: for each trained network of a record, in order, some of all its items.
"""

import numpy as np

from rnnstudy.analyses.distances.controls import PLANTED, TRAINED, UNTRAINED, ControlDistances
from rnnstudy.analyses.factors.fields import NO_FACTORS, factor_values, strata_of
from rnnstudy.comparison.statistics.nearness import Nearness, nearness_test
from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.core.arrays import Array

ITSELF = "itself, untrained"


def control_trainings(distances: ControlDistances) -> list[str]:
    """Return the kinds of controls: untrained, standard, and `trained on` each other task."""
    return [each for each in dict.fromkeys(distances.learnt) if each not in (TRAINED, PLANTED)]


def same_network(distances: ControlDistances) -> Array:
    """Return the mask of each network before training."""
    return _one_network(distances) & _with_training(distances, UNTRAINED)


def same_kind(distances: ControlDistances, learnt: str) -> Array:
    """Return the mask of others with a training that agree in everything but the seed."""
    kinds = integer_codes(_kinds(distances))
    alike = kinds[distances.at(TRAINED), None] == kinds
    return alike & _with_training(distances, learnt) & ~_one_network(distances)


def other_value(distances: ControlDistances, factor: str) -> Array:
    """Return the mask of trained others that differ only in a factor and the seed."""
    strata = integer_codes(strata_of(factor, distances.members))
    values = integer_codes(factor_values(factor, distances.members))
    trained = distances.at(TRAINED)
    differ: Array = (strata[trained, None] == strata) & (values[trained, None] != values)
    return differ & _with_training(distances, TRAINED)


def mean_distances(distances: ControlDistances, mask: Array) -> Array:
    """Return the mean distance of each trained network to its others; NaN without any."""
    count = mask.sum(axis=1)
    total = (distances.values[distances.at(TRAINED)] * mask).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def nearness_to_controls(
    distances: ControlDistances, control: str, factor: str, level: str | None = None
) -> tuple[Nearness, list[int]]:
    """Compare distances to controls of a network's kind with those to another value of a factor.

    Parameters
    ----------
    distances
        Distances with controls.
    control
        Kind of the controls: untrained, standard, or trained on another task.
    factor
        Field of the grid in which the trained others differ.
    level
        Value of the factor of the compared networks; default: all values.

    Returns
    -------
    Nearness, list of int
        The nearness, and the positions of the trained networks with others of both kinds.

    Raises
    ------
    ValueError
        If no network has others of both kinds.
    """
    controls, others = same_kind(distances, control), other_value(distances, factor)
    has_both = controls.any(axis=1) & others.any(axis=1)
    if level is not None:
        members = distances.members
        values = factor_values(factor, [members[i] for i in distances.at(TRAINED)])
        has_both &= np.array(values) == level
    if not has_both.any():
        network = f"some {level} network" if level else "some network"
        raise ValueError(
            f"{network} must have others of its kind ({control}) and trained ones of another "
            f"{factor}, got none"
        )
    controls, others = controls[has_both], others[has_both]
    rows = np.array(distances.at(TRAINED))[has_both]
    is_used: Array = np.asarray((controls | others).any(axis=0))
    is_used[rows] = True
    names = [n for n, used in zip(distances.networks, is_used, strict=True) if used]
    networks = integer_codes(names)
    first = np.unique(networks, return_index=True)[1]
    position = np.cumsum(is_used) - 1
    nearness = nearness_test(
        distances.values[np.ix_(rows, is_used)],
        controls[:, is_used],
        others[:, is_used],
        (networks[position[rows]], networks),
        _tasks_and_kinds(distances)[is_used][first],
    )
    return nearness, rows.tolist()


def _with_training(distances: ControlDistances, learnt: str) -> Array:
    return np.array([each == learnt for each in distances.learnt], bool)


def _one_network(distances: ControlDistances) -> Array:
    names = integer_codes(distances.networks)
    mask: Array = names[distances.at(TRAINED), None] == names
    return mask


def _tasks_and_kinds(distances: ControlDistances) -> Array:
    """Return the group of each item's network, whose size the study fixes: one task and kind."""
    tasks = factor_values("task", distances.members)
    return integer_codes(list(zip(_kinds(distances), tasks, strict=True)))


def _kinds(distances: ControlDistances) -> list[tuple[str, ...]]:
    """Return the kind of each item's network: all fields but the task and the seed."""
    return [
        tuple(f"{name}={value}" for name, value in fields.items() if name not in NO_FACTORS)
        for fields in distances.fields
    ]
