"""Tables and figures of transitions between the words of a memory."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.members import (
    Groups,
    Summary,
    finite_summary,
    records_by_combination,
    summary_by_combination,
    typical_members,
    typical_words,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix, Panels, Table
from rnnstudy.dynamics.connections.transition_record import Transitions


def transition_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title` for one task."""
    records, groups = records_by_combination(section, title, Transitions)
    if not groups:
        return
    yield _summary(groups, title)
    members = [m for m in typical_members(section) if m.name in records and len(records[m.name])]
    if members and not any(records[m.name].pulses.any() for m in members):
        widest = max(float(np.ptp(records[m.name].intervals(), axis=1).max()) for m in members)
        level = records[members[0].name].confidence
        yield Panels(
            title=f"Transitions of typical networks, {title}",
            caption=f"{typical_words(section)}: probability that a "
            "trial which begins at the stable point of a row's word, with noise, ends at that of a "
            f"column's. {level:.0%} intervals (Wilson) are no wider than {widest:.2g}.",
            exhibits=[_matrix(member, records[member.name]) for member in members],
        )


def _summary(groups: Groups[Transitions], title: str) -> Table:
    columns: dict[str, Summary[Transitions]] = {"number of networks": len}
    for name, statistic in (("", np.median), (", lowest", np.min), (", highest", np.max)):
        columns[f"at the target{name}"] = finite_summary(partial(_share, 0), statistic)
    for i, name in enumerate(("one bit off", "further off", "at no stable point"), 1):
        columns[name] = finite_summary(partial(_share, i))
    return Table(
        title=f"Transitions between words, {title}",
        caption="Share of trials that end at the target word (the one that they begin with, its "
        "bits set by the pulse if there is one), at one with a single wrong bit, at others, or at "
        "no stable point: medians over networks, of the first extremes, too. Empty where no "
        "network has a stable point.",
        columns=summary_by_combination(groups, columns),
    )


def _share(errors: int, record: Transitions) -> float:
    """Return the share of trials with 0, 1 or more wrong bits, or (3) at no stable point."""
    if not len(record):
        return float("nan")
    words, arrived = record.signs, record.target >= 0
    targets = words[np.searchsorted(record.stable, record.source)]
    pulse = record.pulses[record.pulse]
    if pulse.shape == targets.shape:
        targets = np.where(pulse != 0.0, np.sign(pulse), targets)
    ends = np.where(arrived, record.target, record.stable[0])
    wrong_bits = (targets != words[np.searchsorted(record.stable, ends)]).sum(axis=1)
    outcome = np.where(arrived, np.minimum(wrong_bits, 2), 3)
    counts: Array = np.bincount(outcome, record.count, minlength=4)
    return float(counts[errors] / record.count.sum())


def _matrix(member: Member, record: Transitions) -> Matrix:
    """Return probabilities at the first input, words in the order of binary numbers."""
    stable, counts = record.counts(0, int(record.input_index[0]))
    words = record.signs[np.searchsorted(record.stable, stable)]
    order = np.lexsort(words.T[::-1])
    return Matrix(
        title=member.combination,
        caption=member.name,
        values=counts[0][np.ix_(order, order)] / record.trials,
        labels=["".join("-0+"[sign + 1] for sign in words[i]) for i in order],
        value_label="probability",
    )
