"""Tables and pictures of transitions between the words of a memory."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.members import found_by, typical_members
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix, Panels, Table
from rnnstudy.dynamics.connections.transition_record import Transitions


def transition_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """What `transitions`, called `title` in the study, shows of one task."""
    found, groups = found_by(section, title, Transitions)
    if not groups:
        return
    yield _summary(groups, title)
    shown = [m for m in typical_members(section) if m.name in found and len(found[m.name])]
    if shown and not any(found[m.name].pulses.any() for m in shown):
        widest = max(float(np.ptp(found[m.name].intervals(), axis=1).max()) for m in shown)
        yield Panels(
            title=f"Transitions of typical networks, {title}",
            caption="Of each combination, the solved network of median loss: probability that a "
            "trial which begins at the stable point of a row's word, with noise, ends at that of a "
            f"column's. {found[shown[0].name].confidence:.0%} intervals (Wilson) are no wider than "
            f"{widest:.2g}.",
            exhibits=[_matrix(member, found[member.name]) for member in shown],
        )


def _summary(groups: Mapping[str, Sequence[Transitions]], title: str) -> Table:
    columns: dict[str, list[Any]] = {"networks": list(groups)}
    columns["networks looked at"] = [len(records) for records in groups.values()]
    shares = [np.array([_shares(record) for record in records]) for records in groups.values()]
    for name, statistic in (("", np.median), (", lowest", np.min), (", highest", np.max)):
        columns[f"as asked{name}"] = [_over(statistic, own[:, 0]) for own in shares]
    for i, name in enumerate(("one bit off", "further off", "at no stable point"), 1):
        columns[name] = [_over(np.median, own[:, i]) for own in shares]
    return Table(
        title=f"Transitions between words, {title}",
        caption="Share of trials that end at the word that is asked for (the one that they begin "
        "with, its bits set by the pulse if there is one), at one with a single wrong bit, at "
        "others, or at no stable point: medians over networks, of the first extremes, too. Empty "
        "where no network has a stable point.",
        columns=columns,
    )


def _shares(record: Transitions) -> Array:
    """Share of the trials that end at the word asked for, one bit off, further off, nowhere."""
    if not len(record):
        return np.full(4, np.nan)
    words, there = record.signs, record.target >= 0
    asked = words[np.searchsorted(record.stable, record.source)]
    pulse = record.pulses[record.pulse]
    if pulse.shape == asked.shape:
        asked = np.where(pulse != 0.0, np.sign(pulse), asked)
    ends = words[np.searchsorted(record.stable, np.where(there, record.target, record.stable[0]))]
    wrong = np.where(there, np.minimum((asked != ends).sum(axis=1), 2), 3)
    return np.bincount(wrong, record.count, minlength=4) / record.count.sum()


def _over(statistic: Any, values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(statistic(known)) if len(known) else None


def _matrix(member: Member, record: Transitions) -> Matrix:
    """Probabilities at the first input, words in the order of binary numbers."""
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
