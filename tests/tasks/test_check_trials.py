"""Trials of anybody's task: each promise that is broken is named in one sentence."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.checks import refuse_wrong_trials
from rnnstudy.tasks import TASKS, StaticInputs, Task, Trials
from rnnstudy.tasks.base import check_trials
from rnnstudy.tasks.losses import AnyLoss, CrossEntropy


class Noise(Task):
    """Repeat noise, wrongly in a chosen way."""

    inputs: int = 2
    outputs: int = 1
    length: int = 5
    evaluation_trials: int = 3
    wrong: str = ""

    def sample(self, seed: Any, trials: int) -> Any:
        inputs = tf.random.stateless_normal([trials, self.length, 2], seed, alg="philox")
        targets, mask = inputs[..., :1], tf.ones([trials, self.length])
        if self.wrong == "stateful":
            targets = tf.random.normal([trials, self.length, 1])
        if self.wrong == "numpy":
            inputs += np.random.default_rng().standard_normal(inputs.shape).astype(np.float32)
        if self.wrong == "counted":
            object.__setattr__(self, "evaluation_trials", self.evaluation_trials + 1)
            mask *= float(self.evaluation_trials)
        if self.wrong == "tuple":
            return inputs, targets, mask
        if self.wrong == "width":
            return Trials(inputs, inputs, mask)
        if self.wrong == "length":
            return Trials(inputs, targets, mask[:, 1:])
        if self.wrong == "precision":
            return Trials(tf.cast(inputs, tf.float64), targets, mask)
        return Trials(inputs, targets * np.nan if self.wrong == "nan" else targets, mask)

    def static_inputs(self) -> Any:
        held = np.zeros((1, 2))
        if self.wrong == "held tuple":
            return held, ("no input",)
        if self.wrong == "held width":
            return StaticInputs(held[:, :1], ("no input",))
        if self.wrong == "held nothing":
            return StaticInputs(held[:0], ())
        if self.wrong == "held nan":
            return StaticInputs(held * np.nan, ("no input",))
        if self.wrong == "held text":
            return StaticInputs(held, "no input")  # type: ignore[arg-type]
        return StaticInputs(held, ("a", "b") if self.wrong == "held labels" else ("no input",))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        # The words depend on whether TensorFlow is deterministic.
        ("stateful", "noise.sample must depend on its seed alone, got (other targets|random) .*"),
        ("numpy", "noise.sample must depend on its seed alone, got other inputs at a second .*"),
        ("counted", "noise.sample must depend on its seed alone, got other mask at a second .*"),
        ("tuple", r"noise.sample must return Trials, got a tuple\. Return .*"),
        ("width", r"noise.sample must return targets of shape \(3, 5, 1\), got \(3, 5, 2\)"),
        ("length", r"noise.sample must return mask of shape \(3, 5\), got \(3, 4\)"),
        ("precision", "noise.sample must return inputs as float32, got float64"),
        (
            "nan",
            "noise.sample must return finite targets, got inf or nan. If NaN .+ partial_targets.+",
        ),
        ("held tuple", "noise.static_inputs must return StaticInputs, got a tuple"),
        ("held width", r"noise.static_inputs must return values \[point, 2\], got shape \(1, 1\)"),
        (
            "held nothing",
            r"noise.static_inputs must return values \[point, 2\], got shape \(0, 2\)",
        ),
        ("held nan", "noise.static_inputs must return finite values, got inf or nan"),
        (
            "held text",
            "noise.static_inputs must return a tuple of labels, got the text 'no input'",
        ),
        ("held labels", "noise.static_inputs must return 1 labels, got 2"),
    ],
)
def test_what_is_wrong_is_said(wrong: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        check_trials(Noise(wrong=wrong))


class Choices(Noise):
    """The same targets for two classes."""

    outputs: int = 2
    loss: AnyLoss = CrossEntropy()

    def sample(self, seed: Any, trials: int) -> Any:
        drawn = super().sample(seed, trials)
        return drawn._replace(targets=tf.repeat(drawn.targets, 2, axis=-1))


@pytest.mark.parametrize(
    ("task", "remedy"), [(Noise, "set partial_targets of the loss"), (Choices, "0 in the mask")]
)
def test_the_advice_on_missing_targets_is_that_of_the_loss(task: Any, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        check_trials(task(wrong="nan"))


def test_good_trials_pass() -> None:
    check_trials(Noise())
    for kind, task in TASKS.items():
        if kind != "neurogym":  # it has a required field
            check_trials(task())


def test_the_check_of_a_study_tests_tasks_of_users_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=r"^noise.sample must depend on its seed alone, got .*\.$"):
        refuse_wrong_trials([TASKS["sine"](), Noise(wrong="numpy")])
    refuse_wrong_trials([Noise()])
    monkeypatch.setattr(TASKS["sine"], "sample", None)
    refuse_wrong_trials([TASKS["sine"]()])
