"""Table and figures of selections: all candidates and their losses."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.exhibit import Exhibit, Note, Panels, Strip, Table
from rnnstudy.study.plan.selection import SelectionGroup, SelectionResult, candidate_scores

Selected = tuple[SelectionGroup, SelectionResult | None]
"""A group of networks, and the result of its selection, if there is one."""


def columns(selections: Sequence[Selected], fields: Iterable[str]) -> dict[str, list[Any]]:
    """Return one row per candidate of each group; fields that an override sets are empty."""
    names = ("networks", *fields, "pilots", "diverged", "validation_loss", "chosen")
    rows = [row for group, result in selections for row in _rows(group, result)]
    return {name: [row.get(name) for row in rows] for name in names}


def _rows(group: SelectionGroup, result: SelectionResult | None) -> Iterable[Mapping[str, Any]]:
    score = None if result is None else candidate_scores(result.loss, group.rule.statistic)
    for i, candidate in enumerate(group.candidates):
        row = {"networks": group.name, **candidate, "pilots": group.rule.seeds}
        if result is not None and score is not None:
            row["diverged"] = int(np.isinf(result.loss[i]).sum())
            row["validation_loss"] = float(score[i]) if np.isfinite(score[i]) else None
            row["chosen"] = i == result.chosen
        yield row


def selection_exhibits(selections: Sequence[Selected], fields: Iterable[str]) -> Iterable[Exhibit]:
    """Yield table and figures of the selections of one task."""
    if not selections:
        return
    rule = selections[0][0].rule
    yield Table(
        title="Candidates",
        caption=f"With each candidate, {rule.seeds} pilot networks were trained; the candidate of "
        f"the lowest {rule.statistic} validation loss was chosen (on trials that serve nothing "
        "else). A pilot that diverged counts as an infinite loss, which is left empty.",
        columns=columns(selections, fields),
    )
    decided = [(group, result) for group, result in selections if result is not None]
    hopeless = [group.name for group, result in decided if _hopeless(group, result)]
    if hopeless:
        yield Note(
            title="No good candidate",
            text=f"Every candidate lost pilots for {', '.join(hopeless)}: the one that lost the "
            "fewest was taken. Offer gentler values.",
        )
    yield Panels(
        title="Validation loss of every pilot",
        caption="One dot per pilot network, one row per candidate, a bar at their median.",
        exhibits=[_strip(group, result) for group, result in decided],
    )


def _hopeless(group: SelectionGroup, result: SelectionResult) -> bool:
    return not np.isfinite(candidate_scores(result.loss, group.rule.statistic)).any()


def _strip(group: SelectionGroup, result: SelectionResult) -> Strip:
    pilots = result.loss.shape[1]
    words = [group.words(i) for i in range(len(group.candidates))]
    words[result.chosen] += " (chosen)"
    return Strip(
        title=group.name,
        values=result.loss.ravel(),
        categories=[word for word in words for _ in range(pilots)],
        labels=[name for name, _ in group.pilots],
        value_label="validation loss",
        log=True,
    )
