"""The member axis split over devices: each trains members of its own, and nothing crosses."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import compiled
from rnnstudy.training.step import Program, chunk, chunk_of

Device = str
"""A logical device as TensorFlow calls it: `GPU:0`."""

SMALLEST_WIDTH = 2
"""Members in the narrowest program: a batch of one product takes another kernel than a batch of
many, and would round otherwise."""


def devices_of(asked: int | Sequence[Device] | None = None) -> tuple[Device, ...]:
    """The logical devices that a request means; ValueError if they are not all there.

    None is every GPU or, without any, the one CPU device that TensorFlow uses by itself. A number
    counts GPUs or, without any, logical CPU devices. Names are taken as they are: `GPU:0`.
    """
    gpus, cpus = _visible("GPU"), _visible("CPU")
    if asked is None:
        return gpus or cpus[:1]
    kind = gpus or cpus
    if isinstance(asked, int):
        if asked > len(kind):
            raise ValueError(
                f"asks for {asked} devices; TensorFlow sees {len(kind)}: {', '.join(kind)}"
            )
        return kind[:asked]
    for name in asked:
        if name not in gpus + cpus:
            raise ValueError(f"names device {name!r}; TensorFlow sees {', '.join(gpus + cpus)}")
        if list(asked).count(name) > 1:
            raise ValueError(f"names device {name!r} more than once")
    return tuple(asked)


def _visible(kind: str) -> tuple[Device, ...]:
    return tuple(
        device.name.removeprefix("/device:") for device in tf.config.list_logical_devices(kind)
    )


def blocks(members: int, devices: int) -> list[Array]:
    """Positions of the members that each device trains; no more blocks than members.

    Blocks follow each other in order, and their sizes differ by one at most.
    """
    return np.array_split(np.arange(members), min(devices, members))


def filled(block: Array) -> Array:
    """A block of members as wide as the narrowest program, by repetition of its first member."""
    return np.concatenate([block, np.repeat(block[:1], max(SMALLEST_WIDTH - len(block), 0))])


def run_chunk(program: Program, devices: Sequence[Device], members: Any, numbers: Any) -> Any:
    """What `steps.chunk` of a program yields, as NumPy arrays: (state, loss, accuracy).

    members: (state, rates, seeds), all arrays with the member axis in front; numbers: (step, count,
    steps). Several devices train a block of members each, without any exchange; without `devices`
    TensorFlow chooses. On CPU devices the result is the same, bit for bit, however many there are:
    always with the kernel `by_member`, with `together` if a member's arrays fill whole vector
    registers (else to 1e-6 after 60 steps).
    """
    width = len(tf.nest.flatten(members)[0])
    parts = blocks(width, max(len(devices), 1))
    if len(parts) == 1:
        with tf.device(devices[0] if devices else None):
            return in_numpy(chunk_of(program)(*members, *numbers))
    used = tuple(devices[: len(parts)])
    given = [_taken(members, filled(part)) for part in parts]
    found = sharded_chunk(program, used)(per_replica(used, given), numbers)
    return joined([in_numpy(own) for own in each_replica(used, found)], parts)


def joined(found: Sequence[Any], parts: Sequence[Array]) -> Any:
    """Blocks of members put together again in order, repetitions left out."""
    return tf.nest.map_structure(
        lambda *own: np.concatenate([o[: len(p)] for o, p in zip(own, parts, strict=True)]), *found
    )


@functools.lru_cache(maxsize=16)
def sharded_chunk(program: Program, devices: tuple[Device, ...]) -> Any:
    """The compiled chunk of (state, rates, seeds) per replica, a block of members each."""
    strategy, advance = strategy_over(devices), chunk(program)

    def everywhere(members: Any, numbers: Any) -> Any:
        return strategy.run(lambda own: advance(*own, *numbers), args=(members,))

    return compiled(everywhere)


@functools.lru_cache(maxsize=8)
def strategy_over(devices: tuple[Device, ...]) -> Any:
    """One replica per device. No variable is ever made under it: it would be mirrored, and every
    replica would train the same members."""
    # Sums meet on one device. TensorFlow's collective operations, the default, wait for each other
    # forever or fail once a process has used groups of different sizes.
    return tf.distribute.MirroredStrategy(
        [f"/device:{name}" for name in devices],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def per_replica(devices: tuple[Device, ...], given: Sequence[Any]) -> Any:
    """Arrays of each device, whose shapes may differ, as one value per replica."""

    def own(context: Any) -> Any:
        place = context.replica_id_in_sync_group
        with tf.device(devices[place]):
            return tf.nest.map_structure(tf.identity, given[place])

    return strategy_over(devices).experimental_distribute_values_from_function(own)


def each_replica(devices: tuple[Device, ...], values: Any) -> list[Any]:
    """What each replica holds of a value per replica."""
    local = strategy_over(devices).experimental_local_results
    return [
        tf.nest.map_structure(lambda value, i=i: local(value)[i], values)
        for i in range(len(devices))
    ]


def _taken(members: Any, at: Array) -> Any:
    return tf.nest.map_structure(lambda values: np.asarray(values)[at], members)


def in_numpy(values: Any) -> Any:
    return tf.nest.map_structure(lambda value: value.numpy(), values)
