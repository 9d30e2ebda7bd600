"""Conditions on the fields of networks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnstudy.core.errors import suggestion


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
