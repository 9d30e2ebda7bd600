"""Figure 1: its tables are those of the records, and its pictures are those of the tables."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnstudy.report.paper_figures.catalogue import FIGURES
from rnnstudy.report.paper_figures.composing import paper_figure
from rnnstudy.report.paper_figures.layout import compose
from rnnstudy.study.results.run import Run

PCS = ["pc_1", "pc_2", "pc_3"]


def test_a_trial_has_every_number_of_the_activity_once(run: Run, drawn: Any, axes_of: Any) -> None:
    table = drawn["figure1"].tables["figure1a"]
    (name,) = set(table["member"])
    activity: Any = run.record("representations", name)
    for signal, values in (
        ("input", activity.inputs),
        ("target", activity.targets),
        ("output", activity.outputs),
    ):
        rows = table[table["signal"] == signal]
        wide = rows.pivot(index="time", columns="channel", values="value")
        np.testing.assert_array_equal(wide.to_numpy(), values[0])
    for channel, axes in enumerate(axes_of(drawn["figure1"], "a")):
        drawn = {line.get_color(): line.get_ydata() for line in axes.lines}
        np.testing.assert_array_equal(drawn["#000000"], activity.targets[0, :, channel])
        assert axes.get_ylabel() == f"bit {channel + 1}"


def test_the_example_is_the_solved_network_of_median_loss(run: Run, drawn: Any) -> None:
    table = run.members
    first = table[(table["cell"] == "vanilla") & (table["activation"] == "tanh")]
    losses = first[first["task"] == "flip_flop"].sort_values("loss")
    (shown,) = set(drawn["figure1"].tables["figure1a"]["member"])
    assert shown == losses["member"].iloc[(len(losses) - 1) // 2]


def test_a_user_chooses_the_example(run: Run) -> None:
    name = "flip_flop-gru-relu-4-s001"
    assert set(paper_figure(run, "figure1a", member=name).tables["figure1a"]["member"]) == {name}
    states = paper_figure(run, "figure1b", member=name).tables["figure1b"]
    assert set(states.loc[states["cell"] == "gru", "member"]) == {name}
    assert set(states["cell"]) == {"vanilla", "gru", "lstm"}


def test_states_are_in_principal_components(
    run: Run, drawn: Any, axes_of: Any, distances_in_components: Any
) -> None:
    table = drawn["figure1"].tables["figure1b"]
    grid = axes_of(drawn["figure1"], "b")
    assert table.groupby("cell")["member"].nunique().tolist() == [1, 1, 1]
    for axes, (name, rows) in zip(grid, table.groupby("member", sort=False), strict=True):
        states = run.record("representations", name).states  # type: ignore[attr-defined]
        trials = rows["trial"].unique()
        path = rows[rows["trial"] == trials[-1]]
        expected = distances_in_components(states.reshape(-1, states.shape[-1]), states[trials[-1]])
        places = path[PCS].to_numpy()
        # States are float32; the projection is in float64.
        np.testing.assert_allclose(
            np.linalg.norm(places[:, None] - places[None], axis=-1), expected, atol=1e-5
        )
        assert len(axes.lines) == len(trials)


def test_no_label_is_cut_with_four_cells(drawn: Any) -> None:
    (panel,) = (each for each in FIGURES["figure1"].panels if each.name == "figure1b")
    table = drawn["figure1"].tables["figure1b"]
    fourth = table[table["cell"] == "gru"].assign(cell="ugrnn", member="another")
    tables = {panel.name: {"": pd.concat([table, fourth])}}
    # The panel at the right of the figure, as wide as it is there.
    rows = [(48.0, [(FIGURES["figure1"].panels[0], 1.0), (panel, 2.0)])]
    tables["figure1a"] = {"": drawn["figure1"].tables["figure1a"]}
    figure = compose("figure1", FIGURES["figure1"].panels[:2], rows, tables, {}, 174.0, None)
    figure.draw_without_rendering()
    spaces = [axes for axes in figure.axes if hasattr(axes, "zaxis")]
    assert len(spaces) == 4
    for axes in spaces:
        box = axes.zaxis.label.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 + 1e-6


def test_pairs_are_those_of_the_matrix(run: Run, drawn: Any) -> None:
    tables = drawn["figure1"].tables
    matrix = run.distances("svcca", "flip_flop")
    pairs, networks = tables["figure1c-pairs"], tables["figure1c-networks"]
    count = len(matrix)
    assert len(pairs) == count * (count - 1) // 2
    assert len(networks) == count
    for one, other, distance in pairs.itertuples(index=False):
        assert matrix.loc[one, other] == distance
    assert len({frozenset(pair) for pair in pairs[["member_1", "member_2"]].to_numpy()}) == len(
        pairs
    )


def test_the_map_is_the_embedding_of_the_study(run: Run, drawn: Any, axes_of: Any) -> None:
    table = drawn["figure1"].tables["figure1d"].set_index("member")
    grid = axes_of(drawn["figure1"], "d")
    embedding = run.embedding("svcca", "flip_flop")
    np.testing.assert_array_equal(table[["mds_1", "mds_2"]], embedding.loc[table.index])
    assert sorted(table.index) == sorted(embedding.index)
    assert [axes.get_title() for axes in grid] == ["by cell", "by activation"]
    for axes in grid:
        dots = np.concatenate([np.transpose(line.get_data()) for line in axes.lines])
        assert sorted(map(tuple, dots)) == sorted(map(tuple, embedding.to_numpy()))


def test_without_an_embedding_the_map_is_classical_scaling(run: Run, drawn: Any) -> None:
    table = drawn["figure1"].tables["figure1f"]
    matrix = run.distances("graph_distances_topology", "flip_flop")
    squares = matrix.loc[table["member"], table["member"]].to_numpy() ** 2
    centre = np.eye(len(squares)) - 1.0 / len(squares)
    values, vectors = np.linalg.eigh(-0.5 * centre @ squares @ centre)
    expected = (vectors[:, -2:] * values[-2:]) @ vectors[:, -2:].T
    places = table[["mds_1", "mds_2"]].to_numpy()
    np.testing.assert_allclose(places @ places.T, expected, atol=1e-9)


def test_points_and_links_are_those_of_the_cube(
    run: Run, drawn: Any, axes_of: Any, distances_in_components: Any
) -> None:
    tables = drawn["figure1"].tables
    points, links = tables["figure1e-points"], tables["figure1e-links"]
    assert points["n_unstable"].value_counts().to_dict() == {0: 8, 1: 12, 2: 6, 3: 1}
    (name,) = set(points["member"])
    graph: Any = run.record("topology", name)
    states = run.record("representations", name).states  # type: ignore[attr-defined]
    expected = distances_in_components(states.reshape(-1, states.shape[-1]), graph.state[:, :4])
    places = points[PCS].to_numpy()
    np.testing.assert_allclose(
        np.linalg.norm(places[:, None] - places[None], axis=-1), expected, atol=1e-5
    )
    words = dict(zip(points["point"], points["word"], strict=True))
    for row in links.itertuples():
        open_bits = words[row.source].count("0")
        assert row.share == pytest.approx(0.5**open_bits)
        assert all(a in ("0", b) for a, b in zip(words[row.source], words[row.target], strict=True))
    assert len(links) == 12 * 2 + 6 * 4 + 8
    space = axes_of(drawn["figure1"], "e")[0]
    dots = sum(len(line.get_data_3d()[0]) for line in space.lines if line.get_marker() != "None")
    assert dots == 27
