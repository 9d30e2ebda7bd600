"""Networks of the user's own, read from their files and judged on their task."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.core.record import array
from rnnstudy.keras_bridge.float64_copies import KERAS_LOCK, reason
from rnnstudy.keras_bridge.keras_cell import import_registered, population_of
from rnnstudy.population.population import Population
from rnnstudy.study.spec.imported_models import ModelNetwork
from rnnstudy.tasks import Task
from rnnstudy.tasks.base import check_trials
from rnnstudy.training.evaluation import evaluate
from rnnstudy.training.train import Trained


@dataclass(frozen=True, eq=False)
class Given(Trained):
    """A network that was trained elsewhere: how it fares here, and the file that it came in.

    Of its training nothing is known: no curves, no steps, and a seed of -1.
    """

    content: Array = array("byte")
    """The Keras file, as it was."""

    module: str | None = None
    """Module that registers its classes with Keras."""

    def model(self) -> Any:
        """The `keras.Model` in the file; ValueError if it cannot be loaded."""
        return _loaded(self.content.tobytes(), self.module, compile=True)


def read_model(network: ModelNetwork) -> Given:
    """The network in a file, with its loss and accuracy on the task's fresh trials.

    ValueError, one sentence that begins with the file's name, if the file is not the one that the
    spec was read with, or holds no network that the task and the analyses can take.
    """
    path, task = Path(network.file), network.task
    check_trials(task)
    try:
        raw = _bytes(path, network.sha256)
        with KERAS_LOCK:
            model = _loaded(raw, network.module, compile=False)
            population = population_of(model, network.layer, network.module)
        _check_sizes(population, task)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    loss, accuracy = evaluate(task, population)
    one, nothing = np.ones(1, int), np.zeros((1, 0))
    return Given(
        population=population,
        seed=-one,
        attempt=0 * one,
        step=np.zeros(0, int),
        loss=nothing,
        accuracy=nothing,
        steps=0 * one,
        diverged_at=-one,
        evaluation_loss=loss,
        evaluation_accuracy=accuracy,
        solved=task.solved(loss, accuracy),
        content=np.frombuffer(raw, np.uint8),
        module=network.module,
    )


def _bytes(path: Path, sha256: str) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{(error.strerror or str(error)).lower()}: {path}") from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise ValueError("has changed since the spec was read; run the spec again")
    return raw


def _loaded(raw: bytes, module: str | None, *, compile: bool) -> Any:  # noqa: A002 - Keras's word
    import_registered(module)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(raw)
        try:
            return keras.models.load_model(path, compile=compile)
        except Exception as error:  # a file may be anything, and classes in it anybody's
            hint = "" if module else "; 'module' names a file that registers classes of your own"
            raise ValueError(f"Keras cannot load it: {reason(error)}{hint}") from error


def _check_sizes(population: Population, task: Task) -> None:
    for noun, has, wanted in (
        ("inputs", population.inputs, task.inputs),
        ("outputs", population.outputs, task.outputs),
    ):
        if has != wanted:
            raise ValueError(f"has {has} {noun}, the task {task.title} has {wanted}")
