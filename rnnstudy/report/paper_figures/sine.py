"""Panels of figure 2: sine waves whose frequency an input sets."""

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.core.arguments.durations import seconds_per_step
from rnnstudy.core.lazy_imports import pd
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.report.figures.panels import Legend
from rnnstudy.report.paper_figures.drawing import (
    Frame,
    add_legend,
    axes_grid,
    paint_bands,
    paint_networks,
    paint_signals,
    time_label,
)
from rnnstudy.report.paper_figures.results import ACTIVITY, CYCLES, TaskResults
from rnnstudy.report.paper_figures.tables import (
    FACTORS,
    Tables,
    even_positions,
    field_columns,
    group_means,
    groups_of,
    path_table,
    point_table,
    stack_frames,
    trial_table,
)
from rnnstudy.report.style import Mark, palette

SHOWN_WAVES = 3
"""Trials that are drawn, from the slowest to the fastest."""

FREQUENCY_UNITS = {True: "Hz", False: "cycles per step"}
"""Unit of frequencies, by whether a step has a length."""


def wave_tables(results: TaskResults) -> Tables:
    """Return cues, targets and outputs of a network on trials of the probe, slow ones first."""
    member, activity = results.example_of(ACTIVITY)
    order = np.argsort(activity.inputs[:, 0, 0], kind="stable")
    trials = [int(order[i]) for i in even_positions(len(order), SHOWN_WAVES)]
    return {"": trial_table(results, member, activity, trials)}


def draw_waves(tables: Tables, frame: Frame) -> None:
    """Draw the target and the output of each trial, which its cue names."""
    table = tables[""]
    trials = list(groups_of(table, "trial"))
    grid = frame.subplots(len(trials), 1, sharex=True, squeeze=False).ravel()
    marks = dict[str, Mark]()
    for axes, (_, rows) in zip(grid, trials, strict=True):
        marks |= paint_signals(axes, rows[rows["channel"] == 1], ("target", "output"))
        cue = rows.loc[rows["signal"] == "input", "value"].iloc[0]
        axes.set(ylabel="output", yticks=[-1, 1])
        axes.set_title(f"cue {cue:.2g}", loc="left", pad=1)
        axes.margins(y=0.15)
    grid[-1].set_xlabel(time_label(table))
    add_legend(frame, Legend(marks, lines=True), 2, "outside upper right")


def cycle_tables(results: TaskResults) -> Tables:
    """Return cycles and fixed points of a network of each cell in its principal components."""
    step, unit = _frequency_unit(results)
    parts = [
        _cycles(member, record, step, unit) for member, record in results.examples(CYCLES).items()
    ]
    return {
        "trajectories": stack_frames([cycles for cycles, _ in parts]),
        "points": stack_frames([points for _, points in parts]),
    }


def _cycles(member: Member, record: Oscillation, step: float, unit: str) -> tuple[object, object]:
    cycles = record.cycle.astype(float)
    cues = np.flatnonzero(np.isfinite(cycles).all(axis=(1, 2)))
    components = principal_components(cycles[cues].reshape(-1, cycles.shape[2]))
    labels = {
        "trial": cues,
        "cue": record.cue[cues],
        "target_frequency": record.target[cues] / step,
        "frequency_unit": np.full(len(cues), unit),
    }
    known = np.flatnonzero(record.points > 0)
    of_points = {
        "cue": record.cue[known],
        "target_frequency": record.target[known] / step,
        "frequency_unit": np.full(len(known), unit),
        "n_unstable": record.n_unstable[known],
    }
    return (
        path_table(member, components, cycles[cues], labels),
        point_table(member, components, record.state[known], of_points),
    )


def _frequency_unit(results: TaskResults) -> tuple[float, str]:
    """Return the seconds by which frequencies per step are divided, and the unit of the results."""
    dt = seconds_per_step(results.task)
    return (1.0 if dt is None else dt), FREQUENCY_UNITS[dt is not None]


def draw_cycles(tables: Tables, frame: Frame) -> None:
    """Draw cycles and fixed points of each network, coloured by the target frequency."""
    unit = tables["trajectories"]["frequency_unit"].iloc[0]
    label = f"target ({unit})"
    options = {"subplot_kw": {"projection": "3d"}}
    paint_networks(frame, tables, "target_frequency", label, **options)


def frequency_tables(results: TaskResults) -> Tables:
    """Return linearised and target frequencies of each network at each cue, and their means."""
    step, unit = _frequency_unit(results)
    networks = stack_frames(
        [
            pd.DataFrame(
                {
                    **field_columns(member),
                    "cue": record.cue,
                    "target_frequency": record.target / step,
                    "linearised_frequency": record.frequency / step,
                    "cycle_frequency": record.cycle_frequency / step,
                    "frequency_unit": unit,
                }
            )
            for member, record in results.records(CYCLES).items()
        ]
    )
    means = group_means(networks, "target_frequency", "linearised_frequency")
    return {"networks": networks, "means": means.assign(frequency_unit=unit)}


def draw_frequencies(tables: Tables, frame: Frame) -> None:
    """Draw mean linearised frequencies against those of the target, by cell and by activation."""
    means = tables["means"]
    unit = means["frequency_unit"].iloc[0]
    ends = [means["target_frequency"].min(), means["target_frequency"].max()]
    grid = axes_grid(frame, len(FACTORS), 1.3, sharex=True, sharey=True)
    for axes, factor in zip(grid, FACTORS, strict=True):
        axes.plot(ends, ends, color=palette().ink, linestyle="--", linewidth=0.7, zorder=3)
        paint_bands(axes, means, "target_frequency", factor)
        axes.set(title=f"by {factor}", xlabel=f"target ({unit})")
    grid[0].set_ylabel(f"linearised ({unit})")
