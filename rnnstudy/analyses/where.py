"""Some of many networks, by fields and the values that they should have."""

from collections.abc import Mapping
from typing import Any


def meets(fields: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a network with these fields has the wanted value, or one of the wanted, of each."""
    return all(
        any(same(fields[name], value) for value in as_tuple(wanted))
        for name, wanted in where.items()
    )


def same(a: Any, b: Any) -> bool:
    """Equal, where 1 is 1.0 but not true."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One wanted value, or several."""
    return value if isinstance(value, tuple) else (value,)
