"""Integrators that are solved by hand: what the analysis says of them, and what it shows."""

from dataclasses import replace

import numpy as np
import pytest
from reference.dynamics import population
from reference.linearisation import BASES, hankel_by_gramians, integrator

from rnnstudy.analyses import ANALYSES
from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.line_attractors.exhibits import _space
from rnnstudy.analyses.line_attractors.mode_counts import MODE_MEASURES
from rnnstudy.analyses.line_attractors.record import LINE_POINTS, evenly_spaced
from rnnstudy.cells.base import Cell, Weight
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.exhibit import Curves, Table
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.population import Population
from rnnstudy.tasks.integration import Integration

TASK = Integration(length=40, probe_trials=16)
ANALYSIS = LineAttractors()
TAPS = 20


class Integrator(Cell):
    """Unit 1 adds a tenth of the stream that the context selects to `keep` of what it holds, unit 2
    a tenth of all streams to half of what it holds; `turn` rotates both (radians per step)."""

    units: int = 2
    keep: float = 1.0
    turn: float = 0.0

    def weights(self, inputs):
        return {"kernel": Weight((inputs, 2), values=np.zeros((inputs, 2)))}

    def drive(self, w, x):
        streams, contexts = tf.split(x, 2, axis=-1)
        chosen = tf.reduce_sum(streams * contexts, axis=-1, keepdims=True)
        every = tf.reduce_sum(streams, axis=-1, keepdims=True)
        return 0.1 * tf.concat([chosen, every], axis=-1) + 0.0 * x @ w["kernel"]

    def step(self, w, drive, h):
        kept = tf.concat([self.keep * h[..., :1], 0.5 * h[..., 1:]], axis=-1)
        if self.turn:
            cos, sin = np.cos(self.turn), np.sin(self.turn)
            kept = tf.concat(
                [cos * h[..., :1] - sin * h[..., 1:], sin * h[..., :1] + cos * h[..., 1:]], -1
            )
        return kept + drive


def integrators(*readouts, streams=2, **fields):
    """A network for each pair of weights by which its units are read out."""
    count = len(readouts)
    return Population(
        cell=Integrator(**fields),
        weights={"kernel": np.zeros((count, 2 * streams, 2), np.float32)},
        readout={
            "kernel": np.array(readouts, np.float32)[..., None],
            "bias": np.zeros((count, 1), np.float32),
        },
        initial_state=np.zeros((count, 2), np.float32),
    )


@pytest.fixture(scope="module")
def both():
    """One that reads out the integral alone, and one that reads out both units."""
    return ANALYSIS.run(integrators((1.0, 0.0), (1.0, 1.0)), TASK)


