"""Statistics of factors as tables, and each network's distances as a strip."""

from collections.abc import Iterable, Sequence

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.factors.factor_record import Grouping
from rnnstudy.analyses.factors.loss_matching import WORDS, sentence
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Note, Strip, Table

PERFORMANCE = {
    "ignored": "",
    "matched": WORDS,
    "adjusted": " Explained shares are after that of the logarithm of the loss.",
}


def shown(
    of: str,
    performance: str,
    sums: str,
    result: Grouping,
    distances: Distances | None,
    members: Sequence[Member],
) -> Iterable[Exhibit]:
    """All exhibits of a grouping; the strip only if the distances are at hand."""
    if result.matching:
        yield Note(title=f"Networks of equal loss, {of} distances", text=sentence(result.matching))
    if result.left_out:
        yield Note(
            title=f"Not looked at in {of} distances",
            text=" ".join(f"{name}: {why}." for name, why in result.left_out.items())
            + f" Networks: {len(result.labels)}."
            + PERFORMANCE[performance],
        )
    if len(result.value):
        yield _statistics(of, performance, result)
    if len(result.share):
        yield _shares(of, performance, sums, result)
    if distances is not None and result.factors:
        yield _strip(of, result, distances, members)


def _statistics(of: str, performance: str, result: Grouping) -> Table:
    return Table(
        title=f"What {of} distances tell apart",
        caption="Nearest neighbour: share of networks whose nearest other network has the same "
        "value. Silhouette: 0 where groups merge, 1 where they are points. Distance ratio: mean "
        "between groups over mean within. Chance: mean and 5 to 95 % over "
        f"{result.permutations} permutations among networks that agree in all other factors. "
        f"Interval: 95 % over networks; there are {len(result.labels)}. "
        f"Corrected: Holm, over factors.{PERFORMANCE[performance]}",
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


def _shares(of: str, performance: str, sums: str, result: Grouping) -> Table:
    after = "those above it" if sums == "sequential" else "all others that do not contain it"
    rest: list[float | None] = [None]
    return Table(
        title=f"Shares of {of} distances that factors explain",
        caption=f"Analysis of variance of squared distances by permutation (PERMANOVA), {sums}: "
        f"each term after {after}. Adjusted: without what chance would explain. "
        f"Corrected: Holm, over terms.{PERFORMANCE[performance]}"
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


def _strip(of: str, result: Grouping, distances: Distances, members: Sequence[Member]) -> Strip:
    at = {label: i for i, label in enumerate(distances.labels)}
    here = [at[label] for label in result.labels]
    values = distances.values[np.ix_(here, here)]
    fields = {member.name: member.fields for member in members}
    names = [[str(fields[label].get(f)) for label in result.labels] for f in result.factors]
    found = kinds_of_pairs(dict(zip(result.factors, names, strict=True)))
    means, categories, labels = [], [], []
    for category, pairs in found.items():
        for i in np.flatnonzero(pairs.any(axis=1)):
            means.append(values[i, pairs[i]].mean())
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


def kinds_of_pairs(factors: dict[str, list[str]]) -> dict[str, Array]:
    """Pairs [item, item] by what they share: of two factors each combination, of more each factor
    by itself."""
    count = len(next(iter(factors.values())))
    same = {name: np.array(values)[:, None] == np.array(values) for name, values in factors.items()}
    others, found = ~np.eye(count, dtype=bool), {}
    if len(factors) == 2:
        (one, first), (two, second) = same.items()
        for a, b in ((True, True), (True, False), (False, True), (False, False)):
            name = f"{'same' if a else 'other'} {one}, {'same' if b else 'other'} {two}"
            found[name] = (first == a) & (second == b) & others
        return found
    for name, alike in same.items():
        found |= {f"same {name}": alike & others, f"other {name}": ~alike}
    return found
