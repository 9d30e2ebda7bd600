"""Base class of tasks: stateless trials, the probe, and the criterion of a solved task."""

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arguments import as_real_array, check_whole, summarise_value
from rnnstudy.core.arguments.durations import MILLISECONDS
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.losses import AnyLoss, CrossEntropy, MeanSquaredError

PROBE_SEED = (1, 0)
EVALUATION_SEED = (2, 0)
VALIDATION_SEED = (3, 0)
SHIFT_SEED = (4, 0)

LONGER = (1.0, 2.0, 5.0)
"""Lengths of longer trials, in lengths of a training trial."""

TWICE = 8
"""Trials that are sampled twice, to test that they depend on their seed alone."""

SIZES = frozenset({"inputs", "outputs", "length"})


class Trials(NamedTuple):
    """A batch of trials, in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks import Trials
    >>> Trials(np.zeros((8, 20, 2)), np.zeros((8, 20, 1)), np.ones((8, 20))).targets.shape
    (8, 20, 1)
    """

    inputs: Tensor
    """Inputs [trial, time, input]."""
    targets: Tensor
    """Target outputs [trial, time, output]; NaN for none if the loss has `partial_targets`."""
    mask: Tensor
    """Weights of time steps in the loss, [trial, time]: 1 to count, 0 to ignore.

    With classes, 1 is the decision period. Time steps between 0 and 1 count in the loss alone."""


class StaticInputs(NamedTuple):
    """Constant inputs at which fixed points are computed.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks import StaticInputs
    >>> StaticInputs(np.zeros((1, 2)), ("no input",)).labels
    ('no input',)
    """

    values: Array
    """Inputs [point, input]."""
    labels: tuple[str, ...]
    """Label of each input."""


@dataclass(frozen=True)
class Shift:
    """A property of trials, and its values on which generalisation is evaluated.

    Examples
    --------
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> [shift.name for shift in FlipFlop().shifts()][:2]
    ['longer trials', 'pulse probability']
    """

    name: str
    """Name of the property."""
    unit: str
    """Unit of the values."""
    values: tuple[float, ...]
    """Values of the property, in ascending order."""
    sample: Callable[[float, int], Trials]
    """Function of a value and a number of trials that returns trials.

    It may return fewer trials. Their mask decides which time steps count.
    """
    trained: float = nan
    """Value of the property in training; NaN if there is none."""


