"""Draw the README's figure from a finished quickstart:

.venv/bin/python tools/readme_figure.py runs/quickstart docs/images
"""

import sys
from pathlib import Path

import rnnstudy
from rnnstudy.report.figures.figures import save_figure


def main(run: str, folder: str) -> None:
    """Write `fixed-points.png` into the folder."""
    results = rnnstudy.open_run(run)
    analysis = next(a for a in results.study.analyses if a.title == "fixed_points")
    exhibits = analysis.show(results.section("flip_flop"))
    portrait = next(e for e in exhibits if e.title == "Fixed points of typical networks")
    save_figure(portrait, Path(folder), "fixed-points", formats=("png",))


if __name__ == "__main__":
    main(*sys.argv[1:])
