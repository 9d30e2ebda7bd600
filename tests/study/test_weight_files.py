"""Weights of PyTorch and JAX as networks of a study: read, refused, judged, exported."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from torch_formulas import random_layers, unroll

from rnnstudy import runner
from rnnstudy.study.results import files
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.spec.study import Study, load_study, study_of
from rnnstudy.study.spec_text.document import SpecError

TASK: dict[str, Any] = {"kind": "flip_flop", "bits": 2, "length": 6, "probe_length": 6,
                        "solved_loss": 100.0, "solved_accuracy": 0.0}  # fmt: skip
UNITS = 3


def weights(kind: str = "gru", layers: int = 1, dtype: str = "float32") -> dict[str, Any]:
    draw = np.random.default_rng(3).standard_normal
    found = {f"rnn.{n}": a for n, a in random_layers(kind, 2, UNITS, layers, dtype=dtype).items()}
    found |= {"fc.weight": draw((2, UNITS)).astype(dtype), "fc.bias": draw(2).astype(dtype)}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of weights of several kinds with two inputs and outputs, and of other contents."""
    made = tmp_path_factory.mktemp("weights")
    np.savez(made / "one.npz", **weights())
    np.savez(made / "deep.npz", **weights("lstm", layers=2, dtype="float64"))
    np.savez(made / "plain.npz", **weights("rnn"))
    np.savez(made / "objects.npz", a=np.array([print], dtype=object))
    np.savez(made / "bare.npz", **{n: a for n, a in weights().items() if n.startswith("rnn")})
    np.savez(made / "extra.npz", **weights(), scale=np.ones(3))
    (made / "broken.npz").write_bytes(b"PK no archive")
    with zipfile.ZipFile(made / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(1 << 27))
    return made


def study(*models: Any, **changes: Any) -> Study:
    return study_of({"study": "own", "tasks": [TASK], "models": [*models], **changes})


def test_a_file_of_weights_describes_its_network(folder: Path) -> None:
    entry = {"file": str(folder / "plain.npz"), "activation": "relu"}
    found = study(str(folder / "one.npz"), str(folder / "deep.npz"), entry).expand()
    described = [[who.fields[n] for n in ("cell", "activation", "units")] for who, _ in found]
    assert described == [["GRU", "tanh", 3], ["LSTM+LSTM", "tanh", 3], ["RNN", "relu", 3]]
    assert found[0][1].task.title == "flip_flop"


def test_the_parts_decide_the_address_and_their_absence_does_not(folder: Path) -> None:
    ((_, network),) = study(str(folder / "one.npz")).expand()
    assert isinstance(network, ImportedNetworkSpec)
    assert not {"readout", "activation"} & set(network.recipe()["fields"])
    assert network.replace(readout="fc").key() != network.key()
    assert network.replace(activation="relu").key() != network.key()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("none.npz", "which does not exist"),
        ("broken.npz", "which is damaged, or no .npz file of weights at all"),
        ("objects.npz", "which is damaged, or no .npz file of weights at all"),
        ("bomb.npz", "which unpacks to 134,217,728 bytes, 100 times its size or more"),
        ("bare.npz", "which has no linear readout that fits; name one in 'readout'"),
        ("extra.npz", ": the weights must be those of a recurrent layer .*, got scale beside them"),
        ("plain.npz", ": activation must be given for 'rnn', since weights of an nn.RNN do not"),
        ("{file: one.npz, readout: fd}", r": readout must be .* \(fc\), got 'fd'"),
        ("{file: one.npz, layer: [rn]}", r": layer must be .* \(rnn\), got 'rn'"),
        ("{file: one.npz, activation: tahn}", "activation is 'tahn'"),
        ("one.h5", "which is no Keras model file: save .* or its weights as .npz, .safetensors"),
    ],
)
def test_other_files_are_refused_at_their_place(entry: str, message: str, folder: Path) -> None:
    (folder / "one.h5").write_bytes(b"h5")
    spec = folder / "wrong.yaml"
    spec.write_text(f"study: s\ntasks: [{{kind: flip_flop, bits: 2}}]\nmodels: [{entry}]\n")
    with pytest.raises(SpecError, match=rf"wrong.yaml:3:\d+: models\[0\].*{message}"):
        load_study(spec)


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A study of one and of two layers."""
    analyses = [{"kind": "fixed_points", "search": {"candidates": 8, "rounds": 1}}]
    entries = {"file": str(folder / "one.npz"), "layer": "rnn"}, str(folder / "deep.npz")
    asked = study(*entries, analyses=analyses, report={"formats": "svg"})
    return runner.run(asked, tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize(
    ("name", "kind", "arrays"),
    [("one", "gru", weights()), ("deep", "lstm", weights("lstm", 2, "float64"))],
)
def test_a_network_is_judged_by_its_formulas(
    name: str, kind: str, arrays: dict[str, Any], run: Run, tmp_path: Path
) -> None:
    assert run.provenance["failures"] == []
    trials = run.study.tasks[0].evaluation()
    layers = {n.removeprefix("rnn."): a for n, a in arrays.items() if n.startswith("rnn")}
    states = unroll(kind, layers, np.asarray(trials.inputs, float))
    outputs = states @ arrays["fc.weight"].T + arrays["fc.bias"]
    row = run.members.set_index("member").loc[name]
    assert row["loss"] == pytest.approx(np.mean((outputs - trials.targets) ** 2), rel=1e-4)
    written = files.export(run, name, tmp_path / "again.keras")
    for model in (run.model(name), keras.models.load_model(written)):
        np.testing.assert_allclose(model(trials.inputs), outputs, atol=1e-4)


def test_a_file_of_pytorch_is_read_and_a_pickle_is_not(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    state = {name: torch.tensor(values) for name, values in weights().items()}
    torch.save({"state_dict": state, "epoch": 3}, folder / "gru.pt")
    ((member, _),) = study(str(folder / "gru.pt")).expand()
    assert member.fields["cell"] == "GRU"
    torch.save(torch.nn.GRU(2, 3), folder / "module.pt")
    with pytest.raises(SpecError, match="which holds more than tensors, or is damaged, and is not"):
        study(str(folder / "module.pt"))
    marker = folder / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (marker,)

    (folder / "evil.pt").write_bytes(pickle.dumps({"state_dict": Evil()}))
    with pytest.raises(SpecError, match=r"evil\.pt', which"):
        study(str(folder / "evil.pt"))
    assert not marker.exists()


def test_a_safetensors_file_is_read(folder: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file(weights(), folder / "gru.safetensors")
    ((member, _),) = study(str(folder / "gru.safetensors")).expand()
    assert member.fields["cell"] == "GRU"
    (folder / "bad.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(SpecError, match=r"damaged, or no \.safetensors file"):
        study(str(folder / "bad.safetensors"))


@pytest.mark.parametrize("name", ["torch", "safetensors"])
def test_a_missing_package_is_named(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, name, None)
    path = folder / {"torch": "absent.pt", "safetensors": "absent.safetensors"}[name]
    path.write_bytes(b"any")
    with pytest.raises(SpecError, match="to be read: pip install"):
        study(str(path))
