"""Networks that analyses and claims leave out, in words, and groups that lose all networks."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from rnnstudy.analyses.base import Member, NetworkChoice
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.component import Address
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord
from rnnstudy.study.plan.task_artefact import TaskArtefact
from rnnstudy.study.store import Store

NO_NETWORKS: dict[NetworkChoice, str] = {
    "solved": "no network is solved",
    "trained": "every network diverged",
    "all": "no network has finite weights",
}
"""Choice of networks -> reason why there are none."""


def reason_for_none(choice: NetworkChoice, left_out: Sequence[tuple[Member, str]]) -> str:
    """Return why no network is left for an analysis, from the networks that are left out."""
    if left_out and all(reason == "diverged" for _, reason in left_out):
        return NO_NETWORKS["trained"]
    return NO_NETWORKS[choice]


def undefined_distances(result: TaskArtefact, store: Store) -> dict[str, str]:
    """Return the networks of a task whose distances are undefined in a result: name -> reason.

    The reason is that of the record of the distances. Results without distances have none.
    """
    if not issubclass(result.analysis.yields, Distances) or result.pending:
        return {}
    address = result.address(store)
    reasons = store.memoise((address, "left out"), lambda: _left_out_of(address, store))
    names = (member.name for member in result.members[: result.n_task_networks])
    return {name: reasons[name] for name in names if name in reasons}


def _left_out_of(address: Address, store: Store) -> Mapping[str, str]:
    """Return what a record of distances leaves out, without reading the distances."""
    with suppress(AbsentRecord, DamagedRecord):  # then there are no distances either
        reasons: Mapping[str, str] = store.read_values(address).get("left_out", {})
        return reasons
    return {}


def networks_left_out(result: TaskArtefact, store: Store) -> list[tuple[Member, str]]:
    """Return the networks of a task that a result leaves out, each with the reason in words.

    It leaves out those that it is not about, and those without distances where it reads distances.
    """
    outside = result.left_out(store)
    sources = {each.analysis.title: undefined_distances(each, store) for each in _sources(result)}
    known = {member.name for member, _ in outside}
    members = (m for m in result.members[: result.n_task_networks] if m.name not in known)
    reasons = ((member, _reason(member.name, sources)) for member in members)
    return [*outside, *((member, reason) for member, reason in reasons if reason)]


def _reason(name: str, sources: Mapping[str, Mapping[str, str]]) -> str:
    """Return why a network has no distances in some sources; empty if it has in all."""
    reasons = {title: left_out[name] for title, left_out in sources.items() if name in left_out}
    if not reasons:
        return ""
    title, reason = next(iter(reasons.items()))
    prefix = "" if len(reasons) == len(sources) else f"in {title} "
    return f"{prefix}because {reason}"


def _sources(result: TaskArtefact) -> list[TaskArtefact]:
    """Return the results with distances that a result reads, at any remove, or itself."""
    if issubclass(result.analysis.yields, Distances):
        return [result]
    return list(dict.fromkeys(each for need in result.needs for each in _sources(need)))


def left_out_words(left_out: Sequence[tuple[Member, str]], members: Iterable[Member]) -> str:
    """Return how many networks are left out and why: `3 not solved (all of lstm relu)`.

    Parameters
    ----------
    left_out
        Networks that are left out, each with the reason.
    members
        All networks.
    """
    if not left_out:
        return ""
    reasons = [reason for _, reason in left_out]
    counts = ", ".join(f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons))
    absent = {member.name for member, _ in left_out}
    present = {member.combination for member in members if member.name not in absent}
    lost = dict.fromkeys(m.combination for m, _ in left_out if m.combination not in present)
    return f"{counts} (all of {', '.join(lost)})" if lost and present else counts


def with_lost_groups(
    evidence: Evidence, members: Sequence[Member], left_out: Sequence[Member], needed: int
) -> Evidence:
    """Return evidence that has too few networks if a group that it compares has lost all of them.

    Parameters
    ----------
    evidence
        Evidence of the networks that are used.
    members, left_out
        Networks of the claim that are used, and those that are not.
    needed
        Smallest number of networks per group.
    """
    lost = _lost_groups(evidence.groups, members, left_out)
    if not lost:
        return evidence
    counts = ", ".join(f"{name} has 0" for name in lost)
    shortage = f"{counts}; it takes {needed} of each"
    others = f"; {evidence.shortage}" if evidence.shortage else ""
    return replace(evidence, shortage=shortage + others)


def _lost_groups(
    groups: Sequence[str], members: Sequence[Member], left_out: Sequence[Member]
) -> list[str]:
    """Return the groups without a network that is used: combinations, or levels of a field."""
    fields = dict.fromkeys(name for member in members for name in member.fields)
    for field in ("combination", *fields):
        present = {_label(member, field) for member in members}
        if groups and present.issuperset(groups):
            absent = dict.fromkeys(_label(member, field) for member in left_out)
            return [name for name in absent if name not in present]
    return []


def _label(member: Member, field: str) -> str:
    return member.combination if field == "combination" else str(member.fields.get(field))
