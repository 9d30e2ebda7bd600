"""Networks that a study imports from files, in place of a grid or beside one."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationInfo

from rnnstudy.analyses.base import Member
from rnnstudy.cells.base import Activation
from rnnstudy.core.arguments.file_entries import FileEntries, folder_of
from rnnstudy.core.component import Component
from rnnstudy.core.errors import spec_error, suggestion, validation_error
from rnnstudy.core.source.files import NO_SOURCE, source_of_module
from rnnstudy.core.source.plugins import REMEDY, is_allowed
from rnnstudy.keras_bridge.keras_file import Content, KerasFileError, read_content
from rnnstudy.keras_bridge.named_weights.files import SUFFIXES, read_weights_content
from rnnstudy.study.spec.grid import as_text
from rnnstudy.study.spec.networks import NetworkSpec
from rnnstudy.tasks import Task

PATTERN = re.compile(r"[*?\[]")


class Model(Component):
    """A network of your own: a file, which is analysed like the trained networks.

    Examples
    --------
    >>> from rnnstudy.study.spec.imported_models import Model
    >>> Model(file="nets/ring.keras").title
    'ring'
    """

    file: str
    """A `.keras` file, or weights as `.npz`, `.safetensors` or `.pt` (PyTorch), relative to the
    spec; with * and ? several, as in a shell."""

    name: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+=-]*$", max_length=100)] | None
    ) = None
    """Name of the network; default: the file's name without its ending."""

    task: str | None = None
    """The task that it has learnt; default: the one task with as many inputs and outputs."""

    layer: str | tuple[str, ...] | None = None
    """Its recurrent layer; default: the one, or the chain of several, that the model has. Of
    weights, several are listed from inputs to outputs."""

    readout: str | None = None
    """The linear layer that is the readout, if weights have several."""

    activation: Activation | None = None
    """Nonlinearity of the cells, which weights do not tell; default: tanh for GRU and LSTM."""

    module: str | None = None
    """Python module, beside the spec or installed, that registers classes of your own with Keras,
    if the file needs them."""

    origin: str | None = None
    """Origin of the file, for example a command: shown if the file is missing."""

    content: Content | None = None
    """Sizes and checksum of the file, filled in when a spec is read. If set, the file is read only
    when it is needed, and must be the same then."""

    @property
    def title(self) -> str:
        """The network's name."""
        return self.name or as_text(Path(self.file).stem)


class ImportedNetworkSpec(NetworkSpec):
    """Identity of an imported network. The content of its file decides its address.

    Examples
    --------
    >>> from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
    >>> from rnnstudy.tasks import FlipFlop
    >>> fields = {"task": FlipFlop(), "sha256": "0" * 64, "layer": None, "module": None}
    >>> first = ImportedNetworkSpec(file="a.keras", **fields)
    >>> first.key() == ImportedNetworkSpec(file="b.keras", **fields).key()
    True
    """

    labels: ClassVar[frozenset[str]] = frozenset({"file", "module"})
    added_fields: ClassVar[Mapping[str, Any]] = {"readout": None, "activation": None}

    sha256: str
    """Checksum of its file."""

    layer: str | tuple[str, ...] | None
    """Name of the recurrent layer."""

    file: str
    """Path of the file."""

    module: str | None
    """Module that registers its classes with Keras."""

    readout: str | None = None
    """Name of the readout among weights."""

    activation: Activation | None = None
    """Nonlinearity of the cells of weights."""

    def recipe(self) -> dict[str, Any]:
        """Return the recipe, with the source of the module."""
        source = NO_SOURCE if self.module is None else source_of_module(self.module)
        return super().recipe() | ({"source": source.sha256} if source.modules else {})


def _read_entry(entry: Any, models: Sequence[Model], info: ValidationInfo) -> Iterator[Model]:
    """Yield the models of one entry of the list."""
    tasks: Sequence[Task] = info.data.get("tasks", ())
    for model in _models_of(entry, folder_of(info)):
        if tasks:
            fitting_task(model, tasks)
        _refuse_namesake(model, models)
        yield model


