"""Recordings among networks: in a spec, in distances and maps, and in the report."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recordings_made import recording_of

from rnnstudy import runner
from rnnstudy.analyses.base import Section
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.exhibit import Matrix, Scatter, Strip
from rnnstudy.population.initialise import initial_population
from rnnstudy.recordings.distances import RecordingDistances
from rnnstudy.report.style import assign_marks
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, load_study, resolve_study, study_of
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.study.store import Store

TASK: dict[str, Any] = {"kind": "flip_flop", "bits": 2, "length": 12, "probe_length": 12,
                        "probe_trials": 4, "solved_loss": 1e6, "solved_accuracy": 0.0}  # fmt: skip
OTHER = {"kind": "go_no_go"}
ANALYSES = [{"kind": "pairs", "metric": "cka"}, {"kind": "embedding", "of": "cka"}]
NETWORKS = ("alpha", "beta", "gamma", "delta")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four networks of random weights, and a recording of the first."""
    folder = tmp_path_factory.mktemp("recordings")
    networks = initial_population(Vanilla(units=6), inputs=2, outputs=2, seeds=range(4))
    for i, name in enumerate(NETWORKS):
        networks.model(i).save(folder / f"{name}.keras")
    inputs = np.random.default_rng(0).standard_normal((5, 12, 2))
    states = networks.visible(networks.unroll(inputs))[0].astype(float)
    made = recording_of(states, repeats=6, neurons=100, noise=0.1)
    np.savez(
        folder / "ape.npz",
        activity=made.activity,
        inputs=np.tile(inputs, (6, 1, 1)),
        stimulus=made.fields["condition"],
    )
    return folder


def spec_of(folder: Path, **changes: Any) -> dict[str, Any]:
    models = [str(folder / f"{name}.keras") for name in NETWORKS]
    data = {"study": "s", "tasks": [TASK], "models": models, "analyses": ANALYSES}
    return {**data, "data": str(folder / "ape.npz"), **changes}


def study(folder: Path, **changes: Any) -> Study:
    return study_of({k: v for k, v in spec_of(folder, **changes).items() if v is not None})


def test_a_recording_joins_the_distances_and_their_map(folder: Path) -> None:
    titles = [analysis.title for analysis in study(folder).analyses]
    assert titles == ["cka", "embedding_cka", "cka_ape", "embedding_cka_ape"]


def test_a_resolved_spec_is_the_same_study(folder: Path, tmp_path: Path) -> None:
    first = study(folder)
    (tmp_path / "resolved.yaml").write_text(resolve_study(first))
    assert load_study(tmp_path / "resolved.yaml") == first
    assert "data:" not in resolve_study(study(folder, data=None))


def addresses(of: Study, store: Store) -> dict[str, str]:
    index = Artefacts.from_store(of, store)
    return {title: r.address(store, complete=True) for (title, _), r in index.shared.items()}


def test_no_other_result_depends_on_a_recording(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path)
    with_data, without = (addresses(study(folder, **c), store) for c in ({}, {"data": None}))
    assert {title: with_data[title] for title in without} == without


def test_the_content_of_the_file_is_a_part_of_the_address(folder: Path, tmp_path: Path) -> None:
    with np.load(folder / "ape.npz") as parts:
        np.savez(tmp_path / "ape.npz", **{**parts, "activity": 2.0 * parts["activity"]})
        np.savez(tmp_path / "copy.npz", **parts)
    store = Store(tmp_path / "store")
    first = addresses(study(folder), store)["cka_ape"]
    changed = addresses(study(folder, data=str(tmp_path / "ape.npz")), store)["cka_ape"]
    moved = {"file": str(tmp_path / "copy.npz"), "name": "ape"}
    (tmp_path / "copy.npz").write_bytes((folder / "ape.npz").read_bytes())
    assert changed != first
    # The name is the label of the record, and its place is not.
    named = addresses(study(folder, data={"file": str(folder / "ape.npz"), "name": "ape"}), store)
    assert addresses(study(folder, data=moved), store)["cka_ape"] == named["cka_ape"]


