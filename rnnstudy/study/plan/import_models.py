"""Jobs that import networks of the user from files."""

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Address
from rnnstudy.core.files import read_file
from rnnstudy.core.lazy_imports import keras
from rnnstudy.core.record import Record, array
from rnnstudy.keras_bridge.float64_copies import KERAS_LOCK, reason
from rnnstudy.keras_bridge.from_torch import model_of
from rnnstudy.keras_bridge.keras_cell import import_registered, population_of
from rnnstudy.keras_bridge.keras_file import KerasFileError
from rnnstudy.keras_bridge.named_weights.files import SUFFIXES, read_weights
from rnnstudy.population.population import Population
from rnnstudy.study.plan.job import Context, Job, count_label
from rnnstudy.study.plan.outcomes import network_outcome, write_network
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.tasks.base import check_trials
from rnnstudy.training.evaluation import evaluate
from rnnstudy.training.train import TrainedNetworks


@dataclass(frozen=True, eq=False)
class ImportModels(Job):
    """Reading of networks of the user from their files."""

    networks: tuple[ImportedNetworkSpec, ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "read"

    @property
    def task(self) -> str:
        return self.networks[0].task.title

    @property
    def record_class(self) -> type[Record]:
        return TrainedNetworks

    @property
    def label(self) -> str:
        return f"read {', '.join(self.names)} ({count_label(len(self.names), 'network')})"

    def results(self) -> tuple[Address, ...]:
        return tuple(network.key() for network in self.networks)

    def requires(self) -> tuple[Address, ...]:
        return ()

    def _present(self, store: Store) -> list[bool]:
        return [network_outcome(store, network) is not None for network in self.networks]

    def missing(self, store: Store) -> Self | None:
        at = [i for i, present in enumerate(self.present(store)) if not present]
        networks, names = tuple(self.networks[i] for i in at), tuple(self.names[i] for i in at)
        return replace(self, networks=networks, names=names) if at else None

    def run(self, context: Context) -> None:
        for network in self.networks:
            write_network(context.store, network, read_model(network))


@dataclass(frozen=True, eq=False)
class ImportedNetwork(TrainedNetworks):
    """A network that was trained elsewhere: its results on the task, and its file.

    Its training is unknown. It has no curves, no steps and a seed of -1.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells.vanilla import Vanilla
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> from rnnstudy.training.protocol import Training
    >>> from rnnstudy.training.train import train
    >>> task = FlipFlop(bits=1, length=5)
    >>> trained = train(Vanilla(units=3), task, [Training(steps=2, batch=2)], [0])
    >>> network = ImportedNetwork(**vars(trained), content=np.zeros(2, np.uint8))
    >>> network.size("byte")
    2
    """

    content: Array = array("byte")
    """Bytes of the file."""

    module: str | None = None
    """Module that registers its classes with Keras."""

    suffix: str = ".keras"
    """Ending of the file."""

    layer: str | tuple[str, ...] | None = None
    """Names of the recurrent layers among weights."""

    readout: str | None = None
    """Name of the readout among weights."""

    activation: str | None = None
    """Nonlinearity of the cells of weights."""

    def model(self) -> Any:
        """Return the network of the file as a `keras.Model`; ValueError if it cannot be loaded."""
        raw = self.content.tobytes()
        if self.suffix in SUFFIXES:
            return _model_of_weights(raw, self.suffix, self)
        return _load_keras_model(raw, self.module, compile=True)


def read_model(network: ImportedNetworkSpec) -> ImportedNetwork:
    """Return the network in a file, with its loss and accuracy on evaluation trials of the task.

    ValueError, which begins with the file's name, if the file has changed since the spec was read.
    The same if its network does not fit the task and the analyses.
    """
    path, task = Path(network.file), network.task
    check_trials(task)
    try:
        raw = _bytes(path, network.sha256)
        with KERAS_LOCK:
            population = _population(raw, network)
        _check_sizes(population, task)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    loss, accuracy = evaluate(task, population)
    one, nothing = np.ones(1, int), np.zeros((1, 0))
    return ImportedNetwork(
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
        solved=task.is_solved(loss, accuracy),
        content=np.frombuffer(raw, np.uint8),
        module=network.module,
        suffix=path.suffix.lower(),
        layer=network.layer,
        readout=network.readout,
        activation=network.activation,
    )


def _population(raw: bytes, network: ImportedNetworkSpec) -> Population:
    suffix, layer = Path(network.file).suffix.lower(), network.layer
    if suffix in SUFFIXES:
        return population_of(_model_of_weights(raw, suffix, network))
    if isinstance(layer, tuple):
        raise ValueError(f"layer must be one name in a Keras file, got {list(layer)}")
    return population_of(
        _load_keras_model(raw, network.module, compile=False), layer, network.module
    )


def _model_of_weights(raw: bytes, suffix: str, parts: ImportedNetworkSpec | ImportedNetwork) -> Any:
    """Return the Keras model of a file of weights, whose parts an object names."""
    try:
        weights = read_weights(raw, suffix, parts.layer, parts.readout, parts.activation)
    except KerasFileError as error:
        raise ValueError(f"file must be readable as {suffix}, got one that {error}") from error
    return model_of(weights)


def _bytes(path: Path, sha256: str) -> bytes:
    try:
        raw = read_file(path, follow_links=True)
    except OSError as error:
        raise ValueError(f"{(error.strerror or str(error)).lower()}: {path}") from error
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise ValueError(
            "file must be as it was when the spec was read, got other content. Run the spec again."
        )
    return raw


def _load_keras_model(
    raw: bytes,
    module: str | None,
    *,
    compile: bool,  # noqa: A002 - Keras's word
) -> Any:
    import_registered(module)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(raw)
        try:
            return keras.models.load_model(path, compile=compile)
        except Exception as error:  # a file may be anything, and classes in it anybody's
            remedy = (
                f"Check the classes that the module {module!r} registers."
                if module
                else "Name in 'module' the module that registers classes of your own."
            )
            raise ValueError(
                f"file must be a model that Keras can load, got '{reason(error)}'. {remedy}"
            ) from error


def _check_sizes(population: Population, task: Task) -> None:
    for noun, size, task_size in (
        ("inputs", population.inputs, task.inputs),
        ("outputs", population.outputs, task.outputs),
    ):
        if size != task_size:
            raise ValueError(
                f"network must have {task_size} {noun} like the task {task.title}, got {size}. "
                "Name a task of the network's size."
            )
