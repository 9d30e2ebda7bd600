"""Losses against Keras's own and finite differences in float64, and choices counted by hand."""

import keras
import numpy as np
import pytest
from documents import GUIDE, blocks
from pydantic import TypeAdapter
from scipy.special import softmax

from rnnstudy.core.component import restore
from rnnstudy.core.errors import SettingError
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.losses import LOSSES, AnyLoss, CrossEntropy, MeanSquaredError
from rnnstudy.tasks.losses.base import Loss
from rnnstudy.tasks.losses.cross_entropy import correct_choices
from rnnstudy.training.protocol import Training

SHAPE = TRIALS, STEPS, OUTPUTS = 4, 5, 3
WEIGHTS = (0.5, 2.0, 1.0)
MEAN = "mean_with_sample_weight"


@pytest.fixture
def arrays():
    """Outputs, real targets, one-hot targets and a mask between 0 and 1, in float64."""
    generator = np.random.default_rng(5)
    outputs, targets = 2.0 * generator.standard_normal((2, *SHAPE))
    classes = np.eye(OUTPUTS)[generator.integers(OUTPUTS, size=SHAPE[:2])]
    mask = generator.choice([0.0, 0.3, 1.0], size=SHAPE[:2])
    return outputs, targets, classes, mask


def value_and_gradient(loss, outputs):
    outputs = tf.constant(outputs)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = loss(outputs)
    return float(value), tape.gradient(value, outputs).numpy()


def cases(arrays):
    """Each of our losses beside the same in Keras, as functions of outputs."""
    _, targets, classes, mask = arrays
    squared = keras.losses.MeanSquaredError(reduction=MEAN, dtype="float64")
    entropy = keras.losses.CategoricalCrossentropy(
        from_logits=True, reduction=MEAN, dtype="float64"
    )
    share = np.array(WEIGHTS) / np.sum(WEIGHTS)
    by_class = (classes * WEIGHTS).sum(axis=-1)

    def weighted(outputs):
        parts = [slice(i, i + 1) for i in range(OUTPUTS)]
        each = [squared(targets[..., p], outputs[..., p], mask) for p in parts]
        return sum(w * one for w, one in zip(share, each, strict=True))

    return [
        (MeanSquaredError(), targets, lambda o: squared(targets, o, mask)),
        (MeanSquaredError(output_weights=WEIGHTS), targets, weighted),
        (CrossEntropy(), classes, lambda o: entropy(classes, o, mask)),
        (
            CrossEntropy(class_weights=WEIGHTS),
            classes,
            lambda o: entropy(classes, o, mask * by_class),
        ),
    ]


@pytest.mark.parametrize("case", range(4))
def test_losses_and_gradients_are_those_of_keras(arrays, case):
    loss, targets, expected = cases(arrays)[case]
    outputs, mask = arrays[0], arrays[3]
    ours = value_and_gradient(lambda o: loss.value(o, targets, mask), outputs)
    theirs = value_and_gradient(expected, outputs)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("case", range(4))
def test_gradients_are_finite_differences(arrays, case):
    loss, targets, _ = cases(arrays)[case]
    outputs, mask = arrays[0], arrays[3]
    _, gradient = value_and_gradient(lambda o: loss.value(o, targets, mask), outputs)
    direction = np.random.default_rng(1).standard_normal(SHAPE)
    ends = [float(loss.value(outputs + h * direction, targets, mask)) for h in (1e-5, -1e-5)]
    assert (gradient * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-7)


