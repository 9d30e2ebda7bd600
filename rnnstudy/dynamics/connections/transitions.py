"""Between which stable points noise and pulses of input move a network, and how often."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.basins.arrivals import Site, arrivals, outputs_of, sites_of
from rnnstudy.dynamics.connections.transition_record import Transitions
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.adapters import Networks
from rnnstudy.dynamics.networks.state_map import StateMap, compiled

BLOCK_BYTES = 64 * 2**20
"""Memory for the states of one batch."""

COPIES = 16
"""Vectors as long as the state that a step holds per state at its peak."""

TOGETHER = 1024
"""Trials in a batch, each batch with a noise of its own."""


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
    """Where trials end that begin at each stable point: the probabilities of transitions.

    network, layer: as for `find_fixed_points`, which found the points.
    Each trial gets `steps` steps with normal noise of this standard deviation, one for all networks
    or [member], added to every state (as `state_noise` in training); in the first `width` of them,
    each of the pulses [pulse, input] in turn is added to the input. Then it is followed without
    noise until it has come within `tolerance` (a share of the points' root mean square) of a stable
    point, for `settling` steps at most. All networks get the same noise. ValueError for wrong
    shapes or numbers, and if there is neither noise nor a pulse.
    """
    networks, sites = sites_of(network, fixed_points, layer)
    given = _pulses(pulses, networks.inputs)
    spread = _spread(noise, len(networks))
    if not (pulses is not None or (spread > 0).all()):
        raise ValueError(f"noise should be positive where there are no pulses, it is {noise}")
    if min(steps, trials, settling) < 1 or not 1 <= width <= steps:
        raise ValueError(
            f"steps, trials and settling should be positive and width 1 to {steps}, they are "
            f"{steps}, {trials}, {settling} and {width}"
        )
    rows: list[tuple[int, ...]] = []
    most = max((len(site.stable) for site in sites), default=0)
    for order in range(most):
        here = [site for site in sites if len(site.stable) > order]
        for place, pulse in enumerate(given):
            streams = (seed, order, place)
            shaken = _shaken(networks, here, order, pulse, (spread, steps, width, trials), streams)
            ends = arrivals(networks, here, shaken, settling, tolerance)
            for site, end in zip(here, ends, strict=True):
                rows += _counted(site, order, place, end.point)
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
        pulses=given,
        stable=stable,
        outputs=outputs_of(networks, fixed_points)[stable],
        trials=trials,
        confidence=confidence,
    )


def _spread(noise: float | Array, members: int) -> Array:
    """The noise of each network: [member]."""
    given = np.asarray(noise, np.float64)
    if given.shape not in ((), (members,)) or not (given >= 0).all():
        raise ValueError(
            f"noise should be a number or {members} of them, none negative, it is {noise}"
        )
    spread: Array = np.broadcast_to(given, (members,))
    return spread


def _pulses(pulses: Array | None, channels: int) -> Array:
    given = np.zeros((1, channels)) if pulses is None else np.asarray(pulses, np.float64)
    if given.ndim != 2 or given.shape[1] != channels or not len(given):
        raise ValueError(f"pulses should be [pulse, {channels}], their shape is {given.shape}")
    return given


def _counted(site: Site, order: int, pulse: int, ends: Array) -> list[tuple[int, ...]]:
    """A row for each stable point, and one for all other ends."""
    source = int(site.points[site.stable[order]])
    head = (site.member, site.input_index, pulse, source)
    found = [(int(site.points[i]), int((ends == i).sum())) for i in site.stable]
    nowhere = len(ends) - sum(count for _, count in found)
    return [(*head, target, count) for target, count in [*found, (-1, nowhere)]]


def _shaken(
    networks: Networks,
    sites: Sequence[Site],
    order: int,
    pulse: Array,
    protocol: tuple[Array, int, int, int],
    streams: tuple[int, ...],
) -> list[Array]:
    """States [trial, state] of each site after the noise and the pulse, from its stable point of
    this order; in batches of bounded memory."""
    noise, steps, width, trials = protocol
    across = max(1, BLOCK_BYTES // (8 * COPIES * sites[0].state.shape[1] * TOGETHER))
    found: list[Array] = []
    for first in range(0, len(sites), across):
        block = sites[first : first + across]
        start = np.stack([site.state[site.stable[order]] for site in block])
        own = noise[[site.member for site in block], None]
        ends = []
        for part in range(0, trials, TOGETHER):
            h = np.repeat(start[:, None], min(TOGETHER, trials - part), axis=1)
            draw = np.random.SeedSequence((*streams, part)).generate_state(2) >> 1
            for change, begin, end in ((pulse, 0, width), (0.0 * pulse, width, steps)):
                state_map = _flow(networks, block, change, h.shape[1])
                h = compiled(_noisy, state_map, h, own, draw.astype(np.int32), begin, end).numpy()
            ends.append(h)
        found += list(np.concatenate(ends, axis=1))
    return found


def _flow(networks: Networks, sites: Sequence[Site], change: Array, points: int) -> StateMap:
    """The sites' networks at their inputs with a change [input], for so many points."""
    members = np.array([site.member for site in sites])
    x = np.stack([site.inputs for site in sites]) + change
    return networks.state_map(members, np.repeat(x[:, None], points, axis=1))


def _noisy(
    state_map: StateMap, h: Tensor, noise: Tensor, seed: Tensor, begin: Tensor, end: Tensor
) -> Tensor:
    """States [member, trial, state] after steps from one time to another, each with its noise, of
    standard deviation noise [member, 1]."""

    def turn(time: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        stream = tf.stack([seed[0], seed[1] + time])
        drawn = tf.random.stateless_normal(tf.shape(h)[1:], stream, dtype=h.dtype, alg="philox")
        return time + 1, state_map(h) + noise[..., None] * drawn

    return tf.while_loop(lambda time, h: time < end, turn, (begin, h))[1]
