"""Names of figures and panels, what each shows, and what it is drawn from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.report.paper_figures import integration, memory, sine
from rnnstudy.report.paper_figures.drawing import Frame, paint_maps
from rnnstudy.report.paper_figures.results import (
    ACTIVITY,
    CYCLE_DISTANCES,
    CYCLES,
    GRAPH_DISTANCES,
    GRAPHS,
    LINE_ATTRACTORS,
    LINE_DISTANCES,
    SVCCA_DISTANCES,
    ResultKind,
    TaskResults,
)
from rnnstudy.report.paper_figures.tables import Tables, distance_tables, map_table
from rnnstudy.tasks import Task


@dataclass(frozen=True)
class PaperPanel:
    """A panel: a function from records to tidy tables, and a function that draws these.

    Parameters
    ----------
    name
        Name, such as `figure1a`.
    sentence
        FigureContent in one sentence.
    sources
        Results that it is drawn from.
    tables
        Function that computes its tables.
    draw
        Function that draws the tables on a figure or a part of one.
    height
        Height in millimetres at the width of one column.
    """

    name: str
    sentence: str
    sources: Sequence[ResultKind]
    tables: Callable[[TaskResults], Tables]
    draw: Callable[[Tables, Frame], None]
    height: float

    @property
    def letter(self) -> str:
        """Letter of the panel in its figure."""
        return self.name[-1]


@dataclass(frozen=True)
class PaperFigure:
    """A figure: panels in rows.

    Parameters
    ----------
    name
        Name, such as `figure1`.
    sentence
        FigureContent in one sentence.
    suits
        True for a task that the figure is about.
    task_words
        Description of such a task.
    rows
        Height of each row in millimetres at the width of two columns, and the widths of its panels.
    panels
        The panels, in the order of the rows.
    """

    name: str
    sentence: str
    suits: Callable[[Task], bool]
    task_words: str
    rows: Sequence[tuple[float, Sequence[float]]]
    panels: Sequence[PaperPanel]


def _maps(source: ResultKind) -> dict[str, Any]:
    """Return the functions of a panel with the maps of a kind of distances."""

    def tables(results: TaskResults) -> Tables:
        return {"": map_table(results, source)}

    def draw(tables: Tables, frame: Frame) -> None:
        paint_maps(frame, tables[""])

    return {"sources": (source,), "tables": tables, "draw": draw, "height": 52}


FIGURE_1 = PaperFigure(
    name="figure1",
    sentence="A memory of bits: its trials, states, geometry, fixed points and topology.",
    suits=Topology().applies,
    task_words="a memory (flip_flop)",
    rows=((45, (1, 2)), (58, (1, 1.35)), (58, (1.25, 1))),
    panels=(
        PaperPanel(
            "figure1a",
            "Inputs, targets and outputs of one network on a trial.",
            (ACTIVITY,),
            memory.trial_tables,
            memory.draw_trial,
            52,
        ),
        PaperPanel(
            "figure1b",
            "States of a typical network of each cell in its principal components.",
            (ACTIVITY,),
            memory.state_tables,
            memory.draw_states,
            82,
        ),
        PaperPanel(
            "figure1c",
            "Matrix of the SVCCA distances between all networks.",
            (SVCCA_DISTANCES,),
            partial(distance_tables, source=SVCCA_DISTANCES),
            memory.draw_distances,
            72,
        ),
        PaperPanel(
            "figure1d",
            "Map of the networks by SVCCA distance, coloured by cell and by activation.",
            **_maps(SVCCA_DISTANCES),
        ),
        PaperPanel(
            "figure1e",
            "Fixed points of one network by their number of unstable directions, and their graph.",
            (GRAPHS, ACTIVITY),
            memory.graph_tables,
            memory.draw_graph,
            50,
        ),
        PaperPanel(
            "figure1f",
            "Map of the networks by the graphs of their fixed points.",
            **_maps(GRAPH_DISTANCES),
        ),
    ),
)

FIGURE_2 = PaperFigure(
    name="figure2",
    sentence="Sine waves: trials, cycles and fixed points, geometry, and linearised frequencies.",
    suits=Oscillations().applies,
    task_words="a task of sine waves (sine)",
    rows=((45, (1, 2)), (52, (1, 1)), (52, (1,))),
    panels=(
        PaperPanel(
            "figure2a",
            "Targets and outputs of one network for a slow, a middle and a fast cue.",
            (ACTIVITY,),
            sine.wave_tables,
            sine.draw_waves,
            52,
        ),
        PaperPanel(
            "figure2b",
            "Cycles and fixed points of a typical network of each cell, by frequency.",
            (CYCLES,),
            sine.cycle_tables,
            sine.draw_cycles,
            78,
        ),
        PaperPanel(
            "figure2c",
            "Map of the networks by SVCCA distance, coloured by cell and by activation.",
            **_maps(SVCCA_DISTANCES),
        ),
        PaperPanel(
            "figure2d",
            "Map of the networks by the arrangement of their fixed points.",
            **_maps(CYCLE_DISTANCES),
        ),
        PaperPanel(
            "figure2e",
            "Linearised frequency against the target: mean and standard error over networks.",
            (CYCLES,),
            sine.frequency_tables,
            sine.draw_frequencies,
            45,
        ),
    ),
)

FIGURE_3 = PaperFigure(
    name="figure3",
    sentence="Integration by context: trials, line attractors, geometry, and the modes in use.",
    suits=LineAttractors().applies,
    task_words="an integration (integration)",
    rows=((45, (1, 2)), (52, (1, 1)), (45, (1, 1)), (48, (1,))),
    panels=(
        PaperPanel(
            "figure3a",
            "Streams, target and output of one network on a trial.",
            (ACTIVITY,),
            integration.integration_tables,
            integration.draw_integration,
            55,
        ),
        PaperPanel(
            "figure3b",
            "Trajectories and slow points of a typical network of each cell in one context.",
            (LINE_ATTRACTORS, ACTIVITY),
            integration.line_tables,
            integration.draw_lines,
            70,
        ),
        PaperPanel(
            "figure3c",
            "Map of the networks by SVCCA distance, coloured by cell and by activation.",
            **_maps(SVCCA_DISTANCES),
        ),
        PaperPanel(
            "figure3d",
            "Map of the networks by the arrangement of their slow points.",
            **_maps(LINE_DISTANCES),
        ),
        PaperPanel(
            "figure3e",
            "Sorted moduli of eigenvalues along the line: mean and standard error over networks.",
            (LINE_ATTRACTORS,),
            integration.eigenvalue_tables,
            integration.draw_eigenvalues,
            45,
        ),
        PaperPanel(
            "figure3f",
            "Response to a pulse that the slowest modes give, by their number.",
            (LINE_ATTRACTORS,),
            integration.response_tables,
            integration.draw_responses,
            45,
        ),
        PaperPanel(
            "figure3g",
            "Selected against ignored stream: gain and cosine. Not a panel of the paper.",
            (LINE_ATTRACTORS,),
            integration.selection_tables,
            integration.draw_selection,
            50,
        ),
    ),
)

FIGURES: Mapping[str, PaperFigure] = {
    figure.name: figure for figure in (FIGURE_1, FIGURE_2, FIGURE_3)
}

PANELS: Mapping[str, tuple[PaperFigure, PaperPanel]] = {
    panel.name: (figure, panel) for figure in FIGURES.values() for panel in figure.panels
}

FIGURE_NAMES: Sequence[str] = tuple(
    name
    for figure in FIGURES.values()
    for name in (figure.name, *(panel.name for panel in figure.panels))
)
"""Names that `rnnstudy figure` takes: each figure before its panels."""
