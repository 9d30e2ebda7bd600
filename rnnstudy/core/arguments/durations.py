"""Durations of settings: numbers of steps or milliseconds, or text with a unit.

A component with a field `dt`, the milliseconds of a step, may mark its fields of durations. Such a
field takes `80ms` or `0.08s` as well as a number.
"""

import re
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

UNITS = {"ms": 1.0, "s": 1000.0}
"""Unit of a duration -> its milliseconds."""

DURATION = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)? ?(ms|s)")

DURATION_PATTERN = f"^({DURATION.pattern})$"

WHOLE_ERROR = 1e-9
"""Relative distance of a number of steps from a whole one that rounding explains."""


def as_milliseconds(value: Any) -> float | None:
    """Return the milliseconds of a text such as `80ms` or `0.08s`; None for anything else.

    Examples
    --------
    >>> as_milliseconds("0.08s"), as_milliseconds("80ms"), as_milliseconds("80")
    (80.0, 80.0, None)
    """
    match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    number, exponent, unit = match.groups()
    return float(number + (exponent or "")) * UNITS[unit]


def seconds_per_step(*owners: Any) -> float | None:
    """Return the seconds of a step from the first `dt`, in ms, of a task or cell; None if unknown.

    Raises ValueError if two of them differ.
    """
    known = {
        type(owner).__name__: float(owner.dt)
        for owner in owners
        if getattr(owner, "dt", None) is not None
    }
    if len(set(known.values())) > 1:
        listed = ", ".join(f"{dt:g} ms of {name}" for name, dt in known.items())
        raise ValueError(f"dt must be the same in task and cell, got {listed}. Change one of them.")
    return next(iter(known.values())) / 1000.0 if known else None


class DurationField:
    """Annotation of a field that takes a duration as text.

    Parameters
    ----------
    in_steps
        The value is a whole number of steps of the component's `dt`. Otherwise milliseconds.
    """

    def __init__(self, in_steps: bool) -> None:
        self.in_steps = in_steps

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_before_validator_function(self.convert, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        number = handler(schema)
        return {"anyOf": [number, {"type": "string", "pattern": DURATION_PATTERN}]}

    def convert(self, value: Any, info: ValidationInfo) -> Any:
        """Return a text with a unit as a number; any other value as it is."""
        duration = as_milliseconds(value)
        if duration is None or not self.in_steps:
            return value if duration is None else duration
        return _whole_steps(value, duration, info.data.get("dt"))


def _whole_steps(text: str, duration: float, dt: float | None) -> int:
    """Return the steps of a duration; an error unless dt is known and they are a whole number."""
    if dt is None:
        raise PydanticCustomError(
            "unknown_step",
            "is '{text}', but the length of a step is not known; "
            "add 'dt', its milliseconds, or give a number of steps",
            {"text": text},
        )
    steps = duration / dt
    if abs(steps - round(steps)) > WHOLE_ERROR * max(1.0, steps):
        raise PydanticCustomError(
            "broken_step",
            "is '{text}', which is {steps} steps of {dt} ms; it should be a multiple of {dt}ms",
            {"text": text, "steps": f"{steps:.6g}", "dt": f"{dt:g}"},
        )
    return round(steps)


STEPS = DurationField(in_steps=True)
"""Annotation of a field in steps: `Annotated[int, Field(ge=2), STEPS]`."""

MILLISECONDS = DurationField(in_steps=False)
"""Annotation of a field in milliseconds, such as `dt` or a time constant."""

Steps = Annotated[int, STEPS]
"""Type of a field of a task of one's own: a number of steps, or text such as `80ms`."""
