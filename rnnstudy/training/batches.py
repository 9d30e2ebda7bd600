"""Trials and noise of a training step, from each member's own random streams."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
    """Constants of a compiled training program; the numbers of members are its arguments."""

    cell: Cell
    task: Task
    batch: int
    noisy: bool
    """States of some member are noisy in training."""
    kernel: Kernel = "per_member"
    shared: bool = False
    """All members learn from the same trials."""
    precision: Precision = "float32"
    data_shard: tuple[int, int] = (0, 1)
    """Index of this device's part of each batch, and number of parts."""
    penalises_rates: bool = False
    """Activity of some member's units is penalised."""

    @property
    def is_divided(self) -> bool:
        """True if several devices have a part of each batch."""
        return self.data_shard[1] > 1

    @property
    def on_one_device(self) -> "Program":
        """The program that draws all trials of a batch."""
        return replace(self, data_shard=(0, 1))

    @property
    def local_trials(self) -> slice:
        """Positions, in the batch, of the trials of this device."""
        index, parts = self.data_shard
        return slice(self.batch * index // parts, self.batch * (index + 1) // parts)


def _sample(program: Program, seed: Tensor, step: Tensor) -> Trials:
    """Return one member's local trials of a step, [trial, time, ...], from its own stream."""
    folded = tf.random.experimental.stateless_fold_in(seed, step)
    batch = program.task.sample(folded, program.batch)
    return Trials(*(part[program.local_trials] for part in batch))


def rate_weights(program: Program, batch: Trials, whole: Trials) -> Tensor:
    """Return the weights [..., trial, time] of time steps in the penalty on rates.

    They sum to 1. The weighted mean of several devices' penalties, as of their losses, is that of
    the whole batch.

    Parameters
    ----------
    program
        The program.
    batch
        Trials of this device.
    whole
        Trials of all devices.
    """
    counted = _before_end(batch.mask) / _sum(_before_end(whole.mask))
    if not program.is_divided:
        return counted
    weights_of = program.task.loss.weights
    scale = _sum(weights_of(whole.targets, whole.mask)) / _sum(weights_of(*batch[1:]))
    return tf.math.multiply_no_nan(scale, counted)


def _before_end(mask: Tensor) -> Tensor:
    """Return 1 up to the last time step of a trial that counts, 0 after it: [..., trial, time]."""
    later = tf.cumsum(tf.cast(mask > 0.0, tf.int32), axis=-1, reverse=True)
    return tf.cast(later > 0, mask.dtype)


def _sum(values: Tensor) -> Tensor:
    return tf.reduce_sum(values, axis=[-2, -1], keepdims=True)


def trials_each(program: Program, seeds: Parameters, step: Tensor) -> Callable[..., Trials]:
    """Return a function from a member's seeds to its trials; shared trials are drawn once."""
    if program.shared:
        common = _sample(program, seeds["trials"][0], step)
        return lambda seed: common
    return lambda seed: _sample(program, seed["trials"], step)


def trials(program: Program, seeds: Parameters, step: Tensor) -> Trials:
    """Return each member's trials of a step, [member, trial, time, ...]."""
    if program.shared:
        members = seeds["trials"].shape[0]
        common = _sample(program, seeds["trials"][0], step)
        return Trials(*(tf.repeat(part[None], members, axis=0) for part in common))
    batch: Trials = tf.map_fn(
        lambda seed: _sample(program, seed, step),
        seeds["trials"],
        fn_output_signature=_signature(program),
    )
    return batch


def _signature(program: Program) -> Trials:
    task, shape = program.task, (_local_count(program), program.task.length)
    return Trials(
        tf.TensorSpec((*shape, task.inputs)),
        tf.TensorSpec((*shape, task.outputs)),
        tf.TensorSpec(shape),
    )


def _local_count(program: Program) -> int:
    return len(range(program.batch)[program.local_trials])


def noise_of(program: Program, seed: Parameters, step: Tensor) -> Tensor:
    """Return one member's normal noise, [time, trial, state], from its own stream.

    Its standard deviation is 1, or the cell's `noise_scale`.
    """
    shape = (program.task.length, program.batch, program.cell.state_size)
    folded = tf.random.experimental.stateless_fold_in(seed["noise"], step)
    noise: Tensor = normal_of(shape)(folded)[:, program.local_trials]
    scale = np.asarray(program.cell.noise_scale)
    return noise if (scale == 1.0).all() else noise * tf.constant(scale, noise.dtype)


def noises(program: Program, rates: Parameters, seeds: Parameters, step: Tensor) -> Tensor:
    """Return the state noise of a cohort, [time, member, trial, state]."""
    shape = (program.task.length, _local_count(program), program.cell.state_size)
    noise = tf.map_fn(
        lambda seed: noise_of(program, seed, step),
        dict(seeds),
        fn_output_signature=tf.TensorSpec(shape),
    )
    return tf.transpose(optimiser.along(rates["state_noise"], noise) * noise, [1, 0, 2, 3])


@functools.lru_cache(maxsize=4)
def normal_of(shape: tuple[int, ...]) -> Any:
    """Return an XLA program from a seed [2] to standard normal numbers of this shape.

    The numbers are quantiles of 24 random bits, centred on odd multiples of 2^-24. The tails are
    therefore symmetric and end at 5.4 standard deviations. TensorFlow's own generator is slower.
    """

    def normal(seed: Tensor) -> Tensor:
        bits = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="philox")
        whole = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.int32)
        centred = tf.cast(2 * whole + 1 - 2**24, tf.float32) * 2.0**-24
        return np.sqrt(2.0) * tf.math.erfinv(centred)

    return tf.function(normal, jit_compile=True, autograph=False)
