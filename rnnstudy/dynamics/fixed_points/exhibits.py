"""Fixed points drawn in the principal components of what the network visits."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Panels, Space, Space2D, Space3D
from rnnstudy.dynamics.linearisation.modes import decompose_jacobians
from rnnstudy.dynamics.states.projection import PrincipalComponents, principal_components

SHOWN = 8
"""Networks that are drawn, each in its own components."""

SPACES: dict[int, type[Space]] = {2: Space2D, 3: Space3D}

ARM = 0.08
"""Length of an unstable direction to either side, as a share of the picture's extent."""


def portraits(points: Any, trajectories: Any, dimensions: int) -> Exhibit:
    """A picture of fixed points, one per network: see `FixedPoints.exhibits`."""
    if dimensions not in SPACES:
        raise ValueError(f"dimensions should be 2 or 3, not {dimensions!r}")
    members = np.unique(points.searches["member"]).tolist()
    lines = _lines(trajectories, points.state.shape[-1])
    if len(members) == 1:
        return _portrait(points, lines, dimensions, "Fixed points")
    if lines:
        raise ValueError(
            f"these are points of {len(members)} networks, and trajectories belong to one; "
            "choose it with .of(member=0)"
        )
    return Panels(
        title="Fixed points",
        caption="Each network in its own principal components.",
        exhibits=[
            _portrait(points.of(member=member), lines, dimensions, f"member {member}")
            for member in members[:SHOWN]
        ],
    )


def _lines(trajectories: Any, size: int) -> list[Array]:
    """Trajectories [trial, time, state] or [time, state] one by one, as far as they are known."""
    if trajectories is None:
        return []
    found = np.asarray(trajectories, float)
    found = found[None] if found.ndim == 2 else found
    if found.ndim != 3 or not 1 <= found.shape[-1] <= size:
        raise ValueError(
            f"trajectories should be [trial, time, state] with states of length {size} (or the "
            f"first part of them, as an LSTM's h), not of shape {np.shape(trajectories)}"
        )
    return list(found)


def _portrait(points: Any, lines: Sequence[Array], dimensions: int, title: str) -> Space:
    """One network's points, in the components of its trajectories if there are any."""
    width = lines[0].shape[-1] if lines else points.state.shape[-1]
    parts = {"fixed": points.state, "continuum": points.continua.state, "slow": points.slow.state}
    states = np.concatenate(list(parts.values()))[:, :width]
    visited = np.concatenate(lines) if lines else states
    components = principal_components(visited, dimensions)
    groups = [
        *map(str, points.n_unstable),
        *["continuum"] * len(parts["continuum"]),
        *["slow"] * len(parts["slow"]),
    ]
    places = components.project(states)
    flown = [components.project(line) for line in lines]
    drawn = np.concatenate([places, *flown])
    arm = ARM * (float(np.ptp(drawn, axis=0).max()) or 1.0) if len(drawn) else 0.0
    return SPACES[dimensions](
        title=title,
        caption="Fixed points by their number of unstable directions (0: stable), which are drawn "
        "as short lines, in principal components" + (" of the trajectories." if lines else "."),
        lines=flown,
        points=places,
        point_groups=groups,
        directions=list(_directions(points, width, components, places, arm)),
        point_labels=_labels(points),
    )


def _directions(
    points: Any, width: int, components: PrincipalComponents, places: Array, arm: float
) -> Iterator[Array]:
    """Lines [end, component] along the unstable modes of each point, as they look from here."""
    unstable = np.flatnonzero(points.n_unstable)
    if not len(unstable):
        return
    values, right, _, _ = decompose_jacobians(points.jacobian[unstable])
    for i, own, modes in zip(unstable, values, right, strict=True):
        for value, mode in zip(own[: points.n_unstable[i]], modes, strict=False):
            # A complex pair spans a plane: its real and imaginary parts, each drawn once.
            parts = {0: [mode.real], 1: [mode.real, mode.imag], -1: []}[int(np.sign(value.imag))]
            for part in parts:
                direction = components.project_directions(part[:width])
                yield places[i] + arm * np.array([[-1.0], [1.0]]) * direction


def _labels(points: Any) -> list[str]:
    """What a point says of itself on hovering."""
    fixed = [
        f"point {i}, {kind}, input {at}"
        for i, (kind, at) in enumerate(zip(points.kind, points.input_index, strict=True))
    ]
    on = points.continua.continuum
    held = [f"on continuum {i}, input {points.continua.input_index[i]}" for i in on]
    slow = [f"slow, speed {speed:.1e}" for speed in points.slow.speed]
    return [*fixed, *held, *slow]
