"""Oscillators that are solved by hand: what the analysis says of them, and what it shows."""

import numpy as np
import pytest
from task_inputs import compute

from rnnstudy.analyses import ANALYSES
from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.point_geometry import PointGeometry
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.cells.base import Cell, Weight
from rnnstudy.core.exhibit import Curves, Matrix, Panels, Table
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.population import Population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.sine import Sine

TASK = Sine(frequencies=4, static_cues=11, probe_trials=4, evaluation_trials=4)
ANALYSIS = Oscillations(transient=200, steps=1500)


class Rotor(Cell):
    """Two units that turn: h' = s(|h|) R(2 pi f(x, |h|)) h, with s = 1.2 / (1 + 0.2 |h|^2), which
    is 1 at |h| = 1, and f = frequency(x) * (1 - twist + twist |h|^2): the cycle has the frequency
    that x asks for, the dynamics linearised in its middle 1 - twist of it and growth 1.2."""

    units: int = 2
    twist: float = 0.0

    def weights(self, inputs):
        return {"kernel": Weight((inputs, 2), values=np.zeros((inputs, 2))), "centre": Weight((2,))}

    def drive(self, w, x):
        return x + 0.0 * x @ w["kernel"][..., :1]

    def step(self, w, drive, h):
        centre = w["centre"][..., None, :] * drive
        out = h - centre
        size = tf.reduce_sum(out**2, axis=-1, keepdims=True)
        cycles = (0.01 + 0.04 * drive) * (1.0 - self.twist + self.twist * size)
        cos, sin = tf.cos(2.0 * np.pi * cycles), tf.sin(2.0 * np.pi * cycles)
        turned = tf.concat(
            [cos * out[..., :1] - sin * out[..., 1:], sin * out[..., :1] + cos * out[..., 1:]], -1
        )
        return centre + 1.2 / (1.0 + 0.2 * size) * turned


def rotors(*centres, twist=0.0, start=(1.0, 0.0)):
    """A network for each centre; the cycle's moves from 0 to there as the cue goes from 0 to 1."""
    count = len(centres)
    return Population(
        cell=Rotor(twist=twist),
        weights={
            "kernel": np.zeros((count, 1, 2), np.float32),
            "centre": np.array(centres, np.float32),
        },
        readout={
            "kernel": np.broadcast_to(np.float32([[1.0], [0.0]]), (count, 2, 1)).copy(),
            "bias": np.zeros((count, 1), np.float32),
        },
        initial_state=np.broadcast_to(np.float32(start), (count, 2)).copy(),
    )


@pytest.fixture(scope="module")
def plain() -> Oscillation:
    return ANALYSIS.run(rotors((3.0, 4.0)), TASK)[0]


def test_a_rotor_turns_as_it_is_asked_to(plain):
    np.testing.assert_allclose(plain.target, np.linspace(0.01, 0.05, 11))
    np.testing.assert_allclose(plain.frequency, plain.target, rtol=1e-6)
    np.testing.assert_allclose(plain.modulus, 1.2, rtol=1e-6)
    np.testing.assert_allclose(plain.cycle_frequency, plain.target, rtol=1e-5)
    assert plain.points.tolist() == [1] * 11
    assert plain.n_unstable.tolist() == [2] * 11
    assert plain.rank.tolist() == [0] * 11
    # The mean over 1500 steps is the centre but for a part of a round.
    np.testing.assert_allclose(plain.state, plain.cue[:, None] * [3.0, 4.0], atol=1e-6)
    np.testing.assert_allclose(plain.radius, 1.0, atol=0.01)
    assert plain.offset.max() < 0.05
    np.testing.assert_allclose(plain.amplitude, 1.0, atol=0.03)
    np.testing.assert_allclose(plain.turns, plain.target, rtol=1e-5)
    for name in (
        "correlation", "slope", "cycle_correlation", "fixed_point_share", "in_order",
        "around_share",
    ):  # fmt: skip
        assert getattr(plain, name) == pytest.approx(1.0, abs=1e-6), name
    assert plain.two_unstable_share == 1.0
    assert plain.evenness == pytest.approx(1.0)
    assert plain.relative_error < 1e-5


def test_a_twisted_rotor_is_slower_in_the_middle_than_on_its_cycle():
    (found,) = ANALYSIS.run(rotors((3.0, 4.0), twist=0.25), TASK)
    np.testing.assert_allclose(found.frequency, 0.75 * found.target, rtol=1e-6)
    np.testing.assert_allclose(found.cycle_frequency, found.target, rtol=1e-5)
    assert found.correlation == pytest.approx(1.0)
    assert found.slope == pytest.approx(0.75, rel=1e-5)
    assert found.relative_error == pytest.approx(0.25, rel=1e-5)
    # The state turns around the point as fast as the cycle does, whatever the linearised dynamics.
    np.testing.assert_allclose(found.turns, found.target, rtol=1e-5)
    assert found.around_share == 1.0


def test_cycles_that_do_not_move_with_the_cue_are_in_no_order():
    (found,) = ANALYSIS.run(rotors((0.0, 0.0)), TASK)
    assert found.correlation == pytest.approx(1.0)
    np.testing.assert_allclose(found.state, 0.0, atol=1e-9)
    # All points are one up to rounding, which knows no cue.
    assert abs(found.evenness) < 0.9


