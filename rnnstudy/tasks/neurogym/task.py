"""Trial-based environments of NeuroGym as tasks."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from pydantic import Field, GetCoreSchemaHandler, model_validator
from pydantic_core import core_schema

from rnnstudy.core.arguments.durations import MILLISECONDS
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.component import kind_in_words
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Task, Trials, check_sample
from rnnstudy.tasks.losses import AnyLoss, CrossEntropy
from rnnstudy.tasks.losses.cross_entropy import correct_choices
from rnnstudy.tasks.neurogym.bank import Bank, draw_bank
from rnnstudy.tasks.neurogym.environment import Environment, installed_version

INPUT_TOLERANCE = 1e-3
"""Largest difference of the inputs of two periods that are one condition of fixed points."""


FEW = 61
"""Trials that are drawn to check an environment."""


class Arguments(dict[str, Any]):
    """Arguments of an environment: plain data, hashed by its JSON."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(json.dumps(self, sort_keys=True))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        plain = core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())
        return core_schema.no_info_after_validator_function(cls.check, plain)

    @classmethod
    def check(cls, value: dict[str, Any]) -> Self:
        """Return arguments. ValueError if a value is no plain data."""
        try:
            json.dumps(value)
        except TypeError as error:
            raise ValueError(
                f"must be plain data: {error}. Write random durations as "
                "['truncated_exponential', [600, 300, 3000]]."
            ) from None
        return cls(value)


class NeuroGym(Task):
    """Trials of an environment of NeuroGym.

    The environment must be one of trials. It needs the extra `neurogym`.

    The trials are drawn from the seed into a bank, once. Batches are drawn from the bank. The
    evaluation, the validation and the probe have trials of their own. Shorter trials are padded,
    and the mask of padding is 0. Choices are classes. Time steps outside of the decision period
    weigh `fixation_weight` in the loss, and do not count in the accuracy.

    References
    ----------
    Molano-Mazon, Barbosa, Pastor-Ciurana, et al. (2022), "NeuroGym: an open resource for developing
    and sharing neuroscience tasks".

    Examples
    --------
    >>> from rnnstudy.tasks.neurogym.task import NeuroGym
    >>> NeuroGym(env="GoNogo-v0", dt=100.0).outputs  # doctest: +SKIP
    2
    """

    kind: ClassVar[str] = "neurogym"

    env: str
    """Name of the environment, such as `PerceptualDecisionMaking-v0`."""

    dt: Annotated[float, Field(gt=0), MILLISECONDS] = 100.0
    """Milliseconds of a time step."""

    kwargs: Arguments = Arguments()
    """Further arguments of the environment, such as `{timing: {delay: 500}}`."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the bank."""

    bank_trials: Annotated[int, Field(ge=1)] = 4000
    """Number of trials of the bank from which networks learn."""

    decision: tuple[str, ...] | None = None
    """Periods in which choices count; default: `decision`, or if there is none, the periods in
    which a choice other than the first is correct."""

    fixation_weight: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Weight in the loss of the time steps outside of the decision period, which weigh 1."""

    loss: AnyLoss = CrossEntropy()
    """Loss that networks are trained on. Environments whose actions are real numbers need
    `mean_squared_error`."""

    solved_loss: Annotated[float, Field(gt=0)] | None = None
    """Largest evaluation loss of a network that has solved the task; null for no bound."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Smallest accuracy in the decision period of a network that has solved the task."""

    @model_validator(mode="after")
    def _environment_has_trials(self) -> Self:
        environment = _environment(self._source_of_bank)
        # A few trials, so that a wrong environment or period is an error of the spec.
        _bank(self._source_of_bank._replace(evaluation=1, validation=1, probe=1, training=FEW))
        if isinstance(self.loss, CrossEntropy) and not environment.classes:
            raise ValueError(
                f"loss must be mean_squared_error for '{self.env}', whose actions are real "
                "numbers, got cross_entropy."
            )
        return self

    def recipe(self) -> dict[str, Any]:
        """Return the recipe, of which the version of NeuroGym is a part."""
        return {**super().recipe(), "neurogym": installed_version()}

    @property
    def title_in_words(self) -> str:
        return kind_in_words(self.env.removesuffix("-v0"))

    @property
    def title(self) -> str:
        """Name of the task, or that of the environment."""
        return self.name or re.sub(r"\W", "_", self.env.removesuffix("-v0"))

    @property
    def inputs(self) -> int:
        return _environment(self._source_of_bank).inputs

    @property
    def outputs(self) -> int:
        return _environment(self._source_of_bank).outputs

    @property
    def length(self) -> int:
        return self.bank.length

    @property
    def epochs(self) -> Mapping[str, int]:
        """Name of each period -> its number of time steps, until one differs between trials."""
        return self.bank.fixed_periods

    @property
    def varying_parts(self) -> tuple[str, ...]:
        """Names of the periods whose time steps differ between trials."""
        return self.bank.varying_periods

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with larger batches, for the noise of the inputs, and more steps."""
        return {"learning_rate": 3e-3, "steps": 2000, "batch": 64}

    @property
    def _source_of_bank(self) -> "_Source":
        counts = (self.evaluation_trials, self.evaluation_trials, self.probe_trials)
        decision = self.decision
        return _Source(
            self.env, self.dt, self.kwargs, self.seed, decision, *counts, self.bank_trials
        )

    @property
    def bank(self) -> Bank:
        """All trials: those of evaluation, validation and probe, then those of training."""
        return _bank(self._source_of_bank)

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        chosen = tf.random.stateless_uniform(
            [trials], seed, maxval=self.bank_trials, dtype=tf.int32, alg="philox"
        )
        bank = _tensors(self._source_of_bank, self.fixation_weight)
        first = 2 * self.evaluation_trials + self.probe_trials
        return Trials(*(tf.gather(part, first + chosen) for part in bank))

    def evaluation(self) -> Trials:
        return self._part(0, self.evaluation_trials)

    def validation(self) -> Trials:
        return self._part(self.evaluation_trials, self.evaluation_trials)

    def probe(self) -> Trials:
        return self._part(2 * self.evaluation_trials, self.probe_trials)

    def _part(self, first: int, count: int) -> Trials:
        bank = _tensors(self._source_of_bank, self.fixation_weight)
        return Trials(*(part[first : first + count] for part in bank))

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share of correct choices [...] in the decision period.

        With actions that are real numbers, it is the accuracy of the loss. outputs and targets are
        [..., trial, time, output], mask is [..., trial, time].
        """
        if _environment(self._source_of_bank).classes:
            return correct_choices(outputs, targets, mask)
        return self.loss.accuracy(outputs, targets, mask)

    def static_inputs(self) -> StaticInputs:
        """Return the constant inputs of each period, averaged over noise.

        Periods with the same input are one condition.
        """
        values: list[Any] = []
        labels: list[str] = []
        for period, inputs in self.bank.conditions.items():
            for i, each in enumerate(inputs):
                name = f"{period} {i + 1}" if len(inputs) > 1 else period
                near = [k for k, v in enumerate(values) if np.abs(v - each).max() < INPUT_TOLERANCE]
                if near:
                    labels[near[0]] += f", {name}"
                else:
                    values.append(each.astype(float))
                    labels.append(name)
        return StaticInputs(np.array(values), tuple(labels))


