"""What selection came to, for reading: a table of all candidates, and how close they were."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.exhibit import Exhibit, Note, Panels, Strip, Table
from rnnstudy.study.plan.selection import Choice, Contest, score_of

Outcome = tuple[Contest, Choice | None]
"""A contest, and its choice as soon as there is one."""


def columns(outcomes: Sequence[Outcome], fields: Iterable[str]) -> dict[str, list[Any]]:
    """One row per candidate of each contest; a field that an override keeps is left out there."""
    names = ("networks", *fields, "pilots", "diverged", "validation_loss", "chosen")
    found: dict[str, list[Any]] = {name: [] for name in names}
    for contest, choice in outcomes:
        for row in _rows(contest, choice):
            for name in names:
                found[name].append(row.get(name))
    return found


def _rows(contest: Contest, choice: Choice | None) -> Iterable[Mapping[str, Any]]:
    score = None if choice is None else score_of(choice.loss, contest.rule.by)
    for i, candidate in enumerate(contest.candidates):
        row = {"networks": contest.name, **candidate, "pilots": contest.rule.seeds}
        if choice is not None and score is not None:
            row["diverged"] = int(np.isinf(choice.loss[i]).sum())
            row["validation_loss"] = float(score[i]) if np.isfinite(score[i]) else None
            row["chosen"] = i == choice.chosen
        yield row


def exhibits(outcomes: Sequence[Outcome], fields: Iterable[str]) -> Iterable[Exhibit]:
    """What was chosen and why, of the contests of one task."""
    if not outcomes:
        return
    rule = outcomes[0][0].rule
    yield Table(
        title="Candidates",
        caption=f"With each candidate, {rule.seeds} pilot networks were trained; the candidate of "
        f"the lowest {rule.by} validation loss was chosen (mean squared error on trials that serve "
        "nothing else). A pilot that diverged counts as an infinite loss, which is left empty.",
        columns=columns(outcomes, fields),
    )
    decided = [(contest, choice) for contest, choice in outcomes if choice is not None]
    hopeless = [contest.name for contest, choice in decided if _hopeless(contest, choice)]
    if hopeless:
        yield Note(
            title="No good candidate",
            text=f"Every candidate lost pilots for {', '.join(hopeless)}: the one that lost the "
            "fewest was taken. Offer gentler values.",
        )
    yield Panels(
        title="Validation loss of every pilot",
        caption="One dot per pilot network, one row per candidate, a bar at their median.",
        exhibits=[_strip(contest, choice) for contest, choice in decided],
    )


def _hopeless(contest: Contest, choice: Choice) -> bool:
    return not np.isfinite(score_of(choice.loss, contest.rule.by)).any()


def _strip(contest: Contest, choice: Choice) -> Strip:
    pilots = choice.loss.shape[1]
    words = [contest.words(i) for i in range(len(contest.candidates))]
    words[choice.chosen] += " (chosen)"
    return Strip(
        title=contest.name,
        values=choice.loss.ravel(),
        categories=[word for word in words for _ in range(pilots)],
        labels=[name for name, _ in contest.pilots],
        value_label="validation loss",
        log=True,
    )
