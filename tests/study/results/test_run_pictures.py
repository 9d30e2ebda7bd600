"""What the report draws can be drawn in Python: distances, maps, training curves."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import rnnstudy
from rnnstudy.comparison.distances.embedding import Coordinates
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.exhibit import Curves, Matrix, Scatter
from rnnstudy.report.sections import task_section
from rnnstudy.study.errors import RunError
from rnnstudy.study.results import files
from rnnstudy.study.results.run import Run

SPEC: dict[str, Any] = {
    "study": "small",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "probe_length": 12,
               "solved_loss": 100.0, "solved_accuracy": 0.0}],
    "networks": {"cells": ["vanilla", "gru"], "units": 4, "seeds": 2},
    "training": {"steps": 3, "batch": 4, "record_every": 1},
    "analyses": [{"kind": "pairs", "metric": "cka"}, {"kind": "embedding", "of": "cka"}],
    "report": {"formats": "svg"},
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return rnnstudy.run(SPEC, tmp_path_factory.mktemp("run"))


def test_distances_and_maps_are_drawn(run: Run) -> None:
    frame = run.distances("cka")
    figure = rnnstudy.plot(frame)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), frame.to_numpy())
    assert figure.axes[0].get_title() == "Distance between networks, cka"
    place = run.embedding("cka")
    assert place.equals(run.embedding("embedding_cka"))
    assert list(place.index) == list(run.members["member"])
    record = run.task_record("embedding_cka")
    assert isinstance(record, Coordinates)
    np.testing.assert_array_equal(place.to_numpy(), record.points)
    axes = rnnstudy.plot(place).axes
    # A panel for each property that the map of the report is coloured by.
    assert [ax.get_title() for ax in axes] == ["by cell", "by activation"]
    assert len(rnnstudy.plot(record).axes) == 1
    distances = run.task_record("cka")
    assert isinstance(distances, Distances)
    assert rnnstudy.plot(distances).axes[0].images


def test_training_curves_are_drawn(run: Run) -> None:
    name = run.members["member"][0]
    (ax,) = rnnstudy.plot(run.trained_network(name)).axes
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), run.trained_network(name).loss[0])


def test_exhibits_are_those_of_the_report(run: Run) -> None:
    parts = {part.label: part.exhibits for part in task_section(run, "flip_flop").all_parts}
    for name, title in (("training", "Training"), ("cka", "cka"), ("embedding_cka",) * 2):
        ours = [(type(each), each.title) for each in run.exhibits(name)]
        assert ours == [(type(each), each.title) for each in parts[title]]
        assert rnnstudy.plot(run.exhibits(name))
    names = ("training", "cka", "embedding_cka")
    kinds = {type(each) for name in names for each in run.exhibits(name)}
    assert {Curves, Matrix, Scatter} <= kinds


def test_wrong_names_are_told(run: Run) -> None:
    with pytest.raises(RunError, match=r"no analysis 'ckb'; there are: training, cka, .* 'cka'"):
        run.exhibits("ckb")
    with pytest.raises(RunError, match="no task 'sine'"):
        run.exhibits("cka", "sine")
    with pytest.raises(RunError, match=r"no 'svcca' of task 'flip_flop'; there are: cka of"):
        run.embedding("svcca")


@pytest.mark.slow
def test_a_run_takes_a_path_and_writes_the_spec(tmp_path: Path) -> None:
    spec = tmp_path / "a.yaml"
    text = "study: a # mine\ntasks: [{kind: flip_flop, bits: 1, length: 5, probe_length: 5}]\n"
    spec.write_text(text + "networks: {cells: vanilla, units: 2}\ntraining: {steps: 1, batch: 2}\n")
    found = rnnstudy.run(str(spec), tmp_path / "run")
    assert len(found.members) == 1
    assert (tmp_path / "run" / "spec.yaml").read_bytes() == spec.read_bytes()


def test_a_plain_model_is_exported(run: Run, tmp_path: Path) -> None:
    name = run.members["member"][2]
    files.export(run, name, tmp_path / "a.keras", plain=True)
    model = keras.models.load_model(tmp_path / "a.keras")
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "GRU", "Dense"]
    x = np.random.default_rng(0).standard_normal((2, 6, 1)).astype(np.float32)
    np.testing.assert_allclose(model(x), run.model(name)(x), atol=1e-6)
