"""A few large networks on several devices: each device takes a share of every batch of trials."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import compiled
from rnnstudy.training.batches import Program, trials
from rnnstudy.training.optimiser import along as _along
from rnnstudy.training.sharding import (
    Device,
    each_replica,
    in_numpy,
    per_replica,
    run_chunk,
    strategy_over,
)
from rnnstudy.training.step import gradients, standing, updated


def run_shared(program: Program, devices: Sequence[Device], members: Any, numbers: Any) -> Any:
    """As `sharding.run_chunk`, but every device has all members and a share of their trials.

    The shares are of the trials that one device would draw, their sizes differ by one at most, and
    gradients and losses are averaged by the time steps that count in each (all-reduce), so that the
    result is that of one device but for rounding. With fewer trials than devices, some are idle.
    """
    used = tuple(devices[: program.batch])
    if len(used) < 2:
        return run_chunk(program, used, members, numbers)
    found = shared_chunk(program, used)(per_replica(used, [members] * len(used)), numbers)
    return in_numpy(each_replica(used, found)[0])


@functools.lru_cache(maxsize=16)
def shared_chunk(program: Program, devices: tuple[Device, ...]) -> Any:
    """The compiled chunk of (state, rates, seeds), the same on each replica."""
    strategy, count = strategy_over(devices), len(devices)

    def one_step(state: Any, rates: Any, seeds: Any, step: Tensor, steps: Tensor) -> Any:
        replica = tf.distribute.get_replica_context()
        which = int(tf.get_static_value(replica.replica_id_in_sync_group))
        own = replace(program, share=(which, count))
        total, slopes = gradients(own, state[0], rates, seeds, step)
        weight = tf.reduce_sum(trials(own, seeds, step).mask, axis=[1, 2])
        weighed = {name: _weighed(slope, weight) for name, slope in slopes.items()}
        whole, total, slopes = replica.all_reduce(
            tf.distribute.ReduceOp.SUM, (weight, _weighed(total, weight), weighed)
        )
        slopes = {name: slope / _along(whole, slope) for name, slope in slopes.items()}
        return updated(state, rates, step, steps, (total / whole, slopes))

    def everywhere(members: Any, numbers: Any) -> Any:
        (state, rates, seeds), (step, more, steps) = members, numbers
        stand = strategy.run(lambda *own: standing(program, *own), args=(state[0], seeds, step))

        def turn(k: Tensor, state: Any) -> tuple[Tensor, Any]:
            return k + 1, strategy.run(one_step, args=(state, rates, seeds, k, steps))

        _, state = tf.while_loop(
            lambda k, _: k < step + more, turn, (step, state), parallel_iterations=1
        )
        return state, *stand

    return compiled(everywhere)


def _weighed(values: Tensor, weight: Tensor) -> Tensor:
    """Values times a member's weight; nothing at all where no time step counts."""
    return tf.math.multiply_no_nan(values, tf.zeros_like(values) + _along(weight, values))