class _Source(NamedTuple):
    """All that decides a bank."""

    env: str
    dt: float
    arguments: Arguments
    seed: int
    decision: tuple[str, ...] | None
    evaluation: int
    validation: int
    probe: int
    training: int


@functools.lru_cache(maxsize=32)
def _environment(source: _Source) -> Environment:
    """Return the environment, whose trials are not drawn here."""
    return Environment(source.env, source.dt, source.arguments, source.seed)


@functools.lru_cache(maxsize=8)
def _bank(source: _Source) -> Bank:
    """Return the bank. ValueError if its trials depend on more than the seed."""
    first, second = (
        Environment(source.env, source.dt, source.arguments, source.seed) for _ in range(2)
    )
    count = source.evaluation + source.validation + source.probe + source.training
    bank = draw_bank(first, count, source.decision)
    for i, trial in enumerate(second.trials(min(count, 8))):
        if not np.array_equal(trial.inputs, bank.inputs[i, : len(trial.inputs)]):
            raise ValueError(
                f"trials of '{source.env}' must depend on the seed alone, got others at a second "
                "draw. Give it a seed in kwargs, if it has one."
            )
    return bank


@functools.lru_cache(maxsize=8)
def _tensors(source: _Source, fixation_weight: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the bank's inputs, targets and mask as tensors, outside of any graph."""
    bank = _bank(source)
    with tf.init_scope():
        parts = bank.inputs, bank.targets, bank.mask(fixation_weight)
        inputs, targets, mask = (tf.constant(part) for part in parts)
    return inputs, targets, mask
