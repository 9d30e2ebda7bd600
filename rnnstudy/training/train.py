"""Training of a cohort, in resumable pieces, and its record."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.initialise import initial_population, standard_population, stream
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.evaluation import evaluate
from rnnstudy.training.kernels.choice import Kernel, device_kind, kernel_for, uncompilable
from rnnstudy.training.kernels.precision import tensor_float_32
from rnnstudy.training.protocol import Training
from rnnstudy.training.sharding import program_in_memory
from rnnstudy.training.state import Arrays, TrainingState, advance, initial_training_state
from rnnstudy.training.step import Program, select_prefix

WeightsOf = Literal["trained", "untrained", "standard"]
"""Weights of a network: those after training, its initial ones, or those of `standard`."""

PIECE = 10.0
"""Seconds between two checkpoints at most, if a step takes no longer."""


@dataclass(frozen=True, eq=False)
class TrainedNetworks(Record):
    """Trained networks, their loss and accuracy curves, and their evaluation on fresh trials.

    Axes: member is a network, sample is a point of the curves.

    Examples
    --------
    >>> from rnnstudy.cells.vanilla import Vanilla
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> from rnnstudy.training.protocol import Training
    >>> from rnnstudy.training.train import train
    >>> task = FlipFlop(bits=1, length=5)
    >>> train(Vanilla(units=3), task, [Training(steps=2, batch=2)], [0]).status
    ('trained',)
    """

    population: Population
    """The networks with their trained weights."""
    seed: Array = array("member")
    """Seed of the network's random streams; a fresh seed if `attempt` is above 0."""
    attempt: Array = array("member")
    """Number of trainings before this one, which diverged."""
    step: Array = array("sample")
    """Number of training steps before each point of the curves."""
    loss: Array = array("member", "sample")
    """Loss of the task on the step's training batch, without state noise. NaN after the member
    stopped or diverged."""
    accuracy: Array = array("member", "sample")
    """Accuracy of the task on the same batch, 0 to 1."""
    steps: Array = array("member")
    """Number of training steps of the member."""
    diverged_at: Array = array("member")
    """Step at which loss or gradient ceased to be finite and training ended; -1 if never."""
    evaluation_loss: Array = array("member")
    """Loss on the task's fresh trials, without state noise."""
    evaluation_accuracy: Array = array("member")
    """Accuracy on the same trials, 0 to 1."""
    solved: Array = array("member")
    """True for members that meet the task's criterion."""

    @property
    def status(self) -> tuple[str, ...]:
        """`trained` or `diverged`, per member."""
        return tuple("diverged" if at >= 0 else "trained" for at in self.diverged_at)

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the training curves of the networks; none of imported networks."""
        if not len(self.step):
            return []
        names = [f"network {i}" for i in range(len(self.loss))] if len(self.loss) > 1 else ["loss"]
        curves = [
            Curve(x=self.step, y=loss, label=name)
            for name, loss in zip(names, self.loss, strict=True)
        ]
        return [
            Curves(
                title="Training curves",
                caption="Loss on training batches, without state noise.",
                curves=curves,
                x_label="training step",
                y_label="loss",
                log_y=True,
            )
        ]

    def untrained(self, inputs: int | None = None) -> Population:
        """Return the networks before training, drawn again from their seeds.

        Parameters
        ----------
        inputs
            Number of input channels; default: that of the trained networks.

        Raises
        ------
        ValueError
            A network was imported, so that its initial weights are unknown.
        """
        return self.population_with("untrained", inputs)

    def population_with(self, weights: WeightsOf, inputs: int | None = None) -> Population:
        """Return the networks with their trained weights, or with weights drawn from their seeds.

        Parameters
        ----------
        weights
            `trained`, `untrained` (the networks before training), or `standard` (the same cell
            from standard initialisers, see `population.initialise.standard_population`).
        inputs
            Number of input channels; default: that of the trained networks. If it differs, the
            trained networks get input weights as before training.

        Raises
        ------
        ValueError
            A network was imported, so that it has no seed to draw from.
        """
        trained = self.population
        channels = trained.inputs if inputs is None else inputs
        if weights == "trained":
            return self.with_input_channels(channels)
        if (self.seed < 0).any():
            raise ValueError(
                "networks must have seeds, got an imported network, whose initial weights are "
                "unknown. Select networks of the grid."
            )
        draw = standard_population if weights == "standard" else initial_population
        return draw(trained.cell, channels, trained.outputs, self.seed.tolist())

    def with_weights(self, weights: WeightsOf) -> "TrainedNetworks":
        """Return the record with the networks of `population_with`; losses are the trained ones.

        Raises
        ------
        ValueError
            As `population_with`.
        """
        return replace(self, population=self.population_with(weights))

    def with_input_channels(self, inputs: int) -> Population:
        """Return the trained networks with a number of input channels, for another task's inputs.

        If the number differs, input weights are drawn anew, as before training. ValueError as in
        `untrained`.
        """
        trained = self.population
        if trained.inputs == inputs:
            return trained
        fresh = self.untrained(inputs).weights
        unchanged = {name: w for name, w in trained.weights.items() if w.shape == fresh[name].shape}
        return replace(trained, weights={**fresh, **unchanged})

    def replace_members(
        self, members: Sequence[int], others: "TrainedNetworks"
    ) -> "TrainedNetworks":
        """Return the record with the members at these positions exchanged for others, in order."""
        both = TrainedNetworks.join([self, others], "member")
        order = np.arange(len(self.seed))
        order[list(members)] = len(order) + np.arange(len(members))
        return both.select("member", order)


def train(
    cell: Cell,
    task: Task,
    protocols: Sequence[Training],
    seeds: Sequence[int],
    progress: Callable[[int, Array], None] = lambda step, loss: None,
    *,
    attempt: int = 0,
    resume: TrainingState | None = None,
    checkpoint: Callable[[TrainingState], None] = lambda state: None,
    devices: Sequence[str] = (),
) -> TrainedNetworks:
    """Train one network per protocol and seed, all as one program.

    Parameters
    ----------
    cell, task
        Cell and task of all networks.
    protocols
        Training protocol per network. They may differ in `Training.per_member` fields only.
    seeds
        Seed per network: of its initial weights, its trials and its state noise.
    progress
        Called at each record of the curves with the completed steps and the losses [member].
    attempt
        Number of earlier trainings. Above 0 each network has a fresh seed, a function of its seed
        and of the attempt.
    resume
        State to resume from; default: the beginning.
    checkpoint
        Called every few seconds with the state. An exception from it or from `progress` ends the
        training.
    devices
        Devices that divide the members between them (`sharding.devices_of`), or with
        `data_parallel` the trials; default: TensorFlow's choice.

    Returns
    -------
    TrainedNetworks
        The trained networks, in the order of the seeds. Cells that XLA cannot compile are trained
        by the kernel `batched`, with a warning.

    Raises
    ------
    ValueError
        Protocols and seeds differ in number, or protocols differ beyond `Training.per_member`.

    Examples
    --------
    >>> from rnnstudy.cells.vanilla import Vanilla
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> from rnnstudy.training.protocol import Training
    >>> from rnnstudy.training.train import train
    >>> protocol = Training(steps=4, batch=2, record_every=2)
    >>> train(Vanilla(units=3), FlipFlop(bits=1, length=5), [protocol], [0]).loss.shape
    (1, 2)
    """
    if not len(protocols) == len(seeds) > 0:
        raise ValueError(
            f"protocols and seeds must be equal in number and not empty, got {len(protocols)} "
            f"protocols and {len(seeds)} seeds. Give one protocol per seed."
        )
    common = common_protocol(protocols)
    seeds = [fresh_seed(seed, attempt) for seed in seeds]
    noisy = any(protocol.state_noise > 0 for protocol in protocols)
    penalises = any(protocol.rate_l2 > 0 for protocol in protocols)
    kernel = _kernel(cell, task, devices)
    shared = common.data == "shared"
    program = Program(
        cell, task, common.batch, noisy, kernel, shared, common.precision,
        penalises_rates=penalises,
    )  # fmt: skip
    untrained = initial_population(cell, task.inputs, task.outputs, seeds)
    state = resume or initial_training_state(untrained, common)
    most = 1
    with program_in_memory(program, devices):
        while state.done < common.steps and len(state.active):
            done, clock = state.done, time.monotonic()
            with tensor_float_32(common.tf32):
                state = advance(state, program, protocols, seeds, devices, most)
            most = _piece_steps(state.done - done, time.monotonic() - clock, common.record_every)
            checkpoint(state)
            if state.at_record(common):
                progress(state.done, state.loss[:, (state.done - 1) // common.record_every])
    return _record(cell, task, state, common, seeds, attempt)


def _kernel(cell: Cell, task: Task, devices: Sequence[str]) -> Kernel:
    """Return the kernel that trains a cell on these devices, with a warning if XLA cannot."""
    kernel = kernel_for(device_kind(devices))
    reason = uncompilable(cell, task.inputs) if kernel == "per_member" else ""
    if not reason:
        return kernel
    warnings.warn(
        f"{type(cell).__name__} cannot be compiled by XLA ({reason}). Its networks are trained by "
        "the kernel 'batched', which is slower. Their last digits depend on the cohort.",
        stacklevel=3,
    )
    return "batched"


def _piece_steps(steps: int, seconds: float, record_every: int) -> int:
    """Return the number of steps per piece, from the seconds that a number of steps took."""
    return int(np.clip(steps * PIECE / max(seconds, 1e-9), 1, record_every))


def fresh_seed(seed: int, attempt: int) -> int:
    """Return a member's seed at an attempt, counted from 0; it does not depend on the cohort."""
    return seed ^ stream(seed, f"attempt {attempt}")[1] if attempt else seed