@pytest.mark.parametrize(
    ("data", "changes", "sentence"),
    [
        ("none.npz", {}, "data is not usable: none.npz: it must exist, got no file"),
        ({"file": "ape.npz", "task": "sine"}, {}, "data.task is 'sine'; tasks: flip_flop"),
        ("ape.npz", {"tasks": [TASK, OTHER]}, "may be of any of 2 tasks; add 'task'"),
        (["ape.npz", "ape.npz"], {}, "is a second item called 'ape'; give one of them a 'name'"),
        ({"file": "ape.npz", "name": "beta"}, {}, "is a second item called 'beta'"),
        ({"file": "ape.npz", "condition": ["side"]}, {}, "ape.npz: condition must name fields"),
        ({"file": "ape.npz", "align": "delay"}, {}, "must have the part 'delay'"),
        ({"file": "ape.npz", "bins": 3}, {}, "data.bins is not a known key"),
        (3, {}, "is no file of a recording"),
    ],
)
def test_a_wrong_entry_is_one_sentence(folder, data, changes, sentence):
    def placed(entry):
        if isinstance(entry, str):
            return str(folder / entry)
        return entry if isinstance(entry, int) else {**entry, "file": placed(entry["file"])}

    listed = [placed(each) for each in data] if isinstance(data, list) else placed(data)
    words = r"\s+".join(map(re.escape, sentence.split()))
    with pytest.raises(SpecError, match=words):
        study(folder, data=listed, **changes)


def test_a_window_that_a_task_lacks_is_refused(folder: Path) -> None:
    analyses = [{"kind": "pairs", "metric": "cka", "between": ["stimulus", "delay"]}]
    with pytest.raises(SpecError, match="does not fit: flip_flop must have the part 'stimulus'"):
        study(folder, analyses=analyses)


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    pairs = {"kind": "pairs", "metric": "procrustes", "between": [2, 12], "name": "late"}
    asked = study(folder, analyses=[*ANALYSES, pairs], report={"formats": ["svg"]})
    return runner.run(asked, tmp_path_factory.mktemp("run") / "s")


def test_the_recorded_network_is_nearest(run: Run) -> None:
    record = run.task_record("cka_ape")
    assert isinstance(record, RecordingDistances)
    assert record.labels == (*NETWORKS, "ape")
    assert record.nearest().index[0] == "alpha"
    assert record.sizes == {"conditions": 5, "times": 12, "neurons": 100, "trials": 30}
    assert run.task_record("late_ape").sizes["times"] == 10
    assert run.failures() == []


def test_a_recording_is_no_network(run: Run) -> None:
    assert list(run.members["member"]) == list(NETWORKS)
    assert list(run.distances("cka").index) == list(NETWORKS)
    assert sum(map(len, run.solved_by_combination()["flip_flop"].values())) == 4


def test_the_map_has_a_mark_and_a_label_of_its_own(run: Run) -> None:
    (scatter,) = run.exhibits("embedding_cka_ape")
    assert isinstance(scatter, Scatter)
    assert scatter.labels[-1] == "ape"
    assert "The star is the recording ape, which is no network." in scatter.caption
    for groups in scatter.groups.values():
        assert groups[-1] == "recording"
        assert "recording" not in groups[:-1]
    assert assign_marks(["vanilla", "recording"])["recording"].marker == "*"


def test_distances_to_the_recording_are_drawn_with_the_ceiling(run: Run) -> None:
    strip, matrix = run.exhibits("cka_ape")
    assert isinstance(strip, Strip)
    assert isinstance(matrix, Matrix)
    record = run.task_record("cka_ape")
    np.testing.assert_array_equal(strip.values, record.values[-1, :-1])
    assert strip.limit == record.least_distance
    name, least = record.nearest().index[0], record.nearest()["distance"].iloc[0]
    assert f"Nearest to the recording ape is {name}, at {least:.3g}. " in strip.finding
    assert "5 conditions, 12 times, 100 neurons, 30 trials" in strip.caption


def test_the_report_shows_the_recording(run: Run) -> None:
    page = (run.directory / "report" / "index.html").read_text()
    assert "Distance to the recording ape, cka_ape" in page
    assert "Recordings: which networks are nearest to the data?" in page


def test_a_map_of_the_run_can_be_plotted(run: Run) -> None:
    frame = run.embedding("cka_ape")
    assert frame.attrs["rnnstudy"]["groups"]["cell"]["ape"] == "recording"


def test_a_file_that_changed_since_the_spec_is_not_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ape.npz").write_bytes((folder / "ape.npz").read_bytes())
    (source,) = study(folder, data=str(tmp_path / "ape.npz")).data
    (tmp_path / "ape.npz").write_bytes(b"other")
    with pytest.raises(ValueError, match="got other content"):
        source.match(study(folder).tasks[0])


def test_no_exhibit_without_distances(run: Run) -> None:
    analysis = next(each for each in run.study.analyses if each.title == "cka_ape")
    section = run.section("flip_flop")
    lone = RecordingDistances(
        labels=("ape",), values=np.zeros((1, 1)), left_out={"alpha": "it stands still"},
        recording="ape", cross_validated=np.array([np.nan]), least_distance=np.nan,
        half_distance=np.nan, note="Too few trials.",
    )  # fmt: skip
    empty = Section(section.task, section.members, section.trained, {}, {"cka_ape": lone})
    (note,) = analysis.show(empty)
    assert note.text == "No network has distances. Left out, because it stands still: alpha."
