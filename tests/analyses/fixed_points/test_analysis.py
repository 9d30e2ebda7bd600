"""The analysis gives one record per network, and shows what the records say."""

from dataclasses import replace

import numpy as np
import pytest
from reference.dynamics import population

from rnnstudy.analyses import ANALYSES
from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.analyses.fixed_points.exhibits import fixed_point_table
from rnnstudy.cells.rate import Rate
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.exhibit import Curves, Panels, Table
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.sine import Sine
from rnnstudy.training.train import TrainedNetworks

MOST = 0.9575040240772687
"""The positive root of h = tanh(2 h)."""

TASK = FlipFlop(bits=2, probe_trials=12, probe_length=20)
ANALYSIS = FixedPointAnalysis(search=FixedPointSearch(candidates=128))


def trained(networks):
    """A perfect memory that needed no training: each unit h' = tanh(2 h + 4 x) holds a bit."""
    count = len(networks)
    ones = np.ones(count)
    return TrainedNetworks(
        population=networks,
        seed=np.arange(count),
        attempt=np.zeros(count, int),
        steps=np.ones(count, int),
        step=np.array([0]),
        loss=np.ones((count, 1)),
        accuracy=np.ones((count, 1)),
        diverged_at=np.full(count, -1),
        evaluation_loss=ones * [0.1, 0.2, 0.3][:count],
        evaluation_accuracy=ones,
        solved=ones.astype(bool),
    )


def memory(units=2, members=2):
    weights = {"recurrent_kernel": 2.0 * np.eye(units), "kernel": 4.0 * np.eye(2, units)}
    return population(Vanilla(units=units), [weights] * members, inputs=2)


def section(networks):
    records = ANALYSIS.run(networks, TASK)
    names = [f"m{i}" for i in range(len(networks))]
    result = trained(networks)
    return Section(
        task=TASK,
        members=[Member(n, {"cell": "vanilla", "activation": "tanh"}) for n in names],
        trained={n: result.select("member", [i]) for i, n in enumerate(names)},
        records={"fixed_points": dict(zip(names, records, strict=True))},
        shared={},
    )


def test_time_constants_are_in_seconds_with_the_length_of_a_step():
    records = {dt: ANALYSIS.run(memory(members=1), TASK.replace(dt=dt))[0] for dt in (None, 50.0)}
    assert (records[None].dt, records[50.0].dt) == (None, 0.05)
    steps = records[None].to_frame()["time_constant"]
    np.testing.assert_allclose(records[50.0].to_frame()["seconds"], 0.05 * steps)
    np.testing.assert_allclose(records[50.0].modes().seconds[:, 0], 0.05 * steps)
    assert "seconds" not in records[None].to_frame()
    # At the stable points h' = 2 (1 - MOST^2) h.
    slowest = -1.0 / np.log(2.0 * (1.0 - MOST**2))
    for dt, unit, factor in ((None, "steps", 1.0), (50.0, "seconds", 0.05)):
        table = fixed_point_table({"vanilla tanh": [records[dt]]})
        assert f"in {unit}" in table.caption
        assert table.columns["slowest time constant"] == pytest.approx([factor * slowest])


def test_it_is_in_the_catalogue():
    assert ANALYSES["fixed_points"] is FixedPointAnalysis
    assert FixedPointAnalysis().title == "fixed_points"


def test_one_record_per_member_at_the_tasks_inputs():
    records = ANALYSIS.run(memory(), TASK)
    assert len(records) == 2
    for record in records:
        assert len(record) == 9
        assert set(record.member) == {0}
        assert np.bincount(record.n_unstable).tolist() == [4, 4, 1]
    inputs = Sine(static_cues=3).static_inputs().values
    networks = population(Vanilla(units=2), [{"recurrent_kernel": 0.5 * np.eye(2)}])
    (record,) = ANALYSIS.run(networks, Sine(static_cues=3, frequencies=4, probe_trials=4))
    assert sorted(record.input_index) == [0, 1, 2]
    np.testing.assert_array_equal(record.inputs, inputs)


