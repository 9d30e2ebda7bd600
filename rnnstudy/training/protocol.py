"""How networks are trained: the fields of a spec's `training`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rnnstudy.core.component import Component
from rnnstudy.training.kernels.precision import Precision


class Training(Component):
    """Adam on the mean squared error with exponential learning-rate decay, per member throughout.

    The defaults train the 3-bit memory.
    """

    version: ClassVar[int] = 3

    per_member: ClassVar[frozenset[str]] = frozenset(
        {"learning_rate", "final_rate", "clip_norm", "l2", "state_noise", "train_initial_state"}
    )
    """Fields that may differ between the members of one cohort."""

    labels: ClassVar[frozenset[str]] = frozenset({"data_parallel"})
    """It says who computes, as `runtime` does, and not what."""

    steps: Annotated[int, Field(ge=1)] = 1500
    """Number of gradient steps."""

    batch: Annotated[int, Field(ge=1)] = 32
    """Number of trials per step."""

    data: Literal["per_member", "shared"] = "per_member"
    """Whether each network learns from trials of its own or all from the same."""

    learning_rate: Annotated[float, Field(gt=0)] = 1e-2
    """Learning rate at the first step."""

    final_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Learning rate at the last step, as a share of the first; the decay is exponential."""

    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of a network's gradient; longer ones are scaled down to it."""

    l2: Annotated[float, Field(ge=0)] = 1e-6
    """Penalty on the sum of squared kernels and readout weights (biases are free)."""

    state_noise: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation of the normal noise added to each state at each step of training."""

    train_initial_state: bool = False
    """Whether the state before the first time step is trained; otherwise it stays zero."""

    history: Annotated[int, Field(ge=1)] = 50
    """Steps between two points of the recorded loss and accuracy curves."""

    precision: Precision = "float32"
    """Numbers in which networks compute while they learn; weights, optimiser and loss stay in
    float32, and so do the recorded curves and all that is asked of the trained networks."""

    tf32: bool = False
    """Whether GPUs may round the factors of products to TensorFloat-32's 10 bits."""

    data_parallel: bool = False
    """Whether several devices share the trials of each batch, for a few large networks, and not the
    networks. Moves results by rounding alone."""

    stop: Literal["budget", "solved"] = "budget"
    """When a network's training ends: after `steps`, or once it has solved its task and held it."""

    hold: Annotated[int, Field(ge=1)] = 3
    """With `stop: solved`, how many records of the curves in a row must meet the criterion."""

    retry: Annotated[int, Field(ge=0)] = 0
    """How many more times a diverged network is trained, each time from a fresh seed."""