def test_a_perfect_integrator_by_hand(both):
    found = both[0]
    assert found.is_line
    assert found.has_line().tolist() == [True, True]
    for name, value in {
        "slow_share": 1.0, "leading": 1.0, "second": 0.5, "slow_modes": 1.0, "order": 1.0,
        "retention": 1.0, "drift": 0.0, "relevant": np.sqrt(0.5), "irrelevant": 0.0,
        "relevant_gain": 0.1, "irrelevant_gain": 0.0, "fit": 1.0,
    }.items():  # fmt: skip
        np.testing.assert_allclose(getattr(found, name), value, atol=2e-4, err_msg=name)
    # What the fast unit still holds is at most a hundredth of the spread.
    np.testing.assert_allclose(found.dimension, 1.0, atol=1e-3)
    np.testing.assert_allclose(found.aligned, 1.0, atol=1e-3)
    np.testing.assert_allclose(found.readout_share, 1.0, atol=1e-12)
    for measure in MODE_MEASURES:
        assert found.n_modes(measure).tolist() == [1, 1], measure
        assert found.mean_n_modes(measure) == 1.0
    assert found.horizon == TASK.length
    # The integral holds a tenth of each pulse for ever: the single value is that over the horizon.
    np.testing.assert_allclose(found.hankel[:, 0], 0.1 * TASK.length, rtol=1e-6)
    assert (found.speed <= ANALYSIS.speed).all()
    np.testing.assert_allclose(found.readout[:, 0], found.state[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.later_readout, found.readout, atol=1e-12)


def test_the_share_of_the_slow_mode_by_hand(both):
    # A pulse adds 0.1 to both units: 1 + 0.5^t is read out, of which the slow mode gives the 1.
    fast = 0.5 ** np.arange(TAPS)
    expected = 1.0 - np.sum(fast**2) / np.sum((1.0 + fast) ** 2)
    found = both[1]
    np.testing.assert_allclose(found.readout_share[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(found.readout_share[:, 1], 1.0)
    assert found.n_modes("readout", 0.9).tolist() == [1, 1]
    assert found.n_modes("readout", 0.97).tolist() == [2, 2]
    missed = np.mean(fast) / np.mean(1.0 + fast)
    np.testing.assert_allclose(found.mean_error[:, 0], missed, rtol=1e-6)
    assert found.n_modes("mean_output", missed - 1e-6).tolist() == [2, 2]
    assert found.n_modes("mean_output", missed + 1e-6).tolist() == [1, 1]
    # Of the state's two units one holds the pulse, the other forgets it.
    np.testing.assert_allclose(
        both[0].state_share[:, 0], 1.0 - np.sum(fast**2) / (TAPS + np.sum(fast**2)), rtol=1e-9
    )


def test_a_leaky_integrator_drifts():
    (found,) = ANALYSIS.run(integrators((1.0, 0.0), keep=0.995), TASK)
    np.testing.assert_allclose(found.leading, 0.995, rtol=1e-6)
    rms = [np.sqrt(np.mean(found.readout[found.context_of == c] ** 2)) for c in range(2)]
    spread = [found.readout[found.context_of == c].std() for c in range(2)]
    expected = (1.0 - 0.995**TASK.length) * np.divide(rms, spread)
    np.testing.assert_allclose(found.drift, expected, rtol=1e-6)


def test_what_turns_is_no_line():
    (found,) = ANALYSIS.run(integrators((1.0, 0.0), turn=0.5), TASK)
    assert not found.is_line
    assert found.slow_share.tolist() == [0.0, 0.0]
    for name in ("leading", "order", "retention", "span", "relevant_gain", "fit"):
        assert np.isnan(getattr(found, name)).all(), name
    for measure in MODE_MEASURES:
        assert np.isnan(found.n_modes(measure)).all(), measure
        assert np.isnan(found.mean_n_modes(measure)), measure
    assert np.isnan(found.ordered_points).all()


def test_a_plane_is_no_line():
    """Both units keep all: the slow points fill a plane."""
    (found,) = ANALYSIS.run(integrators((1.0, 0.0), turn=2.0 * np.pi), TASK)
    assert (found.slow_share == 1.0).all()
    assert (found.dimension > 1.2).all()
    np.testing.assert_allclose(found.lasting_modes, 2.0)
    assert not found.has_line(dimension=1.2).any()


def test_a_single_stream_has_no_irrelevant_one():
    task = Integration(streams=1, length=20, probe_trials=16)
    (found,) = ANALYSIS.run(integrators((1.0, 0.0), streams=1), task)
    assert found.contexts == 1
    assert np.isnan(found.irrelevant).all()
    assert np.isnan(found.irrelevant_gain).all()
    np.testing.assert_allclose(found.relevant_gain, 0.1, rtol=1e-6)


def test_points_are_arranged_by_readout_within_contexts(both):
    places = both[0].ordered_points.reshape(2, LINE_POINTS, 2)
    assert (np.diff(places[:, :, 0], axis=1) > 0).all()
    for context in range(2):
        own = both[0].readout[both[0].context_of == context, 0]
        assert places[context, 0, 0] == own.min()
        assert places[context, -1, 0] == own.max()


def test_evenly_chosen_positions():
    assert evenly_spaced(5, 3).tolist() == [0, 2, 4]
    assert evenly_spaced(3, 5).tolist() == [0, 1, 2]
    assert evenly_spaced(0, 5).tolist() == []


def shown_of(*records):
    members = [Member(f"i{i}", {"cell": "gru", "activation": "tanh"}) for i in range(len(records))]
    found = {member.name: record for member, record in zip(members, records, strict=True)}
    return list(ANALYSIS.show(Section(TASK, members, {}, {"line_attractor": found}, {})))


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("cancelling", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_integrators_with_so_many_modes_are_counted_right(count, cancelling, basis):
    jacobian, pulse, readout = integrator(count, cancelling, basis)
    size = len(jacobian)
    weights = {
        "recurrent_kernel": jacobian.T,
        "kernel": np.stack([pulse, pulse, *np.zeros((2, size))]),
    }
    network = population(Vanilla(units=size, activation="linear"), [weights], 4)
    network.readout["kernel"][:] = readout[:, None]
    (found,) = LineAttractors(slow_modulus=0.9).run(network, TASK)
    assert found.slow_modes.tolist() == [count, count]
    assert found.n_modes("slow_modes", 0.15).tolist() == [count + 3, count + 3]
    for measure, threshold in (("readout", 0.99), ("mean_output", 0.05)):
        assert found.n_modes(measure, threshold).tolist() == [count, count], measure
    # No truth but the definition, with the state in place of the readout and for Hankel's values.
    for wanted in (0.9, 0.99):
        expected = first(energy_shares(jacobian, pulse, readout), wanted)
        assert found.n_modes("hankel", wanted).tolist() == [expected, expected]


def energy_shares(jacobian, pulse, readout):
    squares = hankel_by_gramians(jacobian, pulse[:, None], readout[:, None], TASK.length) ** 2
    return np.cumsum(squares) / np.sum(squares)


def first(shares, wanted):
    return next(count + 1 for count, share in enumerate(shares) if share >= wanted)


def test_numbers_of_modes_are_medians_over_points(both):
    """A few points with other numbers do not decide; points of unknown numbers do not count."""
    shares = np.tile([0.95, 1.0], (len(both[0].state), 1))
    shares[both[0].context_of == 0] = [0.5, 1.0]
    shares[:3] = [0.1, 0.2]
    shares[-5:] = np.nan
    found = replace(both[0], readout_share=shares)
    assert found.n_modes("readout").tolist() == [2.0, 1.0]
    assert found.mean_n_modes("readout") == 1.5
    shares[np.flatnonzero(found.context_of == 1)[7:]] = np.nan
    assert np.isnan(found.n_modes("readout")).tolist() == [False, True]
    assert found.mean_n_modes("readout") == 2.0
    shares[:] = 0.5
    assert found.n_modes("readout").tolist() == [np.inf, np.inf]


def test_what_is_shown(both):
    lines, moved, counts, spectra, shares, enough = shown_of(*both)
    assert isinstance(lines, Table)
    assert isinstance(moved, Table)
    assert lines.columns["a line in every context"] == [1.0]
    assert lines.columns["second eigenvalue"][0] == pytest.approx(0.5)
    assert moved.columns["gain, relevant"][0] == pytest.approx(0.1)
    assert isinstance(counts, Table)
    assert counts.columns["networks with slow points"] == [2]
    assert counts.columns["modes of modulus above 0.8"] == [1.0]
    # The second network needs its fast mode for so much; the median of 1 and 2.
    assert counts.columns["slowest modes for R2 0.99 of the readout"] == [1.5]
    assert isinstance(spectra, Curves)
    assert isinstance(shares, Curves)
    np.testing.assert_allclose(spectra.curves[0].y, [1.0, 0.5], rtol=1e-6)
    share = [record.readout_share[:, 0].mean() for record in both]
    assert shares.curves[0].y[0] == pytest.approx(np.mean(share))
    # The standard error of two is half their difference.
    half = abs(share[0] - share[1]) / 2.0
    assert shares.curves[0].high[0] - shares.curves[0].y[0] == pytest.approx(half)
    assert isinstance(enough, Curves)
    (curve,) = (c for c in enough.curves if c.panel == "readout, R2 0.99")
    assert curve.y[:3].tolist() == [0.0, 0.5, 1.0]


def test_networks_without_slow_points_leave_tables_empty():
    (lost,) = ANALYSIS.run(integrators((1.0, 0.0), turn=0.5), TASK)
    lines, moved, counts, spectra, shares, enough = shown_of(lost)
    assert lines.columns["a line in every context"] == [0.0]
    assert lines.columns["order"] == [None]
    assert moved.columns["linear fit"] == [None]
    assert counts.columns["networks with slow points"] == [0]
    assert counts.columns["slowest modes for R2 0.9 of the readout"] == [None]
    assert list(spectra.curves) == list(shares.curves) == list(enough.curves) == []
    assert shown_of() == []


def test_slow_points_are_drawn_by_readout(both):
    space = _space(Member("i", {"cell": "gru", "activation": "tanh"}), both[0])
    assert space.points.shape == (len(both[0].state), 3)
    assert 3 <= len(set(space.point_groups)) <= 5
    assert space.group_label == "readout"
    assert space.point_labels[0].startswith("context 1, readout")


def test_it_is_in_the_catalogue():
    assert ANALYSES["line_attractor"] is LineAttractors
