"""Rates of solved networks by combination, and the test of their equality."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.core.exhibit import Exhibit, Table
from rnnstudy.study.results.rate_test import rate_test

RATE_COLUMNS = (
    "task",
    "combination",
    "networks",
    "solved",
    "rate",
    "low",
    "high",
    "p",
    "corrected_p",
)

Outcomes = Mapping[str, Mapping[str, Sequence[bool]]]
"""Task -> combination -> True for each solved network."""


def rate_columns(outcomes: Outcomes) -> dict[str, list[Any]]:
    """Return one row per task and combination; p is of equal rates on the task.

    p is corrected over the tasks (Holm 1979).
    """
    counts = {
        task: ([sum(solved) for solved in groups.values()], [len(s) for s in groups.values()])
        for task, groups in outcomes.items()
    }
    tests = {task: rate_test(*count) for task, count in counts.items()}
    corrected = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    rows = [
        (task, name, *numbers, tests[task].p, float(corrected[task]))
        for task, groups in outcomes.items()
        for name, *numbers in zip(
            groups,
            counts[task][1],
            counts[task][0],
            *(values.tolist() for values in tests[task][:3]),
            strict=True,
        )
    ]
    return {name: [row[i] for row in rows] for i, name in enumerate(RATE_COLUMNS)}


def unequal_rates_in_words(outcomes: Outcomes, alpha: float = 0.05) -> str:
    """Return the tasks whose combinations differ in the share of solved networks; empty if none.

    Parameters
    ----------
    outcomes
        Task -> combination -> True for each solved network.
    alpha
        Level of the tests, corrected over the tasks (Holm 1979).

    Examples
    --------
    >>> unequal_rates_in_words({"sine": {"gru tanh": [True] * 12, "lstm relu": [False] * 12}})
    'on sine from 0 of 12 (lstm relu) to 12 of 12 (gru tanh), p 7.4e-07'
    """
    if _all_solved(outcomes):
        return ""
    columns = rate_columns(outcomes)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    parts = []
    for task in outcomes:
        of_task = [row for row in rows if row["task"] == task]
        ends = (choose(of_task, key=lambda row: row["rate"]) for choose in (min, max))
        low, high = (f"{e['solved']} of {e['networks']} ({e['combination']})" for e in ends)
        p = of_task[0]["corrected_p"]
        if p < alpha:
            parts.append(f"on {task} from {low} to {high}, p {p:.2g}")
    return "; ".join(parts)


def rate_exhibits(outcomes: Outcomes) -> Iterable[Exhibit]:
    """Yield the rates of solved networks, unless all networks have solved their task."""
    if _all_solved(outcomes):
        return
    columns = rate_columns(outcomes)
    ends = zip(columns["low"], columns["high"], strict=True)
    yield Table(
        title="Solved networks by combination",
        caption="Share of networks that solved their task, with exact 95 % intervals. A small p "
        "says that the combinations of a task differ in it (Fisher's exact test; Monte Carlo for "
        "more than two). p is corrected over the tasks (Holm 1979).",
        columns={
            **{name: columns[name] for name in ("task", "combination", "networks", "solved")},
            "share": columns["rate"],
            "95 % interval": [f"{low:.2f} to {high:.2f}" for low, high in ends],
            "p of equal shares": columns["p"],
            "corrected p": columns["corrected_p"],
        },
    )


def _all_solved(outcomes: Outcomes) -> bool:
    return all(all(solved) for groups in outcomes.values() for solved in groups.values())
