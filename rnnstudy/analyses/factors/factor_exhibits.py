"""Tests of factors as tables, and each network's distances as a strip."""

from collections.abc import Iterable, Sequence

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.factors.factor_record import FactorTests
from rnnstudy.analyses.factors.loss_matching import MATCHED_NOTE, matching_sentence
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Note, Strip, Table

PERFORMANCE_NOTES = {
    "ignored": "",
    "matched": MATCHED_NOTE,
    "adjusted": " Explained shares are after that of the logarithm of the loss.",
}
"""Treatment of the loss -> addition to captions."""


def factor_exhibits(
    of: str,
    performance: str,
    sums: str,
    result: FactorTests,
    distances: Distances | None,
    members: Sequence[Member],
) -> Iterable[Exhibit]:
    """Yield the exhibits of a record; the strip only with the distances.

    of: name of the analysis of the distances.
    """
    if result.matching:
        yield Note(
            title=f"Networks of equal loss, {of} distances", text=matching_sentence(result.matching)
        )
    if result.left_out:
        yield Note(
            title=f"Not tested in {of} distances",
            text=" ".join(f"{name}: {reason}." for name, reason in result.left_out.items())
            + f" Networks: {len(result.labels)}."
            + PERFORMANCE_NOTES[performance],
        )
    if len(result.value):
        yield _statistics(of, performance, result)
    if len(result.share):
        yield _shares(of, performance, sums, result)
    if distances is not None and result.factors:
        yield _strip(of, result, distances, members)


def _statistics(of: str, performance: str, result: FactorTests) -> Table:
    return Table(
        title=f"Separation of {of} distances by factors",
        caption="Nearest neighbour: share of networks whose nearest other network has the same "
        "value. Silhouette: 0 where groups merge, 1 where they are points. Distance ratio: mean "
        "between groups over mean within. Chance: mean and 5 to 95 % over "
        f"{result.permutations} permutations among networks that agree in all other factors. "
        f"Interval: 95 % over networks; there are {len(result.labels)}. "
        f"Corrected: Holm, over factors.{PERFORMANCE_NOTES[performance]}",
        columns={
            "factor": result.factor,
            "statistic": result.statistic,
            "value": result.value.tolist(),
            "low": result.low.tolist(),
            "high": result.high.tolist(),
            "chance": result.expected.tolist(),
            "chance 5 %": result.null_low.tolist(),
            "chance 95 %": result.null_high.tolist(),
            "p": result.p.tolist(),
            "corrected p": result.corrected_p.tolist(),
        },
    )


def _shares(of: str, performance: str, sums: str, result: FactorTests) -> Table:
    after = "those above it" if sums == "sequential" else "all others that do not contain it"
    rest: list[float | None] = [None]
    return Table(
        title=f"Shares of {of} distances that factors explain",
        caption=f"Analysis of variance of squared distances by permutation (PERMANOVA), {sums}: "
        f"each term after {after}. Adjusted: without what chance would explain. "
        f"Corrected: Holm, over terms.{PERFORMANCE_NOTES[performance]}"
        + (" Too few networks for interactions." if result.order < 2 < 1 + len(result.factors)
           else ""),
        columns={
            "term": [*result.term, "residual"],
            "degrees of freedom": [*result.freedom.tolist(), result.residual_freedom],
            "share": [*result.share, result.residual_share],
            "adjusted share": [*result.adjusted_share, *rest],
            "pseudo-F": [*result.pseudo_f, *rest],
            "p": [*result.term_p, *rest],
            "corrected p": [*result.corrected_term_p, *rest],
        },
    )  # fmt: skip


def _strip(of: str, result: FactorTests, distances: Distances, members: Sequence[Member]) -> Strip:
    position = {label: i for i, label in enumerate(distances.labels)}
    rows = [position[label] for label in result.labels]
    among = distances.values[np.ix_(rows, rows)]
    fields = {member.name: member.fields for member in members}
    values = [[str(fields[label].get(f)) for label in result.labels] for f in result.factors]
    masks = pair_masks(dict(zip(result.factors, values, strict=True)))
    means, categories, labels = [], [], []
    for category, mask in masks.items():
        for i in np.flatnonzero(mask.any(axis=1)):
            means.append(among[i, mask[i]].mean())
            categories.append(category)
            labels.append(result.labels[i])
    return Strip(
        title=f"Mean {of} distance to networks of each kind",
        caption="One dot per network and row: its mean distance to all networks that share the "
        "named factors with it, or do not.",
        values=np.array(means),
        categories=categories,
        labels=labels,
        value_label=f"{of} distance",
    )


def pair_masks(factors: dict[str, list[str]]) -> dict[str, Array]:
    """Return masks of pairs [item, item] by the factors that both items share.

    Two factors give a mask for each combination, other numbers of factors one mask for each factor.
    """
    count = len(next(iter(factors.values())))
    same = {name: np.array(values)[:, None] == np.array(values) for name, values in factors.items()}
    others = ~np.eye(count, dtype=bool)
    masks = {}
    if len(factors) == 2:
        (one, first), (two, second) = same.items()
        for a, b in ((True, True), (True, False), (False, True), (False, False)):
            name = f"{'same' if a else 'other'} {one}, {'same' if b else 'other'} {two}"
            masks[name] = (first == a) & (second == b) & others
        return masks
    for name, alike in same.items():
        masks |= {f"same {name}": alike & others, f"other {name}": ~alike}
    return masks