def test_what_is_shown_of_a_full_cube():
    summary, counts, panels, modes = ANALYSIS.show(section(memory()))
    assert isinstance(summary, Table)
    assert isinstance(counts, Table)
    assert {name: values[0] for name, values in counts.columns.items()} == {
        "networks": "vanilla tanh",
        "stable": 4.0,
        "1 unstable": 4.0,
        "2 unstable": 1.0,
        "3 or more": 0.0,
        "full cube": 1.0,
    }
    assert summary.columns["median points"] == [9.0]
    assert summary.columns["certificate consistent"] == [1.0]
    assert isinstance(panels, Panels)
    assert isinstance(modes, Curves)
    (space,) = panels.exhibits
    assert space.caption == "m0"  # the lower of two is the median
    assert sorted(space.point_groups) == ["0"] * 4 + ["1"] * 4 + ["2"]
    assert len(space.lines) == 8
    assert space.lines[0].shape == (20, 3)


def test_networks_of_one_kind_may_differ_in_size():
    """Every modulus is 2 (1 - h^2); the smaller network has no third."""
    small, large = section(memory(members=1)), section(memory(units=3, members=1))
    large.records["fixed_points"]["m1"] = small.records["fixed_points"]["m0"]
    both = replace(
        large,
        members=[replace(large.members[0], name=name) for name in ("m0", "m1")],
        trained=large.trained | {"m1": small.trained["m0"]},
    )
    *_, modes = ANALYSIS.show(both)
    (curve,) = modes.curves
    assert curve.x.tolist() == [1, 2, 3]
    np.testing.assert_allclose(curve.y, 2 * (1 - MOST**2), rtol=1e-9)


def test_principal_components_keep_distances_of_two_unit_networks():
    one = section(memory())
    *_, panels, _ = ANALYSIS.show(one)
    record, drawn = one.records["fixed_points"]["m0"], panels.exhibits[0].points
    apart = np.linalg.norm(record.state[:, None] - record.state, axis=-1)
    # Two units span both components, the third is empty: an isometry up to rounding.
    np.testing.assert_allclose(np.linalg.norm(drawn[:, None] - drawn, axis=-1), apart, atol=1e-9)


def test_a_section_without_records_shows_nothing():
    empty = section(memory())
    bare = Section(empty.task, empty.members, empty.trained, {}, {})
    assert list(ANALYSIS.show(bare)) == []


def test_a_continuum_is_counted_and_drawn():
    weights = {"recurrent_kernel": np.diag([1.0, 0.5]), "kernel": 0.3 * np.eye(2)}
    cell = Vanilla(units=2, activation="linear")
    networks = population(cell, [weights] * 2, inputs=2)
    shown = list(ANALYSIS.show(section(networks)))
    (summary,) = (one for one in shown if isinstance(one, Table) and "continua" in one.columns)
    assert summary.columns["continua"] == [2]
    assert summary.columns["median points"] == [0.0]
    assert summary.columns["median slow points"] == [0.0]
    (panels,) = (one for one in shown if isinstance(one, Panels))
    assert set(panels.exhibits[0].point_groups) == {"continuum"}
    assert len(panels.exhibits[0].points) > 20


def test_points_in_currents_are_drawn_among_trajectories_in_rates():
    weights = {"recurrent_kernel": 2.0 * np.eye(2), "kernel": 4.0 * np.eye(2)}
    networks = population(Rate(units=2), [weights], inputs=2)
    found = section(networks)
    points = found.records["fixed_points"]["m0"]
    assert np.abs(points.state).max() > 1.9
    (panels,) = (e for e in ANALYSIS.show(found) if isinstance(e, Panels))
    (space,) = panels.exhibits
    rates = networks.visible(networks.unroll(np.asarray(TASK.probe().inputs)))[0]
    assert np.abs(rates).max() < 1.0
    components = principal_components(rates.reshape(-1, 2))
    np.testing.assert_allclose(space.points, components.project(np.tanh(points.state)), atol=1e-6)
