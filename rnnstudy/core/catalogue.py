"""Catalogues: entries by their kind, and fields of a spec that take one entry.

A catalogue is a dict from kind to class in the `__init__` of its folder, made by `catalogue`. A
user's own class is named `package.module:Class`.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from rnnstudy.core.component import Entry, summary
from rnnstudy.core.deprecations import REMOVED_KINDS, current_kind
from rnnstudy.core.errors import suggestion
from rnnstudy.core.source.places import place_of
from rnnstudy.core.source.plugins import PluginNotAllowed
from rnnstudy.core.tags import class_path, find_class

E = TypeVar("E", bound=Entry)


def catalogue(*entries: type[E]) -> dict[str, type[E]]:
    """Return entries by their kind, in order.

    Raises ValueError if two entries have one kind.
    """
    by_kind: dict[str, type[E]] = {}
    for entry in entries:
        if by_kind.setdefault(entry.kind, entry) is not entry:
            raise ValueError(
                f"kinds of a catalogue must differ, got {entry.kind!r} twice. Rename one of them."
            )
    return by_kind


class CatalogueField:
    """Annotation of a field that takes an entry of a catalogue.

    `Annotated[Task, CatalogueField("task", TASKS)]` accepts an entry, its kind, or a mapping
    `{kind: name, field: value, ...}`. Errors are pydantic errors at the key with the mistake.
    """

    def __init__(self, noun: str, catalogue: Mapping[str, type[Any]]) -> None:
        self.noun, self.catalogue = noun, catalogue

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            functools.partial(self.build, base=source),
            serialization=core_schema.plain_serializer_function_ser_schema(self.dump),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        path = {"type": "string", "pattern": "^[^:]+:[^:]+$"}
        variants: list[dict[str, Any]] = [
            {"enum": list(self.catalogue), "type": "string"},
            path | {"description": f"A {self.noun} of your own: package.module:Class."},
            {"type": "object", "required": ["kind"], "properties": {"kind": path}},
        ]
        for name, entry in self.catalogue.items():
            variant = dict(handler.resolve_ref_schema(handler(entry.__pydantic_core_schema__)))
            kind = {"const": name, "description": summary(inspect.getdoc(entry) or "")}
            variant["properties"] = {"kind": kind, **variant.get("properties", {})}
            variant["required"] = ["kind", *variant.get("required", [])]
            variants.append(variant)
        return {"anyOf": variants}

    def build(self, value: Any, base: type[Entry] = Entry) -> Any:
        """Return the entry of class `base` for a value: an entry, a kind, or a mapping."""
        if isinstance(value, Entry):
            return self._check_class(base, value)
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping):
            raise PydanticCustomError(
                "entry_type",
                "should be the name of a {noun} or a mapping with 'kind'",
                {"noun": self.noun},
            )
        if "kind" not in value:
            raise PydanticCustomError(
                "entry_kind_missing",
                "needs the key 'kind'; known: {known}",
                {"noun": self.noun, "known": ", ".join(self.catalogue)},
            )
        fields = {name: part for name, part in value.items() if name != "kind"}
        return self.find(value["kind"], base).model_validate(fields)

    def _check_class(self, base: type[Entry], entry: Entry) -> Entry:
        if isinstance(entry, base) and entry.noun == base.noun:
            return entry
        raise PydanticCustomError(
            "entry_class",
            "{kind} is not a {noun}; known: {known}",
            {"kind": entry.kind, "noun": self.noun, "known": ", ".join(self.catalogue)},
        )

    def dump(self, entry: Entry) -> dict[str, Any]:
        """Return plain JSON data from which `build` makes an equal entry."""
        fields = entry.model_dump(mode="json")
        listed = self.catalogue.get(entry.kind) is type(entry)
        return fields if listed else fields | {"kind": class_path(type(entry))}

    def find(self, kind: Any, base: type[Entry] = Entry) -> Any:
        """Return the class of a kind: an entry, or a `base` at `package.module:Class`."""
        if isinstance(kind, str) and kind in self.catalogue:
            return self.catalogue[kind]
        if isinstance(kind, str) and (renamed := current_kind(self.noun, kind, stacklevel=5)):
            return self.catalogue[renamed]
        if isinstance(kind, str) and ":" in kind:
            return self._own_class(kind, base)
        if isinstance(kind, str) and (reason := REMOVED_KINDS.get(self.noun, {}).get(kind)):
            context = {"kind": repr(kind), "reason": reason}
            raise PydanticCustomError("removed_kind", "{kind} {reason}", context)
        known = sorted(self.catalogue)
        raise PydanticCustomError(
            "unknown_kind",
            "{kind} is not a known {noun}; known: {known}{hint}",
            {
                "kind": repr(kind),
                "noun": self.noun,
                "known": ", ".join(known),
                "hint": suggestion(kind, known) if isinstance(kind, str) else "",
            },
        )

    def _own_class(self, path: str, base: type[Entry]) -> Any:
        try:
            cls = find_class(path)
        except PluginNotAllowed as error:
            raise self._class_error(path, str(error)) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # importing runs the user's own module
            words = f"{error}{_start_folder_hint(path, error)}"
            origin = place_of(error)
            if origin and not isinstance(error, ImportError):
                words = f"{type(error).__name__}: {words} ({origin})"
            raise self._class_error(path, f"cannot be loaded: {words}") from error
        if not issubclass(cls, base) or base.noun not in ("", cls.noun):
            raise self._class_error(path, f"is not a rnnstudy {self.noun}")
        if inspect.isabstract(cls):
            missing = ", ".join(sorted(cls.__abstractmethods__))
            raise self._class_error(path, f"is abstract: it needs {missing}")
        return cls

    def _class_error(self, path: str, reason: str) -> PydanticCustomError:
        context = {"path": repr(path), "reason": reason}
        return PydanticCustomError("outside_class", "{path} {reason}", context)


def _start_folder_hint(path: str, error: BaseException) -> str:
    """Return the remedy for a module that does not exist; empty for other errors."""
    module = path.partition(":")[0]
    top = module.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or error.name != top:
        return ""
    return f"; start it from the folder that holds {top if '.' in module else f'{top}.py'}"
