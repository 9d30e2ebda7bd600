"""Go or no-go: respond to one of two stimuli, and withhold the response to the other."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Trials, check_sample, split_seed
from rnnstudy.tasks.epochs.base import Steps, show
from rnnstudy.tasks.epochs.choices import ChoiceTask


class GoNoGo(ChoiceTask):
    """Go or no-go after a delay.

    The inputs are fixation, the go stimulus and the no-go stimulus. The classes are to withhold the
    response and to go. After the no-go stimulus it is correct to withhold it to the end.

    References
    ----------
    Zhang, Yan, Wang et al. (2019), "Active information maintenance in working memory by a sensory
    cortex".

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.go_no_go import GoNoGo
    >>> GoNoGo().static_inputs().labels
    ('delay', 'go', 'no-go', 'response')
    """

    kind: ClassVar[str] = "go_no_go"
    parts: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "delay", "response")

    fixation: Steps = 5
    """Time steps before the stimulus."""

    stimulus: Steps = 10
    """Time steps of the stimulus."""

    delay: Steps = 15
    """Time steps between stimulus and response."""

    response: Steps = 10
    """Time steps of the response."""

    @property
    def inputs(self) -> int:
        return 3

    @property
    def outputs(self) -> int:
        return 2

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with a lower rate, so that networks do not part from their memory."""
        return {"learning_rate": 3e-3}

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        choice_seed, noise_seed = split_seed(seed, 2)
        is_go = tf.random.stateless_uniform([trials], choice_seed, alg="philox") < 0.5
        go = tf.cast(is_go, tf.int32)
        stimuli = show(tf.one_hot(1 - go, 2), self.epochs, "stimulus")
        return self.assemble(stimuli, noise_seed, self.choices(go))

    def static_inputs(self) -> StaticInputs:
        go, no_go = np.eye(2)
        return self.fixed_inputs({"delay": np.zeros(2), "go": go, "no-go": no_go})
