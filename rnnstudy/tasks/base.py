"""The contract of a task: stateless trials, the probe for all networks, what solved means."""

import inspect
from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import tf

PROBE_SEED = (1, 0)
EVALUATION_SEED = (2, 0)
VALIDATION_SEED = (3, 0)

SIZES = frozenset({"inputs", "outputs", "length"})


class Trials(NamedTuple):
    """A batch of trials: inputs [trial, time, input], targets [trial, time, output].

    The loss counts the time steps where mask [trial, time] is 1, not those where it is 0.
    """

    inputs: Tensor
    targets: Tensor
    mask: Tensor


class StaticInputs(NamedTuple):
    """Inputs held constant while fixed points are sought: values [point, input], a label each."""

    values: Array
    labels: tuple[str, ...]


class Task(Entry):
    """What is learnt: how trials are drawn, which trials compare networks, what solved means.

    Sampling is a pure function of a seed, int32 [2] as TensorFlow's stateless random operations
    take it: the same seed gives the same trials, eager or compiled, alone or among many. Each draw
    names its algorithm (philox), so that devices agree, and has its own seed (`split_seed`).
    `inputs`, `outputs` and `length` are fields or properties, as suits the task. A whole task,
    delayed recall of one number, which a spec names as `{kind: "recall:Recall", delay: 30}`:

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
    """

    noun: ClassVar[str] = "task"

    labels: ClassVar[frozenset[str]] = frozenset({"name"})

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None
    """What to call the task in names of networks and in the report; default: its kind."""

    probe_trials: Annotated[int, Field(ge=1)] = 32
    """Number of trials on which networks are compared."""

    evaluation_trials: Annotated[int, Field(ge=1)] = 256
    """Number of fresh, noise-free trials on which a trained network is judged."""

    solved_loss: Annotated[float, Field(gt=0)] = 0.01
    """A network has solved the task if its evaluation loss is below this value ..."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.0
    """... and its accuracy is above this value."""

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
        # Not abstract properties: a field of that name would shadow them, which pydantic warns of.
        given = {name for name in SIZES if getattr(cls, name, None) or name in cls.model_fields}
        if not inspect.isabstract(cls) and given < SIZES:
            missing = " and ".join(sorted(SIZES - given))
            raise TypeError(f"task {cls.__name__} needs {missing}, each a field or a property")

    @abstractmethod
    def sample(self, seed: Tensor, trials: int) -> Trials:
        """So many trials from a seed, int32 [2]; float32, TensorFlow operations only."""

    @abstractmethod
    def static_inputs(self) -> StaticInputs:
        """The constant inputs at which fixed points are sought."""

    def probe(self) -> Trials:
        """The fixed batch of trials on which networks are compared."""
        return self.sample(tf.constant(PROBE_SEED), self.probe_trials)

    def evaluation(self) -> Trials:
        """The fixed batch of fresh trials on which trained networks are judged."""
        return self.sample(tf.constant(EVALUATION_SEED), self.evaluation_trials)

    def validation(self) -> Trials:
        """The fixed batch of fresh trials by which training fields are chosen: as many as for the
        evaluation and others, so far as a task has others."""
        return self.sample(tf.constant(VALIDATION_SEED), self.evaluation_trials)

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Share of the target's variance that is explained, at least 0, over trials and time.

        outputs and targets [..., trial, time, output], mask [..., trial, time] -> [...]. Tasks
        whose answers are right or wrong override this with the share of right answers.
        """
        weight = mask[..., None]
        count = tf.reduce_sum(weight, axis=[-3, -2], keepdims=True)
        mean = tf.reduce_sum(weight * targets, axis=[-3, -2], keepdims=True) / count
        missed = tf.reduce_sum(weight * (outputs - targets) ** 2, axis=[-3, -2, -1])
        total = tf.reduce_sum(weight * (targets - mean) ** 2, axis=[-3, -2, -1])
        return tf.maximum(1.0 - missed / total, 0.0)

    @property
    def words(self) -> bool:
        """Whether the answers are signs, -1 or 1 of each output, so that a network's stable points
        store words of them; graphs of fixed points are then compared word by word."""
        return False

    def solved(self, loss: Array, accuracy: Array) -> Array:
        """Whether networks with this evaluation loss and accuracy [member] have solved the task."""
        return (loss < self.solved_loss) & (accuracy > self.solved_accuracy)

    @property
    def title(self) -> str:
        """The task's name, or its kind."""
        return self.name or self.kind.rpartition(":")[2].lower()


def check_trials(task: Task) -> None:
    """ValueError if a task's trials, or its static inputs, are not what its sizes promise.

    The task may be anybody's.
    """
    trials = task.evaluation()
    if not isinstance(trials, Trials):
        raise ValueError(f"{task.title}.sample returns a {type(trials).__name__}, not Trials")
    shape = (task.evaluation_trials, task.length)
    wanted = ((*shape, task.inputs), (*shape, task.outputs), shape)
    for name, values, sizes in zip(Trials._fields, trials, wanted, strict=True):
        given = tf.convert_to_tensor(values)
        if tuple(given.shape) != sizes:
            raise ValueError(
                f"{task.title}.sample gives {name} of shape {tuple(given.shape)}, not {sizes}"
            )
        if given.dtype != tf.float32:
            raise ValueError(f"{task.title}.sample gives {name} as {given.dtype.name}, not float32")
        if not bool(tf.reduce_all(tf.math.is_finite(given))):
            raise ValueError(f"{task.title}.sample gives {name} that are not all finite")
    _check_static_inputs(f"{task.title}.static_inputs", task.static_inputs(), task.inputs)


def _check_static_inputs(name: str, found: Any, inputs: int) -> None:
    if not isinstance(found, StaticInputs):
        raise ValueError(f"{name} returns a {type(found).__name__}, not StaticInputs")
    values = np.asarray(found.values)
    if values.ndim != 2 or not len(values) or values.shape[1] != inputs:
        raise ValueError(f"{name} gives values of shape {values.shape}, not (points, {inputs})")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} gives values that are not all finite")
    labels: Any = found.labels
    if isinstance(labels, str):
        raise ValueError(f"{name} gives the text {labels!r} as labels, not a tuple of texts")
    if len(labels) != len(values):
        raise ValueError(f"{name} gives {len(labels)} labels for {len(values)} points")


def split_seed(seed: Tensor, count: int) -> list[Tensor]:
    """Independent seeds, int32 [2] each, for the draws that make up one batch of trials."""
    return tf.unstack(tf.random.experimental.stateless_split(seed, count, alg="philox"))


def mean_squared_error(outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Loss per network: [..., trial, time, output] and mask [..., trial, time] -> [...]."""
    error = tf.reduce_mean((outputs - targets) ** 2, axis=-1)
    return tf.reduce_sum(mask * error, axis=[-2, -1]) / tf.reduce_sum(mask, axis=[-2, -1])
