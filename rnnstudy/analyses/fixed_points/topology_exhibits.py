"""Tables and pictures of the graphs of fixed points."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.hypercube import drawn_at, is_cube
from rnnstudy.analyses.members import found_by, typical_members
from rnnstudy.core.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.dynamics.connections.record import Connections

Groups = Mapping[str, Sequence[Connections]]


def topology_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """What `topology`, called `title` in the study, shows of one task."""
    found, groups = found_by(section, title, Connections)
    if not groups:
        return
    yield _summary(groups)
    yield _kinds(groups)
    shown = [m for m in typical_members(section) if m.name in found and len(found[m.name])]
    if shown:
        yield Panels(
            title="Graphs of typical networks",
            caption="Of each combination, the solved network of median loss: its fixed points at "
            "the places of their words, and arrows from each to where its unstable directions "
            "lead, the wider the more of them. Stable points are named by their word, the signs "
            "of what is read out.",
            exhibits=[_graph(member, found[member.name]) for member in shown],
        )


def _summary(groups: Groups) -> Table:
    columns: dict[str, list[Any]] = {"networks": list(groups)}
    columns["networks looked at"] = [len(records) for records in groups.values()]

    def column(name: str, value: Callable[[Connections], float], over: Any = np.mean) -> None:
        columns[name] = [float(over(list(map(value, records)))) for records in groups.values()]

    column("cube", lambda graph: is_cube(graph, graph.size("output")))
    column("cube with any centre", lambda graph: is_cube(graph, graph.size("output"), strict=False))
    column("words", _words, np.median)
    column("fewest words", _words, np.min)
    column("links of neighbours", lambda graph: (graph.spans == 1).sum(), np.median)
    column("links of others", lambda graph: (graph.spans > 1).sum(), np.median)
    column("saddles without link", lambda graph: (graph.spans < 1).sum(), np.median)
    column("ways that arrive", _arriving, np.min)
    return Table(
        title="Graphs of fixed points",
        caption="Cube: share of networks whose points have the words of a cube's corners, edges, "
        "faces, ... and centre, each once and with as many unstable directions as bits are open, "
        "and whose single-bit saddles each join two neighbouring corners; with any centre: which "
        "may have more unstable directions. Then medians: words that points have, saddles with "
        "one unstable direction that join words which differ in one bit, in several, or that do "
        "not lead to two words. Ways that arrive: least share of the ways out of unstable points "
        "that come to a known point.",
        columns=columns,
    )


def _words(graph: Connections) -> int:
    """Different words that points have."""
    return len(np.unique(graph.signs[graph.is_labelled], axis=0))


def _arriving(graph: Connections) -> float:
    return float((graph.target >= 0).mean()) if len(graph.target) else 1.0


def _kinds(groups: Groups) -> Table:
    """How many networks have which points, and which networks those are."""
    every = [(combination, graph) for combination, own in groups.items() for graph in own]
    counts = [tuple(np.bincount(graph.n_unstable).tolist()) for _, graph in every]
    kinds = [kind for kind, _ in Counter(counts).most_common()]
    columns: dict[str, list[Any]] = {
        name: [] for name in ("points", "networks", "share", "cube", "words", "found in")
    }
    for kind in kinds:
        own = [pair for pair, count in zip(every, counts, strict=True) if count == kind]
        where = Counter(combination for combination, _ in own)
        columns["points"].append(" + ".join(map(str, kind)) or "none")
        columns["networks"].append(len(own))
        columns["share"].append(len(own) / len(every))
        columns["cube"].append(sum(is_cube(graph, graph.size("output")) for _, graph in own))
        columns["words"].append(float(np.median([_words(graph) for _, graph in own])))
        columns["found in"].append(", ".join(f"{name} ({n})" for name, n in where.items()))
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
        positions=drawn_at(words),
        group_label="unstable directions",
    )
