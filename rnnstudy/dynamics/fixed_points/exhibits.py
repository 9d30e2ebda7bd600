"""Pictures of fixed points in the principal components of visited states."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Panels, Space, Space2D, Space3D
from rnnstudy.dynamics.linearisation.modes import decompose_jacobians
from rnnstudy.dynamics.states.projection import PrincipalComponents, principal_components

MAX_PORTRAITS = 8
"""Largest number of networks that are drawn, each in its own components."""

SPACES: dict[int, type[Space]] = {2: Space2D, 3: Space3D}

ARM = 0.08
"""Length of an unstable direction to either side, as a share of the picture's extent."""


def portraits(points: Any, trajectories: Any, dimensions: int) -> Exhibit:
    """Return a picture of fixed points, one per network; see `FixedPoints.exhibits`."""
    if dimensions not in SPACES:
        raise ValueError(f"dimensions must be 2 or 3, got {dimensions!r}")
    members = np.unique(points.searches["member"]).tolist()
    lines = _lines(trajectories, points.state.shape[-1])
    if len(members) == 1:
        return _portrait(points, lines, dimensions, "Fixed points")
    if lines:
        raise ValueError(
            "points with trajectories must be of one network, got points of "
            f"{len(members)} networks. Select one with .of(member=0)."
        )
    return Panels(
        title="Fixed points",
        caption="Each network in its own principal components.",
        exhibits=[
            _portrait(points.of(member=member), lines, dimensions, f"member {member}")
            for member in members[:MAX_PORTRAITS]
        ],
    )


def _lines(trajectories: Any, size: int) -> list[Array]:
    """Return trajectories `[trial, time, state]` or `[time, state]` one by one."""
    if trajectories is None:
        return []
    values = np.asarray(trajectories, float)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or not 1 <= values.shape[-1] <= size:
        raise ValueError(
            f"trajectories must be [trial, time, state] with states of length {size} (or the "
            f"first part of them, as an LSTM's h), got shape {np.shape(trajectories)}"
        )
    return list(values)


def _portrait(points: Any, lines: Sequence[Array], dimensions: int, title: str) -> Space:
    """Return one network's points, in the components of its trajectories if there are any."""
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
    positions = components.project(states)
    projected = [components.project(line) for line in lines]
    extent = np.concatenate([positions, *projected])
    arm = ARM * (float(np.ptp(extent, axis=0).max()) or 1.0) if len(extent) else 0.0
    return SPACES[dimensions](
        title=title,
        caption="Fixed points by their number of unstable directions (0: stable), which are drawn "
        "as short lines, in principal components" + (" of the trajectories." if lines else "."),
        lines=projected,
        points=positions,
        point_groups=groups,
        directions=list(_directions(points, width, components, positions, arm)),
        point_labels=_labels(points),
    )


def _directions(
    points: Any, width: int, components: PrincipalComponents, positions: Array, arm: float
) -> Iterator[Array]:
    """Yield lines `[end, component]` along the unstable modes of each point."""
    unstable = np.flatnonzero(points.n_unstable)
    if not len(unstable):
        return
    values, right, _, _ = decompose_jacobians(points.jacobian[unstable], points.continuous)
    for i, eigenvalues, modes in zip(unstable, values, right, strict=True):
        for value, mode in zip(eigenvalues[: points.n_unstable[i]], modes, strict=False):
            # A complex pair spans a plane: its real and imaginary parts, each drawn once.
            parts = {0: [mode.real], 1: [mode.real, mode.imag], -1: []}[int(np.sign(value.imag))]
            for part in parts:
                direction = components.project_directions(part[:width])
                yield positions[i] + arm * np.array([[-1.0], [1.0]]) * direction


def _labels(points: Any) -> list[str]:
    """Return the text of each point on hovering."""
    fixed = [
        f"point {i}, {kind}, input {at}"
        for i, (kind, at) in enumerate(zip(points.kind, points.input_index, strict=True))
    ]
    on = points.continua.continuum
    continua = [f"on continuum {i}, input {points.continua.input_index[i]}" for i in on]
    slow = [f"slow, speed {speed:.1e}" for speed in points.slow.speed]
    return [*fixed, *continua, *slow]
