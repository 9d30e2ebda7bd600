"""Members of an analysis, grouped by combination."""

from collections.abc import Sequence
from typing import TypeVar

from rnnstudy.analyses.base import Member, Section
from rnnstudy.core.record import Record

Found = TypeVar("Found", bound=Record)


def combinations(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Members by cell and activation, in the order of the grid."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.combination, []).append(member)
    return groups


def found_by(
    section: Section, title: str, kind: type[Found]
) -> tuple[dict[str, Found], dict[str, list[Found]]]:
    """Records of a kind that the analysis called `title` made, by network; and by combination."""
    found = {
        name: record
        for name, record in section.records.get(title, {}).items()
        if isinstance(record, kind)
    }
    groups = {
        combination: [found[m.name] for m in members if m.name in found]
        for combination, members in combinations(section.members).items()
    }
    return found, {combination: records for combination, records in groups.items() if records}


def typical_members(section: Section) -> list[Member]:
    """Of each combination, the solved network of median loss (any trained one if none is)."""
    found = []
    for members in combinations(section.members).values():
        trained = [m for m in members if m.name in section.trained]
        usable = [m for m in trained if section.trained[m.name].status[0] == "trained"]
        solved = [m for m in usable if section.trained[m.name].solved[0]]
        ranked = sorted(solved or usable, key=lambda m: section.trained[m.name].evaluation_loss[0])
        if ranked:
            found.append(ranked[(len(ranked) - 1) // 2])
    return found
