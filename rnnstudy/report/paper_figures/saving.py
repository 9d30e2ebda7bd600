"""Figures for papers as files: SVG, PDF, and the tables behind them."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnstudy.core.arguments import check_path
from rnnstudy.core.files import write_file
from rnnstudy.report.figures.appearance import Style
from rnnstudy.report.figures.figures import NO_DATES
from rnnstudy.report.figures.notebook import NotebookFigure
from rnnstudy.report.paper_figures.style import paper_appearance

FORMATS = ("svg", "pdf")


class TabledFigure(NotebookFigure):
    """Matplotlib figure that has the tables that it shows, and writes itself with its style.

    Parameters
    ----------
    name
        Name of the figure and of its files.
    tables
        Name -> `pandas.DataFrame`.
    missing
        Name of a panel that is not in the figure -> the reason.
    style
        Style of matplotlib that it is drawn and written with.
    options
        Options of `matplotlib.figure.Figure`.
    """

    def __init__(
        self,
        name: str,
        tables: Mapping[str, Any],
        missing: Mapping[str, str],
        style: Style = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.name, self.style = name, style
        self.tables, self.missing = dict(tables), dict(missing)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the figure with its style, in which fonts are embedded."""
        with paper_appearance(self.style):
            super().savefig(fname, **options)

    def save(self, folder: str | Path, formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write the figure, and each of its tables as CSV; the same figure gives the same bytes.

        Parameters
        ----------
        folder
            Folder of the files, which is created if it is absent.
        formats
            Formats of matplotlib.

        Returns
        -------
        list of Path
            The files.
        """
        folder, contents = check_path("folder", folder), dict[str, bytes | str]()
        for form in formats:
            buffer = io.BytesIO()
            self.savefig(buffer, format=form, metadata=NO_DATES.get(form))
            contents[f"{self.name}.{form}"] = buffer.getvalue()
        for name, table in self.tables.items():
            contents[f"{name}.csv"] = table.to_csv(index=False, lineterminator="\n")
        for name, content in contents.items():
            write_file(folder / name, content)
        return [folder / name for name in contents]
