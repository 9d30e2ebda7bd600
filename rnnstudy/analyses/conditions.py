"""Conditions on the fields of networks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnstudy.core.errors import suggestion

Where = Mapping[str, Any]
"""Field of the networks -> the wanted value, or a tuple of several; empty for all networks."""


def has_values(fields: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Return whether a network has, for each field, the wanted value or one of several."""
    return all(
        any(equal_values(fields[name], value) for value in as_tuple(wanted))
        for name, wanted in where.items()
    )


def equal_values(a: Any, b: Any) -> bool:
    """Return whether two values are equal, where 1 equals 1.0 but not true."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return several wanted values, or a single one, as a tuple."""
    return value if isinstance(value, tuple) else (value,)


def condition_text(where: Mapping[str, Any]) -> str:
    """Return a condition as text: `cell=gru or lstm, units=32`; empty for none."""
    return ", ".join(
        f"{name}={' or '.join(map(str, as_tuple(wanted)))}" for name, wanted in where.items()
    )


def condition_error(where: Mapping[str, Any], known: Mapping[str, Iterable[Any]]) -> str:
    """Return the error of a condition that no network can meet; empty if one may.

    known: field of the networks -> its values.
    """
    if error := unknown_field_error(where, list(known)):
        return error
    for name, wanted in where.items():
        for value in as_tuple(wanted):
            if not any(equal_values(value, other) for other in known[name]):
                return f"{name} is {value!r}, which no network has"
    return ""


def unknown_field_error(
    names: Iterable[str], fields: Sequence[str], hidden: Iterable[str] = ()
) -> str:
    """Return the error of a name that is no field of the networks; empty if all are.

    hidden: fields that all networks have, though no table names them.
    """
    known = list(dict.fromkeys([*fields, *hidden]))
    for name in names:
        if name not in known:
            return (
                f"{name!r} is no field of these networks; there are: {', '.join(fields)}"
                f"{suggestion(name, known)}"
            )
    return ""
