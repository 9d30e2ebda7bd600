"""Graphs of points up to isomorphism, labels, and the table and figure of classes."""

from itertools import product

import numpy as np
import pytest

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.solution_classes.analysis import SolutionClasses
from rnnstudy.analyses.solution_classes.exhibits import class_figure, class_letters
from rnnstudy.analyses.solution_classes.graph import (
    NO_WORD,
    graph_code,
    graph_name,
    is_isomorphic,
    point_graph,
)
from rnnstudy.analyses.solution_classes.record import SolutionClass, class_labels
from rnnstudy.analyses.solution_classes.verdict import CLASS_KINDS
from rnnstudy.core.exhibit import StackedBars, Table
from rnnstudy.report.style import shorten
from rnnstudy.tasks.flip_flop import FlipFlop


def graph_of(n_unstable, links, words=None):
    """Return the graph of points and of links (saddle, stable point); all stable ones attract."""
    n_unstable = np.array(n_unstable)
    stable = np.flatnonzero(n_unstable == 0)
    words = np.zeros((len(n_unstable), 0), int) if words is None else np.array(words)
    attractors = {
        "kind": np.zeros(len(stable), int),
        "point": stable,
        "period": np.zeros(len(stable), int),
    }
    target = np.array([np.flatnonzero(stable == end)[0] for _, end in links], int)
    columns = {
        "source": np.array([source for source, _ in links], int),
        "target": target,
        "ways": np.ones(len(links), int),
    }
    return point_graph(n_unstable, words, attractors, columns)


def rings(*sizes):
    """Return rings of so many stable points, with a saddle between every two."""
    count, n_unstable, links = 0, [], []
    for size in sizes:
        n_unstable += [0] * size + [1] * size
        for i in range(size):
            links += [(count + size + i, count + i), (count + size + i, count + (i + 1) % size)]
        count += 2 * size
    return graph_of(n_unstable, links)


def cube_points(bits, flip=(1, 1, 1), order=(0, 1, 2), missing=None):
    """Return words, numbers of unstable directions and links of a cube without one corner."""
    words = np.array([w for w in product((-1, 0, 1), repeat=bits) if w != missing])
    words = words[:, list(order[:bits])] * np.array(flip[:bits])
    n_unstable = (words == 0).sum(axis=1)
    links = []
    for saddle in np.flatnonzero(n_unstable == 1):
        for sign in (-1, 1):
            corner = np.where(words[saddle] == 0, sign, words[saddle])
            links += [(saddle, end) for end in np.flatnonzero((words == corner).all(axis=1))]
    return words, n_unstable, links


def test_two_squares_are_no_octagon():
    """A plain Weisfeiler-Lehman hash takes one for the other."""
    squares, octagon = rings(4, 4), rings(8)
    assert not is_isomorphic(squares, octagon)
    assert graph_code(squares) != graph_code(octagon)
    assert graph_name(octagon, np.zeros((16, 0)), np.zeros(16)) == "ring graph"


def test_the_order_of_points_does_not_matter():
    links = [(3, 0), (3, 1), (4, 1), (4, 2)]
    chain = graph_of([0, 0, 0, 1, 1], links)
    order = [4, 2, 0, 3, 1]
    renamed = [(order.index(a), order.index(b)) for a, b in links]
    other = graph_of(np.array([0, 0, 0, 1, 1])[order], renamed)
    assert is_isomorphic(chain, other)
    assert graph_code(chain) == graph_code(other)
    star = graph_of([0, 0, 0, 1, 1], [(3, 0), (3, 1), (4, 0), (4, 0)])
    assert graph_code(chain) != graph_code(star)
    assert graph_name(chain, np.zeros((5, 0)), np.zeros(5)) == "chain"


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_cube_of_any_names_is_a_cube(bits):
    words, n_unstable, links = cube_points(
        bits, flip=(-1, 1, -1), order=(2, 0, 1)[-bits:] if bits == 3 else (0, 1)
    )
    assert graph_name(graph_of(n_unstable, links, words), words, n_unstable) == "cube graph"


def test_memories_without_a_corner_are_one_class_whichever_corner_it_is():
    graphs = []
    for missing in ((1, 1, 1), (-1, 1, -1)):
        words, n_unstable, links = cube_points(3, missing=missing)
        graphs.append(graph_of(n_unstable, links, words))
    assert is_isomorphic(*graphs)
    assert graph_code(graphs[0]) == graph_code(graphs[1])
    words, n_unstable, links = cube_points(3, missing=(0, 0, 0))
    assert not is_isomorphic(graphs[0], graph_of(n_unstable, links, words))


def test_a_word_that_is_not_known_is_no_zero():
    words = np.array([[1, 1], [-1, -1], [0, 0]])
    unknown = np.array([[1, 1], [-1, -1], [NO_WORD, NO_WORD]])
    graphs = [graph_of([0, 0, 2], [], each) for each in (words, unknown)]
    assert not is_isomorphic(*graphs)


