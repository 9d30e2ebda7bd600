"""Tables and figures of the graphs of fixed points."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.hypercube import drawing_positions, is_cube
from rnnstudy.analyses.members import (
    Groups,
    Summary,
    finite_summary,
    records_by_combination,
    summary_by_combination,
    typical_members,
    typical_words,
)
from rnnstudy.core.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.dynamics.connections.record import Connections


def topology_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title` for one task."""
    graphs, groups = records_by_combination(section, title, Connections)
    if not groups:
        return
    yield _summary(groups)
    yield _point_counts(groups)
    members = [m for m in typical_members(section) if m.name in graphs and len(graphs[m.name])]
    if members:
        yield Panels(
            title="Graphs of typical networks",
            caption=f"{typical_words(section)}: its fixed points at "
            "the positions of their words, and arrows along their unstable directions to stable "
            "points. Width: share of the directions. Stable points are named by their word, the "
            "signs of the readout.",
            exhibits=[_graph(member, graphs[member.name]) for member in members],
            finding=f"In {sum(map(_is_cube, graphs.values()))} of {len(graphs)} networks the fixed "
            "points and their connections form the graph of a cube.",
        )


def _summary(groups: Groups[Connections]) -> Table:
    columns: dict[str, Summary[Connections]] = {
        "number of networks": len,
        "cube": finite_summary(_is_cube, np.mean),
        "cube with any centre": finite_summary(
            lambda graph: is_cube(graph, graph.size("output"), strict=False), np.mean
        ),
        "words": finite_summary(_words),
        "fewest words": finite_summary(_words, np.min),
        "links of neighbours": finite_summary(lambda graph: (graph.spans == 1).sum()),
        "links of others": finite_summary(lambda graph: (graph.spans > 1).sum()),
        "saddles without link": finite_summary(lambda graph: (graph.spans < 1).sum()),
        "trajectories that arrive": finite_summary(_arrival_share, np.min),
    }
    return Table(
        title="Graphs of fixed points",
        caption="Cube: share of networks whose points have the words of a cube's corners, edges, "
        "faces, ... and centre, each once and with as many unstable directions as bits are open, "
        "and whose single-bit saddles each join two neighbouring corners; with any centre: which "
        "may have more unstable directions. Then medians: words that points have, saddles with "
        "one unstable direction that join words which differ in one bit, in several, or that do "
        "not lead to two words. Trajectories that arrive: smallest share of trajectories from "
        "unstable points that reach a known point.",
        columns=summary_by_combination(groups, columns),
    )


def _is_cube(graph: Connections) -> bool:
    return is_cube(graph, graph.size("output"))


def _words(graph: Connections) -> int:
    """Return the number of different words of the points."""
    return len(np.unique(graph.signs[graph.is_labelled], axis=0))


def _arrival_share(graph: Connections) -> float:
    return float((graph.target >= 0).mean()) if len(graph.target) else 1.0


def _point_counts(groups: Groups[Connections]) -> Table:
    """Return the networks by their numbers of points with 0, 1, 2, ... unstable directions."""
    pairs = [(combination, graph) for combination, graphs in groups.items() for graph in graphs]
    by_count: dict[tuple[int, ...], list[tuple[str, Connections]]] = {}
    for combination, graph in pairs:
        count = tuple(np.bincount(graph.n_unstable).tolist())
        by_count.setdefault(count, []).append((combination, graph))
    by_count = dict(sorted(by_count.items(), key=lambda item: -len(item[1])))
    columns: dict[str, list[Any]] = {
        name: [] for name in ("points", "networks", "share", "cube", "words", "combinations")
    }
    for count, alike in by_count.items():
        combinations = Counter(combination for combination, _ in alike)
        columns["points"].append(" + ".join(map(str, count)) or "none")
        columns["networks"].append(len(alike))
        columns["share"].append(len(alike) / len(pairs))
        columns["cube"].append(sum(_is_cube(graph) for _, graph in alike))
        columns["words"].append(float(np.median([_words(graph) for _, graph in alike])))
        columns["combinations"].append(
            ", ".join(f"{name} ({n})" for name, n in combinations.items())
        )
    return Table(
        title="Which fixed points networks have",
        caption="Numbers of fixed points with 0, 1, 2, ... unstable directions, and how many "
        "networks have just these; in how many of them the graph is the cube's, and the median of "
        "the number of different words.",
        columns=columns,
    )


def _graph(member: Member, graph: Connections) -> Graph:
    edges = graph.edges
    words, stable = graph.signs, graph.n_unstable == 0
    return Graph(
        title=member.combination,
        caption=member.name,
        nodes=[
            "".join("-0+"[sign + 1] for sign in word) if named else ""
            for word, named in zip(words, stable, strict=True)
        ],
        groups=[str(count) for count in graph.n_unstable],
        edges=list(zip(edges["source"], edges["target"], edges["share"], strict=True)),
        positions=drawing_positions(words),
        group_label="unstable directions",
    )
