"""A study: checked values of a spec, from YAML and back."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from rnnstudy.analyses import Analysis, AnyAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.analyses.recordings.joining import with_recordings, without_recordings
from rnnstudy.claims import AnyClaim, Claim
from rnnstudy.core.arguments import check_flag, check_instance, check_labels, check_path
from rnnstudy.core.component import Component
from rnnstudy.core.deprecations import former_words_as_errors
from rnnstudy.core.errors import spec_error, validation_error
from rnnstudy.core.source.plugins import is_confirmed, plugin_permission
from rnnstudy.recordings.entries import RECORDINGS
from rnnstudy.recordings.source import RecordingSource
from rnnstudy.study.errors import exits_as_errors
from rnnstudy.study.spec.checks import divide_claim, need_errors, use_errors, window_errors
from rnnstudy.study.spec.choices import with_derived_analyses
from rnnstudy.study.spec.expand import expand_grid
from rnnstudy.study.spec.grid import (
    Combination,
    combinations,
    condition_errors,
    fields_of_networks,
    grid_errors,
)
from rnnstudy.study.spec.imported_models import MODELS, Model, imported_networks
from rnnstudy.study.spec.networks import Networks, NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.options import Report, Runtime
from rnnstudy.study.spec.overrides import Override, override_errors
from rnnstudy.study.spec.protocols import NamedProtocol, Protocols, protocol_errors, written_out
from rnnstudy.study.spec.selection import PendingNetwork, Selection, selection_errors
from rnnstudy.study.spec_text.cli_overrides import apply_settings
from rnnstudy.study.spec_text.document import Document, SpecError, document_of
from rnnstudy.study.spec_text.former_words import replace_former_words
from rnnstudy.study.spec_text.messages import spec_problems
from rnnstudy.study.spec_text.reader import read_document
from rnnstudy.study.spec_text.summary import study_html, study_text
from rnnstudy.study.spec_text.writer import write_document
from rnnstudy.tasks import AnyTask, Task
from rnnstudy.training.protocol import Training

__all__ = [
    "Networks",
    "Override",
    "Report",
    "Runtime",
    "SpecError",
    "Study",
    "TrainedNetworkSpec",
    "load_study",
    "resolve_study",
    "study_of",
]


class Study(Component):
    """A question about populations of networks: what they learn, what they are, what is asked.

    Examples
    --------
    >>> from rnnstudy.study.spec.study import study_of
    >>> spec = {"study": "a", "tasks": ["flip_flop"], "networks": {"cells": "gru", "seeds": 2}}
    >>> [member.name for member, _ in study_of(spec).expand()]
    ['flip_flop-gru-tanh-32-s000', 'flip_flop-gru-tanh-32-s001']
    """

    study: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=100)]
    """Name of the study, and of the folder that its run makes."""

    tasks: tuple[AnyTask, ...] = Field(json_schema_extra={"minItems": 1})
    """Tasks. Each network learns one of them."""

    models: Annotated[tuple[Model, ...], MODELS] = ()
    """Networks of your own, beside the grid or in its place: Keras files, each by its path or as a
    mapping with more fields."""

    data: Annotated[tuple[RecordingSource, ...], RECORDINGS] = ()
    """Recordings of neurons, which join distances and maps of networks: files, each by its path or
    as a mapping with more fields."""

    networks: Networks | None = Field(None, validate_default=True)
    """The grid of networks that is trained on each task."""

    training: Training = Training()
    """Training protocol of all networks. The grid and overrides may change fields of it."""

    protocols: Annotated[tuple[NamedProtocol, ...], Protocols()] = Field((), validate_default=True)
    """Named ways to initialise and train networks, a factor of the grid: mappings, or `standard`.
    Fields of `training` and `overrides` are common to all."""

    selection: Selection | None = None
    """Training fields that pilot networks choose for each combination of the grid."""

    overrides: tuple[Override, ...] = ()
    """Other fields for parts of the grid; later ones win."""

    analyses: tuple[AnyAnalysis, ...] = ()
    """Analyses of the trained networks."""

    claims: tuple[AnyClaim, ...] = ()
    """Claims about the networks, each tested on every task that it applies to."""

    report: Report = Report()
    """The page, its figures, and models to take away."""

    runtime: Runtime = Runtime()
    """Options of the execution."""

    @field_validator("networks")
    @classmethod
    def _grid_can_be_built(cls, networks: Networks | None, info: ValidationInfo) -> Networks | None:
        if networks is None:
            if info.data.get("models") == ():
                message = "is missing, and there are no models; a study is of one or the other"
                raise validation_error("networks", [spec_error("nothing_asked", message)])
            return None
        errors = list(grid_errors(networks, info.data.get("tasks")))
        if errors:
            raise validation_error("networks", errors)
        return networks

    @field_validator("training")
    @classmethod
    def _grid_owns_its_axes(cls, training: Training, info: ValidationInfo) -> Training:
        networks = info.data.get("networks")
        axes = {} if networks is None else networks.training_axes
        errors = [
            spec_error(
                "elsewhere", f"is also given by networks.{name}; keep one of the two", (name,)
            )
            for name in axes
            if name in training.model_fields_set
        ]
        if errors:
            raise validation_error("training", errors)
        return training

    @field_validator("protocols")
    @classmethod
    def _protocols_fit_the_grid(
        cls, protocols: tuple[NamedProtocol, ...], info: ValidationInfo
    ) -> tuple[NamedProtocol, ...]:
        data = info.data
        if not protocols or not _has_grid(data):
            return protocols
        tasks, networks = data["tasks"], data["networks"]
        errors = list(protocol_errors(protocols, tasks, networks, data["training"]))
        if errors:
            raise validation_error("protocols", errors)
        return written_out(protocols, tasks, networks, data["training"])

    @field_validator("selection")
    @classmethod
    def _selection_owns_its_fields(
        cls, selection: Selection | None, info: ValidationInfo
    ) -> Selection | None:
        data = info.data
        if selection is not None and _has_grid(data):
            count = len(_combinations(data))
            errors = selection_errors(selection, data["networks"], data["training"], count)
            if errors:
                raise validation_error("selection", errors)
        return selection

    @field_validator("overrides")
    @classmethod
    def _overrides_fit_the_grid(
        cls, overrides: tuple[Override, ...], info: ValidationInfo
    ) -> tuple[Override, ...]:
        data = info.data
        if overrides and _has_grid(data):
            grid = _combinations(data)
            errors = override_errors(overrides, grid, data["networks"]) if grid else []
            if errors:
                raise validation_error("overrides", errors)
        return overrides

    @model_validator(mode="after")
    def _grid_has_networks(self) -> Self:
        if self.networks is None:
            return self
        names = [protocol.name for protocol in self.protocols]
        errors = list(condition_errors(self.tasks, self.networks, names))
        if not errors and not self._grid:
            message = "have no combination left: include and exclude leave out all of them"
            errors.append(spec_error("nothing_left", message))
        if errors:
            located = [InitErrorDetails(**{**e, "loc": ("networks", *e["loc"])}) for e in errors]
            raise validation_error("networks", located)
        return self

    @model_validator(mode="after")
    def _steps_are_equally_long(self) -> Self:
        cells = () if self.networks is None else self.networks.cells
        errors = [
            spec_error(
                "other_step",
                f"has steps of {step:g} ms, but task {task.title} of {task.dt:g} ms; "
                "give both the same 'dt'",
                ("networks", "cells", i),
            )
            for i, cell in enumerate(cells)
            for task in self.tasks
            if (step := getattr(cell, "dt", None)) is not None and task.dt not in (None, step)
        ]
        if errors:
            raise validation_error("networks", errors)
        return self

    @model_validator(mode="after")
    def _selection_finds_networks(self) -> Self:
        grid = {} if self.selection is None else self.selection.grid
        networks = [network for _, network in self.expand()] if grid else []
        free = {
            name for n in networks if isinstance(n, PendingNetwork) for name in n.pending_fields
        }
        message = "is set by overrides for every network, which leaves nothing to choose"
        errors = [spec_error("unused", message, ("selection", n)) for n in grid if n not in free]
        if errors:
            raise validation_error("selection", errors)
        return self

    @model_validator(mode="after")
    def _grid_is_there(self) -> Self:
        sections: dict[str, Any] = {"selection": self.selection, "overrides": self.overrides}
        sections["protocols"] = self.protocols
        sections["training"] = self.training != Training()
        useless = [name for name in sections if sections[name] and self.networks is None]
        message = "is about networks that are trained, and there are none: add 'networks'"
        errors = [spec_error("elsewhere", message, (name,)) for name in useless]
        if errors:
            raise validation_error("networks", errors)
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = {member.name for member, _ in self._grid} if self.models else set()
        message = "has the name of a network of the grid; give it another 'name'"
        repeated = [i for i, model in enumerate(self.models) if model.title in names]
        errors = [spec_error("namesake", message, ("models", i)) for i in repeated]
        if errors:
            raise validation_error("models", errors)
        return self

    @model_validator(mode="after")
    def _models_exist(self) -> Self:
        names = [member.name for member, _ in self.expand()] if self.report.models else []
        errors = [
            spec_error(
                "no_match",
                f"is {pattern!r}, which matches no network; the first is {names[0]!r}",
                ("report", "models", i),
            )
            for i, pattern in enumerate(self.report.models or ())
            if not any(fnmatchcase(name, pattern) for name in names)
        ]
        if errors:
            raise validation_error("report", errors)
        return self

    @field_validator("tasks")
    @classmethod
    def _titles_differ(cls, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        if not tasks:
            raise PydanticCustomError("empty_list", "is empty; it should list at least one task")
        _refuse_namesakes("task", [(i, task.title) for i, task in enumerate(tasks)])
        return tasks

    @field_validator("analyses")
    @classmethod
    def _choices_have_analyses(cls, analyses: tuple[Analysis, ...]) -> tuple[Analysis, ...]:
        """Add the analyses with other settings that multiverses choose between."""
        return with_derived_analyses(analyses)

    @field_validator("analyses")
    @classmethod
    def _recordings_join_distances(
        cls, analyses: tuple[Analysis, ...], info: ValidationInfo
    ) -> tuple[Analysis, ...]:
        return with_recordings(analyses, info.data.get("data", ()))

    @field_validator("analyses")
    @classmethod
    def _needs_are_listed(cls, analyses: tuple[Analysis, ...]) -> tuple[Analysis, ...]:
        _refuse_namesakes("analysis", [(i, a.title) for i, a in enumerate(analyses)])
        missing = list(need_errors(analyses, analyses))
        if missing:
            raise validation_error("analyses", missing)
        return analyses

    @field_validator("claims")
    @classmethod
    def _claims_differ(cls, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        _refuse_namesakes("claim", [(i, c.title) for i, c in enumerate(claims) if c.per is None])
        return claims

    @field_validator("claims")
    @classmethod
    def _claims_read_listed_analyses(
        cls, claims: tuple[Claim, ...], info: ValidationInfo
    ) -> tuple[Claim, ...]:
        errors = list(need_errors(claims, info.data["analyses"])) if "analyses" in info.data else []
        if errors:
            raise validation_error("claims", errors)
        return claims

    @field_validator("analyses")
    @classmethod
    def _analyses_have_networks(
        cls, analyses: tuple[Analysis, ...], info: ValidationInfo
    ) -> tuple[Analysis, ...]:
        _refuse_unusable("analyses", analyses, analyses, info.data)
        return analyses

    @field_validator("analyses")
    @classmethod
    def _windows_fit_tasks(
        cls, analyses: tuple[Analysis, ...], info: ValidationInfo
    ) -> tuple[Analysis, ...]:
        errors = list(window_errors(analyses, info.data.get("tasks", ())))
        if errors:
            raise validation_error("analyses", errors)
        return analyses

    @field_validator("claims")
    @classmethod
    def _claims_have_networks(
        cls, claims: tuple[Claim, ...], info: ValidationInfo
    ) -> tuple[Claim, ...]:
        """Check what claims are about, and divide those with `per` into one for each value."""
        if not {"analyses", *NETWORK_PARTS} <= info.data.keys():
            return claims
        _refuse_unusable("claims", claims, info.data["analyses"], info.data)
        fields = _fields(info.data) if any(claim.per for claim in claims) else []
        divided = [(i, c) for i, claim in enumerate(claims) for c in divide_claim(claim, fields)]
        _refuse_namesakes("claim", [(i, claim.title) for i, claim in divided])
        return tuple(claim for _, claim in divided)

    def __repr__(self) -> str:
        """Return the study in at most ten lines."""
        return study_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Return the study as a small table, for notebooks."""
        return study_html(self)

    def expand(self) -> tuple[tuple[Member, NetworkSpec], ...]:
        """Return all networks with their names, expanded once.

        The order is fixed: first the grid, the seed innermost, then imported networks. Networks
        that wait for a selection are `PendingNetwork`.
        """
        return self._networks

    @cached_property
    def _networks(self) -> tuple[tuple[Member, NetworkSpec], ...]:
        fields = self._grid[0][0].fields if self._grid else ()
        return (*self._grid, *imported_networks(self.models, self.tasks, fields))

    @cached_property
    def _grid(self) -> tuple[tuple[Member, TrainedNetworkSpec], ...]:
        """The networks of the grid, if there is one."""
        if self.networks is None:
            return ()
        grid = expand_grid(
            self.tasks,
            self.networks,
            self.training,
            self.selection,
            self.overrides,
            self.protocols,
        )
        return tuple(grid)


