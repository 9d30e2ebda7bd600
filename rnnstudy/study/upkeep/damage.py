"""Records of a study that its store holds and that cannot be read."""

import os
from collections.abc import Iterator

from rnnstudy.core.storage.errors import AbsentRecord, CorruptRecord, NewerRecord, UnreadableRecord
from rnnstudy.study.plan.outcomes import outcome_address
from rnnstudy.study.plan.selection import SelectionGroup, SelectionResult, selection_result
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import snapshot_of

NAMED_RECORDS = 5
"""Damaged records that a sentence names."""


def damage_in_words(run: Run) -> str:
    """Return a sentence on the damaged records of a study; empty if there are none.

    These are records that the run has tried to read, and records that lack files or bytes.

    Parameters
    ----------
    run
        The results.
    """
    reasons = dict(run.damage)
    for group in run.index.groups:
        if reason := _damage_of_selection(run, group):
            reasons[group.address] = f"selection of {group.name}: {reason}"
    for address, label in _addresses(run):
        if address not in reasons and (reason := _damage(run, address)):
            reasons[address] = f"{label}: {reason}"
    more = [f"and {len(reasons) - NAMED_RECORDS} more"] if len(reasons) > NAMED_RECORDS else []
    return "; ".join([*list(reasons.values())[:NAMED_RECORDS], *more])


def _damage_of_selection(run: Run, group: SelectionGroup) -> str:
    """Return why the result of a selection cannot be read; empty if it can, or if there is none."""
    if selection_result(group, snapshot_of(run.store)) is not None:
        return ""
    try:
        run.store.read(group.address, SelectionResult)
    except AbsentRecord:
        return ""
    except CorruptRecord as error:
        return str(error)
    return ""


def _damage(run: Run, address: str) -> str:
    """Return why a record is not whole; empty if it is, or if there is none."""
    if run.store.has(address) or not os.path.lexists(run.store.folder(address)):
        return ""
    try:
        run.store.read_values(address)
    except (UnreadableRecord, NewerRecord):
        raise  # it may be whole
    except CorruptRecord as error:
        return str(error)
    return f"{run.store.folder(address)} is damaged: it is not whole"


def _addresses(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the addresses of a study's results, and what each holds."""
    store, index = snapshot_of(run.store), run.index.selected
    for member, network in index.pairs:
        yield network.key(), f"network '{member.name}'"
        yield outcome_address(network), f"outcome of '{member.name}'"
        for bound in index.member_analyses:
            address = index.records(bound)[network.key()]
            yield address, f"{bound.title} of '{member.name}'"
            yield index.address_in(store, address), f"{bound.title} of '{member.name}'"
    for result in index.results:
        for complete in (True, False):
            yield result.address(store, complete=complete), result.analysis.step