class Task(Entry):
    """Base class of tasks: the distribution of trials and the criterion of a solved task.

    `sample` is a pure function of a seed, int32 [2] for TensorFlow's stateless random operations.
    The same seed returns the same trials, eager or compiled, on every device. Therefore each draw
    names its algorithm (philox) and has its own seed (`split_seed`). A subclass defines `inputs`,
    `outputs` and `length` as fields or properties, `sample` and `static_inputs`. A complete task,
    delayed recall of one number, with the spec entry `{kind: "recall:Recall", delay: 30}`:

        import numpy as np
        import tensorflow as tf
        from rnnstudy.tasks import StaticInputs, Task, Trials

        class Recall(Task):
            delay: int = 20

            @property
            def inputs(self): return 1

            @property
            def outputs(self): return 1

            @property
            def length(self): return self.delay + 1

            def sample(self, seed, trials):
                first = tf.random.stateless_uniform([trials, 1, 1], seed, -1.0, 1.0, alg="philox")
                inputs = tf.concat([first, tf.zeros([trials, self.delay, 1])], axis=1)
                targets = tf.repeat(first, self.length, axis=1)
                return Trials(inputs, targets, tf.ones([trials, self.length]))

            def static_inputs(self):
                return StaticInputs(np.zeros((1, 1)), ("no input",))

    Examples
    --------
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> task = FlipFlop(bits=2, length=10)
    >>> task.inputs, task.probe().inputs.shape.as_list()
    (2, [32, 60, 2])
    """

    noun: ClassVar[str] = "task"
    added_fields: ClassVar[Mapping[str, Any]] = {"dt": None, "loss": MeanSquaredError()}
    former_methods: ClassVar[dict[str, str]] = {"solved": "is_solved"}

    seed_remedy: ClassVar[str] = "Draw by tf.random.stateless_ operations from the seed alone."
    """Advice to the author of a task whose trials depend on more than their seed."""

    labels: ClassVar[frozenset[str]] = frozenset({"name"})

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None
    """Name of the task in network names and in the report; default: its kind."""

    probe_trials: Annotated[int, Field(ge=1)] = 32
    """Number of trials on which networks are compared."""

    evaluation_trials: Annotated[int, Field(ge=1)] = 256
    """Number of fresh trials, without state noise, for the evaluation of a trained network."""

    loss: AnyLoss = MeanSquaredError()
    """Loss that networks are trained on: `mean_squared_error`, or `cross_entropy` of classes."""

    solved_loss: Annotated[float, Field(gt=0)] | None = 0.01
    """Largest evaluation loss of a network that has solved the task; null for no bound."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Smallest accuracy, 0 to 1, of a network that has solved the task."""

    dt: Annotated[float, Field(gt=0), MILLISECONDS] | None = None
    """Milliseconds of a time step. With it, fields of durations also take text such as `80ms`, and
    time constants and frequencies are in seconds and hertz. None: in steps."""

    if TYPE_CHECKING:

        @property
        def inputs(self) -> int:
            """Number of input channels."""

        @property
        def outputs(self) -> int:
            """Number of output channels."""

        @property
        def length(self) -> int:
            """Number of time steps of a trial."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        # Not abstract properties, since pydantic warns of fields that shadow properties.
        defined = {name for name in SIZES if getattr(cls, name, None) or name in cls.model_fields}
        if not inspect.isabstract(cls) and defined < SIZES:
            missing = " and ".join(sorted(SIZES - defined))
            raise TypeError(
                f"task {cls.__name__} must define {missing}. Define each as a field or a property."
            )

    @model_validator(mode="after")
    def _loss_fits_outputs(self) -> Self:
        if self.loss != MeanSquaredError() and (error := self.loss.size_error(self.outputs)):
            raise ValueError(error)
        return self

    @abstractmethod
    def sample(self, seed: Tensor, trials: int) -> Trials:
        """Return a batch of trials, by TensorFlow operations alone.

        Parameters
        ----------
        seed
            int32 [2].
        trials
            Number of trials.

        Returns
        -------
        Trials
            float32 inputs [trial, time, input], targets [trial, time, output], mask [trial, time].
        """

    @abstractmethod
    def static_inputs(self) -> StaticInputs:
        """Return the constant inputs at which fixed points are computed."""

    def probe(self) -> Trials:
        """Return the fixed batch of trials on which networks are compared."""
        return self.sample(tf.constant(PROBE_SEED), self.probe_trials)

    def evaluation(self) -> Trials:
        """Return the fixed batch of fresh trials for the evaluation of trained networks."""
        return self.sample(tf.constant(EVALUATION_SEED), self.evaluation_trials)

    def validation(self) -> Trials:
        """Return the fixed batch of fresh trials for the selection of training fields.

        It has as many trials as the evaluation, from another seed.
        """
        return self.sample(tf.constant(VALIDATION_SEED), self.evaluation_trials)

    def shifts(self) -> Sequence[Shift]:
        """Return the distribution shifts on which generalisation is evaluated.

        By default, longer trials if `length` is a field, and none otherwise. A task of your own
        overrides this with further shifts (`rnnstudy.tasks.shifts`). It must not use TensorFlow
        before `Shift.sample` is called.
        """
        return (longer_trials(self),) if "length" in type(self).model_fields else ()

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return properties of trials by which conditions of a recording are matched.

        By default it is the `choice` at the last time step that counts: the class, from 0, or of a
        single real output its sign, -1, 0 or 1. Tasks with other conditions override it. Values
        are numbers or texts.

        Parameters
        ----------
        trials
            Trials of this task.

        Returns
        -------
        dict
            Name of a field -> its value on each trial, [trial].
        """
        targets, mask = np.asarray(trials.targets), np.asarray(trials.mask)
        counts = (mask >= 1.0) & np.isfinite(targets).all(axis=-1)
        last = targets.shape[1] - 1 - np.argmax(counts[:, ::-1], axis=1)
        final = targets[np.arange(len(targets)), last]
        if isinstance(self.loss, CrossEntropy):
            return {"choice": final.argmax(axis=-1)}
        return {"choice": np.sign(final[:, 0]).astype(int)} if final.shape[-1] == 1 else {}

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the accuracy [...], 0 to 1; by default that of the loss.

        It is the share of the target's variance that is explained, or with `cross_entropy` the
        share of correct choices. Tasks with other right and wrong answers override it.

        Parameters
        ----------
        outputs, targets
            [..., trial, time, output].
        mask
            [..., trial, time].
        """
        return self.loss.accuracy(outputs, targets, mask)

    @property
    def epochs(self) -> Mapping[str, int]:
        """Name of each part of a trial -> its number of time steps, in order; by default none.

        Windows of distances (`between`) and recordings (`align`) name these parts.
        """
        return {}

    @property
    def varying_parts(self) -> Sequence[str]:
        """Names of the parts whose time steps differ between trials; by default none."""
        return ()

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training fields of the task in the standard protocol, where they are not the defaults."""
        return {}

    @property
    def words(self) -> bool:
        """True if target outputs are signs, -1 or 1.

        Stable points are then labelled by their output signs (words), and graphs of fixed points
        are compared by these labels.
        """
        return False

    def is_solved(self, loss: Array, accuracy: Array) -> Array:
        """Return True for networks whose loss and accuracy [member] meet the criterion."""
        highest = np.inf if self.solved_loss is None else self.solved_loss
        return (loss < highest) & (accuracy > self.solved_accuracy)

    @property
    def title(self) -> str:
        """Name of the task, or its kind."""
        return self.name or self.kind.rpartition(":")[2].lower()


