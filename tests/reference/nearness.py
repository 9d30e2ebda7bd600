"""Nearness to untrained networks by its definition, one network at a time."""

import numpy as np


def nearness_of(networks, distance, level, control="untrained"):
    """Mean of (b - a) / (b + a) over the trained networks of one activation, and its error.

    networks: list of (name, cell, activation, learnt). distance: function of two positions. The
    error is a jackknife within groups of one cell and activation that leaves out each network with
    its controls.
    """
    used = {n for n in networks if n[3] == "trained"}
    used |= {n for n in networks if n[3] == control and n[2] == level}

    def contrasts(names):
        values = {}
        for i, (name, cell, activation, learnt) in enumerate(networks):
            if learnt != "trained" or activation != level or name not in names:
                continue
            near = [
                distance(i, j) for j, (other, c, a, training) in enumerate(networks)
                if training == control and (c, a) == (cell, activation) and other != name
                and other in names
            ]  # fmt: skip
            far = [
                distance(i, j) for j, (other, c, a, training) in enumerate(networks)
                if training == "trained" and c == cell and a != activation and other in names
            ]  # fmt: skip
            a, b = np.mean(near), np.mean(far)
            values[name] = (b - a) / (b + a)
        return values

    names = {name for name, *_ in used}
    full = contrasts(names)
    groups = {}
    for name, cell, activation, learnt in networks:
        if learnt == "trained":
            groups.setdefault((cell, activation), []).append(name)
    variance, freedom = 0.0, 0
    for members in groups.values():
        left = np.array([np.mean(list(contrasts(names - {one}).values())) for one in members])
        size, total = len(members), len(names)
        moved = size / total * (total - 1) / (size - 1) * (left - left.mean())
        variance += (size - 1) / size * (moved**2).sum()
        freedom += size - 1
    statistic = float(np.mean(list(full.values())))
    share = float(np.mean([value > 0 for value in full.values()]))
    return statistic, float(np.sqrt(variance)), freedom, share
