"""Several tasks in one network, which a rule input selects."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Trials, check_sample, split_seed
from rnnstudy.tasks.epochs.angles import nearest_angle, within_tolerance
from rnnstudy.tasks.epochs.base import EpochTask, Steps, during

Rule = Literal["go", "delayed_go", "anti", "decision", "context_decision", "match"]

RULES: tuple[Rule, ...] = ("go", "delayed_go", "anti", "decision", "context_decision", "match")

STAYING = frozenset({"go", "anti"})
"""Rules whose stimulus stays on to the end of the trial."""

FIXATES = 0.5
"""Output above which a network fixates."""

DIRECTION_TOLERANCE = 36.0
"""Largest error of a correct direction in degrees (Yang et al. 2019)."""

RECORDED_DIRECTIONS = 8
"""Number of directions, evenly spread, of conditions of a recording."""

COHERENCES = (0.08, 0.16, 0.32)
"""Differences of the strengths of a decision's two stimuli from 1."""

TURN = 2.0 * float(np.pi)
"""A whole turn in radians."""

PEAK, SHARPNESS = 0.8, 8.0
"""Largest input of a stimulus, and half a turn in widths of its bump (Yang et al. 2019)."""


class MultiTask(EpochTask):
    """Six tasks of Yang et al. (2019) in one network, selected by a rule input.

    The inputs are fixation, two modalities, and one channel for each rule. A modality is a ring of
    directions, on which each stimulus is a bump. The outputs are fixation, and cosine and sine of
    the response's direction; Yang et al. have a ring of outputs.

    - `go`: respond to the direction of a stimulus that stays on.
    - `delayed_go`: respond to the direction of a stimulus that is gone.
    - `anti`: respond opposite to a stimulus that stays on.
    - `decision`: respond to the stronger of two stimuli of the first modality.
    - `context_decision`: the same, while the second modality has two stimuli that do not matter.
    - `match`: respond to the direction of a second stimulus if it is that of the first, else
      fixate.

    Two directions of a trial differ by 90 degrees or more.

    References
    ----------
    Yang, Joglekar, Song, Newsome & Wang (2019), "Task representations in neural networks trained to
    perform many cognitive tasks".

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.multi_task import MultiTask
    >>> MultiTask(rules=("go", "match")).static_inputs().labels
    ('go', 'match', 'match response')
    """

    kind: ClassVar[str] = "multi_task"
    parts: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "delay", "test", "response")

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)] = RULES
    """Rules of the trials, each equally likely."""

    ring: Annotated[int, Field(ge=4, le=1024)] = 16
    """Number of directions of a modality, each with one input."""

    input_noise: Annotated[float, Field(ge=0)] = 0.02
    """Standard deviation of white noise on the two modalities."""

    fixation_weight: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Weight in the loss of the time steps before the response; those of the response weigh 1."""

    fixation: Steps = 5
    """Time steps before the first stimulus."""

    stimulus: Steps = 15
    """Time steps of the first stimulus."""

    delay: Steps = 10
    """Time steps between the stimuli."""

    test: Steps = 10
    """Time steps of the second stimulus of `match`; it is a part of the delay of other rules."""

    response: Steps = 10
    """Time steps of the response."""

    solved_loss: Annotated[float, Field(gt=0)] | None = None
    """Largest evaluation loss of a network that has solved the task; null for no bound."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Smallest share of correct responses of a network that has solved the task."""

    @model_validator(mode="after")
    def _rules_differ(self) -> Self:
        if len(set(self.rules)) < len(self.rules):
            raise ValueError(f"rules must differ, got {', '.join(self.rules)}")
        return self

    @property
    def inputs(self) -> int:
        return 1 + 2 * self.ring + len(self.rules)

    @property
    def outputs(self) -> int:
        return 3

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with a lower rate, larger batches and more steps, for the number of rules."""
        return {"learning_rate": 3e-3, "steps": 5000, "batch": 64}

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        rule_seed, first_seed, gap_seed, *others = split_seed(seed, 6)
        strength_seed, match_seed, noise_seed = others
        rule = tf.random.stateless_uniform(
            [trials], rule_seed, maxval=len(self.rules), dtype=tf.int32, alg="philox"
        )
        scene = _Scene(
            *_directions(first_seed, gap_seed, trials),
            _strengths(strength_seed, trials),
            tf.random.stateless_uniform([trials], match_seed, alg="philox") < 0.5,
        )
        stimuli = [self._stimuli(name, scene) for name in self.rules]
        targets = [self._targets(name, scene) for name in self.rules]
        drawn = self.assemble(_choose(stimuli, rule), noise_seed, _choose(targets, rule))
        shown = tf.repeat(tf.one_hot(rule, len(self.rules))[:, None, :], self.length, axis=1)
        return drawn._replace(inputs=tf.concat([drawn.inputs, shown], axis=-1))

    def _stimuli(self, rule: Rule, scene: "_Scene") -> Tensor:
        """Return the two modalities [trial, time, 2 x ring] under a rule."""
        first = self._bump(scene.first)
        nothing = tf.zeros_like(first)
        stays = during(self.epochs, "stimulus", "delay", "test", "response")
        brief = during(self.epochs, "stimulus")
        if rule in STAYING or rule == "delayed_go":
            shown = tf.concat([first, nothing], axis=-1)
            return _over_time(shown, stays if rule in STAYING else brief)
        second = self._bump(scene.second)
        if rule == "match":
            tested = tf.where(scene.is_match[:, None], first, second)
            samples = _over_time(tf.concat([first, nothing], axis=-1), brief)
            tests = _over_time(tf.concat([tested, nothing], axis=-1), during(self.epochs, "test"))
            return samples + tests
        pairs = [
            (1.0 + strength) * first + (1.0 - strength) * second
            for strength in tf.split(scene.strength, 2, axis=-1)
        ]
        return _over_time(
            tf.concat([pairs[0], nothing if rule == "decision" else pairs[1]], axis=-1), brief
        )

    def _targets(self, rule: Rule, scene: "_Scene") -> Tensor:
        """Return the targets [trial, time, 3] under a rule."""
        goal, responds = scene.first, tf.ones_like(scene.first)
        if rule == "anti":
            goal += np.pi
        if rule in ("decision", "context_decision"):
            goal = tf.where(scene.strength[:, 0] > 0.0, scene.first, scene.second)
        if rule == "match":
            responds = tf.cast(scene.is_match, tf.float32)
        point = tf.stack([-responds, responds * tf.cos(goal), responds * tf.sin(goal)], axis=-1)
        return _over_time(point, during(self.epochs, "response")) + np.eye(1, 3, dtype=np.float32)

    def _bump(self, angle: Tensor) -> Tensor:
        """Return the inputs of a stimulus of strength 1, [trial, ring], from its direction."""
        preferred = np.linspace(0.0, 2.0 * np.pi, self.ring, endpoint=False)
        # Constants are combined here, since TensorFlow's optimiser would round them otherwise.
        turned = tf.math.floormod(angle[:, None] + (np.pi - preferred).astype(np.float32), TURN)
        widths = float(SHARPNESS / np.pi / np.sqrt(2.0)) * (turned - np.float32(np.pi))
        return PEAK * tf.exp(-tf.square(widths))

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share of time steps [...] of the response that are correct.

        A response is correct if its fixation output is at most 0.5 and its direction is within 36
        degrees of the target. Without a response, the fixation output must be above 0.5. outputs
        and targets are [..., trial, time, output], mask is [..., trial, time].
        """
        fixates = outputs[..., 0] > FIXATES
        responds = outputs[..., 0] <= FIXATES
        near = within_tolerance(outputs[..., 1:], targets[..., 1:], DIRECTION_TOLERANCE)
        correct = tf.where(targets[..., 0] > FIXATES, fixates, responds & near)
        counted = tf.cast(mask >= 1.0, mask.dtype)
        axes = [-2, -1]
        return tf.math.divide_no_nan(
            tf.reduce_sum(counted * tf.cast(correct, mask.dtype), axis=axes),
            tf.reduce_sum(counted, axis=axes),
        )

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return the `rule`, and the `direction` of the response in degrees, rounded to 45.

        The direction is -1 where the network must fixate.
        """
        rule = np.asarray(trials.inputs)[:, 0, -len(self.rules) :].argmax(axis=-1)
        goal = np.asarray(trials.targets)[:, -1]
        degrees = nearest_angle(goal[:, 1:], RECORDED_DIRECTIONS)
        direction = np.where(goal[:, 0] > FIXATES, -1, degrees)
        return {"rule": np.array(self.rules)[rule], "direction": direction}

    def static_inputs(self) -> StaticInputs:
        """Return each rule without a stimulus, during fixation and in the response.

        Rules whose stimulus stays on have no response without it.
        """
        rules, nothing = np.eye(len(self.rules)), np.zeros(2 * self.ring)
        rows, labels = [], []
        for fixation, suffix in ((1.0, ""), (0.0, " response")):
            for name, shown in zip(self.rules, rules, strict=True):
                if fixation or name not in STAYING:
                    rows.append(np.concatenate([[fixation], nothing, shown]))
                    labels.append(f"{name}{suffix}")
        return StaticInputs(np.array(rows), tuple(labels))


class _Scene(NamedTuple):
    """Draws of a batch of trials, from which each rule makes its stimuli."""

    first: Tensor
    """First direction in radians, [trial]."""
    second: Tensor
    """Second direction in radians, [trial]."""
    strength: Tensor
    """Strength of the first of two stimuli less 1, for each modality: [trial, modality]."""
    is_match: Tensor
    """True if the second stimulus of `match` is the first, [trial]."""


def _directions(first_seed: Tensor, gap_seed: Tensor, trials: int) -> tuple[Tensor, Tensor]:
    """Return two directions in radians that differ by a quarter of a turn or more."""
    first = tf.random.stateless_uniform([trials], first_seed, maxval=2.0 * np.pi, alg="philox")
    gap = tf.random.stateless_uniform([trials], gap_seed, 0.5 * np.pi, 1.5 * np.pi, alg="philox")
    return first, first + gap


def _strengths(seed: Tensor, trials: int) -> Tensor:
    """Return strengths of the first stimulus less 1, for two modalities: [trial, modality]."""
    sign_seed, size_seed = split_seed(seed, 2)
    shape = [trials, 2]
    chosen = tf.random.stateless_uniform(
        shape, size_seed, maxval=len(COHERENCES), dtype=tf.int32, alg="philox"
    )
    size = tf.gather(tf.constant(COHERENCES, tf.float32), chosen)
    is_positive = tf.random.stateless_uniform(shape, sign_seed, alg="philox") < 0.5
    return tf.where(is_positive, size, -size)


def _over_time(values: Tensor, times: Array) -> Tensor:
    """Return [trial, time, channel] of values [trial, channel] and factors [time]."""
    return values[:, None, :] * times[None, :, None]


def _choose(candidates: list[Tensor], chosen: Tensor) -> Tensor:
    """Return, for each trial, that of the candidate of its number: [trial, ...]."""
    weights = tf.unstack(tf.one_hot(chosen, len(candidates)), axis=-1)
    return tf.add_n([w[:, None, None] * each for w, each in zip(weights, candidates, strict=True)])
