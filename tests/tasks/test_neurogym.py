"""Tasks of NeuroGym against its own trials; needs the extra `neurogym`."""

import importlib.metadata
import warnings

import numpy as np
import pytest

from rnnstudy.cells.gru import GRU
from rnnstudy.core.component import restore
from rnnstudy.core.errors import SettingError
from rnnstudy.core.lazy_imports import tf
from rnnstudy.recordings.windows import onset_of, steps_within
from rnnstudy.tasks.base import check_trials
from rnnstudy.tasks.neurogym import task as module
from rnnstudy.tasks.neurogym.task import NeuroGym
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    neurogym = pytest.importorskip("neurogym")

FEW = {"bank_trials": 12, "evaluation_trials": 6, "probe_trials": 3}
CONTEXT = "ContextDecisionMaking-v0"
KWARGS = {"use_expl_context": True}
SUPERVISED = [
    "AntiReach",
    "ContextDecisionMaking",
    "DelayComparison",
    "DelayMatchCategory",
    "DelayMatchSample",
    "DelayPairedAssociation",
    "DualDelayMatchSample",
    "GoNogo",
    "HierarchicalReasoning",
    "IntervalDiscrimination",
    "MultiSensoryIntegration",
    "OneTwoThreeGo",
    "PerceptualDecisionMaking",
    "PerceptualDecisionMakingDelayResponse",
    "ProbabilisticReasoning",
    "PulseDecisionMaking",
    "ReadySetGo",
]


@pytest.fixture
def task():
    """Trials of random lengths, with two contexts."""
    return NeuroGym(env=CONTEXT, dt=50.0, kwargs=KWARGS, seed=3, **FEW)


