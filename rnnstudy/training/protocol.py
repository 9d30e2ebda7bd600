"""Training protocol: the fields of a spec's `training`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rnnstudy.core.component import Component
from rnnstudy.training.kernels.precision import Precision


class Training(Component):
    """Training protocol: Adam on the loss of the task, for each member by itself.

    The learning rate decays exponentially. The defaults train the 3-bit memory.

    References
    ----------
    Kingma & Ba (2015), "Adam: a method for stochastic optimization".

    Examples
    --------
    >>> from rnnstudy.training.protocol import Training
    >>> Training(steps=200, learning_rate=1e-3).replace(stop="solved").stop
    'solved'
    """

    version: ClassVar[int] = 3

    per_member: ClassVar[frozenset[str]] = frozenset(
        {
            "learning_rate",
            "final_rate",
            "clip_norm",
            "l2",
            "rate_l2",
            "state_noise",
            "train_initial_state",
        }
    )
    """Fields that may differ between the members of one cohort."""

    added_fields: ClassVar[dict[str, float]] = {"rate_l2": 0.0}

    former_fields: ClassVar[dict[str, str]] = {"history": "record_every", "hold": "solved_for"}

    labels: ClassVar[frozenset[str]] = frozenset({"data_parallel"})
    """Fields that change which device computes a result, not the result."""

    steps: Annotated[int, Field(ge=1)] = 1500
    """Number of gradient steps."""

    batch: Annotated[int, Field(ge=1)] = 32
    """Number of trials per step."""

    data: Literal["per_member", "shared"] = "per_member"
    """Training trials: each network has its own (`per_member`), or all have the same (`shared`)."""

    learning_rate: Annotated[float, Field(gt=0)] = 1e-2
    """Learning rate at the first step."""

    final_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Learning rate at the last step, as a share of the first; the decay is exponential."""

    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of a network's gradient; longer gradients are scaled down to it."""

    l2: Annotated[float, Field(ge=0)] = 1e-6
    """Penalty on the sum of squared kernels and readout weights (biases are free)."""

    rate_l2: Annotated[float, Field(ge=0)] = 0.0
    """Penalty on the mean square of the units that the readout sees, over all units, trials and
    time steps. The time steps of a trial end with the last one that counts in the loss."""

    state_noise: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation of the normal noise added to each state at each step of training."""

    train_initial_state: bool = False
    """Train the state before the first time step; otherwise it stays zero."""

    record_every: Annotated[int, Field(ge=1)] = 50
    """Steps between two points of the recorded loss and accuracy curves."""

    precision: Precision = "float32"
    """Number format of the networks' computation in training. Weights, optimiser, loss, recorded
    curves and evaluation stay in float32. Analyses simulate trials in float32; they compute
    distances, fixed points and other dynamics in float64."""

    tf32: bool = False
    """Let GPUs round the factors of products to the 10 bits of TensorFloat-32."""

    data_parallel: bool = False
    """Divide the trials of each batch between devices, for a few large networks, and not the
    networks. Results change by rounding alone."""

    stop: Literal["budget", "solved"] = "budget"
    """End of a network's training: after `steps`, or once the network has solved its task at
    `solved_for` records in a row."""

    solved_for: Annotated[int, Field(ge=1)] = 3
    """With `stop: solved`, number of records in a row that must meet the criterion."""

    retry: Annotated[int, Field(ge=0)] = 0
    """Number of further trainings of a diverged network, each from a fresh seed."""
