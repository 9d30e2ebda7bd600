"""Fields of networks as factors, and strata of the other fields."""

from collections.abc import Iterable, Sequence

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.conditions import unknown_field_error
from rnnstudy.training.protocol import Training

NO_FACTORS = frozenset({"task", "seed"})
"""Fields that are no factors: they do not describe the kind of a network."""


def varying_factors(
    members: Sequence[Member], factors: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the factors that differ between the members, and those of `factors` that do not.

    factors: default all. Raises ValueError if one of them is no field of a network.
    """
    fields = [
        name
        for name in dict.fromkeys(n for member in members for n in member.fields)
        if name not in NO_FACTORS
    ]
    if members and (error := unknown_factor_error(factors, fields)):
        raise ValueError(error)
    wanted = fields if factors is None else list(dict.fromkeys(factors))
    varying = tuple(name for name in wanted if len(set(factor_values(name, members))) > 1)
    return varying, tuple(name for name in factors or () if name not in varying)


def unknown_factor_error(factors: Sequence[str] | None, fields: Iterable[str]) -> str:
    """Return the error of a factor that is no field of the networks; empty if all are."""
    known = [name for name in fields if name not in NO_FACTORS]
    return unknown_field_error(factors or (), known, hidden=Training.model_fields)


def factor_values(name: str, members: Sequence[Member]) -> list[str]:
    """Return each member's value of a factor."""
    return [str(member.fields.get(name)) for member in members]


def strata_of(name: str, members: Sequence[Member]) -> list[str]:
    """Return each member's stratum: all fields but the factor and the seed.

    Permutation tests exchange the values of the factor within strata.
    """
    excluded = {*NO_FACTORS, name}
    if name == "cell":
        # Fields that not all cells have are part of what the cell is.
        excluded |= {n for member in members for n, value in member.fields.items() if value is None}
    return [
        ", ".join(f"{n}={v}" for n, v in member.fields.items() if n not in excluded)
        for member in members
    ]
