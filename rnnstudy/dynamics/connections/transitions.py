"""Transition probabilities between stable fixed points under noise and pulses of input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_level, check_number, check_whole
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.basins import follow
from rnnstudy.dynamics.basins.known_points import KnownPoints, known_points
from rnnstudy.dynamics.connections.arrivals import arrivals, outputs_of
from rnnstudy.dynamics.connections.transition_record import Transitions
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.arguments import check_arguments, check_layer, instance_of
from rnnstudy.dynamics.networks.autonomous_system import joint_map
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled

TRIALS_PER_BATCH = 1024
"""Trials in a batch. Each batch has its own stream of noise."""


@check_arguments(
    fixed_points=instance_of(FixedPoints, "Use find_fixed_points."),
    noise=as_float_array,
    pulses=as_float_array,
    layer=check_layer,
)
def transitions(
    network: Any,
    fixed_points: FixedPoints,
    noise: float | Array = 0.0,
    steps: int = 100,
    trials: int = 100,
    seed: int = 0,
    *,
    pulses: Array | None = None,
    width: int = 1,
    settling: int = 10_000,
    tolerance: float = 1e-3,
    confidence: float = 0.95,
    layer: str | None = None,
) -> Transitions:
    """Estimate the probabilities of transitions between stable points.

    Each trial begins at a stable point and takes `steps` steps with normal noise on every state. In
    the first `width` steps a pulse is added to the input. Then the trial is followed without noise
    until it reaches a stable point. All networks receive the same noise.

    Parameters
    ----------
    network
        Network in which the points were found, as for `find_fixed_points`.
    fixed_points
        Fixed points of the network.
    noise
        Standard deviation of the noise, one for all networks or `[member]`.
    steps
        Number of steps with noise.
    trials
        Number of trials per stable point and pulse.
    seed
        Seed of the noise.
    pulses
        Pulses, `[pulse, input]`, each tested in turn. None: no pulse.
    width
        Number of steps of a pulse.
    settling
        Largest number of steps after the noise.
    tolerance
        Distance within which a state has arrived, as a share of the points' root mean square.
    confidence
        Level of the intervals of the probabilities.
    layer
        Name of the recurrent layer of a model with several.

    Returns
    -------
    Transitions
        Number of trials per start, pulse and end.

    Raises
    ------
    ValueError
        If a shape or number does not fit, or there is neither noise nor a pulse.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference. Journal of
    the American Statistical Association 22 (intervals).

    Examples
    --------
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> moved = rnnstudy.transitions(bistable, points, noise=0.5, trials=50)
    >>> moved.matrix().shape
    (2, 2)
    """
    for name, value in (("steps", steps), ("trials", trials), ("settling", settling)):
        check_whole(name, value, least=1)
    check_whole("width", width, least=1, most=steps)
    check_whole("seed", seed)
    check_number("tolerance", tolerance, above=0.0)
    check_level("confidence", confidence)
    networks, points = known_points(network, fixed_points, layer)
    every_pulse = _pulses(pulses, networks.inputs)
    deviation = _noise_per_member(noise, len(networks))
    if not (pulses is not None or (deviation > 0).all()):
        raise ValueError(f"noise must be positive where there are no pulses, got {noise}.")
    protocol = _Protocol(deviation, steps, width, trials)
    rows: list[tuple[int, ...]] = []
    most = max((len(known.stable) for known in points), default=0)
    for order in range(most):
        sources = [known for known in points if len(known.stable) > order]
        for index, pulse in enumerate(every_pulse):
            starts = _perturbed_states(sources, order, pulse, protocol, (seed, order, index))
            ends = arrivals(sources, starts, settling, tolerance)
            for known, end in zip(sources, ends, strict=True):
                rows += _count_ends(known, order, index, end.point)
    columns = np.array(sorted(rows), int).reshape(-1, 6).T
    member, input_index, pulse_of, source, target, count = columns
    stable = np.unique(source)
    return Transitions(
        source=source,
        target=target,
        pulse=pulse_of,
        count=count,
        member=member,
        input_index=input_index,
        pulses=every_pulse,
        stable=stable,
        outputs=outputs_of(networks, fixed_points)[stable],
        trials=trials,
        confidence=confidence,
    )


@dataclass(frozen=True, eq=False)
class _Protocol:
    """Standard deviation of the noise [member], and numbers of steps, pulse steps and trials."""

    noise: Array
    steps: int
    width: int
    trials: int


def _noise_per_member(noise: float | Array, members: int) -> Array:
    values = as_float_array("noise", noise)
    if values.shape not in ((), (members,)) or not (values >= 0).all():
        raise ValueError(
            f"noise must be a number or {members} numbers, none negative, got {noise}."
        )
    per_member: Array = np.broadcast_to(values, (members,))
    return per_member


def _pulses(pulses: Array | None, channels: int) -> Array:
    values = np.zeros((1, channels)) if pulses is None else as_float_array("pulses", pulses)
    if values.ndim != 2 or values.shape[1] != channels or not len(values):
        raise ValueError(f"pulses must have shape [pulse, {channels}], got {values.shape}.")
    return values


def _count_ends(points: KnownPoints, order: int, pulse: int, ends: Array) -> list[tuple[int, ...]]:
    """Return a row for each stable point, and one for all other ends."""
    source = int(points.index[points.stable[order]])
    head = (points.system.member, points.system.input_index, pulse, source)
    counts = [(int(points.index[i]), int((ends == i).sum())) for i in points.stable]
    others = len(ends) - sum(count for _, count in counts)
    return [(*head, target, count) for target, count in [*counts, (-1, others)]]


def _perturbed_states(
    points: Sequence[KnownPoints],
    order: int,
    pulse: Array,
    protocol: _Protocol,
    streams: tuple[int, ...],
) -> list[Array]:
    """Return states [trial, state] of each system after noise and pulse.

    Trials begin at the stable point of this order.
    """
    size, steps, width = points[0].state.shape[1], protocol.steps, protocol.width
    bytes_each = 8 * follow.STEP_COPIES * size * TRIALS_PER_BATCH
    perturbed: list[Array] = []
    for part in batches(len(points), bytes_each, follow.FOLLOW_BYTES):
        systems = [known.system for known in points[part]]
        pulsed = [replace(s, constant_input=s.constant_input + pulse) for s in systems]
        start = np.stack([known.state[known.stable[order]] for known in points[part]])
        noise = protocol.noise[[system.member for system in systems], None]
        ends = []
        for first in range(0, protocol.trials, TRIALS_PER_BATCH):
            count = min(TRIALS_PER_BATCH, protocol.trials - first)
            h = np.repeat(start[:, None], count, axis=1)
            seed = np.random.SeedSequence((*streams, first)).generate_state(2) >> 1
            for driven, begin, end in ((pulsed, 0, width), (systems, width, steps)):
                state_map = joint_map(driven, count)
                h = run_compiled(
                    _noisy_steps, state_map, h, noise, seed.astype(np.int32), begin, end
                )
                h = h.numpy()
            ends.append(h)
        perturbed += list(np.concatenate(ends, axis=1))
    return perturbed


def _noisy_steps(
    state_map: StateMap, h: Tensor, noise: Tensor, seed: Tensor, begin: Tensor, end: Tensor
) -> Tensor:
    """Return states [member, trial, state] after the steps from `begin` to `end`.

    Each step has noise of standard deviation noise [member, 1].
    """

    def turn(time: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        stream = tf.stack([seed[0], seed[1] + time])
        drawn = tf.random.stateless_normal(tf.shape(h)[1:], stream, dtype=h.dtype, alg="philox")
        return time + 1, state_map(h) + noise[..., None] * drawn

    return tf.while_loop(lambda time, h: time < end, turn, (begin, h))[1]
