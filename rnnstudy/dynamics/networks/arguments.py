"""Checks of arguments that users pass to searches, before anything is computed."""

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from rnnstudy.core.arguments import (
    as_float_array,
    as_real_array,
    check_instance,
    check_number,
    check_whole,
    refuse_all_broken,
    summarise_value,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.dynamics.networks.interface import Networks

P = ParamSpec("P")
R = TypeVar("R")

Check = Callable[[str, Any], Any]
"""Name of an argument and its value -> anything; an error for a value that does not fit."""


def check_arguments(**checks: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that checks the arguments of a function before it is called.

    checks: name of an argument -> its check. An argument that is its default is not checked.

    Examples
    --------
    >>> @check_arguments(steps=whole(least=1))
    ... def follow(steps=None):
    ...     return steps
    >>> follow(3), follow()
    (3, None)
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        defaults = {name: signature.parameters[name].default for name in checks}

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                arguments = signature.bind(*args, **kwargs).arguments
            except TypeError:
                return function(*args, **kwargs)  # Python names the argument
            for name, check in checks.items():
                if name in arguments and arguments[name] is not defaults[name]:
                    check(name, arguments[name])
            return function(*args, **kwargs)

        return call

    return decorate


def whole(least: int = 0, remedy: str = "") -> Check:
    """Return a check of a whole number of at least `least`."""
    return partial(check_whole, least=least, remedy=remedy)


def positive(remedy: str = "") -> Check:
    """Return a check of a finite number above 0."""
    return partial(check_number, above=0.0, remedy=remedy)


def instance_of(kind: type, remedy: str) -> Check:
    """Return a check of an object of a class."""
    return partial(check_instance, kind=kind, remedy=remedy)


def record_or(kind: type, check: Check) -> Check:
    """Return a check that all records of a class pass, and other values as by `check`."""

    def check_other(name: str, value: Any) -> None:
        if not isinstance(value, kind):
            check(name, value)

    return check_other


def check_layer(name: str, value: Any) -> None:
    """Raise TypeError unless a value is the name of a layer."""
    check_instance(name, value, str, "Give the name of the recurrent layer, or leave it out.")


check_state_size = whole(least=1, remedy="It is the length of a function's state.")
"""Check of the length of a state."""

check_seed = whole(remedy="It seeds random numbers.")
"""Check of a seed."""


def check_inputs(name: str, values: Any) -> None:
    """Raise ValueError unless values are constant inputs `[input point, input]`."""
    inputs = as_float_array(name, values)
    if inputs.ndim != 2 or not len(inputs):
        raise ValueError(
            f"{name} must be [input point, input], got shape {inputs.shape}. "
            "Give one row per constant input."
        )


def check_driving_inputs(name: str, values: Any) -> None:
    """Raise ValueError unless values are inputs `[time, input]` or one input `[input]`."""
    inputs = as_float_array(name, values)
    if inputs.ndim not in (1, 2) or (inputs.ndim == 2 and not len(inputs)):
        raise ValueError(
            f"{name} must be [input] or [time, input], got shape {inputs.shape}. "
            "Give one row per step."
        )


def check_starts(name: str, values: Any) -> None:
    """Raise ValueError unless values are states `[start, state]`, one of them finite."""
    refuse_all_broken(name, _states(name, values, (2,), "[start, state]", "one row per start"))


def check_member_starts(name: str, values: Any) -> None:
    """Raise ValueError unless values are `[start, state]` or `[member, start, state]`."""
    words = "[start, state] or [member, start, state]"
    refuse_all_broken(name, _states(name, values, (2, 3), words, "one row per start"))


def check_visited(name: str, values: Any) -> None:
    """Raise ValueError unless values are states with a last axis. None needs to be finite."""
    words = "[member, visited, state], or [visited, state] of one network"
    _states(name, values, range(2, 33), words, "at least one state per member")


def _states(
    name: str, values: Any, dimensions: tuple[int, ...] | range, words: str, wanted: str
) -> Array:
    states = as_float_array(name, values, finite=False)
    if states.ndim not in dimensions or not states.size:
        raise ValueError(f"{name} must be {words}, got shape {states.shape}. Give {wanted}.")
    return states


def check_first_states(name: str, values: Any) -> None:
    """Raise ValueError unless values are finite states `[state]` or `[start, state]`."""
    states = as_float_array(name, values)
    if states.ndim not in (1, 2) or not states.size:
        raise ValueError(
            f"{name} must be [state] or [start, state], got shape {states.shape}. "
            "Give one row per start."
        )


def check_attractors(name: str, values: Any) -> None:
    """Raise ValueError unless values are finite states `[attractor, state]`, or none of them."""
    states = as_float_array(name, values)
    if states.ndim != 2 or not states.shape[1]:
        raise ValueError(
            f"{name} must be a FixedPoints or [attractor, state], got shape {states.shape}. "
            "Give one row per attractor."
        )


def check_periods(name: str, values: Any) -> None:
    """Raise ValueError unless values are one or several numbers above 0.

    The search checks that those of a map are whole.
    """
    try:
        periods = np.atleast_1d(as_real_array(name, values))
    except ValueError:
        periods = np.zeros(0)
    if periods.ndim != 1 or not periods.size or (periods <= 0).any():
        raise ValueError(
            f"{name} must be one or several whole numbers above 0, got {summarise_value(values)}. "
            "Use 4, or range(1, 5). A vector field takes times above 0."
        )


def check_points(name: str, value: Any) -> None:
    """Raise TypeError unless a value is a record of points with states, inputs and members."""
    is_record = isinstance(value, Record)
    if not is_record or not all(hasattr(value, each) for each in ("state", "inputs", "member")):
        raise TypeError(
            f"{name} must be a record of fixed or slow points, got {summarise_value(value)}. "
            "Use find_fixed_points."
        )


def constant_inputs(networks: Networks, values: Any) -> Array:
    """Return constant inputs `[input point, input]`; None stands for one point, zeros."""
    if values is None:
        return np.zeros((1, networks.inputs))
    inputs = as_float_array("inputs", values)
    if inputs.ndim != 2 or inputs.shape[1] != networks.inputs or not len(inputs):
        raise ValueError(
            f"inputs must be [input point, {networks.inputs}], got shape {inputs.shape}. "
            "Give one row per constant input."
        )
    return inputs
