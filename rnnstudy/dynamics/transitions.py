"""Between which stable points noise and pulses of input move a network, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from rnnstudy.dynamics.arrivals import Site, arrivals, sites_of
from rnnstudy.dynamics.flow import Flow, compiled
from rnnstudy.dynamics.networks import Networks
from rnnstudy.dynamics.points import FixedPoints
from rnnstudy.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.lazy import pd, tf
from rnnstudy.record import Array, Record, array

Tensor = Any

BLOCK_BYTES = 64 * 2**20
"""Memory for the states of one batch."""

COPIES = 16
"""Vectors as long as the state that a step holds per state at its peak."""

TOGETHER = 1024
"""Trials in a batch, each batch with a noise of its own."""

SHOWN = 8
"""Networks, inputs and pulses that are drawn."""


@dataclass(frozen=True, eq=False)
class Transitions(Record):
    """How often trials that began at one stable point ended at another; points are numbered as in
    the record of fixed points. One row per start, pulse and end, those of no trial included."""

    source: Array = array("transition")
    target: Array = array("transition")
    """Where trials ended; -1: at no stable point."""
    pulse: Array = array("transition")
    """Which of the pulses came first."""
    count: Array = array("transition")
    member: Array = array("transition")
    input_index: Array = array("transition")
    pulses: Array = array("pulse", "input")
    """What was added to the constant input; zeros if there were no pulses."""
    trials: int = 1
    """Trials per start and pulse."""
    confidence: float = 0.95

    def __len__(self) -> int:
        return len(self.source)

    @property
    def share(self) -> Array:
        """Of the trials from its start under its pulse: [transition]."""
        return self.count / self.trials

    def intervals(self) -> Array:
        """Low and high end [transition, 2] of the probability (Wilson 1927)."""
        found = {
            int(count): binomtest(int(count), self.trials).proportion_ci(
                self.confidence, method="wilson"
            )
            for count in np.unique(self.count)
        }
        ends = [(found[int(count)].low, found[int(count)].high) for count in self.count]
        return np.array(ends, np.float64).reshape(len(self), 2)

    def counts(self, member: int = 0, input_index: int = 0) -> tuple[Array, Array]:
        """The stable points' numbers [stable] of a member at an input, and how many trials led from
        each to each under each pulse [pulse, stable, stable]; rows lack those that ended nowhere.

        ValueError if the member has no stable point at the input.
        """
        own = (self.member == member) & (self.input_index == input_index)
        stable = np.unique(self.source[own])
        if not len(stable):
            raise ValueError(f"member {member} has no stable point at input {input_index}")
        own &= self.target >= 0
        found = np.zeros((len(self.pulses), len(stable), len(stable)), int)
        places = (np.searchsorted(stable, part[own]) for part in (self.source, self.target))
        found[self.pulse[own], *places] = self.count[own]
        return stable, found

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with a row per start, pulse and end that occurred: number, share and
        its interval."""
        low, high = self.intervals().T
        frame = pd.DataFrame(
            {
                "member": self.member,
                "input_index": self.input_index,
                "pulse": self.pulse,
                "source": self.source,
                "target": self.target,
                "count": self.count,
                "share": self.share,
                "low": low,
                "high": high,
            }
        )
        return frame[frame["count"] > 0].reset_index(drop=True)

    def exhibits(self) -> Sequence[Exhibit]:
        """A graph per network, input and pulse, and the table with intervals."""
        owners = np.stack([self.member, self.input_index, self.pulse], axis=1)
        return (
            Panels(
                title="Transitions",
                caption=f"Shares of {self.trials} trials that began at a stable point and ended at "
                "another.",
                exhibits=[self._graph(*key) for key in np.unique(owners, axis=0).tolist()[:SHOWN]],
            ),
            Table(
                title="Transitions",
                caption=f"With {self.confidence:.0%} intervals; target -1 is no stable point.",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _graph(self, member: int, input_index: int, pulse: int) -> Graph:
        stable, found = self.counts(member, input_index)
        share = found[pulse] / self.trials
        np.fill_diagonal(share, 0.0)
        edges = zip(*np.nonzero(share), strict=True)
        return Graph(
            title=f"member {member}, input {input_index}, pulse {pulse}",
            nodes=[str(point) for point in stable],
            groups=["stable"] * len(stable),
            edges=[(int(a), int(b), float(share[a, b])) for a, b in edges],
        )


def transitions(
    network: Any,
    fixed_points: FixedPoints,
    noise: float = 0.0,
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
    Each trial gets `steps` steps with normal noise of this standard deviation added to every state
    (as `state_noise` in training); in the first `width` of them, each of the pulses [pulse, input]
    in turn is added to the input. Then it is followed without noise until it has come within
    `tolerance` (a share of the points' root mean square) of a stable point, for `settling` steps at
    most. All networks get the same noise. ValueError for wrong shapes or numbers, and if there is
    neither noise nor a pulse.
    """
    networks, sites = sites_of(network, fixed_points, layer)
    given = _pulses(pulses, networks.inputs)
    if not (noise > 0 or pulses is not None):
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
            shaken = _shaken(networks, here, order, pulse, (noise, steps, width, trials), streams)
            ends = arrivals(networks, here, shaken, settling, tolerance)
            for site, end in zip(here, ends, strict=True):
                rows += _counted(site, order, place, end.point)
    columns = np.array(sorted(rows), int).reshape(-1, 6).T
    names = ("member", "input_index", "pulse", "source", "target", "count")
    return Transitions(
        **dict(zip(names, columns, strict=True)),
        pulses=given,
        trials=trials,
        confidence=confidence,
    )


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
    protocol: tuple[float, int, int, int],
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
        ends = []
        for part in range(0, trials, TOGETHER):
            h = np.repeat(start[:, None], min(TOGETHER, trials - part), axis=1)
            draw = np.random.SeedSequence((*streams, part)).generate_state(2) >> 1
            for change, begin, end in ((pulse, 0, width), (0.0 * pulse, width, steps)):
                flow = _flow(networks, block, change, h.shape[1])
                h = compiled(_noisy, flow, h, noise, draw.astype(np.int32), begin, end).numpy()
            ends.append(h)
        found += list(np.concatenate(ends, axis=1))
    return found


def _flow(networks: Networks, sites: Sequence[Site], change: Array, points: int) -> Flow:
    """The sites' networks at their inputs with a change [input], for so many points."""
    members = np.array([site.member for site in sites])
    x = np.stack([site.inputs for site in sites]) + change
    return networks.flow(members, np.repeat(x[:, None], points, axis=1))


def _noisy(
    flow: Flow, h: Tensor, noise: Tensor, seed: Tensor, begin: Tensor, end: Tensor
) -> Tensor:
    """States [member, trial, state] after steps from one time to another, each with its noise."""

    def turn(time: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        stream = tf.stack([seed[0], seed[1] + time])
        drawn = tf.random.stateless_normal(tf.shape(h)[1:], stream, dtype=h.dtype, alg="philox")
        return time + 1, flow(h) + tf.cast(noise, h.dtype) * drawn

    return tf.while_loop(lambda time, h: time < end, turn, (begin, h))[1]
