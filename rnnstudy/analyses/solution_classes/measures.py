"""Numbers in the record that decide the kind of each condition's attracting set."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.analyses.solution_classes.condition import ConditionState
from rnnstudy.comparison.distances.point_geometry import correlation
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.record import FixedPoints


def condition_measures(
    conditions: Sequence[ConditionState], points: FixedPoints, starts: Array, unit: int
) -> dict[str, Array]:
    """Return the measures of each condition, each `[condition]`.

    Parameters
    ----------
    conditions
        Conditions of one network after the search.
    points
        Its fixed points, with their certificates.
    starts
        `[condition, start, state]`.
    unit
        Length of a trial in steps.
    """
    rows = [
        _measures(condition, states, unit)
        for condition, states in zip(conditions, starts, strict=True)
    ]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    verdicts = dict(
        zip(
            points.searches["input_index"].tolist(),
            points.searches["verdict"].tolist(),
            strict=True,
        )
    )
    positions = [condition.system.input_index for condition in conditions]
    columns["certificate"] = np.array([verdicts.get(i, -1) for i in positions])
    return columns


def _measures(condition: ConditionState, starts: Array, unit: int) -> dict[str, float]:
    observed = condition.observed
    unknown = (float("nan"), float("nan"))
    motion, extent = (observed.motion, observed.extent) if observed else (unknown, unknown)
    along, across = condition.exponents * unit
    return {
        "spread": condition.spread,
        "bounded": condition.bounded_share,
        "steps": condition.steps,
        "arrived": condition.arrived,
        "sets": observed.n_sets if observed else 0,
        "first_motion": motion[0],
        "motion": motion[1],
        "first_extent": extent[0],
        "extent": extent[1],
        "dimension": observed.dimension if observed else float("nan"),
        "roundness": observed.roundness if observed else float("nan"),
        "straightness": observed.straightness if observed else float("nan"),
        "gaps": observed.gaps if observed else float("nan"),
        "drift": observed.drift if observed else float("nan"),
        "along": along,
        "across": across,
        "retention": _retention(condition, starts),
    }


def _retention(condition: ConditionState, starts: Array) -> float:
    """Return the correlation of the readout in the last window with that at the starts.

    The readout is averaged over the window, and the correlation over outputs.
    """
    window, networks = condition.window, condition.system.networks
    if len(window) != len(starts):
        return float("nan")
    half = window.shape[1] // 2
    first = networks.outputs_of(starts[None])
    if first is None:
        return float("nan")
    later = networks.outputs_of(window[None, :, half:].mean(axis=2))
    pairs = zip(first[0].T, np.asarray(later)[0].T, strict=True)
    values = np.array([correlation(*pair) for pair in pairs])
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