def test_what_explodes_or_rests_has_no_frequency():
    # A rotor far out at a twist turns wildly but comes back; one begun at infinity does not.
    (lost,) = ANALYSIS.run(rotors((3.0, 4.0), start=(np.inf, 0.0)), TASK)
    assert lost.fixed_point_share == 0.0
    assert np.isnan(lost.frequency).all()
    assert np.isnan(lost.cycle_frequency).all()
    assert np.isnan(lost.correlation)
    assert np.isnan(lost.slope)
    assert lost.two_unstable_share == lost.around_share == 0.0
    # Begun in the middle of the cycle it stays there.
    (still,) = ANALYSIS.run(rotors((0.0, 0.0), start=(0.0, 0.0)), TASK)
    assert np.isnan(still.cycle_frequency).all()
    np.testing.assert_allclose(still.frequency, still.target, rtol=1e-6)
    assert still.around_share == 0.0


def test_arrangements_of_rotors_by_hand():
    networks = rotors((3.0, 4.0), (-6.0, 1.0), (0.0, 0.0))
    found = ANALYSIS.run(networks, TASK)
    members = [Member(f"r{i}", {"cell": "rotor", "activation": "tanh"}) for i in range(3)]
    near = PointGeometry(of="oscillations")
    distances = compute(near, TASK, members, found)
    # Two even lines have one graph, at any length and direction; points on one spot have none.
    assert distances.values[0, 1] == pytest.approx(0.0, abs=1e-6)
    assert distances.values[0, 2] > 0.1
    assert distances.labels == ("r0", "r1", "r2")
    assert near.title == "point_geometry_oscillations"
    assert near.needs() == ("oscillations",)
    section = Section(TASK, members, {}, {}, {near.title: distances})
    (shown,) = near.show(section)
    assert isinstance(shown, Matrix)
    with pytest.raises(
        TypeError, match="'oscillations' must yield OrderedPoints for point_geometry_osc"
    ):
        compute(near, TASK, members, [distances] * 3)


def test_it_asks_about_the_sine_alone():
    assert ANALYSES["oscillations"] is Oscillations
    assert ANALYSIS.applies(TASK)
    assert not ANALYSIS.applies(FlipFlop())


def shown_of(*records):
    members = [Member(f"r{i}", {"cell": "gru", "activation": "tanh"}) for i in range(len(records))]
    found = {member.name: record for member, record in zip(members, records, strict=True)}
    section = Section(TASK, members, {}, {"oscillations": found}, {})
    return list(ANALYSIS.show(section))


def test_what_is_shown(plain):
    curves, table, growth = shown_of(plain, plain)
    assert isinstance(curves, Curves)
    assert isinstance(growth, Curves)
    assert [(c.label, c.panel, c.dashed) for c in curves.curves] == [
        ("gru", "tanh", False), ("target", "tanh", True),
    ]  # fmt: skip
    np.testing.assert_allclose(curves.curves[0].y, plain.frequency)
    np.testing.assert_allclose(growth.curves[0].y, 1.2, rtol=1e-6)
    assert isinstance(table, Table)
    assert table.columns["number of networks"] == [2]
    assert table.columns["correlation"][0] == pytest.approx(1.0)
    assert table.columns["one unstable pair"] == [1.0]


def test_frequencies_are_in_hertz_with_the_length_of_a_step(plain):
    member = Member("r", {"cell": "gru", "activation": "tanh"})
    shown = {}
    for dt in (None, 20.0):
        section = Section(TASK.replace(dt=dt), [member], {}, {"oscillations": {"r": plain}}, {})
        shown[dt] = list(ANALYSIS.show(section))
    (steps, _, _), (hertz, _, growth) = shown[None], shown[20.0]
    assert (steps.x_label, hertz.x_label) == (
        "target frequency (cycles per step)", "target frequency (Hz)",
    )  # fmt: skip
    assert hertz.y_label == "linearised (Hz)"
    # 0.01 to 0.05 cycles per step of 20 ms are 0.5 to 2.5 Hz.
    np.testing.assert_allclose(hertz.curves[0].x, np.linspace(0.5, 2.5, 11))
    np.testing.assert_allclose(hertz.curves[0].y, steps.curves[0].y / 0.02)
    np.testing.assert_allclose(growth.curves[0].x, hertz.curves[0].x)


def test_nothing_is_shown_of_nothing():
    assert shown_of() == []


def test_a_typical_network_is_drawn(plain):
    from rnnstudy.analyses.oscillations.exhibits import _space

    space = _space(Member("r", {"cell": "gru", "activation": "tanh"}), plain)
    assert len(space.lines) == 6
    assert space.points.shape == (11, 3)
    assert space.point_groups[0] == "cue 0 to 0.2"
    assert space.point_groups[-1] == "cue 0.8 to 1"
    assert len(set(space.point_groups)) == 5
    # Two units span two components: an isometry up to rounding to float32.
    apart = np.linalg.norm(plain.state[0] - plain.state[-1])
    assert np.linalg.norm(space.points[0] - space.points[-1]) == pytest.approx(apart, rel=1e-5)
    assert isinstance(Panels(title="t", exhibits=[space]), Panels)
