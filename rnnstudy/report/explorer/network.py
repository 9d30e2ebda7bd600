"""Data of one network: its trials, state space, graph of fixed points, training and neighbours."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.hypercube import drawing_positions
from rnnstudy.core.arrays import Array
from rnnstudy.core.files import short_name
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.report.explorer.packing import Coarse
from rnnstudy.report.explorer.records import Explorer, analysis_of
from rnnstudy.report.explorer.state_space import (
    MOST_POINTS,
    SHOWN_COMPONENTS,
    shown_trials,
    space_content,
)
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.failures import attempt
from rnnstudy.training.train import TrainedNetworks

T = TypeVar("T")
R = TypeVar("R", bound=Record)

SHOWN_SAMPLES = 2000
"""Largest number of shown states of a network, over all of its trials."""

SHOWN_NUMBERS = 16_000
"""Largest number of shown outputs and coordinates of states."""

MOST_EDGES = 1000
"""Edges of a graph of fixed points that are shown."""

SHOWN_TRIALS = 8
"""Largest number of shown trials."""

CURVE_SAMPLES = 400
"""Largest number of points of a training curve."""

NETWORK_BYTES = 128 * 2**10
"""Budget of the file of one network. Limits on trials, points and modes keep to it."""


class NetworkParts:
    """Parts of the data of one network. A part that raises an exception is a sentence instead."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}
        """Part -> why it is missing."""
        self.faults: list[str] = []

    def add(self, name: str, compute: Callable[[], Any]) -> Any:
        """Add a part, and return it; None if it could not be computed."""
        value, error = attempt(compute, None)
        if error:
            self.reasons[name] = error
            self.faults.append(f"{name}: {error}")
        elif value is not None:
            self.content[name] = value
        return value


def network_content(
    explorer: Explorer, position: int, neighbours: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    """Return the data of one network, and a sentence for each part that could not be computed.

    Parameters
    ----------
    explorer
        The explorer.
    position
        Position of the network.
    neighbours
        Nearest networks by each distance.
    """
    run, member = explorer.results, explorer.results.index.members[position]
    name, parts = member.name, NetworkParts()
    task = str(member.fields["task"])
    sources = _sources(explorer, task)
    trained = _read(parts, "training", partial(run.trained_network, name), TrainedNetworks)
    records = {
        part: _read(parts, part, partial(run.record, analysis.title, name), kind)
        for part, (analysis, kind) in sources.items()
        if analysis is not None
    }
    activity, points, graph = (records.get(part) for part in ("trials", "points", "graph"))
    if trained is not None:
        parts.add("training", lambda: curve_content(trained))
    if trained is not None and isinstance(activity, Activity):
        trials, step = trial_choice(activity)
        parts.add("trials", lambda: trial_content(activity, trials, step))
        fixed = points if isinstance(points, FixedPoints) else None
        parts.add("space", lambda: space_content(trained.population, activity, fixed, trials, step))
    if isinstance(graph, Connections):
        parts.add("graph", lambda: graph_content(graph))
    model = f"{short_name(name)}.keras"
    content = {
        "name": name,
        **parts.content,
        "neighbours": list(neighbours),
        "model": f"../models/{model}" if explorer.has_model(model) else None,
        "python": python_lines(name, sources["points"][0], points is not None),
        "reasons": parts.reasons,
    }
    return content, [f"{name}, {fault}" for fault in parts.faults]


def _sources(
    explorer: Explorer, task: str
) -> dict[str, tuple[MemberAnalysis | None, type[Record]]]:
    """Return the analysis and the class of the record of each part."""
    from rnnstudy.analyses.distances.representations import Representations

    kinds: dict[str, type[Record]] = {"points": FixedPoints, "graph": Connections}
    sources = {
        part: (analysis_of(explorer.results, task, kind), kind) for part, kind in kinds.items()
    }
    return {"trials": (Representations(), Activity), **sources}


def _read(parts: NetworkParts, name: str, read: Callable[[], Any], kind: type[R]) -> R | None:
    """Return a record; None with a reason if the run does not hold it."""
    try:
        record = read()
    except RunError as error:
        parts.reasons[name] = str(error)
        return None
    return record if isinstance(record, kind) else None


def trial_choice(activity: Activity) -> tuple[Array, int]:
    """Return the trials of a network that are shown, and the steps between two shown states."""
    trials, length = activity.states.shape[:2]
    samples = min(SHOWN_SAMPLES, SHOWN_NUMBERS // (activity.outputs.shape[-1] + SHOWN_COMPONENTS))
    return shown_trials(trials, length, max(samples, 1), SHOWN_TRIALS)


def trial_content(activity: Activity, trials: Array, step: int) -> dict[str, Any]:
    """Return the outputs of the shown trials; the file of the task has inputs and targets."""
    return {"outputs": Coarse(activity.outputs[trials, ::step])}


def curve_content(trained: TrainedNetworks) -> dict[str, Any] | None:
    """Return loss and accuracy by training step; None for an imported network."""
    count = len(trained.step)
    if not count:
        return None
    at = np.unique(np.linspace(0, count - 1, min(count, CURVE_SAMPLES)).astype(int))
    loss, accuracy = trained.loss[0, at], trained.accuracy[0, at]
    return {"step": trained.step[at], "loss": np.asarray(loss, float), "accuracy": accuracy}


def graph_content(graph: Connections) -> dict[str, Any] | None:
    """Return nodes and edges of the graph of fixed points; None without points."""
    count = min(len(graph), MOST_POINTS)
    if not count:
        return None
    edges = graph.edges
    edges = edges[(edges["source"] < count) & (edges["target"] < count)][:MOST_EDGES]
    content = {
        "n_unstable": graph.n_unstable[:count],
        "input": graph.input_index[:count],
        "source": edges["source"].to_numpy(int),
        "target": edges["target"].to_numpy(int),
        "share": edges["share"].to_numpy(float),
    }
    if graph.has_labels:
        words = graph.signs[:count]
        content["word"] = ["".join("-0+"[sign + 1] for sign in word) for word in words.tolist()]
        content["position"] = drawing_positions(words)
    return content


def python_lines(name: str, analysis: MemberAnalysis | None, has_points: bool) -> list[str]:
    """Return lines of Python that load a network and its fixed points.

    Examples
    --------
    >>> python_lines("flip_flop-gru-tanh-32-s000", None, False)[-1]
    "model = run.model('flip_flop-gru-tanh-32-s000')"
    """
    lines = [
        "import rnnstudy",
        'run = rnnstudy.open_run("..")  # the folder of the run',
        f"model = run.model({name!r})",
    ]
    if analysis is not None and has_points:
        title = analysis.title
        known = title == "fixed_points"
        call = f"fixed_points({name!r})" if known else f"record({title!r}, {name!r})"
        lines.append(f"points = run.{call}")
    return lines
