"""Figures that a notebook shows."""

import io
from typing import Any

from matplotlib.figure import Figure

RESOLUTION = 130
"""Dots per inch of a figure in a notebook."""


class NotebookFigure(Figure):
    """Matplotlib figure that a notebook shows as the value of a cell.

    Figures of pyplot are shown by its backend. This one is not known to pyplot.
    """

    def _repr_png_(self) -> bytes:
        """Return the figure as an image."""
        buffer = io.BytesIO()
        options: dict[str, Any] = {"facecolor": self.get_facecolor(), "bbox_inches": "tight"}
        self.savefig(buffer, format="png", dpi=RESOLUTION, **options)
        return buffer.getvalue()