def record(*kinds, counts=(), is_ordered=False, detail="graph"):
    """Return a record with kinds per condition, and stable points and saddles without links."""
    codes = np.array([CLASS_KINDS[kind].code for kind in kinds])
    condition = np.repeat(np.arange(len(counts)), [sum(each) for each in counts]).astype(int)
    each = [np.repeat(np.arange(len(n)), n) for n in counts]
    n_unstable = np.concatenate([np.zeros(0, int), *each]).astype(int)
    stable = np.flatnonzero(n_unstable == 0)
    zeros = np.zeros(len(stable), int)
    none = np.zeros(0, int)
    unknown = np.full(len(codes), np.nan)
    names = (
        "arrived", "sets", "gaps", "motion", "straightness", "extent", "dimension", "roundness",
        "drift", "along", "across", "retention",
    )  # fmt: skip
    return SolutionClass(
        conditions=tuple(map(str, range(len(codes)))),
        is_ordered=is_ordered,
        detail=detail,
        unit=10,
        kind=codes,
        measures=dict.fromkeys(names, unknown) | {"motion": np.full(len(codes), 0.25)},
        points={
            "condition": condition,
            "n_unstable": n_unstable,
            "word": np.zeros((len(n_unstable), 0), int),
        },
        attractors={
            "condition": condition[stable],
            "kind": zeros,
            "point": stable,
            "period": zeros,
        },
        links={"source": none, "target": none, "ways": none},
    )


def test_labels_of_several_conditions():
    assert record("line", "line").label == "line"
    # Contexts have no order, cues have one.
    assert record("line", "plane").label == record("plane", "line").label == "line | plane"
    assert record("line", "plane", "line").label == "line (2) | plane"
    cues = ("attractors", "line", "line")
    assert record(*cues, counts=[(1,)], is_ordered=True).label == "1 point → line"
    assert record("no attractor").label == "no attractor within the horizon"
    assert record("attractors", counts=[(2, 1, 1)]).label == "2 + 1 + 1 points"
    assert record("attractors", counts=[(2, 1)], detail="attractors").label == "2 points"


def test_equal_labels_of_other_graphs_get_a_suffix(monkeypatch):
    monkeypatch.setattr(
        "rnnstudy.analyses.solution_classes.record.graph_name", lambda *_: "graph 0"
    )
    monkeypatch.setattr(
        "rnnstudy.analyses.solution_classes.record.is_isomorphic", lambda a, b: a is b
    )
    records = [record("attractors", counts=[(2, 1)]) for _ in range(2)]
    first, second = class_labels([*records])
    assert second == f"{first} (b)"


def test_classes_are_counted_by_combination_and_protocol():
    records = [record("line"), record("plane"), record("line"), record("line")]
    fields = [("gru", "tuned"), ("gru", "tuned"), ("gru", "standard"), ("lstm", "tuned")]
    members = [
        Member(f"n{i}", {"cell": cell, "activation": "tanh", "protocol": protocol})
        for i, (cell, protocol) in enumerate(fields)
    ]
    found = {member.name: each for member, each in zip(members, records, strict=True)}
    section = Section(FlipFlop(), members, {}, {"solution_classes": found}, {})
    table, figure, deciding, networks = SolutionClasses().show(section)
    assert isinstance(table, Table)
    assert isinstance(figure, StackedBars)
    assert table.columns["class"] == ["line", "plane"]
    assert table.columns["networks"] == [3, 1]
    assert table.columns["gru tanh tuned"] == [1, 1]
    assert table.columns["gru tanh standard"] == [1, 0]
    assert figure.categories == ["gru tanh tuned", "gru tanh standard", "lstm tanh tuned"]
    assert figure.total.tolist() == [2, 1, 1]
    assert deciding.columns["motion"] == [0.25, 0.25]
    assert networks.columns["class"] == ["line", "plane", "line", "line"]
    assert list(SolutionClasses().show(Section(FlipFlop(), members, {}, {}, {}))) == []


def test_rare_classes_are_one_in_the_figure():
    records = [record("attractors", counts=[(i,)]) for i in range(1, 13)]
    members = [Member(f"n{i}", {"cell": "gru", "activation": "tanh"}) for i in range(12)]
    found = {member.name: each for member, each in zip(members, records, strict=True)}
    section = Section(FlipFlop(), members, {}, {"solution_classes": found}, {})
    _, figure, *_ = SolutionClasses().show(section)
    assert len(figure.values) == 8
    assert figure.values["5 other classes"].tolist() == [5]
    assert figure.rest == "5 other classes"
    assert figure.total.tolist() == [12]


def test_names_of_classes_in_a_legend_differ_and_the_table_has_those_with_a_letter_in_full():
    cycle, none = "cycle, 0 + 0 + 1 points", "no attractor within the horizon"
    runs = [" → ".join([cycle, none] * n + [cycle]) for n in (1, 2, 3)]
    labels = [*[cycle] * 9, *[none] * 8, *runs[:1] * 3, *runs[1:2] * 2, runs[2]]
    figure = class_figure(labels, ["gru"] * len(labels))
    names = list(figure.values)
    assert names[:2] == ["cycle, 0+0+1", "none"]
    assert [name[:10] for name in names[2:]] == ["A: 3 runs:", "B: 5 runs:", "C: 7 runs:"]
    assert [int(figure.values[name][0]) for name in names] == [9, 8, 3, 2, 1]
    # What the legend shows is what they are named: nothing is cut from the middle.
    assert [shorten(name) for name in names] == names
    assert class_letters(labels) == dict(zip(runs, "ABC", strict=True))
    members = [Member(f"n{i}", {"cell": "gru", "activation": "tanh"}) for i in range(2)]
    cues = record("line", *["plane", "line"] * 4, is_ordered=True)
    found = {"n0": record("line"), "n1": cues}
    section = Section(FlipFlop(), members, {}, {"solution_classes": found}, {})
    table, figure, *_ = SolutionClasses().show(section)
    assert table.columns["class"] == ["line", cues.label]
    assert table.columns["letter"] == [None, "A"]
    assert list(figure.values) == ["line", "A: 9 runs: line → plane →…"]
    assert "A capital letter stands for a class that the table has in full." in figure.caption