def longer_trials(task: Task) -> Shift:
    """Return the shift to longer trials of a task whose length is a field."""

    def sample(factor: float, trials: int) -> Trials:
        longer = task.replace(length=round(factor * task.length))
        return longer.sample(tf.constant(SHIFT_SEED), trials)

    return Shift("longer trials", "lengths of a training trial", LONGER, sample, trained=1.0)


def check_trials(task: Task) -> None:
    """Raise ValueError if a task's trials or static inputs do not have its declared sizes.

    The same if its trials depend on more than their seed. The task may be a user's own.
    """
    _check_seed(task)
    trials = task.evaluation()
    if not isinstance(trials, Trials):
        raise ValueError(
            f"{task.title}.sample must return Trials, got a {type(trials).__name__}. "
            "Return Trials(inputs, targets, mask)."
        )
    shape = (task.evaluation_trials, task.length)
    expected = ((*shape, task.inputs), (*shape, task.outputs), shape)
    for name, values, sizes in zip(Trials._fields, trials, expected, strict=True):
        tensor = tf.convert_to_tensor(values)
        if tuple(tensor.shape) != sizes:
            raise ValueError(
                f"{task.title}.sample must return {name} of shape {sizes}, "
                f"got {tuple(tensor.shape)}"
            )
        if tensor.dtype != tf.float32:
            raise ValueError(
                f"{task.title}.sample must return {name} as float32, got {tensor.dtype.name}"
            )
        is_partial = name == "targets" and task.loss.allows_nan
        if not is_partial and not bool(tf.reduce_all(tf.math.is_finite(tensor))):
            remedy = f". {task.loss.missing_target_remedy}" if name == "targets" else ""
            raise ValueError(
                f"{task.title}.sample must return finite {name}, got inf or nan{remedy}"
            )
    if misfit := task.loss.misfit(np.asarray(trials.targets), np.asarray(trials.mask)):
        raise ValueError(f"{task.title}: {misfit}")
    _check_static_inputs(f"{task.title}.static_inputs", task.static_inputs(), task.inputs)


def _check_seed(task: Task) -> None:
    """Raise ValueError if one seed yields different trials in two calls."""
    remedy = task.seed_remedy
    try:
        samples: list[Any] = [task.sample(tf.constant(PROBE_SEED), TWICE) for _ in range(2)]
    except RuntimeError as error:
        if "determinism" not in str(error):
            raise
        # TensorFlow refuses stateful draws, since runs are deterministic.
        raise ValueError(
            f"{task.title}.sample must depend on its seed alone, got random numbers without a "
            f"seed. {remedy}"
        ) from None
    if not all(isinstance(sample, Trials) for sample in samples):
        return  # the classes are checked with the sizes
    for name, one, other in zip(Trials._fields, *samples, strict=True):
        if not np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True):
            raise ValueError(
                f"{task.title}.sample must depend on its seed alone, got other {name} at a second "
                f"call with the same seed. {remedy}"
            )


def _check_static_inputs(name: str, static: Any, inputs: int) -> None:
    if not isinstance(static, StaticInputs):
        raise ValueError(f"{name} must return StaticInputs, got a {type(static).__name__}")
    values = np.asarray(static.values)
    if values.ndim != 2 or not len(values) or values.shape[1] != inputs:
        raise ValueError(f"{name} must return values [point, {inputs}], got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must return finite values, got inf or nan")
    labels: Any = static.labels
    if isinstance(labels, str):
        raise ValueError(f"{name} must return a tuple of labels, got the text {labels!r}")
    if len(labels) != len(values):
        raise ValueError(f"{name} must return {len(values)} labels, got {len(labels)}")


def check_sample(seed: Tensor, trials: int) -> None:
    """Raise ValueError for a seed or a number of trials that no task takes.

    Tensors pass, since a compiled program has no values yet.
    """
    if not tf.is_tensor(trials):
        check_whole("trials", trials, least=1)
    if not tf.is_tensor(seed):
        values = as_real_array("seed", seed)
        if values.shape != (2,) or values.dtype.kind not in "iu":
            raise ValueError(
                f"seed must be two whole numbers, got {summarise_value(seed)}. Pass (0, 0)."
            )


def split_seed(seed: Tensor, count: int) -> list[Tensor]:
    """Return independent seeds, int32 [2] each, for the draws of one batch of trials."""
    return tf.unstack(tf.random.experimental.stateless_split(seed, count, alg="philox"))
