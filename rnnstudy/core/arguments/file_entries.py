"""Fields of a spec that name files: one entry, or a list of entries."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, core_schema

from rnnstudy.core.errors import reraise_below, validation_error

T = TypeVar("T")


class FileEntries:
    """Annotation of a field of files: a path, a mapping with `file`, or a list of these.

    Parameters
    ----------
    key
        Name of the field.
    read
        Function of an entry, the list of the objects so far, and what pydantic knows. It returns
        the objects of the entry, one by one.
    """

    def __init__(
        self, key: str, read: Callable[[Any, list[T], ValidationInfo], Iterable[T]]
    ) -> None:
        self.key, self.read = key, read

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_before_validator_function(self._read_all, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema)
        item = {"anyOf": [{"type": "string"}, listed["items"]]}
        return {"anyOf": [item, {"type": "array", "items": item}]}

    def _read_all(self, value: Any, info: ValidationInfo) -> tuple[Any, ...]:
        """Return the objects of all entries; errors are located at the entries of the list."""
        listed = isinstance(value, list | tuple)
        objects: list[Any] = []
        errors: list[InitErrorDetails] = []
        for i, entry in enumerate(value if listed else (value,)):
            loc = (i,) if listed else ()
            try:
                for each in self.read(entry, objects, info):
                    objects.append(each)  # noqa: PERF402 - `read` sees the objects so far
            except ValidationError as error:
                errors += [reraise_below(each, loc) for each in error.errors(include_url=False)]
        if errors:
            raise validation_error(self.key, errors)
        return tuple(objects)


def folder_of(info: ValidationInfo) -> Path:
    """Return the folder of the spec, to which its paths are relative."""
    return Path((info.context or {}).get("folder", "."))
