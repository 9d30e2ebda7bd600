"""Planted differences by their definitions, one point, trial or link at a time."""

import numpy as np


def planted_states(states):
    """Scores on the leading components of the next trial of a cycle, by an SVD and loops."""
    trials, _, units = states.shape
    mean = states.reshape(-1, units).mean(axis=0)
    _, sizes, directions = np.linalg.svd(states.reshape(-1, units) - mean, full_matrices=False)
    count, share = 0, 0.0
    while share < 0.5:
        share += sizes[count] ** 2 / (sizes**2).sum()
        count += 1
    cycle = np.random.default_rng(trials).permutation(trials).tolist()
    changed = np.zeros_like(states)
    for position, trial in enumerate(cycle):
        other = cycle[position - 1]
        for direction in directions[:count]:
            changed[trial] += np.outer((states[other] - mean) @ direction, direction)
        for direction in directions[count:]:
            changed[trial] += np.outer((states[trial] - mean) @ direction, direction)
    return changed + mean


def planted_links(links):
    """Links as a dict, (labels of the ends, group) -> weight, without the lowest stable point."""
    lowest = min(ends[-1] for ends, _ in links)
    return {
        (ends, group): weight
        for (ends, group), weight in links.items()
        if lowest not in (ends[-1], ends[-2])
    }
