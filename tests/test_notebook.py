"""A fresh kernel of a notebook shows pictures, studies and progress, without magic."""

import os
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[1]

SPEC = """
spec = {
    "study": "small",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 8, "probe_length": 8,
               "solved_loss": 100.0, "solved_accuracy": 0.0}],
    "networks": {"cells": "vanilla", "units": 3, "seeds": 3},
    "training": {"steps": 2, "batch": 2},
    "analyses": [{"kind": "pairs", "metric": "cka"}],
    "report": {"formats": "svg"},
}
"""

LINES = """
line = Curve(x=np.arange(3), y=np.arange(3), label="a")
rnnstudy.plot(Curves(title="A", curves=[line], x_label="x", y_label="y"))
"""

CELLS = [
    "import numpy as np\nimport rnnstudy\nfrom rnnstudy.exhibits import Curve, Curves",
    LINES,
    f"{SPEC}\nstudy = rnnstudy.load_study(spec)\nstudy",
    "run = rnnstudy.run(study, 'run')",
    "rnnstudy.plot(run.distances('cka'), figsize=(3, 3), style='dark_background')",
]


@pytest.mark.slow
def test_a_notebook_shows_pictures_studies_and_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in CELLS])
    client = nbclient.NotebookClient(
        notebook, timeout=600, startup_timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()

    def data(cell: int) -> list[dict]:
        return [each["data"] for each in notebook.cells[cell].outputs if "data" in each]

    for cell in (1, 4):
        images = [each for each in data(cell) if "image/png" in each]
        assert len(images) == 1, notebook.cells[cell].outputs
        assert len(images[0]["image/png"]) > 5000
    (shown,) = data(2)
    assert "3 networks" in shown["text/html"]
    assert len(shown["text/plain"].splitlines()) <= 10
    (progress,) = data(3)  # one line, which was renewed
    assert "job" in progress["text/plain"]
    assert " in " in progress["text/plain"]