@pytest.mark.parametrize("loss", [MeanSquaredError(output_weights=WEIGHTS), CrossEntropy()])
def test_losses_of_stacked_networks_are_those_of_each(arrays, loss):
    outputs, _, classes, mask = arrays
    stacked = np.stack([outputs, 2.0 * outputs, classes])
    for function in (loss.value, loss.accuracy):
        alone = [float(function(each, classes, mask)) for each in stacked]
        assert function(stacked, classes, mask).numpy() == pytest.approx(alone)
    swapped = [np.swapaxes(each, 0, 1) for each in (outputs, classes, mask)]
    assert float(loss.value(*swapped)) == pytest.approx(float(loss.value(outputs, classes, mask)))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_an_output_without_a_target_does_not_count(arrays, weights):
    """The loss is the mean over all known targets, by hand."""
    outputs, targets, _, mask = arrays
    is_known = np.random.default_rng(2).random(SHAPE) < 0.6
    is_known[0, 0] = False
    partial = np.where(is_known, targets, np.nan)
    loss = MeanSquaredError(output_weights=weights, partial_targets=True)
    weight = is_known * mask[..., None] * (1.0 if weights is None else np.array(weights))
    expected = np.sum(weight * (outputs - targets) ** 2) / weight.sum()
    value, gradient = value_and_gradient(lambda o: loss.value(o, partial, mask), outputs)
    assert value == pytest.approx(expected, rel=1e-12)
    slope = 2.0 * weight * (outputs - targets) / weight.sum()
    np.testing.assert_allclose(gradient, slope, rtol=1e-11, atol=1e-15)
    centred = [targets[..., i][weight[..., i] > 0] for i in range(OUTPUTS)]
    assert all(len(each) for each in centred)
    counts = is_known * mask[..., None]
    mean = (counts * targets).sum(axis=(0, 1)) / counts.sum(axis=(0, 1))
    close = 0.9 * targets + 0.1 * outputs
    share = 1.0 - np.sum(weight * (close - targets) ** 2) / np.sum(weight * (targets - mean) ** 2)
    assert float(loss.accuracy(close, partial, mask)) == pytest.approx(share, rel=1e-12)
    full = MeanSquaredError(output_weights=weights)
    assert float(loss.value(outputs, targets, mask)) == pytest.approx(
        float(full.value(outputs, targets, mask)), rel=1e-12
    )


def test_partial_targets_are_checked():
    loss, mask = MeanSquaredError(partial_targets=True), np.ones((2, 3))
    targets = np.ones((2, 3, 2))
    assert loss.misfit(targets, mask) == ""
    targets[..., 1] = np.nan
    assert "got none of output 1" in loss.misfit(targets, mask)
    targets[0, 0, 1] = np.inf
    assert "got inf" in loss.misfit(targets, mask)


def test_an_output_of_weight_0_does_not_count(arrays):
    outputs, targets, _, mask = arrays
    loss, wild = MeanSquaredError(output_weights=(1.0, 0.0, 1.0)), outputs.copy()
    wild[..., 1] = 1e6
    for function in (loss.value, loss.accuracy):
        assert float(function(wild, targets, mask)) == float(function(outputs, targets, mask))


def test_the_loss_of_even_odds_is_the_logarithm_of_the_number_of_classes(arrays):
    _, _, classes, mask = arrays
    assert float(CrossEntropy().value(np.zeros(SHAPE), classes, mask)) == pytest.approx(np.log(3.0))


def test_the_loss_of_the_guide_is_a_loss(arrays):
    """Its class is the one of the page on classes of one's own."""
    page = next(page for page in GUIDE if page.stem == "own-tasks-and-cells")
    (block,) = (block for block in blocks(page, "python") if "AbsoluteError" in block)
    names = {"__name__": __name__}
    exec(block, names)
    outputs, targets, _, mask = arrays
    loss = FlipFlop(bits=OUTPUTS, loss=names["AbsoluteError"]()).loss
    expected = keras.losses.MeanAbsoluteError(reduction=MEAN, dtype="float64")
    found = float(loss.value(outputs, targets, mask))
    assert found == pytest.approx(float(expected(targets, outputs, mask)), rel=1e-12)
    assert float(loss.accuracy(targets, targets, mask)) == pytest.approx(1.0)


