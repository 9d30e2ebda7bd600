"""Entries of a spec for recordings: files, their checksums and their tasks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError, ValidationInfo

from rnnstudy.core.arguments.file_entries import FileEntries, folder_of
from rnnstudy.core.errors import spec_error, suggestion, validation_error
from rnnstudy.recordings.files import checksum, read_recording_bytes
from rnnstudy.recordings.source import RecordingSource
from rnnstudy.tasks import Task


def _read_entry(
    entry: Any, sources: Sequence[RecordingSource], info: ValidationInfo
) -> Iterator[RecordingSource]:
    """Yield the recording of one entry of the list."""
    source = _entry_of(entry, folder_of(info), info.data.get("tasks", ()))
    models = [model.title for model in info.data.get("models", ())]
    _refuse_second(source, [*models, *(each.title for each in sources)])
    yield source


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


RECORDINGS = FileEntries("data", _read_entry)
"""Annotation of the field of recordings."""
