"""Checks of numbers, counts and levels that users pass."""

from math import isfinite
from typing import Any

import numpy as np

from rnnstudy.core.arguments.objects import summarise_value


def check_whole(
    name: str, value: Any, least: int = 0, most: int | None = None, remedy: str = ""
) -> int:
    """Return a whole number from `least` to `most`; booleans and fractions are none."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(
            f"{name} must be a whole number {limits}, got {summarise_value(value)}."
            + (f" {remedy}" if remedy else "")
        )
    return int(value)


def check_number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    remedy: str = "",
) -> float:
    """Return a finite number within limits; `above` is a limit that the number itself exceeds."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    number = float(value) if is_number and not isinstance(value, bool) else float("nan")
    fits = isfinite(number)
    fits = fits and (least is None or number >= least) and (above is None or number > above)
    if not fits or (most is not None and number > most):
        limits = [
            f"{word} {limit:g}"
            for word, limit in (("at least", least), ("above", above), ("at most", most))
            if limit is not None
        ]
        wanted = f"a finite number {' and '.join(limits)}".rstrip()
        raise ValueError(
            f"{name} must be {wanted}, got {summarise_value(value)}."
            + (f" {remedy}" if remedy else "")
        )
    return number


def check_level(name: str, value: Any) -> float:
    """Return a level of intervals or tests: a number between 0 and 1, both excluded."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool) or not 0.0 < value < 1.0:
        raise ValueError(
            f"{name} must be a number between 0 and 1, got {summarise_value(value)}. 95 % is 0.95."
        )
    return float(value)