def test_choices_count_in_the_decision_period_alone(arrays):
    outputs, _, classes, mask = arrays
    steps = np.argwhere(mask == 1.0)
    right = [outputs[i, j].argmax() == classes[i, j].argmax() for i, j in steps]
    assert 0.0 < np.mean(right) < 1.0
    assert float(correct_choices(outputs, classes, mask)) == pytest.approx(np.mean(right))


def test_ties_and_numbers_that_are_not_finite_are_no_choice():
    classes = np.array([[[1.0, 0.0]] * 5])
    outputs = np.array([[[1, 0], [1, 1], [np.nan, 0], [np.inf, 0], [1, np.nan]]], float)
    assert float(correct_choices(outputs, classes, np.ones((1, 5)))) == 0.2
    assert float(correct_choices(outputs, classes, np.full((1, 5), 0.5))) == 0.0


def test_outputs_are_shown_as_probabilities(arrays):
    outputs = arrays[0]
    expected = softmax(outputs, axis=-1)
    np.testing.assert_allclose(CrossEntropy().display(outputs), expected, rtol=1e-12)
    assert MeanSquaredError().display(outputs) is outputs


def test_targets_that_are_no_classes_are_named(arrays):
    _, targets, classes, mask = arrays
    assert CrossEntropy().misfit(classes, mask) == ""
    assert "must be probabilities of classes" in CrossEntropy().misfit(targets, mask)
    assert "must be probabilities of classes" in CrossEntropy().misfit(0.0 * classes, mask)
    assert "must be 1 in the decision period" in CrossEntropy().misfit(classes, 0.5 * mask)
    # Steps that do not count may have any target.
    assert CrossEntropy().misfit(np.where(mask[..., None] > 0, classes, 7.0), mask) == ""
    assert MeanSquaredError().misfit(targets, mask) == ""


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        ({"kind": "mean_squared_error", "output_weights": [1, 1]}, "for each of 3 outputs, got 2"),
        ({"kind": "mean_squared_error", "output_weights": [0, 0, 0]}, "above 0, got zeros alone"),
        ({"kind": "cross_entropy", "class_weights": [1]}, "for each of 3 outputs, got 1"),
        ("cross_entropi", "did you mean 'cross_entropy'"),
    ],
)
def test_losses_that_do_not_fit_the_task_are_refused(loss, sentence):
    with pytest.raises(SettingError, match=sentence):
        FlipFlop(bits=3, loss=loss)


def test_one_output_has_no_classes():
    with pytest.raises(SettingError, match="two outputs or more, got 1"):
        FlipFlop(bits=1, loss="cross_entropy")


def test_a_loss_enters_the_address_unless_it_is_that_of_before():
    """Addresses of the version that had no losses."""
    assert FlipFlop().key() == "fb5f6941116ff5b782f40231c2c90f4def675ab3"
    assert Training().key() == "ac283017c615b5178e5040bcf260a52f9c81424a"
    weighted = FlipFlop(loss=MeanSquaredError(output_weights=WEIGHTS))
    others = [weighted, FlipFlop(loss=MeanSquaredError(output_weights=(1, 1, 2)))]
    assert len({task.key() for task in (FlipFlop(), *others)}) == 3
    assert Training(rate_l2=0.1).key() != Training().key()
    assert restore(weighted.serialise()) == weighted


@pytest.mark.parametrize("kind", LOSSES)
def test_losses_are_entries(kind):
    loss = TypeAdapter(AnyLoss).validate_python(kind)
    assert isinstance(loss, Loss)
    assert loss == LOSSES[kind]() == restore(loss.serialise())
    assert loss.title.replace("-", "_").replace(" ", "_") == kind


def test_a_task_without_a_bound_on_its_loss_is_solved_by_accuracy():
    task = FlipFlop(solved_loss=None, solved_accuracy=0.5)
    assert task.is_solved(np.array([9.0, 9.0, np.nan]), np.array([0.6, 0.5, 1.0])).tolist() == [
        True, False, False,
    ]  # fmt: skip
