"""Base class of tasks whose trials are drawn by NumPy."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Task, Trials, check_sample

_graphs: list[Any] = []
"""Graphs with calls of NumPy. TensorFlow calls a function only as long as its graph lives."""


class NumpyTask(Task):
    """Base class of tasks whose trials are drawn by NumPy, from a generator that the seed decides.

    A subclass defines `inputs`, `outputs` and `length` as fields or properties, and `draw`. Fixed
    points are sought without input, unless it defines `static_inputs`. Draws are slower than those
    of TensorFlow, since Python computes them in each step of training. A complete task, with the
    spec entry `{kind: "recall:Recall", length: 30}`:

        import numpy as np
        from rnnstudy import NumpyTask

        class Recall(NumpyTask):
            inputs: int = 1
            outputs: int = 1
            length: int = 20

            def draw(self, generator, trials):
                first = generator.uniform(-1.0, 1.0, size=(trials, 1, 1))
                inputs = np.concatenate([first, np.zeros((trials, self.length - 1, 1))], axis=1)
                return inputs, np.repeat(first, self.length, axis=1)

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks.numpy_task import NumpyTask
    >>> class Echo(NumpyTask):
    ...     inputs: int = 1
    ...     outputs: int = 1
    ...     length: int = 5
    ...     def draw(self, generator, trials):
    ...         inputs = generator.standard_normal((trials, 5, 1))
    ...         return inputs, inputs
    >>> Echo().sample((3, 4), trials=2).mask.shape.as_list()
    [2, 5]
    """

    seed_remedy: ClassVar[str] = "Draw from the generator alone."

    @abstractmethod
    def draw(self, generator: np.random.Generator, trials: int) -> Sequence[Array]:
        """Return inputs, targets, and a mask if not all time steps count.

        Parameters
        ----------
        generator
            Generator of all random numbers. It must be their only source.
        trials
            Number of trials.

        Returns
        -------
        tuple
            Inputs [trial, time, input], targets [trial, time, output], mask [trial, time].
        """

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        if tf.executing_eagerly():
            return Trials(*map(tf.constant, self._arrays(np.asarray(seed), trials)))

        def call(numbers: Array) -> list[Array]:
            return list(self._arrays(numbers, trials))

        parts = tf.numpy_function(call, [seed], [tf.float32] * 3, stateful=False)
        _keep_graph()
        shape = (trials, self.length)
        shapes = ((*shape, self.inputs), (*shape, self.outputs), shape)
        return Trials(*map(tf.ensure_shape, parts, shapes))

    def _arrays(self, seed: Array, trials: int) -> Trials:
        """Return drawn trials as float32 arrays."""
        # The same numbers, signed or not.
        generator = np.random.default_rng(seed.astype(np.int32).view(np.uint32))
        drawn = tuple(self.draw(generator, trials))
        if len(drawn) not in (2, 3):
            raise ValueError(
                f"{self.title}.draw must return inputs, targets and optionally a mask, got "
                f"{len(drawn)} arrays."
            )
        inputs, targets, *mask = (np.asarray(part, np.float32) for part in drawn)
        return Trials(inputs, targets, *(mask or [np.ones(inputs.shape[:2], np.float32)]))

    def static_inputs(self) -> StaticInputs:
        """Return the constant inputs at which fixed points are computed: by default, no input."""
        return StaticInputs(np.zeros((1, self.inputs)), ("no input",))


def _keep_graph() -> None:
    """Keep the outermost graph, which is one for each thread, as long as the process."""
    graph = tf.compat.v1.get_default_graph()
    while getattr(graph, "outer_graph", None) not in (None, graph):
        graph = graph.outer_graph
    if all(graph is not other for other in _graphs):
        _graphs.append(graph)
