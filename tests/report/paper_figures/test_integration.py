"""Figure 3: its tables are those of the records, and its pictures are those of the tables."""

from typing import Any

import numpy as np

from rnnstudy.study.results.run import Run


def records(run: Run) -> dict[str, Any]:
    """Return the lines of all integrators."""
    names = run.members.loc[run.members["task"] == "integration", "member"]
    return {name: run.record("line_attractor", name) for name in names}


def check_means(run: Run, means: Any, values: dict[str, Any]) -> None:
    """Check means and standard errors of values [mode] of each network, by cell."""
    members = run.members.set_index("member").loc[list(values)]
    for cell, names in members.groupby("cell").groups.items():
        rows = means[(means["factor"] == "cell") & (means["level"] == cell)]
        stacked = np.array([values[name] for name in names])
        np.testing.assert_allclose(rows["mean"], stacked.mean(axis=0), rtol=1e-9, atol=1e-12)
        error = stacked.std(axis=0, ddof=1) / np.sqrt(len(stacked))
        np.testing.assert_allclose(rows["standard_error"], error, rtol=1e-6, atol=1e-12)
        assert set(rows["networks"]) == {len(names)}


def test_a_trial_has_streams_and_their_context(run: Run, drawn: Any) -> None:
    table = drawn["figure3"].tables["figure3a"]
    (name,), (trial,) = set(table["member"]), set(table["trial"])
    inputs = run.record("representations", name).inputs[trial]  # type: ignore[attr-defined]
    for signal, values in (("input", inputs[:, :2]), ("context", inputs[:, 2:])):
        rows = table[table["signal"] == signal]
        wide = rows.pivot(index="time", columns="channel", values="value")
        assert wide.columns.tolist() == [1, 2]
        np.testing.assert_array_equal(wide.to_numpy(), values)
    assert inputs[0, 2:].tolist() == [1.0, 0.0]


def test_signals_of_a_trial_are_labelled(drawn: Any, axes_of: Any) -> None:
    grid = axes_of(drawn["figure3"], "a")
    assert [axes.get_ylabel() for axes in grid] == ["input", "input", "output"]


def test_slow_points_and_trials_are_of_one_context(run: Run, drawn: Any) -> None:
    tables = drawn["figure3"].tables
    for name, points in tables["figure3b-points"].groupby("member"):
        record: Any = run.record("line_attractor", name)
        assert points["point"].tolist() == np.flatnonzero(record.context_of == 0).tolist()
        np.testing.assert_array_equal(points["readout"], record.readout[record.context_of == 0, 0])
        activity: Any = run.record("representations", name)
        paths = tables["figure3b-trajectories"]
        for trial, path in paths[paths["member"] == name].groupby("trial"):
            assert activity.inputs[trial, 0, 2] == 1.0
            assert set(path["last_target"]) == {float(activity.targets[trial, -1, 0])}


def test_eigenvalues_are_averaged_over_slow_points(run: Run, drawn: Any, axes_of: Any) -> None:
    moduli = {name: np.abs(each.eigenvalues).mean(axis=0) for name, each in records(run).items()}
    means = drawn["figure3"].tables["figure3e-means"]
    check_means(run, means, moduli)
    first = means[(means["factor"] == "cell") & (means["level"] == "vanilla")]
    line = axes_of(drawn["figure3"], "e")[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), first["mean"])


def test_responses_are_medians_over_points_and_means_over_contexts(run: Run, drawn: Any) -> None:
    means = drawn["figure3"].tables["figure3f-means"]
    for measure, compute in (
        ("share", lambda each: np.maximum(each.readout_share, 0.0)),
        ("mean_error", lambda each: each.mean_error),
    ):
        values = {
            name: np.mean(
                [
                    np.median(compute(each)[each.context_of == context], axis=0)
                    for context in (0, 1)
                ],
                axis=0,
            )
            for name, each in records(run).items()
        }
        check_means(run, means[means["measure"] == measure], values)


def test_streams_are_selected_by_their_context(run: Run, drawn: Any) -> None:
    table = drawn["figure3"].tables["figure3g"]
    assert len(table) == len(records(run)) * 2 * 2
    for name, record in records(run).items():
        for context in (0, 1):
            points = record.context_of == context
            rows = table[(table["member"] == name) & (table["context"] == context + 1)]
            rows = rows.set_index("stream")
            for stream, channel in (("selected", context), ("ignored", 1 - context)):
                cosine = np.median(np.abs(record.selection[points, channel]))
                assert np.isclose(rows.loc[stream, "cosine"], cosine, rtol=1e-12)
            assert np.isclose(rows.loc["selected", "gain"], np.median(record.gain[points, context]))
            ignored = np.median(np.abs(record.gain[points, 1 - context]))
            assert np.isclose(rows.loc["ignored", "gain"], ignored)
