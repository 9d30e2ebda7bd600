"""Fields of networks as factors, and strata of the other fields."""

from collections.abc import Iterable, Sequence

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.conditions import unknown_field
from rnnstudy.training.protocol import Training

NO_FACTORS = frozenset({"task", "seed"})
"""Fields of a network that say nothing of its kind."""


def varying(
    members: Sequence[Member], asked: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Factors that differ between the members, and those asked for that do not.

    ValueError if a factor that is asked for is no field of a network.
    """
    fields = [
        name
        for name in dict.fromkeys(n for member in members for n in member.fields)
        if name not in NO_FACTORS
    ]
    if wrong := unknown(asked, fields):
        raise ValueError(wrong)
    wanted = fields if asked is None else list(dict.fromkeys(asked))
    differing = tuple(name for name in wanted if len(set(values_of(name, members))) > 1)
    return differing, tuple(name for name in asked or () if name not in differing)


def unknown(factors: Sequence[str] | None, fields: Iterable[str]) -> str:
    """What is wrong with factors that networks with these fields do not have; empty if nothing."""
    there = [name for name in fields if name not in NO_FACTORS]
    return unknown_field(factors or (), there, also=Training.model_fields)


def values_of(name: str, members: Sequence[Member]) -> list[str]:
    """What each member has for a factor."""
    return [str(member.fields.get(name)) for member in members]


def strata_of(name: str, members: Sequence[Member]) -> list[str]:
    """What each member has in common with those that its value of a factor is exchanged with."""
    apart = {*NO_FACTORS, name}
    if name == "cell":
        # Fields that not all cells have are part of what the cell is.
        apart |= {n for member in members for n, value in member.fields.items() if value is None}
    return [
        ", ".join(f"{n}={v}" for n, v in member.fields.items() if n not in apart)
        for member in members
    ]