NETWORK_PARTS = {"tasks", "models", "networks", "training", "protocols"}
"""Parts of a study that decide which networks there are."""


def _fields(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the fields of all networks of the valid parts of a study."""
    tasks, grid = data["tasks"], data["networks"]
    names = [protocol.name for protocol in data["protocols"]]
    trained = [] if grid is None else list(fields_of_networks(tasks, grid, names))
    imported = imported_networks(data["models"], tasks, trained[0] if trained else ())
    return [*trained, *(member.fields for member, _ in imported)]


def _refuse_unusable(
    section: str,
    readers: Sequence[Analysis],
    analyses: Sequence[Analysis],
    data: Mapping[str, Any],
) -> None:
    """Raise the errors of analyses or claims that no network can be used for."""
    if not readers or not data.keys() >= NETWORK_PARTS:
        return
    grid = data["networks"] is not None
    errors = use_errors(readers, analyses, data["tasks"], _fields(data), grid=grid)
    if listed := list(errors):
        raise validation_error(section, listed)


def _combinations(data: Mapping[str, Any]) -> list[Combination]:
    """Return the combinations of the valid parts of a study."""
    names = [protocol.name for protocol in data.get("protocols", ())]
    return combinations(data["tasks"], data["networks"], data["training"], names)


def _has_grid(data: Mapping[str, Any]) -> bool:
    """Return whether all parts of a grid of networks are there and valid."""
    return {"tasks", "training"} <= data.keys() and data.get("networks") is not None


def _refuse_namesakes(noun: str, titles: Sequence[tuple[int, str]]) -> None:
    """Raise errors of titles that occur before. Each comes with its position in the spec."""
    errors = [
        spec_error(
            "namesake", f"is a second {noun} called {title!r}; give one of them a 'name'", (i,)
        )
        for k, (i, title) in enumerate(titles)
        if any(title == other for _, other in titles[:k])
    ]
    if errors:
        raise validation_error(noun, errors)


def load_study(
    path: str | Path | Mapping[str, Any],
    sets: Iterable[str] = (),
    *,
    allow_plugins: bool = False,
) -> Study:
    """Return the study of a YAML file, or of plain data in the form of a spec.

    A class of a user, `module:Class`, is imported only if that is allowed. An import runs its code.

    Parameters
    ----------
    path
        The spec: its file, or a dict.
    sets
        Settings that replace fields, like `training.steps=100`.
    allow_plugins
        If true, modules that the spec names are imported. They are searched in the folder of the
        spec after all others. Default: false, unless `RNNSTUDY_PLUGIN_FOLDERS` lists the folder.

    Returns
    -------
    Study
        Checked values, with defaults filled in.

    Raises
    ------
    SpecError
        With all errors of the file and the settings, each with file, line and key.
    TypeError
        If the spec is neither a path nor a dict, or the settings are no list of texts.

    Examples
    --------
    >>> import tempfile
    >>> from rnnstudy import load_study
    >>> with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    ...     _ = file.write("study: a\\ntasks: [flip_flop]\\nnetworks: {cells: gru, seeds: 2}")
    ...     file.flush()
    ...     study = load_study(file.name, ["training.steps=100"])
    >>> [member.name for member, _ in study.expand()]
    ['flip_flop-gru-tanh-32-s000', 'flip_flop-gru-tanh-32-s001']
    """
    sets = _check_settings(sets)
    if isinstance(path, Mapping):
        return study_of(path, sets, allow_plugins=check_flag("allow_plugins", allow_plugins))
    folder = check_path("path", path).parent
    check_flag("allow_plugins", allow_plugins)
    document = apply_settings(read_document(path), sets)
    return _build(document, folder if allow_plugins or is_confirmed(folder) else None)


def _check_settings(sets: Iterable[str]) -> Iterable[str]:
    """Return settings as a list; TypeError for one text and for entries that are no text."""
    remedy = "Pass a list, like ['training.steps=100']."
    settings = check_labels("sets", sets)
    return [check_instance("sets", setting, str, remedy) for setting in settings]


def study_of(
    data: Mapping[str, Any],
    sets: Iterable[str] = (),
    source: str = "study",
    *,
    allow_plugins: bool = False,
) -> Study:
    """Return the study of plain data in the form of a spec."""
    document = apply_settings(document_of(data, source), sets)
    return _build(document, Path.cwd() if allow_plugins else None)


def _build(document: Document, plugins: Path | None) -> Study:
    """Return the study of a document, which may import modules from a folder if there is one."""
    with nullcontext() if plugins is None else plugin_permission(plugins):
        return build_study(document)


def build_study(document: Document) -> Study:
    """Return the study of a document; SpecError with all errors, those of the text included."""
    problems = document.problems
    try:
        with exits_as_errors():
            study = _validate(document)
    except ValidationError as error:
        # An error of the text may have left a hole, which pydantic reports once more.
        holes = {problem.keys for problem in problems}
        problems = problems + [c for c in spec_problems(error, document) if c.keys not in holes]
    if problems:
        raise SpecError(problems)
    return study


def _validate(document: Document) -> Study:
    """Return the study of a document, whose former words are replaced with a warning for each."""
    while True:
        try:
            with former_words_as_errors():
                return Study.model_validate(document.data, context={"folder": document.folder})
        except ValidationError as error:
            if not replace_former_words(error, document):
                raise


def resolve_study(study: Study) -> str:
    """Return the study as YAML with all defaults; `load_study` reads an equal study from it."""
    data = study.model_dump(mode="json")
    chosen = {} if study.selection is None else study.selection.grid
    axes = {} if study.networks is None else study.networks.training_axes
    for name in (*axes, *chosen):
        del data["training"][name]
    if study.networks is None:
        del data["networks"], data["training"]
    if not study.data:
        del data["data"]
    # The data add the others again.
    data["analyses"] = [data["analyses"][i] for i in without_recordings(study.analyses)]
    return write_document(data)
