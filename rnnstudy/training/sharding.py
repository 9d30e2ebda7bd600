"""Sharding of the member axis over devices; each device trains its members without exchange."""

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import compile_function
from rnnstudy.training.programs import PROGRAMS
from rnnstudy.training.step import Program, compiled_chunk, training_chunk

Device = str
"""A logical device by TensorFlow's name: `GPU:0`."""

SMALLEST_WIDTH = 2
"""Members in the narrowest program. A batch of one product runs in another kernel than a batch of
many, and rounds differently."""


def devices_of(request: int | Sequence[Device] | None = None) -> tuple[Device, ...]:
    """Return the logical devices of a request.

    Parameters
    ----------
    request
        None selects every GPU or, without GPUs, TensorFlow's default CPU device. A number counts
        GPUs or, without GPUs, logical CPU devices. Names are taken literally: `GPU:0`.

    Raises
    ------
    ValueError
        A device does not exist or is named twice.
    """
    gpus, cpus = _visible("GPU"), _visible("CPU")
    if request is None:
        return gpus or cpus[:1]
    kind = gpus or cpus
    if isinstance(request, int):
        if request > len(kind):
            raise ValueError(
                f"must be at most {len(kind)}, got {request}. TensorFlow sees {', '.join(kind)}."
            )
        return kind[:request]
    for name in request:
        if name not in gpus + cpus:
            raise ValueError(f"must be among {', '.join(gpus + cpus)}, got {name!r}")
        if list(request).count(name) > 1:
            raise ValueError(f"must be different devices, got {name!r} twice")
    return tuple(request)


def _visible(kind: str) -> tuple[Device, ...]:
    return tuple(
        device.name.removeprefix("/device:") for device in tf.config.list_logical_devices(kind)
    )


def blocks(members: int, devices: int) -> list[Array]:
    """Return the positions of each device's members, in at most as many blocks as members.

    Blocks follow each other in order. Their sizes differ by one at most.
    """
    return np.array_split(np.arange(members), min(devices, members))


def fill_block(block: Array) -> Array:
    """Return a block of members of at least `SMALLEST_WIDTH`, with its first member repeated."""
    return np.concatenate([block, np.repeat(block[:1], max(SMALLEST_WIDTH - len(block), 0))])


def run_chunk(program: Program, devices: Sequence[Device], members: Any, numbers: Any) -> Any:
    """Run `training_chunk` of a program; return NumPy arrays (state, loss, accuracy).

    members: (state, rates, seeds), all arrays with the member axis in front. numbers: (step, count,
    steps). Several devices train a block of members each, without exchange. Without `devices`
    TensorFlow chooses. On CPU devices the result is the same, bit for bit, for any number of
    devices with the kernel `per_member`. With `batched` this needs members whose arrays fill whole
    vector registers.
    """
    width = len(tf.nest.flatten(members)[0])
    parts = blocks(width, max(len(devices), 1))
    if len(parts) == 1:
        if _has_session(program, devices):
            with PROGRAMS.use(program, training_chunk(program)) as chunk:
                return chunk(*members, *numbers)
        with tf.device(devices[0] if devices else None):
            return in_numpy(compiled_chunk(program)(*members, *numbers))
    used = tuple(devices[: len(parts)])
    shards = [_members_at(members, fill_block(part)) for part in parts]
    values = sharded_chunk(program, used)(per_replica(used, shards), numbers)
    return join_blocks([in_numpy(shard) for shard in each_replica(used, values)], parts)


def program_in_memory(program: Program, devices: Sequence[Device]) -> AbstractContextManager[Any]:
    """Return a context in which a program is not freed between the calls of `run_chunk`."""
    if _has_session(program, devices):
        return PROGRAMS.use(program, training_chunk(program))
    return nullcontext()


def _has_session(program: Program, devices: Sequence[Device]) -> bool:
    """Return whether a program runs in a session: XLA programs on the first CPU device do."""
    return program.kernel == "per_member" and tuple(devices) in ((), ("CPU:0",))


def join_blocks(shards: Sequence[Any], parts: Sequence[Array]) -> Any:
    """Join blocks of members in order, without repetitions."""
    return tf.nest.map_structure(
        lambda *arrays: np.concatenate([a[: len(p)] for a, p in zip(arrays, parts, strict=True)]),
        *shards,
    )


@functools.lru_cache(maxsize=4)
def sharded_chunk(program: Program, devices: tuple[Device, ...]) -> Any:
    """Return the compiled chunk of (state, rates, seeds) per replica, a block of members each."""
    strategy, advance = strategy_over(devices), training_chunk(program)

    def on_all_replicas(members: Any, numbers: Any) -> Any:
        return strategy.run(lambda local: advance(*local, *numbers), args=(members,))

    return compile_function(on_all_replicas)


@functools.lru_cache(maxsize=8)
def strategy_over(devices: tuple[Device, ...]) -> Any:
    """Return a strategy with one replica per device.

    No variable may be created under it: it would be mirrored, and every replica would train the
    same members.
    """
    # Sums meet on one device. TensorFlow's collective operations, the default, wait for each other
    # forever or fail once a process has used groups of different sizes.
    return tf.distribute.MirroredStrategy(
        [f"/device:{name}" for name in devices],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def per_replica(devices: tuple[Device, ...], shards: Sequence[Any]) -> Any:
    """Return the arrays of each device, whose shapes may differ, as one value per replica."""

    def local(context: Any) -> Any:
        index = context.replica_id_in_sync_group
        with tf.device(devices[index]):
            return tf.nest.map_structure(tf.identity, shards[index])

    return strategy_over(devices).experimental_distribute_values_from_function(local)


def each_replica(devices: tuple[Device, ...], values: Any) -> list[Any]:
    """Return the parts of a value per replica, in the order of the devices."""
    local = strategy_over(devices).experimental_local_results
    return [
        tf.nest.map_structure(lambda value, i=i: local(value)[i], values)
        for i in range(len(devices))
    ]


def _members_at(members: Any, positions: Array) -> Any:
    return tf.nest.map_structure(lambda values: np.asarray(values)[positions], members)


def in_numpy(values: Any) -> Any:
    """Return nested tensors, or arrays, as NumPy arrays."""
    return tf.nest.map_structure(
        lambda value: value if isinstance(value, np.ndarray) else value.numpy(), values
    )
