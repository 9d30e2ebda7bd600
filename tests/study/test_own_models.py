"""Networks of the user's own: found, told apart, refused, and looked at like those of a grid."""

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from reference.keras_models import LEAKY, lstm, saved, sequential, stacked

from rnnstudy import runner
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.import_models import read_model
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results import files
from rnnstudy.study.results.run import Run, open_run
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.spec.study import Study, load_study, resolve_study, study_of
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.study.store import Store

TASK: dict[str, Any] = {"kind": "flip_flop", "bits": 2, "length": 12, "probe_length": 12,
                        "solved_loss": 100.0, "solved_accuracy": 0.0}  # fmt: skip
SEARCH = {"candidates": 16, "rounds": 1}
ANALYSES = [
    {"kind": "fixed_points", "search": SEARCH},
    {"kind": "pairs", "metric": "cka"},
    {"kind": "embedding", "of": "cka"},
]


def study(*models: Any, **changes: Any) -> Study:
    data = {"study": "own", "tasks": [TASK], "models": [*models], **changes}
    return study_of({name: part for name, part in data.items() if part is not None})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of several makes with two inputs and outputs, and one with three."""
    found = tmp_path_factory.mktemp("models")
    saved(sequential(lstm()), found / "one.keras")
    saved(sequential(lstm(), seed=1), found / "other.keras")
    saved(sequential(stacked()), found / "stacked.keras")
    chain = [lstm(), layers.Dropout(0.5), layers.GRU(3, return_sequences=True)]
    saved(sequential(*chain), found / "chain.keras")
    squashed = layers.Dense(2, activation="tanh")
    saved(sequential(lstm(), squashed), found / "squashed.keras")
    broken = sequential(lstm())
    broken.set_weights([np.full(w.shape, np.nan) for w in broken.get_weights()])
    saved(broken, found / "broken.keras")
    backwards = layers.LSTM(4, return_sequences=True, go_backwards=True)
    saved(sequential(backwards), found / "backwards.keras")
    saved(sequential(lstm(), inputs=3, outputs=3), found / "wide.keras")
    return found


# What a spec says


def test_files_are_looked_for_beside_the_spec(folder: Path, tmp_path: Path) -> None:
    spec = folder / "own.yaml"
    spec.write_text("study: s\ntasks: [{kind: flip_flop, bits: 2}]\nmodels: o*.keras\n")
    found = load_study(spec)
    assert [member.name for member, _ in found.expand()] == ["one", "other"]
    assert [model.file for model in found.models] == [
        str(folder / "one.keras"),
        str(folder / "other.keras"),
    ]
    fields = {"task": "flip_flop", "cell": "LSTM", "activation": "tanh", "units": 4, "seed": None}
    assert found.expand()[0][0].fields == fields


def test_a_file_that_is_gone_is_missed_only_when_a_spec_is_read(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "gone.keras"
    path.write_bytes((folder / "one.keras").read_bytes())
    first = study(str(path))
    path.unlink()
    again = tmp_path / "resolved.yaml"
    again.write_text(resolve_study(first))
    assert load_study(again) == first
    assert load_study(again).expand() == first.expand()


def test_a_grid_and_ones_own_networks_stand_in_one_study(folder: Path) -> None:
    grid = {"cells": ["gru"], "units": 4, "seeds": 2, "l2": [0.0, 1e-6]}
    members = [who for who, _ in study(str(folder / "one.keras"), networks=grid).expand()]
    assert [who.fields["seed"] for who in members] == [0, 1, 0, 1, None]
    assert members[-1].fields.keys() == members[0].fields.keys()


def test_networks_trained_elsewhere_have_no_untrained_twins(folder: Path, tmp_path: Path) -> None:
    untrained = [{"kind": "representations", "weights": "untrained"}]
    grid = {"cells": "gru", "units": 3, "seeds": 2}
    both = study(str(folder / "one.keras"), networks=grid, analyses=untrained)
    jobs = {job.label for job in make_plan(both, Store(tmp_path)).todo}
    assert [label for label in jobs if "untrained" in label] == [
        "representations_untrained flip_flop-gru-tanh-3-s000..s001 (2 networks)"
    ]
    assert "representations one (1 network)" in jobs
    with pytest.raises(SpecError, match="trained here, and there are none: add 'networks'"):
        study(str(folder / "one.keras"), analyses=untrained)


def test_the_address_is_the_content_and_how_it_is_read(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.keras"
    copy.write_bytes((folder / "one.keras").read_bytes())
    (_, network), (_, same) = study(str(folder / "one.keras"), str(copy)).expand()
    assert isinstance(network, ImportedNetworkSpec)
    assert network.key() == same.key()
    copy.write_bytes((folder / "other.keras").read_bytes())
    assert study(str(copy)).expand()[0][1].key() != network.key()
    assert network.replace(layer="lstm").key() != network.key()
    longer = study(str(folder / "one.keras"), tasks=[{**TASK, "length": 13}])
    assert longer.expand()[0][1].key() != network.key()


def test_a_network_goes_to_the_task_that_it_fits(folder: Path) -> None:
    three = {"kind": "flip_flop", "bits": 3, "name": "three"}
    also = {**TASK, "name": "also"}
    files = [str(folder / "wide.keras"), {"file": str(folder / "one.keras"), "task": "also"}]
    found = study(*files, tasks=[TASK, three, also]).expand()
    assert [network.task.title for _, network in found] == ["three", "also"]
    with pytest.raises(SpecError, match="may have learnt any of 2 tasks; add 'task: flip_flop' or"):
        study(str(folder / "one.keras"), tasks=[TASK, three, also])


MISTAKES: dict[str, tuple[str, str]] = {
    "sizes": (
        "models: [one.keras, wide.keras]\n",
        (
            "3:21: models[1] is a network of 3 inputs and 3 outputs; "
            "the task flip_flop has 2 inputs and 2 outputs"
        ),
    ),
    "no file": (
        "models:\n- {file: none.keras, origin: make none}\n",
        (
            "4:10: models[0].file is 'none.keras', which does not exist: there is no "
            "{folder}/none.keras; it comes from: make none"
        ),
    ),
    "readout": (
        "models: [squashed.keras]\n",
        (
            "3:10: models[0] is 'squashed.keras', which must have a readout with a linear "
            "activation, but its activation is tanh"
        ),
    ),
    "order": (
        "models: [backwards.keras]\n",
        (
            "3:10: models[0] is 'backwards.keras', which has the layer LSTM '{lstm}', which reads "
            "its inputs backwards. Save it with go_backwards=False"
        ),
    ),
    "no match": (
        "models: z*.keras\n",
        "3:9: models is 'z*.keras', which matches no file in {folder}",
    ),
    "namesakes": (
        "models: [one.keras, {file: other.keras, name: one}]\n",
        "3:21: models[1] is a second network called 'one'; give one of them a 'name'",
    ),
    "one name for several": (
        "models: [{file: o*.keras, name: a}]\n",
        "3:33: models[0].name is one name for 2 files; leave it out to call each after its file",
    ),
    "name in the grid": (
        "models: [{file: one.keras, name: flip_flop-gru-tanh-32-s000}]\nnetworks: {cells: gru}\n",
        "3:10: models[0] has the name of a network of the grid; give it another 'name'",
    ),
    "unknown task": (
        "models: [{file: one.keras, task: flipflop}]\n",
        "3:34: models[0].task is 'flipflop'; tasks: flip_flop; did you mean 'flip_flop'?",
    ),
    "no entry": (
        "models: [3]\n",
        (
            "3:10: models[0] is 3, an integer; it should be the name of a file or a mapping with "
            "'file'"
        ),
    ),
    "training of nothing": (
        "models: one.keras\ntraining: {steps: 3}\n",
        "4:1: training is about networks that are trained, and there are none: add 'networks'",
    ),
    "nothing at all": (
        "models: []\n",
        "1:1: networks is missing, and there are no models; a study is of one or the other",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_its_place_and_what_would_be_right(name: str, folder: Path) -> None:
    text, expected = MISTAKES[name]
    spec = folder / "wrong.yaml"
    spec.write_text(f"study: s\ntasks: [{{kind: flip_flop, bits: 2}}]\n{text}")
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        load_study(spec)
    expected = expected.replace(
        "{lstm}", keras.models.load_model(folder / "backwards.keras").layers[0].name
    )
    assert str(caught.value) == f"{spec}:{expected.format(folder=folder)}"


# What becomes of them


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Networks of all makes; one file holds what cannot be taken apart."""
    names = ("one", "stacked", "chain", "broken")
    files = [str(folder / f"{name}.keras") for name in names]
    found = study(
        *files,
        analyses=ANALYSES[1:],
        report={"models": "one", "formats": "svg"},
    )
    return runner.run(found, tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("name", ["one", "stacked", "chain"])
def test_a_network_is_judged_as_keras_judges_it(name: str, run: Run, folder: Path) -> None:
    trials = run.study.tasks[0].evaluation()
    outputs = keras.models.load_model(folder / f"{name}.keras")(trials.inputs).numpy()
    row = run.members.set_index("member").loc[name]
    # All time steps count in this task; float32 over 12 steps.
    assert row["loss"] == pytest.approx(np.mean((outputs - trials.targets) ** 2), rel=1e-4)
    assert row["status"] == "trained"
    assert row[["seed", "steps", "attempt"]].isna().all()


@pytest.mark.parametrize("name", ["one", "stacked", "chain"])
def test_its_activity_is_that_of_the_model(name: str, run: Run, folder: Path) -> None:
    found = run.record("representations", name)
    assert isinstance(found, Activity)
    model = keras.models.load_model(folder / f"{name}.keras")
    np.testing.assert_allclose(found.outputs, model(found.inputs), atol=1e-5)
    seen = keras.Model(model.inputs[0], model.layers[-1].input)(found.inputs)
    np.testing.assert_allclose(found.states, seen, atol=1e-5)


def test_networks_of_all_makes_are_compared(run: Run) -> None:
    frame = run.distances("cka")
    assert list(frame.index) == ["one", "stacked", "chain"]
    assert (frame.to_numpy()[~np.eye(3, dtype=bool)] > 0).all()


def test_what_cannot_be_taken_apart_is_one_sentence_and_costs_the_others_nothing(run: Run) -> None:
    failures = {each["label"]: each["reason"] for each in run.provenance["failures"]}
    read = failures.pop("read broken (1 network)")
    assert read.startswith("ValueError: broken.keras: weight '")
    assert read.endswith("must be finite, got NaN or inf. Train the network anew.")
    assert set(failures.values()) == {"RuntimeError: not done for broken, which could not be read"}
    assert files.unusable(run) == ["broken"]
    page = (run.directory / "report" / "index.html").read_text()
    assert "4 networks on 2-bit flip-flop memory, read from files" in page
    assert "must be finite, got NaN or inf" in page


def test_the_model_comes_back_as_it_was(run: Run, folder: Path, tmp_path: Path) -> None:
    original = keras.models.load_model(folder / "one.keras")
    written = files.export(run, "one", tmp_path / "again.keras")
    kept = (run.directory / "models" / "one.keras", written)
    for model in (run.model("one"), *map(keras.models.load_model, kept)):
        for ours, theirs in zip(model.get_weights(), original.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_second_run_has_nothing_left_to_do(run: Run) -> None:
    left = [job.label for job in run.plan().todo]
    assert all("broken" in label or "4 networks" in label for label in left)


def test_results_outlive_the_file(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.keras"
    path.write_bytes((folder / "one.keras").read_bytes())
    runner.run(study(str(path), analyses=ANALYSES[:1]), tmp_path / "run")
    expected = find_fixed_points(keras.models.load_model(path), np.zeros((1, 2)))
    path.unlink()
    again = open_run(tmp_path / "run")
    assert list(again.members["status"]) == ["trained"]
    assert again.plan().todo == ()
    assert again.model("mine").output_shape == (None, None, 2)
    found = again.fixed_points("mine")
    assert len(found)
    for point in found.state:
        assert np.abs(expected.state - point).max(axis=1).min() < 1e-8


def test_a_file_that_changed_in_between_is_not_taken_for_the_first(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.keras"
    path.write_bytes((folder / "one.keras").read_bytes())
    ((_, network),) = study(str(path)).expand()
    assert isinstance(network, ImportedNetworkSpec)
    path.write_bytes((folder / "other.keras").read_bytes())
    with pytest.raises(ValueError, match=r"^mine.keras: file must be as it was when the spec"):
        read_model(network)


# Cells that Keras does not know


@pytest.fixture
def leaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugins: None) -> Path:
    """A file with a cell of a module that nobody has imported."""
    (tmp_path / "leaky_cell.py").write_text(LEAKY)
    monkeypatch.syspath_prepend(tmp_path)
    known = {}
    exec(LEAKY, known)
    cell = known["Leaky"](3)
    path = saved(sequential(layers.RNN(cell, return_sequences=True)), tmp_path / "leaky.keras")
    del keras.saving.get_custom_objects()["leaky>Leaky"]
    sys.modules.pop("leaky_cell", None)
    return path


def test_a_module_is_named_that_registers_the_classes(leaky: Path, tmp_path: Path) -> None:
    without = runner.run(study(str(leaky)), tmp_path / "without")
    reason = without.provenance["failures"][0]["reason"]
    assert reason.startswith(
        "ValueError: leaky.keras: file must be a model that Keras can load, got "
    )
    assert reason.endswith("Name in 'module' the module that registers classes of your own.")
    wrong = runner.run(study({"file": str(leaky), "module": "no_such"}), tmp_path / "wrong")
    assert "the module 'no_such' must be importable" in str(wrong.provenance["failures"])
    with pytest.raises(RunError, match="does not hold network 'leaky'"):
        wrong.model("leaky")


def test_an_output_that_is_no_state_is_seen_all_the_same(leaky: Path, tmp_path: Path) -> None:
    entry = {"file": str(leaky), "module": "leaky_cell"}
    found = runner.run(study(entry, analyses=ANALYSES[:1]), tmp_path / "run")
    assert found.provenance["failures"] == []
    activity = found.record("representations", "leaky")
    assert isinstance(activity, Activity)
    model = found.model("leaky")
    np.testing.assert_allclose(activity.outputs, model(activity.inputs), atol=1e-5)
    # h = tanh(R h) at rest, of which 2 h is seen, and stands behind it in the state.
    recurrent = model.layers[0].cell.r.numpy().astype(float)
    points = found.fixed_points("leaky")
    assert len(points)
    for state, eigenvalues in zip(points.state, points.eigenvalues, strict=True):
        h = state[:3]
        np.testing.assert_allclose(np.tanh(h @ recurrent), h, atol=1e-9)
        np.testing.assert_allclose(state[3:], 2 * h, atol=1e-9)
        jacobian = (np.eye(3) + (1 - h**2)[:, None] * recurrent.T) / 2
        expected = np.sort(np.abs(np.linalg.eigvals(jacobian)))
        np.testing.assert_allclose(np.sort(np.abs(eigenvalues))[3:], expected, atol=1e-8)
        np.testing.assert_allclose(np.sort(np.abs(eigenvalues))[:3], 0, atol=1e-8)
