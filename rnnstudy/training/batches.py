"""What a training step works on: each member's trials and noise, from its own random streams."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks import Task, Trials
from rnnstudy.training import optimiser
from rnnstudy.training.kernels.choice import Kernel
from rnnstudy.training.kernels.precision import Precision

Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class Program:
    """What a compiled training program depends on; members' own numbers are its arguments."""

    cell: Cell
    task: Task
    batch: int
    noisy: bool
    kernel: Kernel = "by_member"
    shared: bool = False
    """Whether all members learn from the same trials."""
    precision: Precision = "float32"
    share: tuple[int, int] = (0, 1)
    """Which of how many parts of each batch is computed here."""

    @property
    def own(self) -> slice:
        """Positions, in the batch, of the trials that are computed here."""
        which, parts = self.share
        return slice(self.batch * which // parts, self.batch * (which + 1) // parts)


def _sample(program: Program, seed: Tensor, step: Tensor) -> Trials:
    """One member's batch of this step [trial, time, ...], from its own stream."""
    folded = tf.random.experimental.stateless_fold_in(seed, step)
    whole = program.task.sample(folded, program.batch)
    return Trials(*(part[program.own] for part in whole))


def trials_each(program: Program, seeds: Parameters, step: Tensor) -> Callable[..., Trials]:
    """A member's seeds -> its trials of this step; shared ones are drawn once."""
    if program.shared:
        common = _sample(program, seeds["trials"][0], step)
        return lambda seed: common
    return lambda seed: _sample(program, seed["trials"], step)


def trials(program: Program, seeds: Parameters, step: Tensor) -> Trials:
    """Each member's batch of this step, [member, trial, time, ...]."""
    if program.shared:
        members = seeds["trials"].shape[0]
        common = _sample(program, seeds["trials"][0], step)
        return Trials(*(tf.repeat(part[None], members, axis=0) for part in common))
    found: Trials = tf.map_fn(
        lambda seed: _sample(program, seed, step),
        seeds["trials"],
        fn_output_signature=_signature(program),
    )
    return found


def _signature(program: Program) -> Trials:
    task, shape = program.task, (_own_trials(program), program.task.length)
    return Trials(
        tf.TensorSpec((*shape, task.inputs)),
        tf.TensorSpec((*shape, task.outputs)),
        tf.TensorSpec(shape),
    )


def _own_trials(program: Program) -> int:
    return len(range(program.batch)[program.own])


def noise_of(program: Program, seed: Parameters, step: Tensor) -> Tensor:
    """One member's standard normal noise [time, trial, state], from its own stream."""
    shape = (program.task.length, program.batch, program.cell.state_size)
    folded = tf.random.experimental.stateless_fold_in(seed["noise"], step)
    noise: Tensor = normal_of(shape)(folded)[:, program.own]
    return noise


def noises(program: Program, rates: Parameters, seeds: Parameters, step: Tensor) -> Tensor:
    """State noise [time, member, trial, state] of a cohort."""
    shape = (program.task.length, _own_trials(program), program.cell.state_size)
    noise = tf.map_fn(
        lambda seed: noise_of(program, seed, step),
        dict(seeds),
        fn_output_signature=tf.TensorSpec(shape),
    )
    return tf.transpose(optimiser.along(rates["state_noise"], noise) * noise, [1, 0, 2, 3])


@functools.lru_cache(maxsize=16)
def normal_of(shape: tuple[int, ...]) -> Any:
    """Compiled by XLA: seed [2] -> standard normal numbers, by inversion of the distribution.

    Half the time that TensorFlow's own take. The 24 random bits of each are centred on odd
    multiples of 2^-24, so that the tails are symmetric; they reach 5.4 standard deviations.
    """

    def normal(seed: Tensor) -> Tensor:
        bits = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="philox")
        whole = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.int32)
        centred = tf.cast(2 * whole + 1 - 2**24, tf.float32) * 2.0**-24
        return np.sqrt(2.0) * tf.math.erfinv(centred)

    return tf.function(normal, jit_compile=True, autograph=False)
