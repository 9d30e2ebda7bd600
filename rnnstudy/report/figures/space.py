"""Trajectories and fixed points in two and three dimensions."""

from functools import partial

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Space, Space2D, Space3D
from rnnstudy.report.figures.panels import Axes, Legend, Panel, dot_style, finite_rows, paint_reason
from rnnstudy.report.style import GREY, VERMILION, Mark, assign_marks, palette

MIN_BOX_SIDE = 0.45
"""Least side of the box, relative to the longest: flat data stay readable, not to scale."""

VIEW_MARGIN = 0.6
"""Largest distance of a point from the trajectories, in units of their extent."""

LABEL_PAD = -13.5
"""Typographic points by which axis labels move inwards, into the room for numbers."""

ZOOM = 1.08
"""Size of a cube in its axes, 1 being matplotlib's own, which leaves wide margins."""


def space_panels(exhibit: Space3D) -> list[Panel]:
    """Return a single panel with three axes."""
    return [Panel(partial(paint_space, exhibit), size=(4.2, 4.0), projection="3d")]


def plane_panels(exhibit: Space2D) -> list[Panel]:
    """Return a single panel with two axes of one scale."""
    return [Panel(partial(paint_plane, exhibit), size=(4.2, 3.6))]


def paint_space(exhibit: Space3D, axes: Axes) -> Legend:
    """Paint trajectories, directions and points in three dimensions."""
    if not hasattr(axes, "zaxis"):
        raise ValueError(
            f"axes of '{exhibit.title}' must have three dimensions, got two. Give axes with "
            "projection='3d'."
        )
    axes.patch.set_visible(False)  # else a neighbour's background hides the labels
    for axis, label in zip("xyz", exhibit.axis_labels, strict=True):
        axes.set(**{f"{axis}label": label, f"{axis}ticks": []})
        getattr(axes, f"{axis}axis").labelpad = LABEL_PAD
        getattr(axes, f"{axis}axis").set_pane_color(palette().pane)
    near = in_view(exhibit)
    positions = np.concatenate([_trajectory_positions(exhibit), exhibit.points[near]])
    if len(positions) == 0:
        return paint_reason(axes, "nothing found")
    looks = _paint(exhibit, near, axes)
    far = int((~near).sum())
    if far:
        axes.text2D(0.5, 0.0, f"{far} outside the view", transform=axes.transAxes, ha="center")
    sides = box_sides(positions)
    # Matplotlib keeps the box's diagonal, so that a flat box would outgrow its axes.
    axes.set_box_aspect(sides, zoom=ZOOM * np.linalg.norm(sides) / np.sqrt(3))
    axes.view_init(elev=24, azim=-58)
    return Legend(looks, exhibit.group_label)


def paint_plane(exhibit: Space2D, axes: Axes) -> Legend:
    """Paint trajectories, directions and points in the plane."""
    if hasattr(axes, "zaxis"):
        raise ValueError(f"axes of '{exhibit.title}' must have two dimensions, got three")
    axes.set(xlabel=exhibit.axis_labels[0], ylabel=exhibit.axis_labels[1], xticks=[], yticks=[])
    near = in_view(exhibit)
    if not near.any() and len(_trajectory_positions(exhibit)) == 0:
        return paint_reason(axes, "nothing found")
    axes.set_aspect("equal", adjustable="datalim")
    looks = _paint(exhibit, near, axes)
    far = int((~near).sum())
    if far:
        axes.text(0.5, 0.01, f"{far} outside the view", transform=axes.transAxes, ha="center")
    axes.margins(0.08)
    return Legend(looks, exhibit.group_label)


def _paint(exhibit: Space, near: Array, axes: Axes) -> dict[str, Mark]:
    """Paint thin grey trajectories, short strong directions, and on top points by class."""
    for line in exhibit.lines:
        axes.plot(*np.where(np.isfinite(line), line, np.nan).T, color=GREY, lw=0.5, alpha=0.55)
    for line in exhibit.directions:
        axes.plot(*line.T, color=VERMILION, lw=1.1, zorder=4)
    names = np.asarray(exhibit.point_groups, dtype=str)
    looks = assign_marks(names[near].tolist(), unstable=True)
    for name, mark in looks.items():
        axes.plot(*exhibit.points[near & (names == name)].T, **dot_style(mark, 5.0), zorder=5)
    return looks


def _trajectory_positions(exhibit: Space) -> Array:
    """Return all finite positions [position, axis] of the trajectories."""
    positions = np.concatenate([np.empty((0, exhibit.dimensions)), *exhibit.lines])
    return positions[finite_rows(positions)]


def in_view(exhibit: Space) -> Array:
    """Return True for the points [point] that are drawn: those near the trajectories.

    A fixed point far from all trajectories would shrink everything else to a dot.
    """
    near, path = finite_rows(exhibit.points), _trajectory_positions(exhibit)
    if len(path) < 2:
        return near
    reach = VIEW_MARGIN * np.ptp(path, axis=0).max()
    low, high = path.min(axis=0) - reach, path.max(axis=0) + reach
    # Comparisons with NaN are False, which is right for missing points.
    return near & ((exhibit.points >= low) & (exhibit.points <= high)).all(axis=1)


def box_sides(positions: Array) -> Array:
    """Return the sides [3] of the box around positions [position, 3], the longest 1."""
    if len(positions) == 0:
        return np.ones(3)
    spread = np.ptp(positions, axis=0)
    return np.maximum(spread / max(float(spread.max()), 1e-12), MIN_BOX_SIDE)
