"""Shelves of entries: fields of a spec that hold one of them, by its name or by its class.

A catalogue is a literal dict in a shelf's `__init__`; entries of anybody's are
`package.module:Class`.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from rnnstudy.core.component import Entry
from rnnstudy.core.deprecations import current_kind
from rnnstudy.core.errors import suggestion
from rnnstudy.core.tags import class_path, find_class


class OneOf:
    """Marks a field that holds an entry of a catalogue: `Annotated[Task, OneOf("task", TASKS)]`.

    Accepts an entry, its name, or a mapping `{kind: name, field: value, ...}`. Errors are pydantic
    errors located at the key concerned.
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
        outside = {"type": "string", "pattern": "^[^:]+:[^:]+$"}
        variants: list[dict[str, Any]] = [
            {"enum": list(self.catalogue), "type": "string"},
            outside | {"description": f"A {self.noun} of your own: package.module:Class."},
            {"type": "object", "required": ["kind"], "properties": {"kind": outside}},
        ]
        for name, entry in self.catalogue.items():
            variant = dict(handler.resolve_ref_schema(handler(entry.__pydantic_core_schema__)))
            kind = {"const": name, "description": inspect.getdoc(entry) or ""}
            variant["properties"] = {"kind": kind, **variant.get("properties", {})}
            variant["required"] = ["kind", *variant.get("required", [])]
            variants.append(variant)
        return {"anyOf": variants}

    def build(self, value: Any, base: type[Entry] = Entry) -> Any:
        """The entry of class `base` that `value` (an entry, a name, a mapping) describes."""
        if isinstance(value, Entry):
            return self._of(base, value)
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

    def _of(self, base: type[Entry], entry: Entry) -> Entry:
        if isinstance(entry, base) and entry.noun == base.noun:
            return entry
        raise PydanticCustomError(
            "entry_class",
            "{kind} is not a {noun}; known: {known}",
            {"kind": entry.kind, "noun": self.noun, "known": ", ".join(self.catalogue)},
        )

    def dump(self, entry: Entry) -> dict[str, Any]:
        """Plain JSON data from which `build` makes an equal entry."""
        fields = entry.model_dump(mode="json")
        listed = self.catalogue.get(entry.kind) is type(entry)
        return fields if listed else fields | {"kind": class_path(type(entry))}

    def find(self, kind: Any, base: type[Entry] = Entry) -> Any:
        """The class named `kind`: of the catalogue, or a `base` at `package.module:Class`."""
        if isinstance(kind, str) and kind in self.catalogue:
            return self.catalogue[kind]
        if isinstance(kind, str) and (renamed := current_kind(self.noun, kind, stacklevel=5)):
            return self.catalogue[renamed]
        if isinstance(kind, str) and ":" in kind:
            return self._outside(kind, base)
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

    def _outside(self, path: str, base: type[Entry]) -> Any:
        try:
            cls = find_class(path)
        except Exception as error:  # importing runs the user's own module, which may raise anything
            hint = _where_to_start(path, error)
            raise self._refused_class(path, f"cannot be loaded: {error}{hint}") from error
        if not issubclass(cls, base) or base.noun not in ("", cls.noun):
            raise self._refused_class(path, f"is not a rnnstudy {self.noun}")
        if inspect.isabstract(cls):
            missing = ", ".join(sorted(cls.__abstractmethods__))
            raise self._refused_class(path, f"is abstract: it needs {missing}")
        return cls

    def _refused_class(self, path: str, reason: str) -> PydanticCustomError:
        context = {"path": repr(path), "reason": reason}
        return PydanticCustomError("outside_class", "{path} {reason}", context)


def _where_to_start(path: str, error: Exception) -> str:
    """What to do if the module of an outside class is not found; nothing after other errors."""
    module = path.partition(":")[0]
    top = module.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or error.name != top:
        return ""
    return f"; start it from the folder that holds {top if '.' in module else f'{top}.py'}"