def common_protocol(protocols: Sequence[Training]) -> Training:
    """Return the protocol of a cohort; ValueError if fields beyond `per_member` differ."""
    shared = [p.model_dump(exclude=set(Training.per_member)) for p in protocols]
    differing = sorted(f for f in shared[0] if any(s[f] != shared[0][f] for s in shared))
    if differing:
        raise ValueError(
            f"protocols of a cohort must be equal but for {', '.join(sorted(Training.per_member))}"
            f", got different {', '.join(differing)}. Train them as two cohorts."
        )
    return protocols[0]


def _record(
    cell: Cell,
    task: Task,
    state: TrainingState,
    protocol: Training,
    seeds: Sequence[int],
    attempt: int,
) -> TrainedNetworks:
    population = _population(cell, state.parameters)
    loss, accuracy = evaluate(task, population)
    stopped = np.where(state.stopped_at >= 0, state.stopped_at, protocol.steps)
    return TrainedNetworks(
        population=population,
        seed=np.asarray(seeds),
        attempt=np.full(len(seeds), attempt),
        step=np.arange(0, protocol.steps, protocol.record_every),
        loss=state.loss,
        accuracy=state.accuracy,
        steps=np.where(state.diverged_at >= 0, state.diverged_at, stopped),
        diverged_at=state.diverged_at,
        evaluation_loss=loss,
        evaluation_accuracy=accuracy,
        solved=task.is_solved(loss, accuracy) & (state.diverged_at < 0),
    )


def _population(cell: Cell, parameters: Arrays) -> Population:
    return Population(
        cell=cell,
        weights=select_prefix(parameters, "cell/"),
        readout=select_prefix(parameters, "readout/"),
        initial_state=parameters["initial_state"],
    )
