"""At which of a network's fixed points states arrive: what connections and transitions ask."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.basins.follow import ATTRACTOR, ELSEWHERE, Ends, Targets, settled
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.states.outcomes import Outcomes
from rnnstudy.dynamics.states.sampling import scale_of

ARRIVAL_OUTCOMES = Outcomes(
    {
        "point": "The state reached a known fixed point.",
        "elsewhere": (
            "The state is constant at a point that is not a known fixed point.",
            "Search for more fixed points.",
        ),
        "cycling": (
            "The state repeats periodically.",
            "Use `find_cycles` to study the orbit.",
        ),
        "escaped": (
            "The state left every bounded region.",
            "Check the weights, or start closer to visited states.",
        ),
        "moving": (
            "The state did not settle: its motion is slow, quasi-periodic or chaotic.",
            "Raise `steps`.",
        ),
    }
)
"""Outcomes of states that are followed to fixed points, with the codes of BASIN_OUTCOMES."""

BLOCK_BYTES = 64 * 2**20
"""Memory for the states of one batch."""

COPIES = 16
"""Vectors as long as the state that a step holds per state at its peak."""

APART = 0.1
"""Radius within which a state has arrived, as a share of the way to the nearest other fixed point,
at most."""

SMALL = 1e-3
"""Root mean square of points, as a share of the bound or 1, below which it is no scale."""

NOWHERE = 1e30
"""Where points are that only fill up an array."""


@dataclass(frozen=True, eq=False)
class Site:
    """The fixed points of one network at one input.

    points: their positions in the record; state [point, state] and unstable [point] of them; apart
    [point]: distance to the nearest other one; scale: root mean square of states.
    """

    member: int
    input_index: int
    inputs: Array
    points: Array
    state: Array
    unstable: Array
    apart: Array
    scale: float

    @property
    def stable(self) -> Array:
        """Which of them are without unstable directions, as positions among them."""
        return np.flatnonzero(self.unstable == 0)

    def radius(self, tolerance: float) -> Array:
        """Distance [point] within which a state has arrived."""
        reach = tolerance * self.scale * np.sqrt(self.state.shape[1])
        radius: Array = np.minimum(reach, APART * self.apart)
        return radius


def sites_of(
    network: Any, points: FixedPoints, layer: str | None = None
) -> tuple[Networks, list[Site]]:
    """The networks, and a site for each member and input that has fixed points.

    ValueError if the points are not of these networks: of another number, or of another size.
    """
    if not isinstance(points, FixedPoints):
        raise ValueError(
            f"fixed points should be what find_fixed_points returned, not {type(points).__name__}"
        )
    size, channels = points.state.shape[1], points.inputs.shape[1]
    tried = points.state if len(points) else None
    networks = as_networks(network, layer, size, channels, tried)
    if networks.state_size != size or points.member.max(initial=0) >= len(networks):
        raise ValueError(
            f"the fixed points are of {points.member.max(initial=0) + 1} or more networks with "
            f"states of {size}, these are {len(networks)} with states of {networks.state_size}"
        )
    keys = np.stack([points.member, points.input_index], axis=1)
    return networks, [_site(networks, points, *key) for key in np.unique(keys, axis=0)]


def _site(networks: Networks, points: FixedPoints, member: int, input_index: int) -> Site:
    own = np.flatnonzero((points.member == member) & (points.input_index == input_index))
    state = points.state[own]
    # Points at the origin alone say nothing of how large states are.
    scale, least = scale_of(state), networks.bound or 1.0
    return Site(
        member=int(member),
        input_index=int(input_index),
        inputs=points.inputs[own[0]],
        points=own,
        state=state,
        unstable=points.n_unstable[own],
        apart=nearest(state, state, k=2)[0],
        scale=scale if scale > SMALL * least else least,
    )


def nearest(points: Array, states: Array, k: int = 1) -> tuple[Array, Array]:
    """Distance to the k-th nearest of points [point, state], infinite if there are fewer, and which
    that is: [start] each, for states [start, state]."""
    # Here, because a plan is checked without it and it takes a while to import.
    from scipy.spatial import cKDTree

    distance, which = cKDTree(points).query(states, k=[k])
    return distance[:, 0], which[:, 0]


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Of each state of a site: at which of the site's points it arrived, -1 for none; the outcome
    as a code of ARRIVAL_OUTCOMES, and the number of steps until it was clear."""

    point: Array
    outcome: Array
    steps: Array

    def take(self, which: Array) -> "Arrivals":
        """Those of some states."""
        return Arrivals(self.point[which], self.outcome[which], self.steps[which])

    def joined(self, other: "Arrivals") -> "Arrivals":
        """Those of these states and others, end to end."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Arrivals(*map(np.concatenate, pairs))


def arrivals(
    networks: Networks, sites: Sequence[Site], starts: Sequence[Array], steps: int, tolerance: float
) -> list[Arrivals]:
    """Follow each site's states [start, state] to its stable points, in batches of bounded memory.

    A state that passes a saddle goes on; only one that comes to rest there has arrived.
    """
    found: list[Arrivals] = []
    first = 0
    while first < len(sites):
        last = first + 1
        while last < len(sites) and _bytes(sites[first : last + 1], starts[first : last + 1]) < 1:
            last += 1
        block = slice(first, last)
        ends = _ends(networks, sites[block], starts[block], steps, tolerance)
        for i, site in enumerate(sites[block]):
            count = len(starts[first + i])
            found.append(_told(site, ends, i, count, tolerance))
        first = last
    return found


def _bytes(sites: Sequence[Site], starts: Sequence[Array]) -> float:
    """Memory of a batch as a share of what it may take."""
    width, size = max(map(len, starts)), sites[0].state.shape[1]
    most = max(len(site.stable) for site in sites)
    return len(sites) * width * 8 * (COPIES * size + 4 * most) / BLOCK_BYTES


def _ends(
    networks: Networks, sites: Sequence[Site], starts: Sequence[Array], steps: int, tolerance: float
) -> Ends:
    """The ends [site, start] of a batch; rows are filled up with states that are there already."""
    width, size = max(1, *map(len, starts)), sites[0].state.shape[1]
    filler = np.array([site.state[site.stable[0] if len(site.stable) else 0] for site in sites])
    h = np.repeat(filler[:, None], width, axis=1)
    for row, own in zip(h, starts, strict=True):
        row[: len(own)] = own
    members = np.array([site.member for site in sites])
    inputs = np.stack([site.inputs for site in sites])
    targets = _targets(sites, size, tolerance)
    room = max(1, int(BLOCK_BYTES // (8 * len(sites) * COPIES * size)))
    parts = []
    for begin in range(0, width, room):
        part = h[:, begin : begin + room]
        x = np.broadcast_to(inputs[:, None], (*part.shape[:2], inputs.shape[1]))
        parts.append(settled(networks.state_map(members, x), part, targets, steps))
    return Ends.joined(parts, axis=1)


def _targets(sites: Sequence[Site], size: int, tolerance: float) -> Targets:
    most = max(1, *(len(site.stable) for site in sites))
    places = np.full((len(sites), most, size), NOWHERE)
    radius = np.full((len(sites), most), -1.0)
    for row, reach, site in zip(places, radius, sites, strict=True):
        row[: len(site.stable)] = site.state[site.stable]
        reach[: len(site.stable)] = site.radius(tolerance)[site.stable]
    scale = np.array([[site.scale] for site in sites])
    return Targets(places, radius, scale, tolerance * scale)


def _told(site: Site, ends: Ends, row: int, count: int, tolerance: float) -> Arrivals:
    """What became of the first so many states of a row."""
    outcome = np.array(ends.outcome[row, :count])
    point = np.full(count, -1)
    there = outcome == ATTRACTOR
    point[there] = site.stable[ends.attractor[row, :count][there]]
    rest = np.flatnonzero(outcome == ELSEWHERE)
    if len(rest):
        distance, close = nearest(site.state, ends.state[row, rest])
        known = distance <= site.radius(tolerance)[close]
        point[rest[known]] = close[known]
        outcome[rest[known]] = ATTRACTOR
    return Arrivals(point, outcome, np.array(ends.steps[row, :count]))


def outputs_of(networks: Networks, points: FixedPoints) -> Array:
    """Readout [point, output] of the points, with no columns if there is none."""
    counts = np.bincount(points.member, minlength=len(networks))
    order = np.argsort(points.member, kind="stable")
    place = np.arange(len(points)) - np.repeat(np.cumsum(counts) - counts, counts)
    states = np.zeros((len(networks), max(1, counts.max()), points.state.shape[1]))
    states[points.member[order], place] = points.state[order]
    read = networks.outputs_of(states)
    if read is None:
        return np.empty((len(points), 0))
    found = np.empty((len(points), read.shape[-1]))
    found[order] = read[points.member[order], place]
    return found
