"""Entries of a spec for recordings: files, their checksums and their tasks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, core_schema

from rnnstudy.core.errors import reraise_below, spec_error, suggestion, validation_error
from rnnstudy.recordings.files import checksum, read_recording_bytes
from rnnstudy.recordings.source import RecordingSource
from rnnstudy.tasks import Task


class Recordings:
    """Marker of the field of recordings: a file, a mapping, or a list of these."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_before_validator_function(_read_data, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema)
        item = {"anyOf": [{"type": "string"}, listed["items"]]}
        return {"anyOf": [item, {"type": "array", "items": item}]}


def _read_data(value: Any, info: core_schema.ValidationInfo) -> tuple[RecordingSource, ...]:
    """Return the recordings of all files; errors are located at the entries of the list."""
    listed = isinstance(value, list | tuple)
    folder = Path((info.context or {}).get("folder", "."))
    tasks: Sequence[Task] = info.data.get("tasks", ())
    models = [model.title for model in info.data.get("models", ())]
    sources: list[RecordingSource] = []
    errors: list[InitErrorDetails] = []
    for i, entry in enumerate(value if listed else (value,)):
        loc = (i,) if listed else ()
        try:
            source = _entry_of(entry, folder, tasks)
            _refuse_second(source, [*models, *(each.title for each in sources)])
            sources.append(source)
        except ValidationError as error:
            errors += [reraise_below(each, loc) for each in error.errors(include_url=False)]
    if errors:
        raise validation_error("data", errors)
    return tuple(sources)


def _entry_of(entry: Any, folder: Path, tasks: Sequence[Task]) -> RecordingSource:
    """Return an entry with its task, the path of its file and its checksum."""
    if isinstance(entry, RecordingSource):
        entry = {name: getattr(entry, name) for name in RecordingSource.model_fields}
    if not isinstance(entry, str | Mapping):
        message = "is no file of a recording; write a path, or a mapping with 'file'"
        raise validation_error("data", [spec_error("data_entry", message, received=entry)])
    inside = () if isinstance(entry, str) else ("file",)
    source = RecordingSource.model_validate(
        {"file": entry} if isinstance(entry, str) else dict(entry)
    )
    path = (folder / source.file).absolute()
    task = _task_of(source, tasks) if tasks else None
    is_known = source.sha256 is not None
    try:
        digest = source.sha256 or checksum(read_recording_bytes(path))
        source = source.replace(
            file=str(path),
            name=source.title,  # the label of the recording in results
            sha256=digest,
            task=source.task if task is None else task.title,
        )
        if task is not None and not is_known:
            source.match(task)
    except ValueError as error:
        if isinstance(error, ValidationError):
            raise
        message = f"is not usable: {error}"
        raise validation_error("data", [spec_error("data_file", message, inside)]) from None
    return source


def _task_of(source: RecordingSource, tasks: Sequence[Task]) -> Task:
    titles = [task.title for task in tasks]
    if source.task is None and len(tasks) > 1:
        message = f"may be of any of {len(tasks)} tasks; add 'task': {', '.join(titles)}"
        raise validation_error("data", [spec_error("data_task", message)])
    if source.task not in (None, *titles):
        message = f"is {source.task!r}; tasks: {', '.join(titles)}"
        message += suggestion(str(source.task), titles)
        raise validation_error("data", [spec_error("data_task", message, ("task",))])
    return tasks[0 if source.task is None else titles.index(source.task)]


def _refuse_second(source: RecordingSource, names: Sequence[str]) -> None:
    if source.title in names:
        message = f"is a second item called {source.title!r}; give one of them a 'name'"
        raise validation_error("data", [spec_error("namesake", message)])
