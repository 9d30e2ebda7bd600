"""Event files are read back with TensorFlow's own reader."""

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.study.execution.tensorboard import training_curves
from rnnstudy.training.protocol import Training
from rnnstudy.training.state import TrainingState


def course(done, loss):
    loss = np.asarray(loss, float)
    nowhere = np.full(len(loss), -1)
    return TrainingState(
        done=done, parameters={}, first={}, second={}, diverged_at=nowhere,
        stopped_at=np.where(np.isnan(loss[:, -1]), done, -1), loss=loss, accuracy=1.0 - loss,
    )  # fmt: skip


def written(folder):
    """(tag, step) -> value of every scalar in a folder."""
    found = {}
    for path in sorted(folder.glob("events*")):
        for raw in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(raw.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_quantiles_over_members_that_still_train(tmp_path):
    protocol = Training(steps=40, record_every=20)
    with training_curves(str(tmp_path), "memory-gru 3 networks", protocol) as write:
        write(course(20, [[0.5, np.nan], [0.1, np.nan], [0.3, np.nan]]))
        write(course(40, [[0.5, 0.2], [0.1, np.nan], [0.3, 0.1]]))
    found = written(tmp_path / "memory-gru_3_networks")
    assert found["loss/lowest", 0] == pytest.approx(0.1)
    assert found["loss/median", 0] == pytest.approx(0.3)
    assert found["loss/highest", 0] == pytest.approx(0.5)
    assert found["loss/median", 20] == pytest.approx(0.15)
    assert found["accuracy/highest", 20] == pytest.approx(0.9)
    assert found["members/training", 20] == 2
    assert found["members/stopped", 20] == 1


def test_members_that_all_diverged_leave_gaps_and_no_nan(tmp_path):
    with training_curves(str(tmp_path), "c", Training(steps=20, record_every=20)) as write:
        write(course(20, [[np.nan], [np.nan]]))
    assert not any(tag.startswith("loss") for tag, _ in written(tmp_path / "c"))


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with training_curves(None, "c", Training(steps=20, record_every=20)) as write:
        write(course(20, [[1.0]]))
    assert list(tmp_path.iterdir()) == []
