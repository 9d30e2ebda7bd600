"""Graphs of fixed points and attractors, compared up to isomorphism by networkx."""

from collections import Counter
from itertools import product
from typing import Any

import numpy as np

from rnnstudy.analyses.solution_classes.condition import POINT
from rnnstudy.core.arrays import Array

CODE_DIGITS = 6
"""Hexadecimal digits of a graph's code in a label: two graphs in 16 million share one by chance."""

NO_WORD = 2
"""Entry of the word of a point without a word."""

REFINEMENTS = 8
"""Rounds of the Weisfeiler-Lehman hash. A round carries labels one link further."""


def point_graph(
    n_unstable: Array,
    words: Array,
    attractors: dict[str, Array],
    links: dict[str, Array],
) -> Any:
    """Return a `networkx.Graph` of the points and attractors of one condition.

    A node is labelled by its kind: a fixed point by its number of unstable directions. A link joins
    a point with one unstable direction to an attractor that it leads to. For a memory, each
    point is also joined to a node for the sign of each bit in its word. The two signs of a bit are
    joined. Isomorphisms of this graph are those of the points up to renaming of bits and signs.

    Parameters
    ----------
    n_unstable
        Number of unstable directions, `[point]`.
    words
        Words of -1, 0 and 1, `[point, bit]`; no columns without words. A row of 2 is no word.
    attractors
        Columns `kind`, `point` and `period`, `[attractor]`.
    links
        Columns `source`, a point, `target`, an attractor, and `ways`, `[link]`.
    """
    import networkx as nx

    graph = nx.Graph()
    for i, count in enumerate(n_unstable.tolist()):
        graph.add_node(("point", i), kind=f"{count} unstable")
    nodes = [
        ("point", point) if point >= 0 else ("attractor", i)
        for i, point in enumerate(attractors["point"].tolist())
    ]
    for node, kind, period in zip(
        nodes, attractors["kind"].tolist(), attractors["period"].tolist(), strict=True
    ):
        if node[0] == "attractor":
            graph.add_node(node, kind=attractor_name(kind, period))
    columns = (links[name].tolist() for name in ("source", "target", "ways"))
    for source, target, ways in zip(*columns, strict=True):
        graph.add_edge(("point", source), nodes[target], kind=f"{ways} ways")
    _add_words(graph, words)
    return graph


def attractor_name(kind: int, period: int) -> str:
    """Return the name of an isolated attractor: point, orbit of a period, or cycle."""
    if kind == POINT:
        return "0 unstable"
    return f"orbit of period {period}" if kind == POINT + 1 else "cycle"


def _add_words(graph: Any, words: Array) -> None:
    """Join points to the signs of their bits."""
    if not words.shape[1]:
        return
    for point in np.flatnonzero((words == NO_WORD).any(axis=1)).tolist():
        graph.nodes[("point", point)]["kind"] += ", no word"
    for bit in range(words.shape[1]):
        for sign in (-1, 1):
            graph.add_node(("sign", bit, sign), kind="sign")
        graph.add_edge(("sign", bit, -1), ("sign", bit, 1), kind="bit")
    for point, bit in np.argwhere(np.abs(words) == 1).tolist():
        graph.add_edge(("point", point), ("sign", bit, int(words[point, bit])), kind="word")


def graph_code(graph: Any) -> str:
    """Return a code that isomorphic graphs share.

    It is the hash of the Weisfeiler-Lehman hashes of the graph with each node marked in turn. A
    plain hash takes two squares for an octagon. Graphs of one code are compared exactly.

    References
    ----------
    Shervashidze et al. (2011), Weisfeiler-Lehman graph kernels. Journal of Machine Learning
    Research 12.
    """
    import hashlib

    import networkx as nx

    hashes = []
    for node in graph:
        kind = graph.nodes[node]["kind"]
        graph.nodes[node]["kind"] = f"marked {kind}"
        part = graph.subgraph(nx.node_connected_component(graph, node))
        hashes.append(
            nx.weisfeiler_lehman_graph_hash(
                part, edge_attr="kind", node_attr="kind", iterations=REFINEMENTS
            )
        )
        graph.nodes[node]["kind"] = kind
    return hashlib.sha256(" ".join(sorted(hashes)).encode()).hexdigest()[:CODE_DIGITS]


def is_isomorphic(a: Any, b: Any) -> bool:
    """Return whether two graphs of points are the same but for the order of points and bits."""
    import networkx as nx

    kind = nx.algorithms.isomorphism.categorical_node_match("kind", None)
    link = nx.algorithms.isomorphism.categorical_edge_match("kind", None)
    return bool(nx.is_isomorphic(a, b, node_match=kind, edge_match=link))


def graph_name(graph: Any, words: Array, n_unstable: Array) -> str:
    """Return the name of a graph: cube, chain, ring, its code, or none without links and words."""
    if _is_cube(graph, words, n_unstable):
        return "cube graph"
    nodes = [node for node in graph if node[0] != "sign"]
    plain = graph.subgraph(nodes)
    if words.shape[1] == 0:
        if not plain.number_of_edges():
            return ""
        degrees = Counter(dict(plain.degree).values())
        if _is_connected(plain) and set(degrees) <= {1, 2}:
            return "chain" if degrees[1] == 2 else "ring graph"
    return f"graph {graph_code(graph)}"


def _is_connected(graph: Any) -> bool:
    import networkx as nx

    return bool(nx.is_connected(graph))


def _is_cube(graph: Any, words: Array, n_unstable: Array) -> bool:
    """Return whether the points are those of a cube with the links of its edges."""
    bits = words.shape[1]
    if not bits or len(words) != 3**bits:
        return False
    if set(map(tuple, words.tolist())) != set(product((-1, 0, 1), repeat=bits)):
        return False
    if not np.array_equal((words == 0).sum(axis=1), n_unstable):
        return False
    return all(
        _joins_neighbours(graph, words, point) for point in np.flatnonzero(n_unstable == 1).tolist()
    )


def _joins_neighbours(graph: Any, words: Array, saddle: int) -> bool:
    """Return whether a saddle leads to the two words that differ in its open bit alone."""
    ends = [node[1] for node in graph[("point", saddle)] if node[0] == "point"]
    if len(ends) != 2:
        return False
    is_open = words[saddle] == 0
    return bool(
        (words[ends[0]] == -words[ends[1]])[is_open].all()
        and (words[ends][:, ~is_open] == words[saddle, ~is_open]).all()
    )
