"""Tables of pandas as exhibits: distances between networks, and maps of networks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.exhibit import Exhibit, Matrix, Scatter

DRAWN = "rnnstudy"
"""Key of the attributes of a frame: its title, its form, and the groups of its rows."""


def is_frame(value: Any) -> bool:
    """Return whether a value is a `pandas.DataFrame`. Pandas is not imported."""
    return type(value).__name__ == "DataFrame" and hasattr(value, "columns")


def frame_exhibit(frame: Any) -> Exhibit:
    """Return the picture of a frame; ValueError if it has none.

    Parameters
    ----------
    frame : pandas.DataFrame
        A square matrix with one label for each row and column, as of `Run.distances`, or the
        coordinates of a map, as of `Run.embedding`.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame([[0.0, 1.0], [1.0, 0.0]], index=["a", "b"], columns=["a", "b"])
    >>> frame_exhibit(frame).labels
    ['a', 'b']
    """
    about = frame.attrs.get(DRAWN, {})
    labels = [str(label) for label in frame.index]
    groups = _groups(about.get("groups", {}), labels)
    if about.get("form") == "map" and frame.shape[1] >= 2:
        return Scatter(
            title=about.get("title", "Map"),
            points=frame.iloc[:, :2].to_numpy(float),
            labels=labels,
            groups=groups,
            x_label=str(frame.columns[0]),
            y_label=str(frame.columns[1]),
        )
    if list(frame.index) != list(frame.columns) or not len(labels):
        raise ValueError(
            "a table to plot must be a square matrix with the same labels on both sides, or a map "
            f"of Run.embedding, got {frame.shape[0]} rows and {frame.shape[1]} columns. Use "
            "frame.plot for other tables."
        )
    return Matrix(
        title=about.get("title", "Distances"),
        values=frame.to_numpy(float, na_value=np.nan),
        labels=labels,
        groups=groups,
        value_label=about.get("value_label", ""),
    )


def _groups(groups: Mapping[str, Mapping[str, str]], labels: Sequence[str]) -> dict[str, list[str]]:
    """Return the group of each row, for groupings that know all rows."""
    return {
        name: [known[label] for label in labels]
        for name, known in groups.items()
        if all(label in known for label in labels)
    }
