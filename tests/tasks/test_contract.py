"""What every task of the catalogue promises, and a user's own task with it."""

import importlib
import inspect
import pkgutil
import sys
import textwrap

import numpy as np
import pytest
from pydantic import TypeAdapter

import rnnstudy.tasks
from rnnstudy.core.component import restore
from rnnstudy.core.errors import SettingError
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks import TASKS, AnyTask, Task, Trials
from rnnstudy.tasks.base import split_seed
from rnnstudy.tasks.losses.mean_squared_error import mean_squared_error

ENTRIES = sorted(set(TASKS) - {"neurogym"})
"""Tasks without a required field; test_neurogym has those of NeuroGym."""
FLOATS = Trials(tf.float32, tf.float32, tf.float32)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(params=ENTRIES)
def task(request):
    return TASKS[request.param]()


def test_the_catalogue_misses_no_task():
    found = set()
    for module in pkgutil.walk_packages(rnnstudy.tasks.__path__, "rnnstudy.tasks."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(cls, Task) and not inspect.isabstract(cls):
                found.add(cls)
    assert found == set(TASKS.values())


def test_the_catalogue_names_a_task_by_its_kind():
    assert {name: cls.kind for name, cls in TASKS.items()} == {name: name for name in TASKS}


def test_trials_have_the_declared_shapes(task):
    trials = task.sample(tf.constant([1, 2]), 7)
    assert trials.inputs.shape == (7, task.length, task.inputs)
    assert trials.targets.shape == (7, task.length, task.outputs)
    assert trials.mask.shape == (7, task.length)
    assert all(part.dtype == tf.float32 for part in trials)
    assert 0.0 <= np.min(trials.mask) <= np.max(trials.mask) == 1.0


def test_answers_of_tasks_with_words_are_signs(task):
    targets = np.unique(task.sample(tf.constant([1, 2]), 7).targets)
    assert task.words == ({-1.0} < set(targets) <= {-1.0, 0.0, 1.0})


def test_the_seed_decides_the_trials(task):
    assert same(task.sample(tf.constant([5, 6]), 8), task.sample(tf.constant([5, 6]), 8))
    drawn = [task.sample(tf.constant(seed), 8).inputs for seed in ([5, 6], [5, 7], [6, 6])]
    assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_trials_are_the_same_eager_compiled_alone_and_among_many(task):
    eager = task.sample(tf.constant([5, 6]), 8)
    compiled = tf.function(lambda seed: task.sample(seed, 8))
    many = tf.function(
        lambda seeds: tf.map_fn(lambda s: task.sample(s, 8), seeds, fn_output_signature=FLOATS)
    )
    assert same(eager, compiled(tf.constant([5, 6])))
    assert same(eager, [part[1] for part in many(tf.constant([[0, 1], [5, 6], [2, 3]]))])


def test_the_probe_and_the_evaluation_are_fixed_and_differ(task):
    assert same(task.probe(), task.probe())
    assert same(task.evaluation(), task.evaluation())
    assert task.probe().inputs.shape[0] == task.probe_trials
    assert task.evaluation().inputs.shape[0] == task.evaluation_trials


def test_the_validation_is_fixed_and_differs_from_the_evaluation_where_trials_do(task):
    assert same(task.validation(), task.validation())
    assert task.validation().inputs.shape == task.evaluation().inputs.shape
    exhaustive = same(task.sample(tf.constant([8, 8]), task.evaluation_trials), task.evaluation())
    assert same(task.validation(), task.evaluation()) == exhaustive


def test_static_inputs_are_labelled_and_fit_the_task(task):
    static = task.static_inputs()
    assert static.values.shape == (len(static.labels), task.inputs)
    assert len(set(static.labels)) == len(static.labels)
    assert np.isfinite(static.values).all()


def test_the_targets_solve_the_task_and_silence_does_not(task):
    trials = task.evaluation()
    silent = tf.zeros_like(trials.targets)
    outputs = tf.stack([trials.targets, silent])
    loss = task.loss.value(outputs, trials.targets, trials.mask).numpy()
    accuracy = task.accuracy(outputs, trials.targets, trials.mask).numpy()
    assert accuracy[0] == 1.0
    assert accuracy[1] < 0.1
    assert task.is_solved(loss, accuracy).tolist() == [True, False]


def test_accuracy_of_stacked_networks_is_that_of_each(task):
    trials = task.sample(tf.constant([1, 1]), 6)
    noise = tf.random.stateless_normal([3, 1, 1, 1], [1, 2])
    outputs = trials.targets + noise * trials.targets
    mask = trials.mask * tf.cast(tf.range(task.length) > 3, tf.float32)
    alone = [task.accuracy(output, trials.targets, mask).numpy() for output in outputs]
    assert task.accuracy(outputs, trials.targets, mask).numpy() == pytest.approx(alone)


def test_networks_that_are_not_finite_solve_nothing(task):
    trials = task.sample(tf.constant([1, 1]), 6)
    outputs = tf.fill(trials.targets.shape, np.nan)
    loss = task.loss.value(outputs, trials.targets, trials.mask).numpy()
    accuracy = task.accuracy(outputs, trials.targets, trials.mask).numpy()
    assert not task.is_solved(loss, accuracy)


def test_every_field_is_described(task):
    for name, field in type(task).model_fields.items():
        assert field.description, name


def test_a_task_survives_storage(task):
    changed = task.replace(name="other", probe_trials=17)
    assert restore(changed.serialise()) == changed
    assert changed.key() == changed.replace(name=None).key() != task.key()
    assert changed.title == "other"
    assert task.title == task.kind


def test_the_mean_squared_error_counts_masked_steps_only():
    generator = np.random.default_rng(3)
    outputs, targets = generator.standard_normal((2, 4, 5, 6, 2))
    mask = (generator.random((5, 6)) < 0.5).astype(float)
    expected = [
        np.mean([(o[i, j] - t[i, j]) ** 2 for i, j in np.argwhere(mask)])
        for o, t in zip(outputs, targets, strict=True)
    ]
    loss = mean_squared_error(tf.constant(outputs), tf.constant(targets), tf.constant(mask))
    assert loss.numpy() == pytest.approx(expected)


def test_split_seeds_differ_from_each_other_and_between_seeds():
    seeds = [tuple(s.numpy()) for seed in ([0, 0], [0, 1]) for s in split_seed(seed, 4)]
    assert len(set(seeds)) == 8


@pytest.fixture
def recall_module(tmp_path, monkeypatch, plugins):
    """The example of the contract's docstring, as the user's own module."""
    _, _, example = inspect.getdoc(Task).partition("\n\n    import")
    example = example.partition("\n\nExamples\n")[0]
    code = textwrap.dedent("    import" + example)
    (tmp_path / "recall_example.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield "recall_example:Recall"
    sys.modules.pop("recall_example", None)


def test_the_example_of_the_contract_is_a_task(recall_module):
    task = TypeAdapter(AnyTask).validate_python({"kind": recall_module, "delay": 3})
    trials = task.sample(tf.constant([1, 2]), 5)
    assert trials.inputs.shape == (5, 4, 1)
    assert np.ptp(trials.targets, axis=1).max() == 0.0
    assert np.array_equal(trials.targets[:, 0], trials.inputs[:, 0])
    assert task.accuracy(trials.targets, trials.targets, trials.mask) == 1.0
    assert task.title == "recall"
    assert restore(task.serialise()) == task
    assert same(trials, tf.function(lambda s: task.sample(s, 5))(tf.constant([1, 2])))


def test_a_task_without_sizes_is_refused():
    with pytest.raises(TypeError, match=r"task Sizeless must define inputs and length"):

        class Sizeless(Task):
            outputs: int = 1

            def sample(self, seed, trials):
                raise NotImplementedError

            def static_inputs(self):
                raise NotImplementedError


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("flip_flop", "bits", 0),
        ("flip_flop", "pulse_probability", 1.1),
        ("flip_flop", "length", 1),
        ("flip_flop", "force_first", 1),
        ("sine", "frequencies", 1),
        ("sine", "highest_frequency", 0.5),
        ("integration", "streams", 0),
        ("integration", "sigma", -1.0),
        ("integration", "length", 50.0),
        ("delayed_match", "stimuli", 1),
        ("delayed_match", "fixation_weight", 1.0),
        ("parametric_memory", "highest_frequency", 10.0),
        ("parametric_memory", "difference", 10.0),
        ("ring_memory", "tolerance", 181.0),
        ("go_no_go", "delay", 0),
        ("multi_task", "rules", ("go", "go")),
        ("multi_task", "rules", ("stop",)),
    ],
)
def test_fields_out_of_range_are_refused(kind, field, value):
    with pytest.raises(SettingError, match=field):
        TASKS[kind](**{field: value})