def _models_of(entry: Any, folder: Path) -> Iterator[Model]:
    """Yield the models of an entry: one, or those of all files that it matches."""
    if isinstance(entry, Model):
        yield entry
        return
    if not isinstance(entry, str | Mapping):
        raise validation_error("models", [spec_error("model_entry", "", received=entry)])
    inside = () if isinstance(entry, str) else ("file",)
    model = Model.model_validate({"file": entry} if isinstance(entry, str) else dict(entry))
    if model.module is not None and not is_allowed(model.module):
        message = f"is {model.module!r}, which runs the code of that module; {REMEDY}"
        raise validation_error("models", [spec_error("plugin", message, ("module",))])
    files = _files(model.file, folder)
    if not files:
        message = f"is {model.file!r}, which matches no file in {folder.absolute()}"
        raise validation_error("models", [spec_error("no_file", message, inside)])
    if model.name is not None and len(files) > 1:
        message = f"is one name for {len(files)} files; leave it out to call each after its file"
        raise validation_error("models", [spec_error("name", message, ("name",))])
    for path in files:
        yield model.replace(file=str(path), content=model.content or _content(model, path, inside))


def _files(pattern: str, folder: Path) -> list[Path]:
    """Return the absolute paths of a path or pattern, in the order of names."""
    path = (folder / pattern).absolute()
    if path.exists() or not PATTERN.search(pattern):
        return [path]
    anchor = Path(path.anchor)
    return sorted(anchor.glob(str(path.relative_to(anchor))))


def _content(model: Model, path: Path, inside: tuple[str, ...]) -> Content:
    try:
        return _read_content(model, path)
    except ValueError as error:
        link = ", which" if isinstance(error, KerasFileError) else ":"
        message = f"is {model.file!r}{link} {error}"
        if not path.exists():
            message += f": there is no {path}"
            message += f"; it comes from: {model.origin}" if model.origin else ""
        raise validation_error("models", [spec_error("model_file", message, inside)]) from None


def _read_content(model: Model, path: Path) -> Content:
    if path.suffix.lower() in SUFFIXES:
        return read_weights_content(path, model.layer, model.readout, model.activation)
    if isinstance(model.layer, tuple):
        raise ValueError(f"layer must be one name in a Keras file, got {list(model.layer)}")
    return read_content(path, model.layer)


def _refuse_namesake(model: Model, others: Sequence[Model]) -> None:
    if model.title in (other.title for other in others):
        message = f"is a second network called {model.title!r}; give one of them a 'name'"
        raise validation_error("models", [spec_error("namesake", message)])


MODELS = FileEntries("models", _read_entry)
"""Annotation of the field of imported networks."""


def fitting_task(model: Model, tasks: Sequence[Task]) -> Task:
    """Return the task of a model; ValidationError if no task fits, or several do."""
    titles = [task.title for task in tasks]
    if model.task is not None and model.task not in titles:
        message = f"is {model.task!r}; tasks: {', '.join(titles)}{suggestion(model.task, titles)}"
        raise validation_error("models", [spec_error("model_task", message, ("task",))])
    named = [task for task in tasks if model.task in (None, task.title)]
    fitting = [task for task in named if _fits(model.content, task)]
    if not fitting:
        wanted = "; ".join(f"{task.title}: {_sizes(task.inputs, task.outputs)}" for task in named)
        assert model.content is not None
        has = _sizes(model.content.inputs, model.content.outputs)
        message = f"is a network of {has}, which fits no task ({wanted})"
        if len(named) == 1:
            message = f"is a network of {has}; the task {wanted.replace(':', ' has')}"
        raise validation_error("models", [spec_error("model_sizes", message)])
    if len(fitting) > 1:
        choices = " or ".join(f"'task: {task.title}'" for task in fitting)
        message = f"may have learnt any of {len(fitting)} tasks; add {choices}"
        raise validation_error("models", [spec_error("model_task", message)])
    return fitting[0]


def _fits(content: Content | None, task: Task) -> bool:
    """Return whether a task has as many inputs and outputs as a file, as far as they are known."""
    if content is None:
        return True
    return content.inputs in (None, task.inputs) and content.outputs in (None, task.outputs)


def _sizes(inputs: int | None, outputs: int | None) -> str:
    counts = [(inputs, "input"), (outputs, "output")]
    return " and ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts if n is not None)


def imported_networks(
    models: Sequence[Model], tasks: Sequence[Task], fields: Iterable[str] = ()
) -> Iterator[tuple[Member, ImportedNetworkSpec]]:
    """Yield the imported networks of a study with their names, in the order of the spec.

    fields: names of the fields of other networks. An imported network has no values for them.
    """
    for model in models:
        task, content = fitting_task(model, tasks), model.content
        assert content is not None
        known = {
            "task": task.title,
            "cell": content.cell,
            "activation": content.activation,
            "units": content.units,
            "seed": None,
        }
        network = ImportedNetworkSpec(
            task=task,
            sha256=content.sha256,
            layer=model.layer,
            file=model.file,
            module=model.module,
            readout=model.readout,
            activation=model.activation,
        )
        yield Member(model.title, {**dict.fromkeys(fields), **known}), network
