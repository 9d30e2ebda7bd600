"""Statistics of labelled distances by their definitions, in loops."""

import numpy as np


def between_points(points):
    """Euclidean distances, in loops."""
    values = np.zeros((len(points), len(points)))
    for i, p in enumerate(points):
        for j, q in enumerate(points):
            values[i, j] = np.sqrt(((p - q) ** 2).sum())
    return values


def neighbour_scores(distances, labels):
    """Whether the nearest other item has the label; the share of those equally near that do."""
    scores = []
    for i in range(len(labels)):
        others = [j for j in range(len(labels)) if j != i]
        nearest = min(distances[i, j] for j in others)
        ties = [labels[j] == labels[i] for j in others if distances[i, j] == nearest]
        scores.append(sum(ties) / len(ties))
    return np.array(scores)


def contrasts(distances, labels):
    scores = []
    for i in range(len(labels)):
        own = [distances[i, j] for j in range(len(labels)) if labels[j] == labels[i] and j != i]
        other = [distances[i, j] for j in range(len(labels)) if labels[j] != labels[i]]
        a, b = np.mean(own) if own else 0.0, np.mean(other)
        scores.append((b - a) / (b + a) if own else 0.0)
    return np.array(scores)


def ratio(distances, labels, copies=None):
    """Mean distance between over mean distance within groups, items standing `copies` times."""
    copies = np.ones(len(labels), int) if copies is None else copies
    items = [i for i in range(len(labels)) for _ in range(copies[i])]
    within, between = [], []
    for a, i in enumerate(items):
        for j in items[a + 1 :]:
            if i != j:
                (within if labels[i] == labels[j] else between).append(distances[i, j])
    return np.mean(between) / np.mean(within)


def one_factor_pseudo_f(distances, labels):
    """Anderson (2001), from sums of squared distances alone: within groups and in all."""
    n, groups = len(labels), sorted(set(labels))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    total = sum(distances[i, j] ** 2 for i, j in pairs) / n
    within = sum(
        sum(distances[i, j] ** 2 for i, j in pairs if labels[i] == labels[j] == group)
        / sum(label == group for label in labels)
        for group in groups
    )
    among = total - within
    return (among / (len(groups) - 1)) / (within / (n - len(groups))), among / total


def sums_of_squares(points, terms):
    """What each term's columns add to the fit of points [item, dimension], by least squares."""
    items = len(points)
    columns, left, found = np.ones((items, 1)), None, []
    for term in terms:
        columns = np.concatenate([columns, term], axis=1) if term is not None else columns
        fit = columns @ np.linalg.lstsq(columns, points, rcond=None)[0]
        rest = ((points - fit) ** 2).sum()
        if left is not None:
            found.append(left - rest)
        left = rest
    return found, left


def level_difference(distances, labels, strata, pair):
    """Mean distance between two levels minus the mean of both within, in loops over networks."""
    parts = []
    for stratum in sorted(set(strata)):
        a, b = (
            [i for i in range(len(labels)) if labels[i] == level and strata[i] == stratum]
            for level in pair
        )
        if min(len(a), len(b)) < 3:
            continue
        between = [distances[i, j] for i in a for j in b]
        within = [np.mean([distances[i, j] for i in x for j in x if i != j]) for x in (a, b)]
        parts.append(np.mean(between) - np.mean(within))
    return np.mean(parts)


def squared_class_difference(first, second):
    """Half the squared difference of class shares, unbiased: what 0/1 distances estimate.

    Of n draws, the share of equal pairs is sum of c (c - 1) / n (n - 1) over counts c.
    """
    classes = sorted({*first, *second})
    a, b = (np.array([list(x).count(c) for c in classes], float) for x in (first, second))
    n, m = a.sum(), b.sum()
    alike_a, alike_b = (a * (a - 1)).sum() / n / (n - 1), (b * (b - 1)).sum() / m / (m - 1)
    return 0.5 * (alike_a + alike_b) - (a * b).sum() / n / m


def partial_omega_squared(points, factors):
    """Partial omega squared of two factors and their interaction, by least squares of points.

    (SS - df MS) / (SS + (N - df) MS), SS of a factor after the other one (Keren & Lewis 1979).
    """
    (one, a), (two, b) = factors.items()

    def indicators(*labels):
        keys = [str(key) for key in zip(*labels, strict=True)]
        return np.array([[key == other for other in sorted(set(keys))] for key in keys], float)

    def fit(*terms):
        columns = np.concatenate([np.ones((len(points), 1)), *terms], axis=1)
        rest = points - columns @ np.linalg.lstsq(columns, points, rcond=None)[0]
        return (rest**2).sum(), np.linalg.matrix_rank(columns)

    first, second, both = indicators(a), indicators(b), indicators(a, b)
    residual, rank = fit(first, second, both)
    mean, shares = residual / (len(points) - rank), {}
    for name, without, within in (
        (one, (second,), (first, second)),
        (two, (first,), (first, second)),
        (f"{one} x {two}", (first, second), (first, second, both)),
    ):
        (more, low), (less, high) = fit(*without), fit(*within)
        squares, freedom = more - less, high - low
        shares[name] = (squares - freedom * mean) / (squares + (len(points) - freedom) * mean)
    return shares
