"""Some of many networks, by fields and the values that they should have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnstudy.core.errors import suggestion


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


def unknown_field(names: Iterable[str], there: Sequence[str], also: Iterable[str] = ()) -> str:
    """What is wrong with names of fields that networks do not have; empty if nothing. `also` are
    fields that all networks have, though no table names them."""
    known = list(dict.fromkeys([*there, *also]))
    for name in names:
        if name not in known:
            return (
                f"{name!r} is no field of these networks; there are: {', '.join(there)}"
                f"{suggestion(name, known)}"
            )
    return ""
