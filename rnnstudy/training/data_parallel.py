"""Data-parallel training: each device computes a part of every batch of trials."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import compile_function
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
from rnnstudy.training.step import apply_gradients, evaluate_batch, gradients


def run_data_parallel(
    program: Program, devices: Sequence[Device], members: Any, numbers: Any
) -> Any:
    """Run a training chunk like `sharding.run_chunk`, with all members on every device.

    Each device computes a part of the trials that one device would draw. The sizes of the parts
    differ by one at most. Gradients and losses are averaged over devices, weighted by masked time
    steps (all-reduce). The result is that of one device up to rounding. With fewer trials than
    devices, some devices are idle.
    """
    used = tuple(devices[: program.batch])
    if len(used) < 2:
        return run_chunk(program, used, members, numbers)
    values = data_parallel_chunk(program, used)(per_replica(used, [members] * len(used)), numbers)
    return in_numpy(each_replica(used, values)[0])


@functools.lru_cache(maxsize=4)
def data_parallel_chunk(program: Program, devices: tuple[Device, ...]) -> Any:
    """Return the compiled chunk of (state, rates, seeds), which are equal on all replicas."""
    strategy, count = strategy_over(devices), len(devices)

    def one_step(state: Any, rates: Any, seeds: Any, step: Tensor, steps: Tensor) -> Any:
        replica = tf.distribute.get_replica_context()
        index = int(tf.get_static_value(replica.replica_id_in_sync_group))
        local = replace(program, data_shard=(index, count))
        total, slopes = gradients(local, state[0], rates, seeds, step)
        batch = trials(local, seeds, step)
        weight = tf.reduce_sum(program.task.loss.weights(batch.targets, batch.mask), axis=[1, 2])
        weighted = {name: _weigh(slope, weight) for name, slope in slopes.items()}
        whole, total, slopes = replica.all_reduce(
            tf.distribute.ReduceOp.SUM, (weight, _weigh(total, weight), weighted)
        )
        slopes = {name: slope / _along(whole, slope) for name, slope in slopes.items()}
        return apply_gradients(state, rates, step, steps, (total / whole, slopes))

    def on_all_replicas(members: Any, numbers: Any) -> Any:
        (state, rates, seeds), (step, more, steps) = members, numbers
        scores = strategy.run(
            lambda *local: evaluate_batch(program, *local), args=(state[0], seeds, step)
        )

        def turn(k: Tensor, state: Any) -> tuple[Tensor, Any]:
            return k + 1, strategy.run(one_step, args=(state, rates, seeds, k, steps))

        _, state = tf.while_loop(
            lambda k, _: k < step + more, turn, (step, state), parallel_iterations=1
        )
        return state, *scores

    return compile_function(on_all_replicas)


def _weigh(values: Tensor, weight: Tensor) -> Tensor:
    """Return values times a member's weight; 0 where the weight is 0."""
    return tf.math.multiply_no_nan(values, tf.zeros_like(values) + _along(weight, values))
