"""Base class of tasks whose outputs choose between classes."""

from typing import Annotated

from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.epochs.base import EpochTask, during
from rnnstudy.tasks.losses import AnyLoss, CrossEntropy
from rnnstudy.tasks.losses.cross_entropy import correct_choices


class ChoiceTask(EpochTask):
    """Base class of tasks whose outputs choose between classes, of which the first is to fixate.

    The class of all time steps before the response is the first.

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.go_no_go import GoNoGo
    >>> GoNoGo().loss.title
    'cross-entropy'
    """

    loss: AnyLoss = CrossEntropy()
    """Loss that networks are trained on."""

    solved_loss: Annotated[float, Field(gt=0)] | None = None
    """Largest evaluation loss of a network that has solved the task; null for no bound."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Smallest accuracy in the response of a network that has solved the task."""

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share of correct choices [...] in the response.

        outputs and targets are [..., trial, time, output], mask is [..., trial, time].
        """
        return correct_choices(outputs, targets, mask)

    def choices(self, classes: Tensor) -> Tensor:
        """Return one-hot targets [trial, time, class] from the class of each response, [trial]."""
        response = tf.cast(during(self.epochs, "response"), tf.int32)
        return tf.one_hot(classes[:, None] * response, self.outputs)
