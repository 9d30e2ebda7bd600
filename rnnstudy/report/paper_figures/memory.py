"""Panels of figure 1: a memory of bits."""

from typing import Any

import numpy as np

from rnnstudy.analyses.hypercube import drawing_positions
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Graph, Matrix, Space3D
from rnnstudy.core.lazy_imports import pd
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.report.figures.graphs import paint_positioned
from rnnstudy.report.figures.heatmaps import paint_matrix
from rnnstudy.report.figures.panels import Legend
from rnnstudy.report.figures.space import paint_space
from rnnstudy.report.paper_figures.drawing import (
    PC,
    Frame,
    add_legend,
    axes_grid,
    paint_paths,
    paint_signals,
    time_label,
)
from rnnstudy.report.paper_figures.results import ACTIVITY, GRAPHS, TaskResults
from rnnstudy.report.paper_figures.tables import (
    FACTORS,
    SHOWN_TRIALS,
    Tables,
    even_positions,
    groups_of,
    member_columns,
    path_table,
    point_table,
    stack_frames,
    trial_table,
)
from rnnstudy.report.style import Mark, assign_marks


def trial_tables(results: TaskResults) -> Tables:
    """Return inputs, targets and outputs of a network on the first trial of the probe."""
    member, activity = results.example_of(ACTIVITY)
    return {"": trial_table(results, member, activity, [0])}


def draw_trial(tables: Tables, frame: Frame) -> None:
    """Draw each channel of a trial in axes of its own."""
    table = tables[""]
    channels = list(groups_of(table, "channel"))
    grid = frame.subplots(len(channels), 1, sharex=True, squeeze=False).ravel()
    marks = dict[str, Mark]()
    for axes, (channel, rows) in zip(grid, channels, strict=True):
        marks |= paint_signals(axes, rows, ("input", "target", "output"))
        axes.set(ylabel=f"bit {channel}", yticks=[-1, 1])
        axes.margins(y=0.15)
    grid[-1].set_xlabel(time_label(table))
    add_legend(frame, Legend(marks, lines=True), 3, "outside upper right")


def state_tables(results: TaskResults) -> Tables:
    """Return trajectories of a network of each cell in its own principal components."""
    return {
        "": stack_frames(
            [
                _paths(member, activity.states)
                for member, activity in results.examples(ACTIVITY).items()
            ]
        )
    }


def _paths(member: Any, states: Array) -> Any:
    components = principal_components(states.reshape(-1, states.shape[-1]).astype(float))
    trials = even_positions(len(states), SHOWN_TRIALS)
    return path_table(member, components, states[trials], {"trial": np.array(trials)})


def draw_states(tables: Tables, frame: Frame) -> None:
    """Draw the trajectories of each network in the colour of its cell."""
    networks = list(groups_of(tables[""], "member"))
    grid = axes_grid(frame, len(networks), subplot_kw={"projection": "3d"})
    marks = assign_marks(tables[""]["cell"])
    for axes, (_, rows) in zip(grid, networks, strict=True):
        cell = rows["cell"].iloc[0]
        paths = (path[list(PC)].to_numpy(float) for _, path in groups_of(rows, "trial"))
        paint_paths(axes, ((path, marks[cell].colour) for path in paths))
        axes.set_title(f"{cell} {rows['activation'].iloc[0]}")


def draw_distances(tables: Tables, frame: Frame) -> None:
    """Draw a matrix of distances, with the cells and activations of the networks at its sides."""
    networks, pairs = tables["networks"], tables["pairs"]
    position = {name: i for i, name in enumerate(networks["member"])}
    first, second = (pairs[name].map(position).to_numpy(int) for name in ("member_1", "member_2"))
    values = np.zeros((len(networks), len(networks)))
    values[first, second] = values[second, first] = pairs["distance"]
    exhibit = Matrix(
        title="",
        values=values,
        labels=networks["member"].tolist(),
        groups={factor: networks[factor].astype(str).tolist() for factor in FACTORS},
        value_label="distance",
    )
    paint_matrix(exhibit, frame.subplots())


def graph_tables(results: TaskResults) -> Tables:
    """Return the fixed points of a network, their links, and trajectories around them.

    Positions in the graph are those of the words that the points stand for.
    """
    member, graph = results.example_of(GRAPHS)
    activity = results.record_of(ACTIVITY, member)
    population = results.run.trained_network(member.name).population
    states = activity.states.astype(float)
    components = principal_components(states.reshape(-1, states.shape[-1]))
    places = drawing_positions(graph.signs)
    labels = {
        "point": np.arange(len(graph)),
        "n_unstable": graph.n_unstable,
        "word": _words(graph),
        "graph_x": places[:, 0],
        "graph_y": places[:, 1],
    }
    edges = graph.edges[["source", "target", "count", "share"]]
    return {
        "trajectories": _paths(member, activity.states),
        "points": point_table(member, components, population.visible(graph.state), labels),
        "links": pd.DataFrame({**member_columns(member), **edges.to_dict("list")}),
    }


def _words(graph: Connections) -> list[str]:
    """Return the word of each point, its signs of the outputs, as in `+-0`."""
    return ["".join("-0+"[sign + 1] for sign in word) for word in graph.signs]


def draw_graph(tables: Tables, frame: Frame) -> None:
    """Draw fixed points in principal components, and their graph beside them."""
    space, plane = frame.add_subplot(121, projection="3d"), frame.add_subplot(122)
    points = tables["points"]
    groups = points["n_unstable"].astype(str).tolist()
    trajectories = groups_of(tables["trajectories"], "trial")
    legend = paint_space(
        Space3D(
            title="",
            lines=[path[list(PC)].to_numpy(float) for _, path in trajectories],
            points=points[list(PC)].to_numpy(float),
            point_groups=groups,
        ),
        space,
    )
    links = tables["links"][["source", "target", "share"]].itertuples(index=False, name=None)
    stable = points["n_unstable"] == 0
    places = points[["graph_x", "graph_y"]].to_numpy(float)
    exhibit = Graph(
        title="",
        nodes=points["word"].where(stable, "").tolist(),
        groups=groups,
        edges=list(links),
        positions=places,
    )
    paint_positioned(exhibit, places, plane)
    add_legend(frame, Legend(legend.marks, "unstable directions"), max(len(legend.marks), 1))
