"""A recording that was made of a network lies beside this network."""

import re

import numpy as np
import pytest
from recordings_made import recording_of

from rnnstudy import compare
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.metrics import CKA, DSA, SVCCA, InputDSA, Procrustes
from rnnstudy.population.initialise import initial_population
from rnnstudy.recordings.matching import match_recording
from rnnstudy.recordings.record import Recording
from rnnstudy.tasks.integration import Integration

TASK = Integration(streams=1, length=25, probe_trials=8)

METRICS = [SVCCA(dimensions=4), Procrustes(), CKA(), DSA(delays=3, rank=6, starts=1),
           InputDSA(rank=6, starts=1)]  # fmt: skip


@pytest.fixture(scope="module")
def networks():
    """Four networks of random weights; the first is the one that is recorded."""
    return initial_population(Vanilla(units=12), inputs=2, outputs=1, seeds=[0, 1, 2, 3])


@pytest.fixture(scope="module")
def inputs():
    generator = np.random.default_rng(1)
    return generator.standard_normal((6, 25, 2))


@pytest.fixture(scope="module")
def recording(networks, inputs):
    """Eight noisy trials of six conditions through 200 random neurons, five of them late."""
    states = networks.visible(networks.unroll(inputs))[0].astype(float)
    made = recording_of(
        states, repeats=8, neurons=200, noise=0.2, inputs=np.tile(inputs, (8, 1, 1))
    )
    activity = made.activity.copy()
    activity[:12, :, :5] = np.nan
    return Recording.of(activity, made.fields, inputs=made.inputs, name="ape")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.kind)
def test_the_recorded_network_is_nearest_and_not_below_the_noise_ceiling(
    networks, recording, metric
):
    distances = compare(networks, recording, metric)
    nearest = distances.nearest()
    assert nearest.index[0] == "0"
    assert distances.recording == distances.labels[-1] == "ape"
    assert distances.sizes == {"conditions": 6, "times": 25, "neurons": 200, "trials": 48}
    # The ceiling is a mean over ten random splits, so it has an error. Half of the distance between
    # halves is the scale of all distances that noise causes.
    own = nearest["distance"].iloc[0]
    assert own >= distances.least_distance - 0.25 * distances.half_distance
    assert distances.least_distance < distances.half_distance


def test_conditions_are_matched_by_fields_of_the_task(networks):
    choice = TASK.trial_fields(TASK.probe())["choice"]
    visible = networks.visible(networks.unroll(np.asarray(TASK.probe().inputs)))[2]
    means = np.stack([visible[choice == side].mean(axis=0) for side in (-1, 1)]).astype(float)
    made = recording_of(means, repeats=6, neurons=60, noise=0.05)
    side = np.array([-1, 1])[made.fields["condition"]]
    recording = Recording.of(made.activity, {"choice": side}, name="ape")
    assert compare(networks, recording, Procrustes(), task=TASK).nearest().index[0] == "2"


def test_a_driven_metric_takes_the_inputs_of_the_probe(networks):
    probe = TASK.probe()
    choice, inputs = TASK.trial_fields(probe)["choice"], np.asarray(probe.inputs)
    visible = networks.visible(networks.unroll(inputs))[2]
    sides = [choice == side for side in (-1, 1)]
    means = np.stack([visible[side].mean(axis=0) for side in sides]).astype(float)
    made = recording_of(means, repeats=6, neurons=60, noise=0.01)
    side = np.array([-1, 1])[made.fields["condition"]]
    recording = Recording.of(made.activity, {"choice": side}, name="ape")
    rows = match_recording(recording, TASK, between=(5, 20)).driven_rows
    expected = [inputs[side, 5:20].mean(axis=0) for side in sides]
    np.testing.assert_allclose(rows.inputs, expected, rtol=1e-6)
    nearest = compare(networks, recording, InputDSA(rank=4), task=TASK).nearest()
    assert nearest.index[0] == "2"
    assert np.isfinite(nearest["cross-validated distance"]).all()


def test_a_driven_metric_needs_samples_one_step_apart(networks):
    choice = np.repeat([-1, 1], 4)
    coarse = Recording.of(
        np.random.default_rng(0).standard_normal((8, 12, 20)),
        {"choice": choice}, time=2.0 * np.arange(12), unit="step", name="ape",
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"samples of 'ape' must be 1 step apart"):
        compare(networks, coarse, InputDSA(rank=4), task=TASK)


def test_single_trials_and_windows(networks, recording):
    distances = compare(
        networks, recording, Procrustes(), average=False, task=TASK, between=(5, 20), splits=2
    )
    assert distances.nearest().index[0] == "0"
    # The neurons that were recorded late lack trials.
    assert distances.sizes == {"single trials": 48, "times": 15, "neurons": 195, "trials": 48}


def test_states_and_models_are_networks(networks, recording, inputs):
    states = networks.visible(networks.unroll(inputs))
    pairs = {"states": states[1], "model": networks.model(1)}
    distances = compare(pairs, recording, Procrustes(), splits=1)
    assert distances.labels == ("states", "model", "ape")
    assert distances.values[0, 1] == pytest.approx(0.0, abs=1e-3)  # float32


def test_single_trials_of_a_condition_leave_no_ceiling(networks, recording):
    one = recording.select("trial", np.arange(40, 46))
    distances = compare(networks, one, Procrustes())
    assert np.isnan(distances.least_distance)
    assert "must have at least 2 trials" in distances.note


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        (lambda r: r.select("neuron", [0, 1, 2]), {}, "must have at least 10 neurons for svcca"),
        (lambda r: r.select("time", [0, 1]), {"metric": "dsa"}, "dsa with 10 delays must have"),
        (lambda r: r, {"networks": {}}, "networks must be at least one, got none"),
        (
            lambda r: r,
            {"networks": {"ape": np.ones((6, 25, 3))}},
            "have another name than",
        ),
        (lambda r: r, {"networks": [np.ones((6, 20, 3))]}, "with 6 rows and 25 times like 'ape'"),
        (lambda r: r, {"networks": [np.ones((6, 25, 3))]}, "'0' must have distances, got none"),
        (lambda r: r, {"between": ("delay", "delay")}, "task must be given, since between"),
    ],
)
def test_a_recording_that_does_not_suffice_is_refused_in_one_sentence(
    networks, recording, change, options, sentence
):
    options = {"networks": networks, "metric": "svcca", **options}
    with pytest.raises(ValueError, match=re.escape(sentence)):
        compare(data=change(recording), **options)


def test_other_objects_are_no_networks(recording):
    with pytest.raises(TypeError, match="must be a Keras model, a PyTorch module"):
        compare({"a": 3}, recording)
