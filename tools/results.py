"""Write the results of a finished run into docs/results:

.venv/bin/python tools/results.py runs/universality-confirmatory docs/results README.md

Numbers go to CSV files, figures to PNG files. Both fill the marks `<!-- NAME -->` of the folder's
README.md; the words around them are written by hand. Without a README.md the page begins with
`tools/result_pages/frame.md`. `statements.csv` says which verdicts each sentence states. With a
third path, these sentences fill the mark `<!-- statements -->` of that page, too. With `--partial`
a run without some verdicts is written, too: they are `not computed`.

.venv/bin/python tools/results.py --redraw docs/results

Without the run, this draws the figures again that the CSV files determine: classes of solutions,
explained shares and specification curves.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from result_pages.collect import collect_tables
from result_pages.markdown import fill
from result_pages.pictures import drawable, picture_parts, pictures, table_pictures
from result_pages.tables import page_parts
from result_pages.wording import statements

import rnnstudy
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.report.figures.figures import save_figure
from rnnstudy.study.errors import RunError

FRAME = Path(__file__).parent / "result_pages" / "frame.md"


def main(directory: str, folder: str, readme: str | None = None, *, partial: bool = False) -> None:
    """Write tables and figures of a run, and fill the pages."""
    run, path = rnnstudy.open_run(directory), Path(folder)
    tables = collect_tables(run, partial=partial)
    tables["statements"] = statements(tables["claims"])
    figures = drawable(pictures(run, tables))
    page = path / "README.md"
    text = (page if page.exists() else FRAME).read_text(encoding="utf-8")
    pages = {page: text} | (
        {} if readme is None else {Path(readme): Path(readme).read_text("utf-8")}
    )
    with TemporaryDirectory() as draft:
        for name, table in tables.items():
            file = Path(draft) / f"{name}.csv"
            table.to_csv(file, index=False, float_format="%.4g", lineterminator="\n")
        _draw(figures, Path(draft))
        pages = {page: filled_page(text, Path(draft)) for page, text in pages.items()}
        shutil.copytree(draft, path, dirs_exist_ok=True)
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")


def redraw(folder: str) -> None:
    """Draw the figures of a folder that its CSV files determine, and fill its page."""
    path, page = Path(folder), Path(folder) / "README.md"
    text = page.read_text(encoding="utf-8")
    _draw(drawable(table_pictures(read_tables(path))), path)
    page.write_text(filled_page(text, path), encoding="utf-8")


def _draw(figures: Mapping[str, Exhibit], folder: Path) -> None:
    for name, figure in figures.items():
        save_figure(figure, folder, name, formats=("png",))


def filled_page(text: str, folder: Path) -> str:
    """Return a page whose marks are filled from the CSV files and figures of a folder."""
    names = sorted(path.stem for path in folder.glob("*.png"))
    return fill(text, page_parts(read_tables(folder), picture_parts(names)))


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables in the CSV files of a folder, by name; empty files are empty tables."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.csv"))}


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


if __name__ == "__main__":
    options = {each for each in sys.argv[1:] if each in ("--partial", "--redraw")}
    paths = [each for each in sys.argv[1:] if each not in options]
    is_redrawn = "--redraw" in options
    if (len(options) > 1 or len(paths) != 1) if is_redrawn else len(paths) not in (2, 3):
        sys.exit(
            "results.py takes two folders, that of a run and the one to write to, and a page "
            "if its statements are to be written, too; or --redraw and the folder of the results"
        )
    try:
        if is_redrawn:
            redraw(*paths)
        else:
            main(*paths, partial="--partial" in options)
    except (RunError, OSError, LookupError) as error:
        sys.exit(f"results.py: {error}")
