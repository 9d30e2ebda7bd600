"""Figure 2: its tables are those of the records, and its pictures are those of the tables."""

from typing import Any

import numpy as np

from rnnstudy.study.results.run import Run

PCS = ["pc_1", "pc_2", "pc_3"]


def test_waves_are_of_the_slowest_a_middle_and_the_fastest_cue(run: Run, drawn: Any) -> None:
    table = drawn["figure2"].tables["figure2a"]
    cues = table[table["signal"] == "input"].groupby("trial", sort=False)["value"].first()
    assert cues.tolist() == [0.0, 0.5, 1.0]
    (name,) = set(table["member"])
    activity: Any = run.record("representations", name)
    for signal in ("target", "output"):
        rows = table[table["signal"] == signal].pivot(index="trial", columns="time", values="value")
        expected = getattr(activity, f"{signal}s")[rows.index, :, 0]
        np.testing.assert_array_equal(rows.to_numpy(), expected)


def test_waves_are_labelled_as_outputs_and_titled_by_their_cues(drawn: Any, axes_of: Any) -> None:
    grid = axes_of(drawn["figure2"], "a")
    assert [axes.get_ylabel() for axes in grid] == ["output"] * 3
    assert [axes.get_title(loc="left") for axes in grid] == ["cue 0", "cue 0.5", "cue 1"]


def test_cycles_have_their_points_and_frequencies(
    run: Run, drawn: Any, distances_in_components: Any
) -> None:
    tables = drawn["figure2"].tables
    cycles, points = tables["figure2b-trajectories"], tables["figure2b-points"]
    assert cycles.groupby("cell")["member"].nunique().tolist() == [1, 1, 1]
    for name, rows in cycles.groupby("member"):
        record: Any = run.record("oscillations", name)
        its_points = points[points["member"] == name]
        known = record.points > 0
        assert its_points["cue"].tolist() == record.cue[known].tolist()
        assert rows.groupby("cue")["target_frequency"].first().tolist() == record.target.tolist()
        samples = record.cycle.reshape(-1, record.cycle.shape[-1])
        shown = np.concatenate([record.cycle[2], record.state[known]])
        places = np.concatenate([rows[rows["trial"] == 2][PCS], its_points[PCS]])
        np.testing.assert_allclose(
            np.linalg.norm(places[:, None] - places[None], axis=-1),
            distances_in_components(samples, shown),
            atol=1e-8,
        )


def test_frequencies_are_means_with_standard_errors_over_networks(
    run: Run, drawn: Any, axes_of: Any
) -> None:
    tables = drawn["figure2"].tables
    networks, means = tables["figure2e-networks"], tables["figure2e-means"]
    members = run.members[run.members["task"] == "sine"].set_index("member")
    records: dict[str, Any] = {name: run.record("oscillations", name) for name in members.index}
    wide = networks.pivot(index="member", columns="cue", values="linearised_frequency")
    for name, record in records.items():
        np.testing.assert_array_equal(wide.loc[name], record.frequency)
    for factor in ("cell", "activation"):
        for level, names in members.groupby(factor).groups.items():
            values = np.array([records[name].frequency for name in names])[:, :-1]
            rows = means[(means["factor"] == factor) & (means["level"] == level)]
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            np.testing.assert_allclose(rows["mean"][:-1], values.mean(axis=0), rtol=1e-12)
            np.testing.assert_allclose(rows["standard_error"][:-1], error, rtol=1e-9)
            assert rows["networks"].tolist() == [len(values)] * values.shape[1] + [0]
    ends = [means["target_frequency"].min(), means["target_frequency"].max()]
    grid = axes_of(drawn["figure2"], "e")
    for axes in grid:
        np.testing.assert_array_equal(axes.lines[0].get_data(), [ends, ends])
    assert grid[0].get_xlabel() == "target (cycles per step)"