def own_trials(count, dt=50, seed=3, name=CONTEXT, **kwargs):
    """Trials of NeuroGym itself: observations, ground truth, and the decision's time steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = neurogym.make(name, dt=dt, **(kwargs or KWARGS)).unwrapped
    env.seed(seed)
    for _ in range(count):
        env.new_trial()
        yield (
            env.ob.copy(),
            env.gt.copy(),
            slice(env.start_ind["decision"], env.end_ind["decision"]),
        )


def test_trials_are_those_of_neurogym_in_order(task):
    parts = [task.evaluation(), task.validation(), task.probe()]
    found = [np.concatenate([np.asarray(part[i]) for part in parts]) for i in range(3)]
    lengths = set()
    for inputs, targets, mask, own in zip(*found, own_trials(15), strict=True):
        ob, gt, decision = own
        steps = len(ob)
        lengths.add(steps)
        np.testing.assert_array_equal(inputs[:steps], ob)
        np.testing.assert_array_equal(targets[:steps].argmax(axis=1), gt)
        np.testing.assert_array_equal(targets.sum(axis=1), np.ones(task.length))
        expected = np.full(steps, np.float32(0.1))
        expected[decision] = 1.0
        np.testing.assert_array_equal(mask[:steps], expected)
        assert not inputs[steps:].any()
        assert not mask[steps:].any()
    assert len(lengths) > 1
    assert max(lengths) <= task.length


def test_batches_are_trials_of_the_bank_that_nothing_else_has(task):
    known = [ob for ob, *_ in own_trials(15 + 12)]
    drawn = task.sample(tf.constant([4, 5]), 200)
    chosen = set()
    for inputs in np.asarray(drawn.inputs):
        matches = [i for i, ob in enumerate(known) if np.array_equal(inputs[: len(ob)], ob)]
        assert len(matches) == 1
        chosen |= set(matches)
    assert chosen == set(range(15, 27))


def test_periods_of_fixed_duration_are_the_parts_of_a_trial():
    timing = {"fixation": 200, "stimulus": 1000, "delay": 300, "decision": 100}
    task = NeuroGym(env=CONTEXT, dt=50.0, kwargs={**KWARGS, "timing": timing}, **FEW)
    assert dict(task.epochs) == {name: steps // 50 for name, steps in timing.items()}
    assert task.varying_parts == ()
    assert steps_within(("stimulus", "delay"), task) == slice(4, 30)


def test_a_period_whose_time_steps_differ_is_no_part(task):
    assert list(task.epochs) == ["fixation", "stimulus"]
    assert task.varying_parts == ("delay", "decision")
    own = list(own_trials(15 + 12))
    onsets = {decision.start for *_, decision in own}
    assert len(onsets) > 1
    with pytest.raises(ValueError, match="'delay' of ContextDecisionMaking must be at the same"):
        onset_of(task, "delay")
    with pytest.raises(ValueError, match="whose parts are: fixation, stimulus"):
        onset_of(task, "delays")


def test_the_seed_decides_bank_and_batches(task):
    other = NeuroGym(env=CONTEXT, dt=50.0, kwargs=KWARGS, seed=4, **FEW)
    assert not np.array_equal(task.probe().inputs[:, :5], other.probe().inputs[:, :5])
    batch = task.sample(tf.constant([4, 5]), 8)
    compiled = tf.function(lambda seed: task.sample(seed, 8))(tf.constant([4, 5]))
    for one, two in zip(batch, compiled, strict=True):
        np.testing.assert_array_equal(one, two)
    module._bank.cache_clear()
    module._tensors.cache_clear()
    for one, two in zip(batch, task.sample(tf.constant([4, 5]), 8), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_address_has_the_environment_and_the_version_of_neurogym(task, monkeypatch):
    changes = [
        {"env": "GoNogo-v0", "kwargs": {}}, {"dt": 25.0}, {"kwargs": {}}, {"seed": 4},
        {"bank_trials": 13}, {"fixation_weight": 0.2}, {"decision": ("delay",)},
    ]  # fmt: skip
    keys = {task.key(), *(task.replace(**change).key() for change in changes)}
    assert len(keys) == 1 + len(changes)
    assert restore(task.serialise()) == task
    assert restore(task.serialise()).key() == task.key()
    assert task.recipe()["neurogym"] == neurogym.__version__
    monkeypatch.setattr(module, "installed_version", lambda: "0.0")
    assert task.replace(name="again").key() not in keys


@pytest.mark.parametrize("name", SUPERVISED)
def test_supervised_environments_are_tasks(name):
    task = NeuroGym(env=f"{name}-v0", dt=100.0, **FEW)
    check_trials(task)
    assert task.title == name
    trials = task.evaluation()
    accuracy = task.accuracy(trials.targets, trials.targets, trials.mask)
    assert float(accuracy) == 1.0
    mask = np.asarray(trials.mask)
    assert set(np.unique(mask)) <= {0.0, np.float32(0.1), 1.0}
    # The decision is a part of each trial, whose other time steps are mostly to fixate.
    assert (mask == 1.0).any(axis=1).all()


def test_actions_that_are_real_numbers_need_the_mean_squared_error():
    with pytest.raises(SettingError, match="loss must be mean_squared_error for 'Reaching"):
        NeuroGym(env="ReachingDelayResponse-v0", **FEW)
    task = NeuroGym(env="ReachingDelayResponse-v0", loss="mean_squared_error", **FEW)
    check_trials(task)
    assert task.outputs == 2
    trials = task.evaluation()
    assert float(task.accuracy(trials.targets, trials.targets, trials.mask)) == 1.0


def test_conditions_of_fixed_points_are_constant_inputs_of_periods(task):
    static = NeuroGym(env="GoNogo-v0", kwargs={"timing": {"fixation": 200}}, **FEW).static_inputs()
    labels = dict(zip(static.labels, static.values.tolist(), strict=True))
    assert labels["fixation, delay"] == [1.0, 0.0, 0.0]
    assert labels["decision"] == [0.0, 0.0, 0.0]
    assert labels["stimulus 1"] == [1.0, 0.0, 1.0]
    assert labels["stimulus 2"] == [1.0, 1.0, 0.0]
    # Noise is averaged, within each context.
    contexts = task.static_inputs()
    delays = [v.tolist() for label, v in zip(*contexts[::-1], strict=True) if "delay" in label]
    assert delays == [[0.0] * 5 + [0.0, 1.0], [0.0] * 5 + [1.0, 0.0]]
    stimuli = [v for label, v in zip(*contexts[::-1], strict=True) if "stimulus" in label]
    assert [v[5:].tolist() for v in stimuli] == [[0.0, 1.0], [1.0, 0.0]]
    assert np.abs(np.array(stimuli)[:, 1:5] - 0.5).max() < 0.2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"env": "GoNoGo-v0"}, r"must be an environment of NeuroGym, got 'GoNoGo-v0'.*'GoNogo-v0'"),
        ({"env": "Bandit-v0"}, "must be an environment with ground truth, got 'Bandit-v0'"),
        (
            {"env": "GoNogo-v0", "kwargs": {"colour": 1}},
            "kwargs must be arguments of .*colour",
        ),
        ({"env": "GoNogo-v0", "decision": ("delai",)}, "must name periods of 'GoNogo-v0', got"),
        ({"env": "GoNogo-v0", "kwargs": {"timing": {"delay": min}}}, "must be plain data"),
        ({"env": "Reaching1D-v0"}, "must have a ground truth from 0 to 2"),
        ({"env": "AnnubesEnv-v0"}, "kwargs must be arguments of .*catch_prob"),
    ],
)
def test_wrong_fields_are_answered_in_one_sentence(fields, sentence):
    with pytest.raises(SettingError, match=sentence):
        NeuroGym(**FEW, **fields)


class Unseeded(neurogym.core.TrialEnv):
    """An environment whose numbers no seed decides."""

    def __init__(self, dt=100):
        super().__init__(dt=dt)
        self.timing = {"decision": 300}
        self.observation_space = neurogym.spaces.Box(-1.0, 1.0, shape=(1,), dtype=np.float32)
        self.action_space = neurogym.spaces.Discrete(2)

    def _new_trial(self, **kwargs):
        self.add_period("decision")
        self.add_ob(np.random.default_rng().standard_normal())
        self.set_groundtruth(1, "decision")
        return {}


def test_trials_that_the_seed_does_not_decide_are_refused():
    """Environments of one's own need only be registered."""
    neurogym.register("Unseeded-v0", entry_point=Unseeded)
    with pytest.raises(SettingError, match="must depend on the seed alone, got others"):
        NeuroGym(env="Unseeded-v0", **FEW)


def test_without_neurogym_the_remedy_is_said(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    module._environment.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(SettingError, match=r"pip install 'rnnstudy\[neurogym\]'"):
        NeuroGym(env="GoNogo-v0", **FEW)
    module._environment.cache_clear()


def test_networks_learn_to_choose():
    """Chance is a half: of the trials, half want a go."""
    task = NeuroGym(env="GoNogo-v0", bank_trials=64, evaluation_trials=64, probe_trials=2)
    training = Training(steps=100, batch=16, record_every=50, learning_rate=2e-2)
    found = train(GRU(units=8), task, [training], [1])
    assert found.evaluation_accuracy[0] > 0.9
    assert bool(found.solved[0])
