"""Tidy tables behind panels: one row per observation, one column per variable."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.comparison.distances.embedding import classical_mds
from rnnstudy.core.arguments.durations import seconds_per_step
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.dynamics.states.projection import PrincipalComponents
from rnnstudy.report.paper_figures.results import MissingResult, ResultKind, TaskResults
from rnnstudy.tasks import Task

Tables = Mapping[str, Any]
"""Name of a table -> `pandas.DataFrame`."""

FACTORS = ("cell", "activation")
"""Fields of networks that colours show."""

SHOWN_TRIALS = 8
"""Trajectories drawn per network; more would hide each other."""


def member_columns(member: Member) -> dict[str, Any]:
    """Return the columns that name a network in long tables: its name, cell and activation."""
    return {"member": member.name} | {name: str(member.fields[name]) for name in FACTORS}


def field_columns(member: Member) -> dict[str, Any]:
    """Return the columns with the name and all fields of a network."""
    return {"member": member.name, **member.fields}


def time_unit(task: Task) -> tuple[float, str]:
    """Return the length of a time step and its unit: 1 and `steps`, or seconds."""
    dt = seconds_per_step(task)
    return (1.0, "steps") if dt is None else (dt, "seconds")


def stack_frames(frames: Sequence[Any]) -> Any:
    """Return frames one below the other, with new row numbers."""
    return pd.concat([each for each in frames if len(each)] or frames[:1], ignore_index=True)


def trial_table(
    results: TaskResults, member: Member, activity: Activity, trials: Sequence[int]
) -> Any:
    """Return inputs, targets and outputs of a network on some trials of the probe."""
    step, unit = time_unit(results.task)
    parts = {"input": activity.inputs, "target": activity.targets, "output": activity.outputs}
    return stack_frames(
        [
            pd.DataFrame(
                {
                    **member_columns(member),
                    "trial": trial,
                    "signal": signal,
                    "channel": channel + 1,
                    "time": step * np.arange(values.shape[1]),
                    "time_unit": unit,
                    "value": values[trial, :, channel].astype(float),
                }
            )
            for trial in trials
            for signal, values in parts.items()
            for channel in range(values.shape[2])
        ]
    )


def even_positions(count: int, shown: int) -> list[int]:
    """Return at most `shown` of `count` positions, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, shown).astype(int)).tolist() if count else []


def path_table(
    member: Member, components: PrincipalComponents, paths: Array, labels: Mapping[str, Array]
) -> Any:
    """Return trajectories in principal components.

    Parameters
    ----------
    member
        The network.
    components
        Principal components to project on.
    paths
        States, [path, time, state].
    labels
        Name of a column -> its value for each path, [path].
    """
    projected = components.project(paths.astype(float))
    count, length, dimensions = projected.shape
    columns = {name: np.repeat(values, length) for name, values in labels.items()}
    columns["time"] = np.tile(np.arange(length), count)
    flat = projected.reshape(-1, dimensions)
    columns |= {f"pc_{i + 1}": flat[:, i] for i in range(dimensions)}
    return pd.DataFrame(member_columns(member) | columns)


def point_table(
    member: Member, components: PrincipalComponents, states: Array, labels: Mapping[str, Any]
) -> Any:
    """Return points of state space [point, state] in principal components, with labels."""
    projected = components.project(states.astype(float))
    places = {f"pc_{i + 1}": projected[:, i] for i in range(projected.shape[1])}
    columns = {**labels, **places}
    names = {name: [value] * len(projected) for name, value in member_columns(member).items()}
    return pd.DataFrame({**names, **columns})


def map_table(results: TaskResults, source: ResultKind) -> Any:
    """Return the map of the networks by multidimensional scaling of a kind of distances.

    It is the embedding that the study lists, else classical scaling.
    """
    listed = results.map_of(source)
    coordinates = classical_mds(results.distances(source)) if listed is None else listed
    places = dict(zip(coordinates.labels, coordinates.points[:, :2], strict=True))
    rows = [
        {**field_columns(m), "mds_1": places[m.name][0], "mds_2": places[m.name][1]}
        for m in results.members
        if m.name in places
    ]
    if not rows:
        raise MissingResult("none of these networks has distances")
    return pd.DataFrame(rows)


def distance_tables(results: TaskResults, source: ResultKind) -> Tables:
    """Return the networks in the order of the matrix, and the distance of each pair of them."""
    distances = results.distances(source)
    position = {label: i for i, label in enumerate(distances.labels)}
    members = [member for member in results.members if member.name in position]
    if not members:
        raise MissingResult("none of these networks has distances")
    names = np.array([member.name for member in members])
    first, second = np.triu_indices(len(members), 1)
    at = np.array([position[name] for name in names], int)
    return {
        "networks": pd.DataFrame([field_columns(member) for member in members]),
        "pairs": pd.DataFrame(
            {
                "member_1": names[first],
                "member_2": names[second],
                "distance": distances.values[at[first], at[second]],
            }
        ),
    }


def group_means(table: Any, x: str, value: str) -> Any:
    """Return means and standard errors over networks, for each level of each factor.

    Values that are NaN do not count. The standard error is NaN for a single network.
    """
    parts = []
    for factor in FACTORS:
        groups = table.groupby([factor, x], sort=False)[value]
        means = groups.agg(["mean", "sem", "count"]).reset_index()
        means = means.rename(
            columns={factor: "level", "sem": "standard_error", "count": "networks"}
        )
        means.insert(0, "factor", factor)
        parts.append(means)
    return stack_frames(parts)


def groups_of(table: Any, *columns: str) -> Iterator[tuple[Any, Any]]:
    """Yield the value, or values, of columns and the rows that have them, in order of rows."""
    yield from table.groupby(list(columns) if len(columns) > 1 else columns[0], sort=False)
