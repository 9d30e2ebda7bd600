"""The graph of a cube, whole and damaged; graphs whose labels mean nothing."""

import itertools

import numpy as np
import pytest
from claims.populations import by_rule, population
from task_inputs import compute, evidence_of

from rnnstudy.claims.cube_graph import CubeGraph
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.sine import Sine

WORDS = sorted(itertools.product((-1, 0, 1), repeat=3), key=lambda word: word.count(0))
"""Corners, edges, faces and the centre."""


def connected(cut: list[int] = [], centre: int = 3) -> Connections:  # noqa: B006
    """The cube's points, each linked to the corners that share its bits, but those of `cut` edges
    to their first corner alone; so many unstable directions at the centre."""
    unstable = np.array([word.count(0) for word in WORDS])
    ways = [
        (i, j)
        for i, word in enumerate(WORDS)
        if 0 in word
        for j, corner in enumerate(WORDS[:8])
        if all(bit in (0, end) for bit, end in zip(word, corner, strict=True))
    ]
    once: dict[int, int] = {}
    kept = [(i, j) for i, j in ways if i - 8 not in cut or once.setdefault(i, j) == j]
    source, target = np.array(kept).T
    none = np.zeros(len(WORDS), int)
    unstable[-1] = centre
    return Connections(
        state=np.zeros((27, 4)),
        # What saddles read out says nothing, as is measured of relu networks.
        outputs=np.where(unstable[:, None] == 0, np.array(WORDS), 0.7),
        n_unstable=unstable,
        member=none,
        input_index=none,
        source=source,
        target=target,
        outcome=np.zeros(len(source), int),
        steps=np.ones(len(source), int),
        has_labels=True,
    )


def renamed(graph: Connections, order: list[int]) -> Connections:
    """The same with the words of its corners exchanged."""
    outputs = graph.outputs.copy()
    outputs[:8] = outputs[order]
    return Connections(**{**vars(graph), "outputs": outputs})


def test_a_cube_is_known_by_its_edges() -> None:
    task, claim = FlipFlop(), CubeGraph()
    assert claim.has(connected(), task)
    assert not claim.has(connected([3]), task)
    # With two corners exchanged some edges join words that differ in two bits or three.
    assert not claim.has(renamed(connected(), [1, 2, 0, 3, 4, 5, 6, 7]), task)
    assert claim.has(renamed(connected(), [7, 6, 5, 4, 3, 2, 1, 0]), task)
    assert not claim.has(connected(), FlipFlop(bits=2))
    assert claim.applies(task)
    assert not claim.applies(Sine())
    assert "its 12 edges are saddles" in claim.statement(task)
    with pytest.raises(TypeError, match="'topology' must yield Connections for cube_graph, got R"):
        compute(claim, task, population(1), [Record()] * 8)


def test_a_centre_may_have_more_unstable_directions_if_the_claim_says_so() -> None:
    graph = connected(centre=5)
    assert not CubeGraph().has(graph, FlipFlop())
    assert CubeGraph(strict=False).has(graph, FlipFlop())


def test_cubes_support_it_and_one_bad_combination_does_not() -> None:
    members, claim, task = population(3), CubeGraph(), FlipFlop()
    records: list[Record] = [connected()] * len(members)
    evidence = evidence_of(claim, task, members, records)
    assert by_rule(claim, evidence).outcome == "supported"
    bad = [connected([0]) if m.combination == "gru relu" else connected() for m in members]
    evidence = evidence_of(claim, task, members, bad)
    assert by_rule(claim, evidence).outcome == "not supported"
