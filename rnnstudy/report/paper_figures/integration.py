"""Panels of figure 3: integration of the stream that a context selects."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.report.figures.panels import Axes, Legend, dot_style
from rnnstudy.report.paper_figures.drawing import (
    Frame,
    add_legend,
    axes_grid,
    paint_bands,
    paint_networks,
    paint_signals,
    time_label,
)
from rnnstudy.report.paper_figures.results import (
    ACTIVITY,
    LINE_ATTRACTORS,
    MissingResult,
    TaskResults,
)
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
from rnnstudy.report.style import BLACK, GREY, Mark, assign_marks, palette

SHOWN_CONTEXT = 0
"""Context of the trials and slow points that are drawn."""

CONTEXT_TRIALS = 12
"""Trials of this context that are drawn."""

SHOWN_MODES = 16
"""Largest number of modes that is drawn."""

STREAMS = {"selected": Mark(BLACK, "o"), "ignored": Mark(GREY, "o", "--", filled=False)}
"""Part of a stream in the context -> mark."""

SPREAD = 0.1
"""Half the width, in categories, over which dots of one category are spread."""


def trials_in_context(activity: Activity) -> Array:
    """Return the positions of the trials of the context that is drawn."""
    streams = activity.inputs.shape[2] // 2
    trials = np.flatnonzero(activity.inputs[:, 0, streams + SHOWN_CONTEXT] > 0.5)
    if not len(trials):
        raise MissingResult(f"the probe has no trial of context {SHOWN_CONTEXT + 1}")
    return trials


def integration_tables(results: TaskResults) -> Tables:
    """Return streams, context, target and output of a network on a trial of the probe."""
    member, activity = results.example_of(ACTIVITY)
    table = trial_table(results, member, activity, [int(trials_in_context(activity)[0])])
    streams = activity.inputs.shape[2] // 2
    is_input, is_context = table["signal"] == "input", table["channel"] > streams
    return {
        "": table.assign(
            signal=table["signal"].mask(is_input & is_context, "context"),
            channel=table["channel"].mask(is_input & is_context, table["channel"] - streams),
        )
    }


def draw_integration(tables: Tables, frame: Frame) -> None:
    """Draw the streams, of which the context selects one, and below them target and output."""
    table = tables[""]
    inputs = list(groups_of(table[table["signal"] == "input"], "channel"))
    grid = frame.subplots(len(inputs) + 1, 1, sharex=True, squeeze=False).ravel()
    marks = {name: palette().dress(mark, name, 0) for name, mark in STREAMS.items()}
    for axes, (channel, rows) in zip(grid[:-1], inputs, strict=True):
        word = "selected" if channel == SHOWN_CONTEXT + 1 else "ignored"
        axes.plot(rows["time"], rows["value"], color=marks[word].colour, linewidth=0.6)
        axes.set_title(f"stream {channel}, {word}", loc="left", pad=1)
        axes.set_ylabel("input")
    lines = paint_signals(grid[-1], table[table["channel"] == 1], ("target", "output"))
    grid[-1].set(xlabel=time_label(table), ylabel="output")
    frame.align_ylabels(grid)
    add_legend(frame, Legend(lines, lines=True), 2, "outside upper right")


def line_tables(results: TaskResults) -> Tables:
    """Return trajectories and slow points of one context, of a network of each cell."""
    parts = [
        _line(results, member, record, results.record_of(ACTIVITY, member))
        for member, record in results.examples(LINE_ATTRACTORS).items()
    ]
    return {
        "trajectories": stack_frames([paths for paths, _ in parts]),
        "points": stack_frames([points for _, points in parts]),
    }


def _line(
    results: TaskResults, member: Member, record: LineAttractor, activity: Activity
) -> tuple[Any, Any]:
    population = results.run.trained_network(member.name).population
    trials = trials_in_context(activity)
    states = activity.states[trials].astype(float)
    components = principal_components(states.reshape(-1, states.shape[-1]))
    drawn = even_positions(len(trials), CONTEXT_TRIALS)
    labels = {
        "trial": trials[drawn],
        "last_target": activity.targets[trials[drawn], -1, 0].astype(float),
    }
    rows = np.flatnonzero(record.context_of == SHOWN_CONTEXT)
    points = population.visible(record.state[rows])
    of_points = {"point": rows, "readout": record.readout[rows, 0]}
    return (
        path_table(member, components, states[drawn], labels),
        point_table(member, components, points, of_points),
    )


def draw_lines(tables: Tables, frame: Frame) -> None:
    """Draw trajectories, coloured by the target at their end, and slow points as black dots."""
    paint_networks(frame, tables, "last_target", "last target", aspect=1.2)


def eigenvalue_tables(results: TaskResults) -> Tables:
    """Return sorted moduli of the eigenvalues of each network along its line, and their means."""
    return _mode_tables(results, "modulus", _mean_moduli)


def _mean_moduli(record: LineAttractor) -> Array:
    """Return moduli averaged over the slow points, [mode]; NaN without points."""
    if not len(record.eigenvalues):
        return np.full(record.size("mode"), np.nan)
    moduli: Array = np.abs(record.eigenvalues).mean(axis=0)
    return moduli


def _mode_tables(
    results: TaskResults, value: str, compute: Callable[[LineAttractor], Array]
) -> Tables:
    frames = []
    for member, record in results.records(LINE_ATTRACTORS).items():
        values = compute(record)
        columns = {"modes": np.arange(1, len(values) + 1), value: values}
        frames.append(pd.DataFrame({**field_columns(member), **columns}))
    networks = stack_frames(frames)
    return {"networks": networks, "means": group_means(networks, "modes", value)}


def draw_eigenvalues(tables: Tables, frame: Frame) -> None:
    """Draw the mean moduli of the first modes, by cell and by activation."""
    grid = _draw_modes(frame, tables["means"], FACTORS)
    grid[0].set_ylabel("modulus of the eigenvalue")
    for axes, factor in zip(grid, FACTORS, strict=True):
        axes.set(title=f"by {factor}", xlabel="mode")


def _draw_modes(frame: Frame, means: Any, factors: Sequence[str]) -> list[Axes]:
    first = means[means["modes"] <= SHOWN_MODES]
    grid = axes_grid(frame, len(factors), 1.2, sharex=True, sharey=True)
    for axes, factor in zip(grid, factors, strict=True):
        paint_bands(axes, first, "modes", factor)
    return grid


def response_tables(results: TaskResults) -> Tables:
    """Return how well the slowest modes of each network predict its response to a pulse.

    `share` is the explained share (R2) of the linearised readout's response over time. Shares below
    0 count as 0. `mean_error` is the relative error of the mean response. Both are medians over the
    slow points of a context, averaged over contexts.
    """
    shares = _mode_tables(results, "share", lambda record: _median(record, _shares(record)))
    errors = _mode_tables(results, "mean_error", lambda record: _median(record, record.mean_error))
    networks = shares["networks"].assign(mean_error=errors["networks"]["mean_error"])
    means = stack_frames(
        [
            part["means"].assign(measure=measure)
            for measure, part in (("share", shares), ("mean_error", errors))
        ]
    )
    return {"networks": networks, "means": means}


def _shares(record: LineAttractor) -> Array:
    return np.maximum(record.readout_share, 0.0)


def _median(record: LineAttractor, values: Array) -> Array:
    """Return medians over slow points of values [point, mode], averaged over contexts, [mode]."""
    rows = [record.known_rows(context) for context in range(record.contexts)]
    medians = [np.median(values[points], axis=0) for points in rows if len(points)]
    return np.mean(medians, axis=0) if medians else np.full(values.shape[1], np.nan)


def draw_responses(tables: Tables, frame: Frame) -> None:
    """Draw the explained share of the response and the error of its mean, by cell."""
    means = tables["means"]
    first = means[means["modes"] <= SHOWN_MODES]
    labels = {"share": "R2 of the response", "mean_error": "error of the mean"}
    grid = axes_grid(frame, len(labels), 1.2, sharex=True)
    for axes, (measure, label) in zip(grid, labels.items(), strict=True):
        paint_bands(axes, first[first["measure"] == measure], "modes", "cell")
        axes.set(ylabel=label, xlabel="number of modes")


def selection_tables(results: TaskResults) -> Tables:
    """Return how much of each stream reaches the readout of each network, by context.

    `cosine` is that of the selection vector with the effect of the stream on the state. `gain` is
    the effect of a unit of the stream on the readout by the slowest mode.
    """
    rows = list[dict[str, Any]]()
    for member, record in results.records(LINE_ATTRACTORS).items():
        values = {
            "selected": (record.relevant, record.relevant_gain),
            "ignored": (record.irrelevant, record.irrelevant_gain),
        }
        rows += [
            {
                **field_columns(member),
                "context": context + 1,
                "stream": stream,
                "cosine": cosines[context],
                "gain": gains[context],
            }
            for stream, (cosines, gains) in values.items()
            for context in range(record.contexts)
        ]
    return {"": pd.DataFrame(rows)}


def draw_selection(tables: Tables, frame: Frame) -> None:
    """Draw gains and cosines of selected and ignored streams, by cell."""
    labels = {"gain": "gain", "cosine": "cosine with selection"}
    grid = axes_grid(frame, len(labels), 1.2)
    for axes, (value, label) in zip(grid, labels.items(), strict=True):
        _paint_streams(axes, tables[""], value)
        axes.set_ylabel(label)
    marks = {name: palette().dress(mark, name, 0) for name, mark in STREAMS.items()}
    add_legend(frame, Legend(marks, "stream"), 2)


def _paint_streams(axes: Axes, table: Any, value: str) -> None:
    """Paint a dot for each network and context: filled for the selected stream, open else."""
    marks = assign_marks(table["cell"].astype(str))
    for i, (cell, mark) in enumerate(marks.items()):
        for side, stream in ((-0.2, "selected"), (0.2, "ignored")):
            rows = table[(table["cell"].astype(str) == cell) & (table["stream"] == stream)]
            values = rows[value].to_numpy(float)
            places = i + side + np.linspace(-SPREAD, SPREAD, len(values)) * (len(values) > 1)
            shown = Mark(mark.colour, mark.marker, filled=STREAMS[stream].filled)
            axes.plot(places, values, **dot_style(shown, 2.5), alpha=0.8)
    axes.set_xticks(range(len(marks)), list(marks))
    axes.set_xlim(-0.6, len(marks) - 0.4)
