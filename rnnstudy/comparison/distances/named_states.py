"""Representations of networks with names: from a list, a dict, or a single network."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.arguments import check_labels, summarise_value
from rnnstudy.metrics import Metric


class NamedStates(NamedTuple):
    """Representations of several networks and their names.

    Examples
    --------
    >>> NamedStates(("a",), [np.zeros((3, 2))]).names
    ('a',)
    """

    names: tuple[str, ...]
    states: list[Any]


def named_states(
    states: Any,
    metric: Metric,
    labels: Sequence[str] | None = None,
    argument: str = "states",
    may_be_single: bool = False,
) -> NamedStates:
    """Return representations with their names.

    Parameters
    ----------
    states : list, dict or array
        Representations of networks, as the metric takes them. A dict has names as keys.
    metric : Metric
        Metric that compares them.
    labels : sequence of str, optional
        Names for a list. Default: "0", "1", ...
    argument : str, default "states"
        Name of the argument in messages.
    may_be_single : bool, default False
        True if the representation of one network may stand for a list of it.

    Returns
    -------
    NamedStates
        Names and representations, in the given order.

    Raises
    ------
    TypeError
        If the representations are neither a list nor a dict.
    ValueError
        If there are none, or the labels do not fit.

    Examples
    --------
    >>> from rnnstudy.metrics import CKA
    >>> named_states({"a": np.eye(3), "b": np.eye(3)}, CKA()).names
    ('a', 'b')
    """
    if isinstance(states, Mapping):
        if labels is not None:
            raise ValueError(
                f"labels must not be given for a dict of {argument}, got {len(labels)} labels. "
                "Its keys are the labels."
            )
        labels, states = list(states), list(states.values())
    elif may_be_single and _is_single(states, metric):
        states = [states]
    listed = _as_list(states, argument)
    names = default_labels(labels, len(listed))
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"labels must differ, got {repeated!r} for more than one item. Rename one."
        )
    return NamedStates(names, listed)


def default_labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Return the labels of so many representations; default: "0", "1", ..."""
    if labels is None:
        return tuple(str(i) for i in range(count))
    names: tuple[Any, ...] = tuple(check_labels("labels", labels))
    if len(names) != count:
        raise ValueError(
            f"labels must be {count}, one for each representation, got {len(names)}. Give all."
        )
    return names


def _is_single(states: Any, metric: Metric) -> bool:
    """Return True for the representation of one network."""
    if metric.driven:
        is_pair = isinstance(states, tuple | list) and len(states) == 2
        return is_pair and all(isinstance(part, np.ndarray) for part in states)
    return isinstance(states, np.ndarray) and states.ndim == (3 if metric.trajectories else 2)


def _as_list(states: Any, argument: str) -> list[Any]:
    is_array = isinstance(states, np.ndarray) and states.ndim < 3
    if is_array or isinstance(states, str | bytes) or not hasattr(states, "__iter__"):
        raise TypeError(
            f"{argument} must be a list of arrays [sample, unit], one for each network, or a dict "
            f"of them, got {summarise_value(states)}. Pass [x, y]."
        )
    representations = list(states)
    if not representations:
        raise ValueError(
            f"{argument} must have at least one array, got an empty list. Pass [x, y]."
        )
    return representations
